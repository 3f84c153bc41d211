/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files: the folder of the hub's records: rotated files, by their numbers, and the current one.
 * Control side: any thread, reads the disk. */
#pragma once

#include <glib.h>
#include <sys/types.h>

#define LOG_FILE_CURRENT "records.jsonl"
#define LOG_NUMBER_CURRENT G_MAXUINT64

typedef struct {
    guint64 number; /* of a rotated one; LOG_NUMBER_CURRENT */
    ino_t inode;    /* what it is known by while it is renamed */
    dev_t device;
    guint64 size;
} LogFile;

/* The number in a file's name; 0: it is none of ours. Pure. */
guint64 log_file_number(const char *name);

/* "records-0000000003.jsonl"; caller frees. */
char *log_file_name(guint64 number);

/* The folder's files, the oldest first: an array of LogFile. NULL with ERROR set:
 * STREAMD_ERROR_NOT_FOUND where the folder is not there, STREAMD_ERROR_DENIED where it may not be
 * read. An empty one is fine. */
GArray *log_files_list(const char *folder, GError **error);

/* Sets the error for errno NUMBER of PATH, of those kinds. */
void log_files_fail(const char *path, int number, GError **error);
