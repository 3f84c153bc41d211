/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/complete/source.h"

#include "client/bus/device-pages.h"
#include "client/verb/verb.h"

#include <string.h>

#define DEVICES_OFFERED 1000 /* how many can be had while the user waits */

/* What a placeholder in a usage line stands for. */
typedef enum {
    SOURCE_NONE,
    SOURCE_HUBS,
    SOURCE_TARGETS,
    SOURCE_RULES,
    SOURCE_STREAMS,
    SOURCE_TUNNELS,
    SOURCE_REQUESTS,
    SOURCE_DEVICES,
    SOURCE_NAMES, /* of streams */
    SOURCE_FILES,
} Source;

/* NOUN: the first word of the verb, or the option that takes the value. */
static Source
source_of(const char *noun, const char *placeholder)
{
    static const struct {
        const char *placeholder;
        const char *noun; /* NULL: any noun */
        Source source;
    } rows[] = {
        {"NAME", "hub", SOURCE_HUBS},          {"NAME", "target", SOURCE_TARGETS},
        {"NAME", "withdraw", SOURCE_TARGETS},
        {"ID", "stream", SOURCE_STREAMS},      {"ID", "tunnel", SOURCE_TUNNELS},
        {"ID", "accept-policy", SOURCE_RULES}, {"ID", "request", SOURCE_REQUESTS},
        {"NAME", "stream", SOURCE_NAMES},      {"STREAM", NULL, SOURCE_NAMES},
        {"TARGET", NULL, SOURCE_TARGETS},      {"INVITATION|-", NULL, SOURCE_FILES},
    };

    if (strstr(placeholder, "DEVICE") != NULL)
        return SOURCE_DEVICES;
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].placeholder, placeholder) == 0 &&
            (rows[i].noun == NULL || strcmp(rows[i].noun, noun) == 0))
            return rows[i].source;
    return SOURCE_NONE;
}

/* Words: the member WORD of each object of an interface, described by up to three other members. */
typedef struct {
    Source source;
    const char *interface;
    const char *word;
    const char *description[4];
} Row;

static const Row rows[] = {
    {SOURCE_HUBS, BUS_HUB, "Name", {"Role", "HostName", "State"}},
    {SOURCE_TARGETS, BUS_TARGET, "Name", {"Address"}},
    {SOURCE_STREAMS, BUS_STREAM, "Id", {"DeviceId", "StreamName", "State"}},
    {SOURCE_TUNNELS, BUS_TUNNEL, "Id", {"DeviceId", "StreamName", "ListenAddress"}},
    {SOURCE_REQUESTS, BUS_REQUEST, "Id", {"DeviceId", "StreamName", "Initiator"}},
    {SOURCE_DEVICES, BUS_STREAM, "DeviceId", {NULL}},
    {SOURCE_DEVICES, BUS_TUNNEL, "DeviceId", {NULL}},
    {SOURCE_NAMES, BUS_STREAM, "StreamName", {NULL}},
    {SOURCE_NAMES, BUS_TUNNEL, "StreamName", {NULL}},
    {SOURCE_NAMES, BUS_TARGET, "Name", {"Address"}},
};

static char *
source_word(GVariant *properties, const char *member)
{
    if (strcmp(member, "Id") == 0)
        return g_strdup_printf("%" G_GUINT64_FORMAT, bus_number(properties, member));
    return g_strdup(bus_string(properties, member));
}

static void
source_read_row(Bus *bus, const Row *row, WordFunc func, void *data)
{
    g_autoptr(GPtrArray) objects = bus_objects(bus, row->interface, NULL);

    for (guint i = 0; objects != NULL && i < objects->len; i++) {
        GVariant *properties = ((BusObject *)g_ptr_array_index(objects, i))->properties;
        g_autofree char *word = source_word(properties, row->word);
        g_autoptr(GString) text = g_string_new(NULL);

        for (guint j = 0; row->description[j] != NULL; j++)
            g_string_append_printf(text, "%s%s", j > 0 ? " " : "",
                                   bus_string(properties, row->description[j]));
        func(word, text->str, data);
    }
}

static void
source_read_rules(Bus *bus, WordFunc func, void *data)
{
    g_autoptr(GVariant) reply = bus_call(bus, BUS_ROOT, BUS_POLICY, "List", NULL, 0, NULL);
    g_autoptr(GVariant) rules = reply != NULL ? g_variant_get_child_value(reply, 0) : NULL;

    if (rules == NULL || !g_variant_is_of_type(rules, G_VARIANT_TYPE("a(ta{sv})")))
        return;
    for (gsize i = 0; i < g_variant_n_children(rules); i++) {
        g_autoptr(GVariant) rule = NULL;
        g_autofree char *word = NULL, *text = NULL;
        guint64 id;

        g_variant_get_child(rules, i, "(t@a{sv})", &id, &rule);
        word = g_strdup_printf("%" G_GUINT64_FORMAT, id);
        text = g_strjoin(" ", bus_string(rule, "verdict"), bus_string(rule, "stream"), NULL);
        func(word, text, data);
    }
}

/* The devices that the hub lists, if it does. */
static void
source_read_devices(Bus *bus, const char *hub, WordFunc func, void *data)
{
    gboolean more;
    g_autoptr(GVariant) devices =
        verb_list_devices(bus, hub, DEVICES_OFFERED, DEVICE_PAGES_TIME_QUIETLY, &more, NULL);

    for (gsize i = 0; devices != NULL && i < g_variant_n_children(devices); i++) {
        g_autoptr(GVariant) device = g_variant_get_child_value(devices, i);

        func(bus_string(device, "DeviceId"), bus_string(device, "ConnectionState"), data);
    }
}

gboolean
source_words(const WordsWanted *wanted, WordFunc func, void *data)
{
    const char *text = wanted->verb != NULL ? wanted->verb : wanted->option;
    g_autofree char *noun = g_strndup(text, strcspn(text, " "));
    Source source = source_of(noun, wanted->placeholder);
    g_autoptr(Bus) bus = NULL;

    if (source == SOURCE_NONE || source == SOURCE_FILES)
        return source == SOURCE_FILES;
    bus = bus_open_quietly(wanted->given[OPTION_SYSTEM]);
    if (bus == NULL)
        return FALSE;
    if (source == SOURCE_RULES)
        source_read_rules(bus, func, data);
    if (source == SOURCE_DEVICES)
        source_read_devices(bus, wanted->values[OPTION_HUB], func, data);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].source == source)
            source_read_row(bus, &rows[i], func, data);
    return FALSE;
}
