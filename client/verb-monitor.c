/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/output.h"
#include "client/verb.h"
#include "common/table.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    gboolean json;
    gboolean gone;
} Monitor;

static const char *
monitor_kind_name(BusEventKind kind)
{
    switch (kind) {
    case BUS_EVENT_ADDED:
        return "added";
    case BUS_EVENT_CHANGED:
        return "changed";
    case BUS_EVENT_REMOVED:
        return "removed";
    case BUS_EVENT_GONE:
        return "gone";
    case BUS_EVENT_SIGNAL:
        break;
    }
    return "";
}

static void
monitor_print_json(const BusEvent *event)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "event", "s", monitor_kind_name(event->kind));
    g_variant_dict_insert(&dict, "time", "t", (guint64)g_get_real_time());
    if (event->path != NULL)
        g_variant_dict_insert(&dict, "path", "s", event->path);
    if (event->interface != NULL)
        g_variant_dict_insert(&dict, "interface", "s", event->interface);
    if (event->properties != NULL)
        g_variant_dict_insert_value(&dict, "properties", event->properties);
    output_json(g_variant_dict_end(&dict), TRUE);
}

/* Worth a look in a line of text; times and zeros are not. */
static gboolean
monitor_is_interesting(const char *name, GVariant *value)
{
    static const char *const dull[] = {"Id", "Since", "OwnerUid", NULL};

    if (g_str_has_suffix(name, "At") || g_strv_contains(dull, name))
        return FALSE;
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
        return *g_variant_get_string(value, NULL) != '\0';
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64))
        return g_variant_get_uint64(value) != 0;
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32))
        return g_variant_get_uint32(value) != 0;
    return g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN) && g_variant_get_boolean(value);
}

static void
monitor_append_properties(GString *line, GVariant *properties)
{
    const char *name;
    GVariant *value = NULL; /* the loop frees it */
    GVariantIter iter;

    g_variant_iter_init(&iter, properties);
    while (g_variant_iter_loop(&iter, "{&sv}", &name, &value)) {
        g_autofree char *key = NULL;
        g_autofree char *text = NULL;

        if (!monitor_is_interesting(name, value))
            continue;
        key = output_snake_case(name);
        text = g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)
                   ? g_variant_dup_string(value, NULL)
                   : g_variant_print(value, FALSE);
        g_string_append_printf(line, strchr(text, ' ') != NULL ? "  %s=\"%s\"" : "  %s=%s", key,
                               text);
    }
}

static void
monitor_print(const BusEvent *event)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *time = g_date_time_format(now, "%H:%M:%S");
    g_autoptr(GString) line = g_string_new(time);
    g_autofree char *shown = NULL;

    g_string_append_printf(line, "  %-7s", monitor_kind_name(event->kind));
    if (event->path != NULL)
        g_string_append_printf(line, "  %s",
                               g_str_has_prefix(event->path, BUS_ROOT "/")
                                   ? event->path + strlen(BUS_ROOT "/")
                                   : "policy");
    if (event->properties != NULL)
        monitor_append_properties(line, event->properties);
    shown = table_escape(line->str);
    (void)puts(shown);
    (void)fflush(stdout);
}

static gboolean
monitor_on_event(const BusEvent *event, void *data)
{
    Monitor *monitor = data;

    if (event->kind == BUS_EVENT_SIGNAL)
        return FALSE;
    if (monitor->json)
        monitor_print_json(event);
    else
        monitor_print(event);
    monitor->gone = event->kind == BUS_EVENT_GONE;
    return !monitor->gone;
}

ExitCode
verb_monitor(Cli *cli, GError **error)
{
    Monitor monitor = {.json = cli->given[OPTION_JSON]};
    g_autoptr(Bus) bus = verb_open_bus_to_look(cli, error);
    g_autoptr(GVariant) manager = NULL;

    if (bus == NULL || !bus_listen(bus, error))
        return verb_code(error);
    manager = bus_properties(bus, BUS_ROOT, BUS_MANAGER, error);
    if (manager == NULL || !bus_wait(bus, monitor_on_event, &monitor, error))
        return verb_code(error);
    return monitor.gone ? cli_fail(error, EXIT_CODE_NO_DAEMON, _("streamd has gone"))
                        : EXIT_CODE_OK;
}
