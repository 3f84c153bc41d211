/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub drain */
#include "common/cli/output.h"
#include "hub/cli/json.h"
#include "hub/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>

#define DRAIN_LOOK (200 * G_TIME_SPAN_MILLISECOND) /* between two requests for the hub's status */
#define TIMEOUT_MAX G_MAXINT32                     /* s */

/* Without --read-only a hold of the registry stays as it is; --cancel ends that, too. */
static JsonNode *
ask_drain(const Cli *cli, gboolean draining, GError **error)
{
    g_autoptr(AdminClient) client = verb_connect(cli);
    JsonBuilder *body = json_builder_new();

    json_builder_begin_object(body);
    json_builder_set_member_name(body, "draining");
    json_builder_add_boolean_value(body, draining);
    if (cli->given[OPTION_READ_ONLY] || !draining) {
        json_builder_set_member_name(body, "readOnly");
        json_builder_add_boolean_value(body, cli->given[OPTION_READ_ONLY]);
    }
    json_builder_end_object(body);
    return admin_client_call(client, "PUT", "/v1/drain", body, error);
}

/* Waits until no stream is left, or until END. The hub goes on draining. *STATUS: its last
 * answer. */
static gboolean
wait_for_end(const Cli *cli, JsonNode **status, gint64 end, GError **error)
{
    gint64 left;

    while ((left = verb_json_number(*status, "streams")) > 0) {
        gint64 now = g_get_monotonic_time();
        JsonNode *next;

        if (now >= end) {
            cli_fail(
                error, EXIT_CODE_TIMED_OUT,
                ngettext("%d stream is left; the hub still takes no new ones: restart it, or "
                         "'streamhub drain --cancel'",
                         "%d streams are left; the hub still takes no new ones: restart it, or "
                         "'streamhub drain --cancel'",
                         (gulong)left),
                (int)left);
            return FALSE;
        }
        g_usleep((gulong)MIN(DRAIN_LOOK, end - now));
        next = verb_ask(cli, "GET", "/v1/status", error);
        if (next == NULL)
            return FALSE;
        json_node_unref(*status);
        *status = next;
    }
    return TRUE;
}

ExitCode
verb_drain(Cli *cli, GError **error)
{
    const gboolean cancel = cli->given[OPTION_CANCEL];
    g_autoptr(JsonNode) status = NULL;
    gint64 end = G_MAXINT64;
    guint64 timeout = 0;

    if (cancel && cli->given[OPTION_READ_ONLY])
        return cli_fail(error, EXIT_CODE_USAGE, _("drain: --cancel takes --read-only back, too"));
    if (!cli_number(cli, OPTION_TIMEOUT, 0, TIMEOUT_MAX, &timeout, error))
        return verb_end(FALSE, error);
    if (cli->given[OPTION_TIMEOUT])
        end = g_get_monotonic_time() + (gint64)timeout * G_TIME_SPAN_SECOND;
    status = ask_drain(cli, !cancel, error);
    if (status == NULL || (!cancel && !wait_for_end(cli, &status, end, error)))
        return verb_end(FALSE, error);
    if (cli->given[OPTION_JSON])
        output_json_node(status, FALSE);
    else
        (void)puts(cancel ? _("The hub takes new streams again.")
                          : _("No stream is left, and the hub takes no new ones."));
    return EXIT_CODE_OK;
}
