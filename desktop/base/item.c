/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/base/item.h"

#include <string.h>

/* The shortest time between two measurements. Snapshots may follow each other fast, and a rate over
 * less time would only flicker. */
#define MEASURE_MIN (G_USEC_PER_SEC * 7 / 10)

struct _Item {
    GObject parent;
    char *path;
    GVariant *properties;
    guint64 bytes_in, bytes_out; /* at the last measurement */
    gint64 measured;             /* 0: not yet */
    double rate_in, rate_out;
    double history[ITEM_HISTORY]; /* the newest last */
    guint remembered;
};

G_DEFINE_TYPE(Item, item, G_TYPE_OBJECT)

static void
item_finalize(GObject *object)
{
    Item *item = STREAMD_ITEM(object);

    g_free(item->path);
    g_clear_pointer(&item->properties, g_variant_unref);
    G_OBJECT_CLASS(item_parent_class)->finalize(object);
}

static void
item_class_init(ItemClass *klass)
{
    G_OBJECT_CLASS(klass)->finalize = item_finalize;
    (void)g_signal_new("changed", ITEM_TYPE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                       0);
}

static void
item_init(Item *item)
{
}

Item *
item_new(const char *path, GVariant *properties, gint64 now)
{
    Item *item = g_object_new(ITEM_TYPE, NULL);

    item->path = g_strdup(path);
    item_update(item, properties, now);
    return item;
}

const char *
item_path(Item *item)
{
    return item->path;
}

GVariant *
item_properties(Item *item)
{
    return item->properties;
}

const char *
properties_string(GVariant *properties, const char *name)
{
    const char *value = "";

    (void)g_variant_lookup(properties, name, "&s", &value);
    return value;
}

guint64
properties_number(GVariant *properties, const char *name)
{
    g_autoptr(GVariant) value = g_variant_lookup_value(properties, name, NULL);

    if (value != NULL && g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64))
        return g_variant_get_uint64(value);
    if (value != NULL && g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32))
        return g_variant_get_uint32(value);
    return 0;
}

const char *
item_string(Item *item, const char *name)
{
    return properties_string(item->properties, name);
}

guint64
item_number(Item *item, const char *name)
{
    return properties_number(item->properties, name);
}

gboolean
item_boolean(Item *item, const char *name)
{
    gboolean value = FALSE;

    (void)g_variant_lookup(item->properties, name, "b", &value);
    return value;
}

double
item_rate_in(Item *item)
{
    return item->rate_in;
}

double
item_rate_out(Item *item)
{
    return item->rate_out;
}

guint
item_history(Item *item, double history[ITEM_HISTORY])
{
    memcpy(history, item->history + ITEM_HISTORY - item->remembered,
           item->remembered * sizeof(double));
    return item->remembered;
}

static void
item_remember(Item *item, double rate)
{
    memmove(item->history, item->history + 1, (ITEM_HISTORY - 1) * sizeof(double));
    item->history[ITEM_HISTORY - 1] = rate;
    item->remembered = MIN(item->remembered + 1, ITEM_HISTORY);
}

/* Measures the rates. TRUE: they should be shown anew. */
static gboolean
item_measure(Item *item, gint64 now)
{
    guint64 in = item_number(item, "BytesIn"), out = item_number(item, "BytesOut");
    double seconds = (double)(now - item->measured) / G_USEC_PER_SEC;

    if (item->measured != 0 && now - item->measured < MEASURE_MIN)
        return FALSE;
    if (item->measured != 0) {
        item->rate_in = (double)(in - MIN(in, item->bytes_in)) / seconds;
        item->rate_out = (double)(out - MIN(out, item->bytes_out)) / seconds;
        item_remember(item, item->rate_in + item->rate_out);
    }
    item->bytes_in = in;
    item->bytes_out = out;
    item->measured = now;
    return TRUE;
}

void
item_update(Item *item, GVariant *properties, gint64 now)
{
    GVariant *old = item->properties;
    gboolean changed = old == NULL || !g_variant_equal(old, properties);

    item->properties = g_variant_ref_sink(properties);
    if (g_str_has_prefix(item->path, "/io/streamd/Streamd1/stream/"))
        changed |= item_measure(item, now);
    g_clear_pointer(&old, g_variant_unref);
    if (changed)
        g_signal_emit_by_name(item, "changed");
}
