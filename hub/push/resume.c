/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/push/resume.h"

#include <string.h>

/* Whether the record with the place's hash ends where the place says, in this file. */
static gboolean
ends_there(const char *records, const LogFile *file, const Place *place)
{
    g_autoptr(LogCursor) cursor = log_cursor_new(records);
    guint64 begin = place->offset > LOG_LINE_MAX ? place->offset - LOG_LINE_MAX : 0;
    LogLine line;
    LogRecord record;

    if (!log_cursor_seek(cursor, file, begin, 1, NULL))
        return FALSE;
    while (log_cursor_next(cursor, &line, NULL) == LOG_STEP_LINE && line.file == file->number &&
           line.offset <= place->offset)
        if (line.offset == place->offset)
            return log_record_parse(line.text, line.len, &record) &&
                   strcmp(record.hash, place->hash) == 0;
    return FALSE;
}

/* Where it was, under its present name. */
static gboolean
go_there(LogCursor *cursor, const char *records, const GArray *files, const Place *place)
{
    for (guint i = 0; i < files->len; i++) {
        const LogFile *file = &g_array_index(files, LogFile, i);

        if (file->inode == place->inode && file->size >= place->offset &&
            ends_there(records, file, place))
            return log_cursor_seek(cursor, file, place->offset, place->line + 1, NULL);
    }
    return FALSE;
}

/* Anywhere: the folder may have come from a backup. */
static gboolean
search(LogCursor *cursor, const Place *place)
{
    LogLine line;
    LogRecord record;

    while (log_cursor_next(cursor, &line, NULL) == LOG_STEP_LINE)
        if (log_record_parse(line.text, line.len, &record) &&
            strcmp(record.hash, place->hash) == 0)
            return TRUE;
    return FALSE;
}

LogCursor *
push_resume(const char *records, const Place *place, gboolean *ret_found, GError **error)
{
    g_autoptr(LogCursor) cursor = log_cursor_new(records);
    g_autoptr(GArray) files = log_files_list(records, error);

    if (!files)
        return NULL;
    *ret_found = *place->hash == '\0' || go_there(cursor, records, files, place) ||
                 search(cursor, place);
    if (*ret_found)
        return g_steal_pointer(&cursor);
    return log_cursor_new(records);
}
