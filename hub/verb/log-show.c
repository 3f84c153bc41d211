/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/verb/log-show.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

#define ROWS 200                               /* that wait for more, so that columns fit */
#define MOMENT (100 * G_TIME_SPAN_MILLISECOND) /* and how long */
#define TURNS 256                              /* records between two looks at the clock */

LogShow
log_show_begin(const Cli *cli)
{
    LogShow show = {.style = output_style(cli), .written = g_get_monotonic_time()};

    show.style.width = 0; /* a record is read to its end */
    if (cli->given[OPTION_JSON])
        return show;
    show.zone = g_time_zone_new_local();
    show.table = table_new(_("WHEN"), _("WHAT"), _("DEVICE"), _("STREAM"), _("USER"), _("ADDRESS"),
                           _("RESULT"), _("DURATION"), _("TO DEVICE"), _("TO USER"), NULL);
    for (guint column = 7; column < 10; column++)
        table_align_right(show.table, column);
    return show;
}

void
log_show_clear(LogShow *show)
{
    table_free(show->table);
    g_clear_pointer(&show->zone, g_time_zone_unref);
}

/* "2026-11-30 19:42:28" of "2026-11-30T18:42:28.123Z", in local time. */
static char *
local_time(const LogShow *show, const char *text)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, NULL);
    g_autoptr(GDateTime) here = time ? g_date_time_to_timezone(time, show->zone) : NULL;

    return here ? g_date_time_format(here, "%Y-%m-%d %H:%M:%S") : g_strdup(text);
}

static char *
duration_text(gint64 ms)
{
    gint64 s = ms / 1000;

    if (ms < 0)
        return g_strdup("");
    if (ms < 1000)
        return g_strdup_printf(_("%d ms"), (int)ms);
    if (s < 60)
        return g_strdup_printf(_("%.1f s"), (double)ms / 1000);
    if (s < 3600)
        return g_strdup_printf(_("%d min %d s"), (int)(s / 60), (int)(s % 60));
    return g_strdup_printf(_("%lld h %d min"), (long long)(s / 3600), (int)(s / 60 % 60));
}

static char *
device_text(const LogEntry *entry)
{
    gboolean device =
        g_str_has_prefix(entry->operation, "device.") || strcmp(entry->operation, "enroll") == 0;

    if (entry->kind == LOG_KIND_CHANGE)
        return g_strdup(device ? entry->what : "");
    return *entry->module ? g_strconcat(entry->device, "/", entry->module, NULL)
                          : g_strdup(entry->device);
}

/* Whose record changed stands among the devices, or behind what was done. */
static char *
what_text(const LogEntry *entry, const char *device)
{
    if (entry->kind == LOG_KIND_CHANGE)
        return *entry->what && !*device ? g_strconcat(entry->operation, " ", entry->what, NULL)
                                        : g_strdup(entry->operation);
    return g_strdup(entry->kind == LOG_KIND_END ? _("end") : _("request"));
}

static char *
change_result(const LogEntry *entry)
{
    if (strcmp(entry->category, "Hub") != 0)
        return g_strdup(entry->detail);
    if (strcmp(entry->operation, "start") == 0)
        return g_strdup_printf(entry->torn ? _("%s, after a record that was cut off") : "%s",
                               entry->version);
    if (strcmp(entry->operation, "file") == 0)
        return g_strdup_printf(_("after file %llu"), (unsigned long long)entry->number);
    if (strcmp(entry->operation, "lost") == 0)
        return g_strdup_printf(_("%llu records since %s"), (unsigned long long)entry->count,
                               entry->since);
    return g_strdup(entry->detail);
}

static char *
stream_result(const LogEntry *entry)
{
    const char *why = *entry->reason ? entry->reason : entry->description;

    if (entry->kind == LOG_KIND_END)
        return *entry->detail ? g_strdup_printf("%s: %s", entry->reason, entry->detail)
                              : g_strdup(entry->reason);
    if (!entry->failed)
        return g_strdup(_("ok"));
    return *why ? g_strdup_printf("%s %s", entry->result, why) : g_strdup(entry->result);
}

static char *
result_text(const LogEntry *entry)
{
    g_autofree char *result =
        entry->kind == LOG_KIND_CHANGE ? change_result(entry) : stream_result(entry);

    return *entry->resumes ? g_strdup_printf(_("%s, goes on with %s"), result, entry->resumes)
                           : g_steal_pointer(&result);
}

static void
add_size(Table *table, gint64 bytes)
{
    g_autofree char *text = bytes < 0 ? g_strdup("") : output_size((guint64)bytes);

    table_add(table, text);
}

static void
add_row(LogShow *show, const LogEntry *entry)
{
    g_autofree char *time = local_time(show, entry->time);
    g_autofree char *device = device_text(entry), *what = what_text(entry, device);
    g_autofree char *result = result_text(entry), *duration = duration_text(entry->duration);

    table_add(show->table, time);
    table_add(show->table, what);
    table_add(show->table, device);
    table_add(show->table, entry->stream);
    table_add(show->table, entry->user);
    table_add(show->table, entry->address);
    table_add(show->table, result);
    if (entry->kind != LOG_KIND_CHANGE)
        table_paint(show->table, entry->failed ? TABLE_BAD : TABLE_PLAIN);
    table_add(show->table, duration);
    add_size(show->table, entry->to_device);
    add_size(show->table, entry->to_service);
}

void
log_show_add(LogShow *show, const char *line, gsize len)
{
    g_autoptr(LogEntry) entry = NULL;

    if (show->table == NULL) {
        (void)fwrite(line, 1, len, stdout);
        (void)fputc('\n', stdout);
        show->waiting++;
        return;
    }
    entry = log_entry_parse(line, len);
    if (entry == NULL)
        return;
    add_row(show, entry);
    show->waiting++;
}

gboolean
log_show_flush(LogShow *show, GError **error)
{
    g_autofree char *text = NULL;

    show->written = g_get_monotonic_time();
    if (show->waiting == 0)
        return TRUE;
    show->waiting = 0;
    show->begun = TRUE;
    if (show->table == NULL)
        return output_flush(error);
    text = table_take(show->table, &show->style);
    return output_write(text, error);
}

gboolean
log_show_turn(LogShow *show, GError **error)
{
    if (show->table && show->waiting >= ROWS)
        return log_show_flush(show, error);
    if (++show->turns % TURNS != 0 || show->waiting == 0 ||
        g_get_monotonic_time() - show->written < MOMENT)
        return TRUE;
    return log_show_flush(show, error);
}

gboolean
log_show_end(LogShow *show, GError **error)
{
    gboolean legend = show->table && !show->style.untitled;

    if (!log_show_flush(show, error))
        return FALSE;
    return show->begun || !legend ? TRUE : output_write(_("No records.\n"), error);
}
