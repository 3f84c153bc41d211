/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cursor: reads the hub's records line by line through all files in their order, and goes on into
 * the next file when the hub has rotated: no line is left out, and none comes twice. It holds one
 * buffer, whatever the files' size. One thread; waits for the disk. */
#pragma once

#include "hub/log/files.h"
#include "hub/log/record.h"

typedef struct LogCursor LogCursor;

typedef enum {
    LOG_STEP_LINE,   /* a line */
    LOG_STEP_PART,   /* the end of a rotated file has no line end: what is there */
    LOG_STEP_END,    /* no more now: ask again later */
    LOG_STEP_FAILED, /* with ERROR set: the disk; ask again later or give up */
} LogStep;

typedef struct {
    const char *text; /* until the next step, without its line end; of a line that is too long
                         LOG_LINE_MAX bytes */
    gsize len;
    guint64 file;   /* its number, as it was when the file was opened: see log_file_name */
    guint64 line;   /* from 1 */
    guint64 offset; /* of the byte behind it */
} LogLine;

/* At the oldest file. Opens nothing yet; never NULL. */
LogCursor *log_cursor_new(const char *folder);
void log_cursor_free(LogCursor *cursor); /* NULL is fine */

/* Goes to OFFSET of FILE, as it was listed. It counts lines from LINE on. FALSE with ERROR set: it
 * is not there any more. */
gboolean log_cursor_seek(LogCursor *cursor, const LogFile *file, guint64 offset, guint64 line,
                         GError **error);

/* LINE is set with LOG_STEP_LINE and LOG_STEP_PART. */
LogStep log_cursor_next(LogCursor *cursor, LogLine *line, GError **error);

/* After LOG_STEP_END: how many bytes of an unfinished line there are, and these. */
gsize log_cursor_rest(const LogCursor *cursor, const char **ret_text);

/* The file that is read, under its present name; FALSE: none, or it is not in the folder any more.
 */
gboolean log_cursor_file(const LogCursor *cursor, LogFile *ret);

/* The same, as it was when it was opened. FALSE: none. */
gboolean log_cursor_opened(const LogCursor *cursor, LogFile *ret);

/* The hash of the first record in the file that is read: no other file has that one, whatever they
 * are called, and whichever inode they got. FALSE: there is none yet, or none where it should be.
 */
gboolean log_cursor_first(const LogCursor *cursor, char ret[LOG_HASH_LEN + 1]);

guint64 log_cursor_line(const LogCursor *cursor); /* that was given out last; 0: none */

/* The number of the file before the one that is read, as this cursor has passed it; 0: none. */
guint64 log_cursor_before(const LogCursor *cursor);

/* How many times files were removed before they were read: rotated away under a slow reader. */
guint log_cursor_gaps(const LogCursor *cursor);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(LogCursor, log_cursor_free)
