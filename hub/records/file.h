/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records file: what is written of the records to the disk, in a chain (hub/records/chain.h) and
 * with rotation. A record that came to the disk only in part is completed, or cut off again. All
 * calls wait for the disk: they are for one thread, which may. */
#pragma once

#include <glib.h>

typedef struct RecordsFile RecordsFile;

#define RECORDS_HEAD_EVERY 1000

/* FOLDER is made when it is needed. VERSION: of the hub, for the first record. Limits as
 * `records-size` and `records-files`. */
RecordsFile *records_file_new(const char *folder, const char *version);
void records_file_set_limits(RecordsFile *file, guint64 size, guint files);
void records_file_free(RecordsFile *file); /* what was not written is lost */

/* Keeps the folder for this hub, however it ends. STREAMD_ERROR_EXISTS: another hub has it. */
gboolean records_file_lock(RecordsFile *file, GError **error);

/* Opens the file, where that has not been done or somebody took it away, and lets it begin with
 * what links it to the one before. FALSE: the disk does not let it; nothing may be added yet. */
gboolean records_file_open(RecordsFile *file, GError **error);

/* Adds RECORD to what is to be written. The record number RECORDS_HEAD_EVERY and its multiples are
 * remembered for records_file_take_head. */
void records_file_add(RecordsFile *file, const char *record, gsize len);
gsize records_file_pending(const RecordsFile *file);    /* bytes */
guint records_file_waiting(const RecordsFile *file);    /* the same in records */
gboolean records_file_is_full(const RecordsFile *file); /* with those it is to be rotated */

/* Opens the file and writes all that was added. FALSE: some of it waits for the next call. */
gboolean records_file_write(RecordsFile *file, GError **error);

/* After a sync that failed the next one may succeed, and yet what the first was to save may be
 * lost. That one has failed since it was last asked: records_file_take_unsure. */
gboolean records_file_sync(RecordsFile *file, GError **error);
gboolean records_file_take_unsure(RecordsFile *file);

/* The file, of which all was written and synced, becomes a numbered one; records_file_open begins
 * the next. FALSE: it stays, and may be written to, beyond its size. */
gboolean records_file_rotate(RecordsFile *file, GError **error);

/* How many records this start of the hub has written or is to write, and the last one's hash. */
guint64 records_file_count(const RecordsFile *file);
const char *records_file_head(const RecordsFile *file);

/* The number and hash of a record that is to be told, once it was written and synced; FALSE: there
 * is none. */
gboolean records_file_has_head(const RecordsFile *file);
gboolean records_file_take_head(RecordsFile *file, guint64 *ret_number, const char **ret_hash);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RecordsFile, records_file_free)
