/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/bus/device-pages.h"
#include "common/cli/output.h"
#include "client/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>

#define DEVICES_MAX 100000
#define PAGE_TIME (30 * G_TIME_SPAN_SECOND) /* per page; streamd's own limits are shorter */

/* Gets one page. Its name goes in, that of the next page comes out: "" at the end. */
static GVariant *
device_list_page(Bus *bus, const char *hub, char **after, gint64 limit, GError **error)
{
    g_auto(GVariantBuilder) options = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    g_autoptr(GVariant) reply = NULL;
    GVariant *page = NULL;

    verb_add_string(&options, "after", *after);
    reply = bus_call(bus, BUS_ROOT, BUS_MANAGER, "ListDevices",
                     g_variant_new("(sa{sv})", hub != NULL ? hub : "", &options), limit, error);
    if (reply == NULL)
        return NULL;
    g_clear_pointer(after, g_free);
    g_variant_get(reply, "(@aa{sv}s)", &page, after);
    return page;
}

static void
device_list_take(GVariantBuilder *all, GVariant *page, guint most, guint *count)
{
    for (gsize i = 0; i < g_variant_n_children(page) && *count < most; i++, (*count)++) {
        g_autoptr(GVariant) device = g_variant_get_child_value(page, i);

        g_variant_builder_add_value(all, device);
    }
}

/* FALSE: the listing ended with an error. */
static gboolean
device_list_read(Bus *bus, const char *hub, guint most, gint64 time, GVariantBuilder *all,
                 gboolean *ret_more, GError **error)
{
    g_auto(DevicePages) pages = {0};
    g_autofree char *after = NULL;
    guint count = 0;

    device_pages_begin(&pages, g_get_monotonic_time(), time);
    do {
        gint64 limit = MIN(pages.until - g_get_monotonic_time(), PAGE_TIME);
        g_autoptr(GError) failure = NULL;
        g_autoptr(GVariant) page = device_list_page(bus, hub, &after, MAX(limit, 1), &failure);

        if (page == NULL) {
            if (device_pages_has_time(&pages, g_get_monotonic_time(), error))
                g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
        device_list_take(all, page, most, &count);
        *ret_more = *after != '\0';
        if (*after != '\0' && count < most &&
            !device_pages_next(&pages, after, g_get_monotonic_time(), error))
            return FALSE;
    } while (*after != '\0' && count < most);
    return TRUE;
}

GVariant *
verb_list_devices(Bus *bus, const char *hub, guint most, gint64 time, gboolean *ret_more,
                  GError **error)
{
    g_auto(GVariantBuilder) all = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("aa{sv}"));

    if (!device_list_read(bus, hub, most, time, &all, ret_more, error) && error != NULL)
        return NULL;
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
    gboolean more = FALSE;
    g_autoptr(GVariant) devices = bus != NULL
                                      ? verb_list_devices(bus, cli->values[OPTION_HUB], DEVICES_MAX,
                                                          DEVICE_PAGES_TIME, &more, error)
                                      : NULL;
    g_autoptr(Table) table = NULL;

    if (devices == NULL)
        return verb_code(error);
    if (more)
        (void)fprintf(stderr, _("streamctl: warning: the hub has more devices than the %d shown\n"),
                      DEVICES_MAX);
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
