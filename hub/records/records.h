/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records: what happened at the hub, in files that can be verified (hub/records/file.h). A thread
 * of its own writes them, so that nobody waits for the disk. The queue to it holds
 * RECORDS_QUEUE_MAX records; while it is full, further ones are counted, and the count becomes a
 * record. A disk that takes nothing is tried again once a second; the log says when that begins and
 * ends. What was written is synced at most once a second, and before its hash is told; what a sync
 * that failed was to save counts as lost, though it may be there. A file that cannot be rotated
 * grows meanwhile.
 *
 * Main thread. Records may be NULL in every call: then nothing is kept. */
#pragma once

#include "hub/records/record.h"

typedef struct Records Records;

#define RECORDS_QUEUE_MAX 10000
#define RECORDS_STOP_WAIT G_TIME_SPAN_SECOND

/* FOLDER and VERSION as in records_file_new. */
Records *records_new(const char *folder, const char *version, guint64 size, guint files);

/* From now on they are written; nothing was touched on the disk before. STREAMD_ERROR_EXISTS:
 * another hub keeps its records in the folder. A disk that takes nothing is no error here. */
gboolean records_start(Records *records, GError **error);

/* `records-size` and `records-files`, from now on. */
void records_set_limits(Records *records, guint64 size, guint files);

void records_invoke(Records *records, const RecordInvoke *invoke);
void records_end(Records *records, const RecordEnd *end);
void records_change(Records *records, const RecordChange *change);

/* Takes RECORD, which hub/records/record.h made. One that is too long for a line is lost. */
void records_take(Records *records, char *record);

typedef struct {
    gboolean kept; /* otherwise nothing is */
    guint waiting; /* records and counts that are not written yet */
    guint64 lost;  /* records, since the start */
} RecordsFigures;

RecordsFigures records_measure(Records *records);

/* Waits RECORDS_STOP_WAIT for what is queued. What the disk has not taken by then is lost, and the
 * log says how many records. */
void records_free(Records *records);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Records, records_free)
