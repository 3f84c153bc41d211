/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/log/cursor.h"

#include "common/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER ((gsize)128 * 1024)
#define TRIES 3
#define FIRST_READ ((gsize)2 * LOG_LINE_MAX) /* a line that was cut off may be before it */

struct LogCursor {
    char *folder;
    int fd;
    LogFile file;         /* while FD is open */
    guint64 before;       /* the number of the file before */
    gboolean over;        /* nothing is written to it any more */
    guint64 line, offset; /* of what was given out */
    guint gaps;
    char *buffer;
    gsize begin, end;
    gboolean skipping; /* the rest of a line that is too long */
};

LogCursor *
log_cursor_new(const char *folder)
{
    LogCursor *cursor = g_new0(LogCursor, 1);

    cursor->folder = g_strdup(folder);
    cursor->fd = -1;
    cursor->buffer = g_malloc(BUFFER);
    return cursor;
}

void
log_cursor_free(LogCursor *cursor)
{
    if (!cursor)
        return;
    if (cursor->fd >= 0)
        close(cursor->fd);
    g_free(cursor->folder);
    g_free(cursor->buffer);
    g_free(cursor);
}

static gboolean
is_file(const LogFile *file, const struct stat *about)
{
    return file->inode == about->st_ino && file->device == about->st_dev;
}

gboolean
log_cursor_seek(LogCursor *cursor, const LogFile *file, guint64 offset, guint64 line,
                GError **error)
{
    g_autofree char *name = log_file_name(file->number);
    g_autofree char *path = g_build_filename(cursor->folder, name, NULL);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat about;

    if (fd < 0 || fstat(fd, &about) < 0 || lseek(fd, (off_t)offset, SEEK_SET) < 0) {
        log_files_fail(path, errno, error);
        if (fd >= 0)
            close(fd);
        return FALSE;
    }
    if (!is_file(file, &about)) {
        log_files_fail(path, ENOENT, error); /* it has been renamed */
        close(fd);
        return FALSE;
    }
    if (cursor->fd >= 0)
        close(cursor->fd);
    cursor->fd = fd;
    cursor->file = *file;
    cursor->over = file->number != LOG_NUMBER_CURRENT;
    cursor->offset = offset;
    cursor->line = line - 1;
    cursor->begin = cursor->end = 0;
    cursor->skipping = FALSE;
    return TRUE;
}

/* Where our file stands in FILES; -1: nowhere. */
static gssize
place_in(const LogCursor *cursor, const GArray *files)
{
    for (guint i = 0; cursor->fd >= 0 && i < files->len; i++) {
        const LogFile *file = &g_array_index(files, LogFile, i);

        if (file->inode == cursor->file.inode && file->device == cursor->file.device)
            return (gssize)i;
    }
    return -1;
}

/* Which of FILES comes after ours, which was removed: what is newer than it, or than the one before
 * where its own number is not known. */
static guint
after_removed(const LogCursor *cursor, const GArray *files)
{
    guint64 known =
        cursor->file.number == LOG_NUMBER_CURRENT ? cursor->before : cursor->file.number;
    guint i = 0;

    while (i < files->len && g_array_index(files, LogFile, i).number <= known)
        i++;
    return i;
}

/* One try. FALSE without ERROR: there is none yet. */
static gboolean
try_next(LogCursor *cursor, GError **error)
{
    g_autoptr(GArray) files = log_files_list(cursor->folder, error);
    gboolean begins = cursor->fd < 0;
    gssize place = files ? place_in(cursor, files) : -1;
    guint64 before = place >= 0 ? g_array_index(files, LogFile, place).number : 0;
    guint next;

    if (!files)
        return FALSE;
    next = place >= 0 || begins ? (guint)(place + 1) : after_removed(cursor, files);
    if (next >= files->len ||
        !log_cursor_seek(cursor, &g_array_index(files, LogFile, next), 0, 1, error))
        return FALSE;
    cursor->before = before;
    cursor->gaps += place < 0 && !begins ? 1 : 0;
    return TRUE;
}

/* Opens the file after ours. A file may be renamed between the list and its opening. */
static gboolean
open_next(LogCursor *cursor, GError **error)
{
    g_autoptr(GError) cause = NULL;

    for (guint tries = 0; tries < TRIES; tries++) {
        g_clear_error(&cause);
        if (try_next(cursor, &cause))
            return TRUE;
        if (!g_error_matches(cause, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND))
            break;
    }
    if (cause)
        g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

/* Whether the hub may still write to our file. */
static gboolean
is_current(const LogCursor *cursor)
{
    g_autofree char *path = g_build_filename(cursor->folder, LOG_FILE_CURRENT, NULL);
    struct stat about;

    return lstat(path, &about) == 0 && is_file(&cursor->file, &about);
}

static gboolean
fill(LogCursor *cursor, gssize *ret_read, GError **error)
{
    ssize_t n;

    memmove(cursor->buffer, cursor->buffer + cursor->begin, cursor->end - cursor->begin);
    cursor->end -= cursor->begin;
    cursor->begin = 0;
    do
        n = read(cursor->fd, cursor->buffer + cursor->end, BUFFER - cursor->end);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        log_files_fail(cursor->folder, errno, error);
        return FALSE;
    }
    cursor->end += (gsize)n;
    *ret_read = n;
    return TRUE;
}

/* The next LEN bytes are a line, or the part of one, and USED bytes go with it. */
static void
give(LogCursor *cursor, LogLine *line, gsize len, gsize used)
{
    cursor->line += 1;
    cursor->offset += used;
    *line = (LogLine){.text = cursor->buffer + cursor->begin,
                      .len = len,
                      .file = cursor->file.number,
                      .line = cursor->line,
                      .offset = cursor->offset};
    cursor->begin += used;
}

/* A whole line of what was read. */
static gboolean
take_line(LogCursor *cursor, LogLine *line)
{
    const char *begin = cursor->buffer + cursor->begin;
    gsize rest = cursor->end - cursor->begin;
    const char *newline = memchr(begin, '\n', rest);
    gsize len = newline ? (gsize)(newline - begin) : rest;

    if (cursor->skipping) {
        cursor->begin += len + (newline ? 1 : 0);
        cursor->offset += len + (newline ? 1 : 0);
        cursor->skipping = newline == NULL;
        return newline ? take_line(cursor, line) : FALSE;
    }
    if (len >= LOG_LINE_MAX) {
        cursor->skipping = TRUE;
        give(cursor, line, LOG_LINE_MAX, LOG_LINE_MAX);
        return TRUE;
    }
    if (newline)
        give(cursor, line, len, len + 1);
    return newline != NULL;
}

/* The end of the file is reached. LOG_STEP_LINE: go on reading. */
static LogStep
at_end(LogCursor *cursor, LogLine *line, GError **error)
{
    g_autoptr(GError) cause = NULL;
    gsize rest = cursor->end - cursor->begin;

    if (!cursor->over) {
        cursor->over = !is_current(cursor); /* then what was written before it was renamed */
        return cursor->over ? LOG_STEP_LINE : LOG_STEP_END;
    }
    if (rest > 0) {
        give(cursor, line, rest, rest);
        return LOG_STEP_PART;
    }
    if (open_next(cursor, &cause))
        return LOG_STEP_LINE;
    if (!cause)
        return LOG_STEP_END; /* there is none yet */
    g_propagate_error(error, g_steal_pointer(&cause));
    return LOG_STEP_FAILED;
}

LogStep
log_cursor_next(LogCursor *cursor, LogLine *line, GError **error)
{
    if (cursor->fd < 0) {
        g_autoptr(GError) cause = NULL;

        if (!open_next(cursor, &cause) && cause == NULL)
            return LOG_STEP_END;
        if (cause) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return LOG_STEP_FAILED;
        }
    }
    for (;;) {
        gssize got = 0;
        LogStep step;

        if (take_line(cursor, line))
            return LOG_STEP_LINE;
        if (!fill(cursor, &got, error))
            return LOG_STEP_FAILED;
        if (got > 0)
            continue;
        step = at_end(cursor, line, error);
        if (step != LOG_STEP_LINE)
            return step;
    }
}

gsize
log_cursor_rest(const LogCursor *cursor, const char **ret_text)
{
    *ret_text = cursor->buffer + cursor->begin;
    return cursor->end - cursor->begin;
}

gboolean
log_cursor_file(const LogCursor *cursor, LogFile *ret)
{
    g_autoptr(GArray) files = log_files_list(cursor->folder, NULL);
    gssize place = files ? place_in(cursor, files) : -1;

    if (place < 0)
        return FALSE;
    *ret = g_array_index(files, LogFile, place);
    return TRUE;
}

gboolean
log_cursor_opened(const LogCursor *cursor, LogFile *ret)
{
    *ret = cursor->file;
    return cursor->fd >= 0;
}

gboolean
log_cursor_first(const LogCursor *cursor, char ret[LOG_HASH_LEN + 1])
{
    g_autofree char *text = g_malloc(FIRST_READ);
    ssize_t len = cursor->fd >= 0 ? pread(cursor->fd, text, FIRST_READ, 0) : 0;
    const char *at = text, *end = text + MAX(len, 0), *newline;
    LogRecord record;

    *ret = '\0';
    while (at < end && (newline = memchr(at, '\n', (gsize)(end - at))) != NULL) {
        if (log_record_parse(at, (gsize)(newline - at), &record)) {
            memcpy(ret, record.hash, sizeof record.hash);
            return TRUE;
        }
        at = newline + 1;
    }
    return FALSE;
}

guint64
log_cursor_line(const LogCursor *cursor)
{
    return cursor->line;
}

guint64
log_cursor_before(const LogCursor *cursor)
{
    return cursor->before;
}

guint
log_cursor_gaps(const LogCursor *cursor)
{
    return cursor->gaps;
}
