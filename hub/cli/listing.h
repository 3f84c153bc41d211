/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Listing: a list of the hub's that comes in pages. Each page is printed before the next one is
 * asked for, so a list of any length takes the memory of one page, and its first line appears at
 * once. */
#pragma once

#include "common/base/table.h"
#include "common/cli/cli.h"
#include "common/cli/output.h"

#include <json-glib/json-glib.h>

typedef struct {
    Table *table; /* NULL: JSON */
    TableStyle style;
    void (*add)(Table *table, JsonNode *item); /* one row; NULL: `add_with` and its data */
    void (*add_with)(Table *table, JsonNode *item, const void *data);
    const void *data;
    const char *none; /* what is printed of a list without items */
    gboolean begun;
} Listing;

/* TABLE is kept by reference, and only used without --json. NONE is translated. */
Listing listing_begin(const Cli *cli, Table *table, void (*add)(Table *table, JsonNode *item),
                      const char *none);

/* Prints a page; the last one comes with MORE FALSE. With --json all pages are one JSON array with
 * a line per item, to be read as a whole or line by line. FALSE with ERROR set: it cannot be
 * written. */
gboolean listing_print(Listing *listing, JsonArray *items, gboolean more, GError **error);

/* Sets ERROR: the page that came is none. Always FALSE. */
gboolean listing_fail(GError **error);
