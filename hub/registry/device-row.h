/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device row: a device or module as one line of JSON, to move it from one hub to another.
 *
 *   {"id":"gw-1","status":"enabled","tags":{"site":"berlin"},"comment":"on the roof",
 *    "keys":{"primary":"BASE64","secondary":"BASE64"}}
 *   {"id":"gw-1","module":"logger","status":"disabled"}
 *   {"id":"gw-2","auth":"selfSigned SHA256HEX -"}      registry/device-auth.h has the forms
 *
 * Only "id" has to be there. What a line does not name stays as it is in the registry; for a new
 * device it is made or has its default. Keys are never in a JsonNode, because it cannot wipe them.
 * Any thread, but for
 * registry_import_devices. */
#pragma once

#include "hub/registry/registry.h"

#define DEVICE_ROW_MAX ((gsize)32 * 1024) /* bytes of a line, without its end */

typedef enum {
    DEVICE_ROW_STATUS = 1 << 0,
    DEVICE_ROW_TAGS = 1 << 1,
    DEVICE_ROW_COMMENT = 1 << 2,
    DEVICE_ROW_PRIMARY = 1 << 3,
    DEVICE_ROW_SECONDARY = 1 << 4,
    DEVICE_ROW_AUTH = 1 << 5,
} DeviceRowFields;

#define DEVICE_ROW_KEYS (DEVICE_ROW_PRIMARY | DEVICE_ROW_SECONDARY)

typedef enum {
    DEVICE_ROW_UNCHANGED,
    DEVICE_ROW_ADDED,
    DEVICE_ROW_UPDATED,
    DEVICE_ROW_REFUSED,
} DeviceRowOutcome;

typedef struct {
    RegistryDevice *device; /* without a comment when there is none */
    DeviceRowFields fields; /* what the line names */
    /* Of an import. */
    guint line; /* where it stood; whoever reads the text counts */
    DeviceRowOutcome outcome;
    DeviceRowFields changed; /* of one that was updated */
    char *why;               /* refused: one English clause */
} DeviceRow;

/* NULL: *ret_why says what is wrong and what would be right; the caller frees it. */
DeviceRow *device_row_parse(const char *text, gsize len, char **ret_why);
void device_row_free(DeviceRow *row); /* wipes the keys; NULL is fine */

/* "status, keys"; caller frees. */
char *device_row_fields_text(DeviceRowFields fields);

/* Appends DEVICE as a line with its end. KEYS: with its keys, and OUT must be wiped. */
void device_row_append(GString *out, const RegistryDevice *device, gboolean keys);

/* An import: many rows in one transaction, of which all are stored, or none. */
#define IMPORT_ROWS_MAX 500

typedef struct {
    GPtrArray *rows;  /* DeviceRow, in their order: a device before its modules */
    gboolean update;  /* otherwise a row that differs from what is there is refused */
    gboolean dry_run; /* nothing is changed; the outcomes are those that there would be */
} RegistryImport;

RegistryImport *registry_import_new(gboolean update, gboolean dry_run);
void registry_import_free(RegistryImport *import); /* NULL is fine */

/* Takes IMPORT. The result's `extra` is it, each row with its outcome. A row that is refused keeps
 * no other from being stored. Watchers are told of those that were updated. */
void
registry_import_devices(Registry *registry, RegistryImport *import, RegistryDone done, void *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DeviceRow, device_row_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RegistryImport, registry_import_free)
