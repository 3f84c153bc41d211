/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/log/filter.h"

void
log_time_format(gint64 time, char ret[LOG_TIME_SIZE])
{
    gint64 last = G_GINT64_CONSTANT(253402300799999999); /* of the year 9999 */
    gint64 known = CLAMP(time, 0, last);
    /* The time_t of a machine with 32 bits ends in 2038. */
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(known / G_USEC_PER_SEC);
    g_autofree char *text = g_date_time_format(date, "%Y-%m-%dT%H:%M:%S");

    (void)g_snprintf(ret, LOG_TIME_SIZE, "%.19s.%03uZ", text,
                     (guint)(known % G_USEC_PER_SEC / 1000));
}

gboolean
log_time_parse(const char *text, gint64 *ret)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, NULL);

    if (!time)
        return FALSE;
    *ret = g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
    return TRUE;
}

/* A text in a slice against a whole one. */
static int
compare(Slice slice, const char *text)
{
    return strncmp(slice.ptr, text, slice.len);
}

static gboolean
has_bytes(const char *line, gsize len, const char *text)
{
    return text == NULL || memmem(line, len, text, strlen(text)) != NULL;
}

static gboolean
is_of_device(const LogFilter *filter, const LogEntry *entry)
{
    g_autofree char *full =
        filter->module ? g_strconcat(filter->device, "/", filter->module, NULL) : NULL;
    gsize len = strlen(filter->device);

    if (entry->kind != LOG_KIND_CHANGE)
        return strcmp(entry->device, filter->device) == 0 &&
               (!filter->module || strcmp(entry->module, filter->module) == 0);
    if (strcmp(entry->category, "Registry") != 0)
        return FALSE;
    if (g_str_has_prefix(entry->user, "device:") &&
        strcmp(entry->user + strlen("device:"), full ? full : filter->device) == 0)
        return TRUE;
    if (g_str_has_prefix(entry->operation, "user.") ||
        g_str_has_prefix(entry->operation, "invitation."))
        return FALSE;
    if (full)
        return strcmp(entry->what, full) == 0;
    return strncmp(entry->what, filter->device, len) == 0 &&
           (entry->what[len] == '\0' || entry->what[len] == '/');
}

static gboolean
is_of_user(const LogFilter *filter, const LogEntry *entry)
{
    return strcmp(entry->user, filter->user) == 0 ||
           (g_str_has_prefix(entry->operation, "user.") && strcmp(entry->what, filter->user) == 0);
}

static gboolean
has_result(const LogFilter *filter, const LogEntry *entry)
{
    if (entry->kind == LOG_KIND_CHANGE)
        return FALSE;
    if (strcmp(filter->result, "ok") == 0 || strcmp(filter->result, "failed") == 0)
        return entry->failed == (strcmp(filter->result, "failed") == 0);
    return strcmp(entry->result, filter->result) == 0 ||
           strcmp(entry->description, filter->result) == 0 ||
           strcmp(entry->reason, filter->result) == 0;
}

/* A stream whose end came after UNTIL, and which had begun before. */
static gboolean
was_open(const LogFilter *filter, const LogEntry *entry)
{
    gint64 end, until;

    return log_time_parse(entry->time, &end) && log_time_parse(filter->until, &until) &&
           entry->duration >= 0 && entry->duration < G_MAXINT64 / 1000 &&
           end - entry->duration * 1000 <= until;
}

gboolean
log_filter_takes(const LogFilter *filter, const LogRecord *record, const char *line, gsize len)
{
    LogKind kind = log_record_kind(record);
    gboolean late = *filter->until && compare(record->time, filter->until) > 0;
    g_autoptr(LogEntry) entry = NULL;

    if (!(filter->kinds & kind) || (late && kind != LOG_KIND_END) ||
        (*filter->since && compare(record->time, filter->since) < 0) ||
        !has_bytes(line, len, filter->device) || !has_bytes(line, len, filter->module) ||
        !has_bytes(line, len, filter->user))
        return FALSE;
    if (!late && !filter->device && !filter->user && !filter->result)
        return TRUE;
    entry = log_entry_parse(line, len);
    return entry && (!late || was_open(filter, entry)) &&
           (!filter->device || is_of_device(filter, entry)) &&
           (!filter->user || is_of_user(filter, entry)) &&
           (!filter->result || has_result(filter, entry));
}
