/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub status, endpoints */
#include "hub/verb/cli.h"

#include "hub/verb/json.h"

static void
print_status(JsonNode *status)
{
    static const char *const lines[][2] = {
        {"Connections", "connections"},
        {"  not authenticated", "unauthenticatedConnections"},
        {"Connected devices", "connectedDevices"},
        {"Streams now", "streams"},
        {"Streams in all", "streamsTotal"},
        {"Certificate's days", "certificateDaysLeft"},
    };

    g_print("%-21s%s\n", "Host name", verb_json_text(status, "hostName"));
    g_print("%-21s%s\n", "Version", verb_json_text(status, "version"));
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++)
        g_print("%-21s%" G_GINT64_FORMAT "\n", lines[i][0], verb_json_number(status, lines[i][1]));
}

gboolean
verb_status(const CliCall *call, GError **error)
{
    g_autoptr(AdminClient) client = cli_connect(call, error);
    g_autoptr(JsonNode) status =
        client ? admin_client_call(client, "GET", "/v1/status", NULL, error) : NULL;

    if (!status)
        return FALSE;
    if (call->options->json)
        cli_print_json(status);
    else
        print_status(status);
    return TRUE;
}

gboolean
verb_endpoints(const CliCall *call, GError **error)
{
    g_autoptr(AdminClient) client = cli_connect(call, error);
    g_autoptr(JsonNode) endpoints =
        client ? admin_client_call(client, "GET", "/v1/endpoints", NULL, error) : NULL;
    g_autofree char *text = endpoints ? json_to_string(endpoints, FALSE) : NULL;

    if (text)
        g_print("%s\n", text);
    return text != NULL;
}
