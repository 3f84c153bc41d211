/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Heads: hashes of records that were kept somewhere else than beside the records: given by
 * somebody, or in the journal, which the hub tells one every 1,000 records. One thread. */
#pragma once

#include <glib.h>

#define LOG_HEADS_MAX 100000 /* of the journal: the newest ones */

typedef struct LogHeads LogHeads;

LogHeads *log_heads_new(void);
void log_heads_free(LogHeads *heads); /* NULL is fine */

/* One that has to be found. */
void log_heads_add(LogHeads *heads, const char *hash);

/* Those that the journal had of the hub whose records are in FOLDER, by its user. DIRECTORY: files
 * of a journal; NULL: this machine's. FALSE with ERROR set: it cannot be read. */
gboolean
log_heads_add_journal(LogHeads *heads, const char *folder, const char *directory, GError **error);

/* A record has this hash. */
void log_heads_see(LogHeads *heads, const char *hash);

/* The records begin at this time: what the journal was told before is of records that are not kept
 * any more. */
void log_heads_begin(LogHeads *heads, gint64 time);

guint log_heads_count(const LogHeads *heads); /* that were to be found */

/* Calls FUNC for each that was not seen. */
void log_heads_missing(LogHeads *heads, void (*func)(const char *hash, void *data), void *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(LogHeads, log_heads_free)
