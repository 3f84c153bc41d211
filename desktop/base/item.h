/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Item: one object of streamd as a list shows it: its path and its properties, and for a stream the
 * rates, measured between two snapshots. Emits "changed" when anything in it has changed. Main
 * thread. */
#pragma once

#include <gio/gio.h>

/* How many rates are remembered, one for each second. */
#define ITEM_HISTORY 60

#define ITEM_TYPE (item_get_type())
G_DECLARE_FINAL_TYPE(Item, item, STREAMD, ITEM, GObject)

/* PROPERTIES: a{sv}, kept by reference. NOW: g_get_monotonic_time(), also below. */
Item *item_new(const char *path, GVariant *properties, gint64 now);

/* New properties of the same object. */
void item_update(Item *item, GVariant *properties, gint64 now);

const char *item_path(Item *item);
GVariant *item_properties(Item *item); /* a{sv}; borrowed until the next update */

/* A property by its name on the bus. "" or 0 when it is absent or of another type, so that older
 * and newer versions of streamd work. The string is valid until the next update. */
const char *item_string(Item *item, const char *name);
guint64 item_number(Item *item, const char *name);
gboolean item_boolean(Item *item, const char *name);

/* The same for any a{sv}. */
const char *properties_string(GVariant *properties, const char *name);
guint64 properties_number(GVariant *properties, const char *name);

/* Bytes per second, from and to the other machine; 0 unless it is a stream. */
double item_rate_in(Item *item);
double item_rate_out(Item *item);

/* The rates of both directions together, the oldest first. Fills HISTORY, returns how many there
 * are. */
guint item_history(Item *item, double history[ITEM_HISTORY]);
