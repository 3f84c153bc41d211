/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub status, endpoints */
#include "common/cli/output.h"
#include "hub/cli/json.h"
#include "hub/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>

static void
print_status(const Cli *cli, JsonNode *status)
{
    static const struct {
        const char *label, *member;
    } rows[] = {
        {N_("Connections"), "connections"},
        {N_("Not authenticated"), "unauthenticatedConnections"},
        {N_("Connected devices"), "connectedDevices"},
        {N_("On two machines"), "clonedDevices"},
        {N_("Streams now"), "streams"},
        {N_("Streams in all"), "streamsTotal"},
        {N_("Certificate's days"), "certificateDaysLeft"},
    };
    static const struct {
        const char *label, *member;
    } states[] = {
        {N_("Drains"), "draining"}, /* takes no new streams */
        {N_("Read-only"), "readOnly"},
    };
    g_autoptr(Table) table = table_new("", "", NULL);

    output_add_row(table, _("Host name"), verb_json_text(status, "hostName"));
    output_add_row(table, _("Version"), verb_json_text(status, "version"));
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *number =
            g_strdup_printf("%" G_GINT64_FORMAT, verb_json_number(status, rows[i].member));

        output_add_row(table, _(rows[i].label), number);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(states); i++)
        output_add_row(table, _(states[i].label),
                       verb_json_boolean(status, states[i].member) ? _("yes") : _("no"));
    output_rows(cli, table);
}

ExitCode
verb_status(Cli *cli, GError **error)
{
    g_autoptr(JsonNode) status = verb_ask(cli, "GET", "/v1/status", error);

    if (status == NULL)
        return verb_end(FALSE, error);
    if (cli->given[OPTION_JSON])
        output_json_node(status, FALSE);
    else
        print_status(cli, status);
    return EXIT_CODE_OK;
}

ExitCode
verb_endpoints(Cli *cli, GError **error)
{
    g_autoptr(JsonNode) answer = verb_ask(cli, "GET", "/v1/endpoints", error);
    JsonArray *urls = answer != NULL ? verb_json_array(answer, "streamingEndpoints") : NULL;

    if (answer == NULL)
        return verb_end(FALSE, error);
    if (cli->given[OPTION_JSON])
        output_json_node(answer, FALSE);
    for (guint i = 0; !cli->given[OPTION_JSON] && urls != NULL && i < json_array_get_length(urls);
         i++)
        (void)puts(json_array_get_string_element(urls, i));
    return EXIT_CODE_OK;
}
