/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/properties.h"
#include "client/verb/verb.h"
#include "common/base/line.h"
#include "common/cli/output.h"
#include "common/cli/words.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

#define OBJECT_WIDTH 16 /* columns for "stream 1234"; a longer name is not cut */
#define NARROW 60       /* columns of a terminal */
#define VERY_NARROW 32

typedef struct {
    const Cli *cli;
    gboolean json;
    gboolean gone;
    TableStyle style;   /* as the terminal is now */
    GHashTable *states; /* the last State by path, to show what a change started from */
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
    default:
        break;
    }
    return "";
}

static void
monitor_print_json(const BusEvent *event)
{
    g_autofree char *kind = NULL, *key = NULL;
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "event", "s", monitor_kind_name(event->kind));
    g_variant_dict_insert(&dict, "time", "t", (guint64)g_get_real_time());
    if (event->path != NULL)
        g_variant_dict_insert(&dict, "path", "s", event->path);
    if (event->path != NULL && bus_path_split(event->path, &kind, &key)) {
        g_variant_dict_insert(&dict, "object", "s", kind);
        g_variant_dict_insert(&dict, "key", "s", key);
    }
    if (event->interface != NULL)
        g_variant_dict_insert(&dict, "interface", "s", event->interface);
    if (event->properties != NULL)
        g_variant_dict_insert_value(&dict, "properties", event->properties);
    output_json(g_variant_dict_end(&dict), TRUE);
}

/* Whether a line of text shows the property: not if the line says it already, nor times, nor empty
 * values. */
static gboolean
monitor_is_interesting(const char *name, GVariant *value)
{
    static const char *const dull[] = {"Id",     "Name",      "Since",          "OwnerUid", "State",
                                       "Source", "Transport", "SuspendedSince", NULL};

    if (g_str_has_suffix(name, "At") || g_strv_contains(dull, name))
        return FALSE;
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64))
        return g_variant_get_uint64(value) != 0;
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32))
        return g_variant_get_uint32(value) != 0;
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
        return g_variant_get_boolean(value);
    return TRUE;
}

static void
monitor_append_properties(GString *line, GVariant *properties)
{
    const char *separator = line->len > 0 ? "  " : "";
    const char *name;
    GVariant *value = NULL; /* the loop frees it */
    GVariantIter iter;

    g_variant_iter_init(&iter, properties);
    while (g_variant_iter_loop(&iter, "{&sv}", &name, &value)) {
        g_autofree char *text = NULL, *shown = NULL;

        if (!monitor_is_interesting(name, value))
            continue;
        text = show_value(name, value);
        shown = table_escape(text);
        if (*shown == '\0')
            continue;
        g_string_append_printf(line, "%s%s: %s", separator, show_label(name), shown);
        separator = ", ";
    }
}

/* "connecting → connected", or only the state when the object is new. */
static void
monitor_append_state(Monitor *monitor, const BusEvent *event, GString *line)
{
    const char *state = event->properties != NULL ? bus_string(event->properties, "State") : "";
    const char *before = g_hash_table_lookup(monitor->states, event->path);
    g_autofree char *escaped = table_escape(words_of_code(state));
    g_autofree char *shown = NULL;

    if (*state == '\0')
        return;
    shown = output_painted(&monitor->style, output_paint(state), escaped);
    if (before != NULL && strcmp(before, state) != 0)
        g_string_append_printf(line, "%s \u2192 ", words_of_code(before));
    g_string_append(line, shown);
    g_hash_table_insert(monitor->states, g_strdup(event->path), g_strdup(state));
}

/* The name of the object: "hub office", "stream 7", "accept policy". Caller frees. */
static char *
monitor_object(const char *path)
{
    g_autofree char *kind = NULL, *key = NULL, *escaped = NULL;

    if (path == NULL)
        return g_strdup("streamd");
    if (!bus_path_split(path, &kind, &key))
        return g_strdup(_("accept policy"));
    escaped = table_escape(key);
    return g_strdup_printf("%s %s", kind, escaped);
}

/* On a narrow terminal without blanks in between, on a very narrow one without the time. */
static void
monitor_print_line(const Monitor *monitor, const char *time, const char *object, const char *text)
{
    const guint width = monitor->style.width;
    const guint column = width == 0 || width >= NARROW ? OBJECT_WIDTH : 0;
    const guint padding = column - MIN(column, table_width(object));
    const gboolean timed = width == 0 || width >= VERY_NARROW;
    g_autofree char *line = g_strdup_printf("%s%s%s%*s  %s", timed ? time : "", timed ? "  " : "",
                                            object, (int)padding, "", text);
    g_autofree char *cut =
        width > 0 ? line_cut(line, width, monitor->style.ellipsis) : g_strdup(line);

    (void)puts(cut);
    (void)fflush(stdout);
}

static void
monitor_print(Monitor *monitor, const BusEvent *event)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *clock = g_date_time_format(now, "%H:%M:%S");
    g_autofree char *time = output_painted(&monitor->style, TABLE_OVER, clock);
    g_autofree char *object = monitor_object(event->path);
    g_autoptr(GString) line = g_string_new(NULL);

    if (event->kind == BUS_EVENT_GONE)
        g_string_append(line, _("has gone"));
    else if (event->kind == BUS_EVENT_REMOVED)
        g_string_append(line, _("removed"));
    else if (event->kind == BUS_EVENT_ADDED)
        /* TRANSLATORS: something has come: a stream, a target, a tunnel, a hub */
        g_string_append(line, _("new"));
    if (event->kind == BUS_EVENT_ADDED && *bus_string(event->properties, "State") != '\0')
        g_string_append(line, ", ");
    if (event->properties != NULL) {
        monitor_append_state(monitor, event, line);
        monitor_append_properties(line, event->properties);
    }
    monitor_print_line(monitor, time, object, line->str);
}

static gboolean
monitor_on_event(const BusEvent *event, void *data)
{
    Monitor *monitor = data;

    if (event->kind == BUS_EVENT_SIGNAL)
        return FALSE;
    monitor->style = output_style(monitor->cli);
    if (monitor->json)
        monitor_print_json(event);
    else
        monitor_print(monitor, event);
    if (event->kind == BUS_EVENT_REMOVED)
        g_hash_table_remove(monitor->states, event->path);
    monitor->gone = event->kind == BUS_EVENT_GONE;
    return !monitor->gone;
}

/* Notes the objects that exist already, so that the first change shows the earlier state. */
static gboolean
monitor_read_states(Monitor *monitor, Bus *bus, const char *interface, GError **error)
{
    g_autoptr(GPtrArray) objects = bus_objects(bus, interface, error);

    for (guint i = 0; objects != NULL && i < objects->len; i++) {
        const BusObject *object = g_ptr_array_index(objects, i);

        g_hash_table_insert(monitor->states, g_strdup(object->path),
                            g_strdup(bus_string(object->properties, "State")));
    }
    return objects != NULL;
}

ExitCode
verb_monitor(Cli *cli, GError **error)
{
    g_autoptr(GHashTable) states = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    Monitor monitor = {
        .cli = cli, .json = cli->given[OPTION_JSON], .style = output_style(cli), .states = states};
    g_autoptr(Bus) bus = verb_open_bus_to_look(cli, error);

    if (bus == NULL || !bus_listen(bus, error) ||
        !monitor_read_states(&monitor, bus, BUS_HUB, error) ||
        !monitor_read_states(&monitor, bus, BUS_STREAM, error) ||
        !bus_wait(bus, monitor_on_event, &monitor, error))
        return verb_code(error);
    return monitor.gone ? cli_fail(error, EXIT_CODE_NOT_RUNNING, _("streamd has gone"))
                        : EXIT_CODE_OK;
}
