/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/push/resume.h"

#include <string.h>

gboolean
push_place_is_in(const char *records, const LogFile *file, const Place *place)
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

gboolean
push_resume(LogCursor *cursor, const char *records, const Place *place, GError **error)
{
    g_autoptr(GArray) files = log_files_list(records, error);

    for (guint i = 0; files && i < files->len; i++) {
        const LogFile *file = &g_array_index(files, LogFile, i);

        if (file->inode == place->inode && file->size >= place->offset &&
            push_place_is_in(records, file, place))
            return log_cursor_seek(cursor, file, place->offset, place->line + 1, NULL);
    }
    return FALSE;
}

Search
push_search(LogCursor *cursor, const Place *place)
{
    LogLine line;
    LogRecord record;

    for (guint i = 0; i < PUSH_LINES; i++) {
        LogStep step = log_cursor_next(cursor, &line, NULL);

        if (step == LOG_STEP_END || step == LOG_STEP_FAILED)
            return SEARCH_OVER;
        if (step == LOG_STEP_LINE && log_record_parse(line.text, line.len, &record) &&
            strcmp(record.hash, place->hash) == 0)
            return SEARCH_FOUND;
    }
    return SEARCH_MORE;
}
