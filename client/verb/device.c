/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/output.h"
#include "client/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>

#define DEVICES_MAX 100000 /* beyond it something is wrong with the hub */

GVariant *
verb_list_devices(Bus *bus, const char *hub, guint most, GError **error)
{
    g_auto(GVariantBuilder) all = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("aa{sv}"));
    g_autofree char *after = NULL;
    guint count = 0;

    do {
        g_auto(GVariantBuilder) options = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
        g_autoptr(GVariant) reply = NULL, page = NULL;

        verb_add_string(&options, "after", after);
        reply = bus_call(bus, BUS_ROOT, BUS_MANAGER, "ListDevices",
                         g_variant_new("(sa{sv})", hub != NULL ? hub : "", &options), 0, error);
        if (reply == NULL)
            return NULL;
        g_clear_pointer(&after, g_free);
        g_variant_get(reply, "(@aa{sv}s)", &page, &after);
        for (gsize i = 0; i < g_variant_n_children(page) && count < most; i++, count++) {
            g_autoptr(GVariant) device = g_variant_get_child_value(page, i);

            g_variant_builder_add_value(&all, device);
        }
    } while (*after != '\0' && count < most);
    return g_variant_ref_sink(g_variant_builder_end(&all));
}

static void
device_add_row(Table *table, GVariant *device)
{
    gboolean enabled = g_str_equal(bus_string(device, "Status"), "enabled");
    gboolean connected = g_str_equal(bus_string(device, "ConnectionState"), "Connected");

    table_add(table, bus_string(device, "DeviceId"));
    table_add(table, connected ? _("connected") : _("not connected"));
    table_paint(table, connected ? TABLE_GOOD : TABLE_OVER);
    table_add(table, enabled ? "" : _("disabled"));
    table_paint(table, TABLE_BAD);
}

ExitCode
verb_device_list(Cli *cli, GError **error)
{
    g_autoptr(Bus) bus = verb_open_bus(cli, error);
    g_autoptr(GVariant) devices =
        bus != NULL ? verb_list_devices(bus, cli->values[OPTION_HUB], DEVICES_MAX, error) : NULL;
    g_autoptr(Table) table = NULL;

    if (devices == NULL)
        return verb_code(error);
    if (cli->given[OPTION_JSON]) {
        output_json(devices, FALSE);
        return EXIT_CODE_OK;
    }
    table = table_new(_("DEVICE"), _("STATE"), _("STATUS"), NULL);
    for (gsize i = 0; i < g_variant_n_children(devices); i++) {
        g_autoptr(GVariant) device = g_variant_get_child_value(devices, i);

        device_add_row(table, device);
    }
    output_table(cli, table, _("The hub has no devices."));
    return EXIT_CODE_OK;
}
