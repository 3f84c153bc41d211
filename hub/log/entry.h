/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entry: a record with its members, for who filters and shows records. Pure; one thread per entry.
 */
#pragma once

#include "hub/log/record.h"

#include <json-glib/json-glib.h>

typedef enum {
    LOG_KIND_REQUEST = 1 << 0, /* to open a stream */
    LOG_KIND_END = 1 << 1,     /* of a stream that was open */
    LOG_KIND_CHANGE = 1 << 2,  /* of the registry, of the hub, of the records themselves */
} LogKind;

#define LOG_KINDS_ALL (LOG_KIND_REQUEST | LOG_KIND_END | LOG_KIND_CHANGE)

LogKind log_record_kind(const LogRecord *record);

/* Texts are "" where a record has no such member; they belong to the entry. */
typedef struct {
    LogKind kind;
    const char *time, *operation, *category;
    const char *device, *module, *stream; /* of a change: nothing */
    const char *user;                     /* who asked, or who changed something */
    const char *what;                     /* was changed: an id */
    const char *address, *result, *description, *reason, *detail, *version, *since;
    const char *resumes; /* the stream that this one goes on with */
    gboolean failed;
    gint64 duration;              /* ms; -1: none */
    gint64 to_device, to_service; /* bytes; -1: none */
    guint64 count;                /* of records that were lost */
    guint64 number;               /* of the file before */
    gboolean torn;
    JsonNode *root, *properties;
} LogEntry;

/* NULL: it is not JSON that every reader understands alike. LINE is without its line end. */
LogEntry *log_entry_parse(const char *line, gsize len);
void log_entry_free(LogEntry *entry); /* NULL is fine */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(LogEntry, log_entry_free)
