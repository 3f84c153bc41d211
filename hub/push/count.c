/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/push/count.h"

#include "hub/push/resume.h"

struct Count {
    char *records;
    LogCursor *cursor; /* NULL: between files */
    guint64 number, found;
    char first[LOG_HASH_LEN + 1];
};

Count *
count_new(const char *records)
{
    Count *count = g_new0(Count, 1);

    count->records = g_strdup(records);
    return count;
}

void
count_free(Count *count)
{
    if (!count)
        return;
    log_cursor_free(count->cursor);
    g_free(count->records);
    g_free(count);
}

/* The number of the file that was sent last; 0: it is the current one, or not there any more. */
static guint64
number_sent(const Count *count, const GArray *files, const Place *place)
{
    for (guint i = 0; i < files->len; i++) {
        const LogFile *file = &g_array_index(files, LogFile, i);

        if (file->inode == place->inode && *place->hash &&
            push_place_is_in(count->records, file, place))
            return file->number;
    }
    return 0;
}

/* Opens the oldest file that waits and was not counted. FALSE: there is none. */
static gboolean
open_file(Count *count, const Position *position)
{
    g_autoptr(GArray) files = log_files_list(count->records, NULL);
    guint64 sent = files ? number_sent(count, files, position_place(position)) : 0;

    for (guint i = 0; files && i < files->len; i++) {
        const LogFile *file = &g_array_index(files, LogFile, i);

        if (file->number == LOG_NUMBER_CURRENT || file->number < sent ||
            position_is_waiting(position, file->number))
            continue;
        count->number = file->number;
        count->found = 0;
        count->cursor = log_cursor_new(count->records);
        /* One that is gone by now, or cannot be read, has none that could be counted. */
        (void)log_cursor_seek(count->cursor, file, 0, 1, NULL);
        (void)log_cursor_first(count->cursor, count->first);
        return TRUE;
    }
    return FALSE;
}

/* FALSE: the file is over. */
static gboolean
read_lines(Count *count)
{
    LogRecord record;
    LogLine line;
    LogFile file;

    if (!log_cursor_opened(count->cursor, &file))
        return FALSE;
    for (guint i = 0; i < PUSH_LINES; i++) {
        if (log_cursor_next(count->cursor, &line, NULL) != LOG_STEP_LINE ||
            line.file != count->number)
            return FALSE;
        count->found += log_record_parse(line.text, line.len, &record) ? 1 : 0;
    }
    return TRUE;
}

CountStep
count_step(Count *count, Position *position)
{
    if (!count->cursor && !open_file(count, position))
        return COUNT_OVER;
    if (read_lines(count))
        return COUNT_MORE;
    g_clear_pointer(&count->cursor, log_cursor_free);
    position_add_waiting(position, count->number, count->first, count->found);
    return COUNT_FILE;
}
