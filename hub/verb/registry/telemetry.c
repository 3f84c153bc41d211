/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/verb/registry/telemetry.h"

#include "common/cli/output.h"
#include "hub/cli/json.h"

#include <glib/gi18n.h>

void
telemetry_print(Table *table, JsonNode *device)
{
    gint64 messages = verb_json_number(device, "telemetryMessages");
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, messages);
    g_autofree char *bytes =
        g_strdup_printf("%" G_GINT64_FORMAT, verb_json_number(device, "telemetryBytes"));
    g_autofree char *text = NULL;

    if (messages == 0)
        return;
    text = g_strdup_printf(_("%s messages with %s bytes dropped since %s"), number, bytes,
                           verb_json_text(device, "telemetrySince"));
    output_add_row(table, _("Telemetry"), text);
}
