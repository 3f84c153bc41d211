/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records folder: the file that is written to, and the numbered ones that it was before. All calls
 * wait for the disk. */
#pragma once

#include <glib.h>

#define RECORDS_CURRENT "records.jsonl"
#define RECORDS_LOCK "records.lock" /* empty; the hub that writes there has it locked */

/* The caller frees it: "FOLDER/records.jsonl", "FOLDER/records-0000000001.jsonl". */
char *records_folder_current(const char *folder);
char *records_folder_numbered(const char *folder, guint64 number);

/* The highest number of a file in it; 0: there is none. FALSE: it cannot be read. */
gboolean records_folder_last(const char *folder, guint64 *ret, GError **error);

/* Removes the numbered files with the lowest numbers, until KEEP are left. What cannot be removed
 * stays until the next time. */
void records_folder_trim(const char *folder, guint keep);
