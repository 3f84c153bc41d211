/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub log */
#include "common/base/error.h"
#include "common/cli/output.h"
#include "hub/base/settings.h"
#include "hub/base/state.h"
#include "hub/cli/when.h"
#include "hub/log/cursor.h"
#include "hub/log/watch.h"
#include "hub/verb/log-show.h"
#include "hub/verb/verb.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define FOLLOW_LINES 10 /* of before, as journalctl --follow has it */
#define LOOK_EVERY 2000 /* ms, where the system tells of no changes */
#define TRIES 3

/* What is asked for, and where it is read. */
typedef struct {
    char *folder;
    LogFilter filter;
    char *device, *module;
    LogCursor *cursor;
    guint64 skip;   /* so many that the filter takes are not shown */
    guint64 broken; /* lines that are no records */
} Reading;

static void
reading_clear(Reading *reading)
{
    log_cursor_free(reading->cursor);
    g_free(reading->folder);
    g_free(reading->device);
    g_free(reading->module);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

char *
verb_records_folder(const Cli *cli, GError **error)
{
    const char *state_dir = verb_need_state_dir(cli, error), *config = verb_config(cli);
    g_autoptr(Settings) settings = NULL;

    if (!state_dir)
        return NULL;
    settings = config ? settings_load(config, error) : settings_new();
    if (!settings)
        return NULL;
    return settings->records_folder ? g_strdup(settings->records_folder)
                                    : g_build_filename(state_dir, STATE_RECORDS, NULL);
}

ExitCode
verb_records_end(const char *folder, GError **error)
{
    if (error && g_error_matches(*error, STREAMD_ERROR, STREAMD_ERROR_DENIED)) {
        g_clear_error(error);
        return cli_fail(error, EXIT_CODE_DENIED,
                        _("%s: permission denied: read the records as root or as the hub's user"),
                        folder);
    }
    if (error && g_error_matches(*error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND)) {
        g_clear_error(error);
        return cli_fail(error, EXIT_CODE_NOT_FOUND,
                        _("there are no records in %s: the hub has kept none yet, or it has others "
                          "(--state-dir, --config)"),
                        folder);
    }
    return verb_end(FALSE, error);
}

static gboolean
take_time(const Cli *cli, Option option, char ret[LOG_TIME_SIZE], GError **error)
{
    g_autoptr(GTimeZone) here = g_time_zone_new_local();
    gint64 time = 0;

    if (!cli->given[option])
        return TRUE;
    if (!when_parse(cli->values[option], g_get_real_time(), here, &time)) {
        cli_fail(error, EXIT_CODE_USAGE,
                 _("--%s %s: want a time such as 2026-11-24, '2026-11-24 12:00', 12:00, yesterday, "
                   "today or 2h (ago)"),
                 option_row(&cli->program->options, option)->name, cli->values[option]);
        return FALSE;
    }
    log_time_format(time, ret);
    return TRUE;
}

static gboolean
take_kinds(const Cli *cli, guint *ret, GError **error)
{
    static const struct {
        const char *name;
        LogKind kind;
    } kinds[] = {
        {"requests", LOG_KIND_REQUEST}, {"ends", LOG_KIND_END}, {"changes", LOG_KIND_CHANGE}};
    const char *const *given = cli_list(cli, OPTION_KIND);

    *ret = given ? 0 : LOG_KINDS_ALL;
    for (guint i = 0; given && given[i]; i++) {
        guint kind = 0;

        for (guint j = 0; j < G_N_ELEMENTS(kinds); j++)
            if (strcmp(kinds[j].name, given[i]) == 0)
                kind = kinds[j].kind;
        if (kind == 0) {
            cli_fail(error, EXIT_CODE_USAGE, _("--kind is requests, ends or changes, not '%.64s'"),
                     given[i]);
            return FALSE;
        }
        *ret |= kind;
    }
    return TRUE;
}

static gboolean
take_names(const Cli *cli, Reading *reading, GError **error)
{
    const char *user = cli->values[OPTION_USER], *result = cli->values[OPTION_RESULT];

    if (cli->given[OPTION_DEVICE] && !verb_take_device(cli, cli->values[OPTION_DEVICE],
                                                       &reading->device, &reading->module, error))
        return FALSE;
    if (user && *user == '\0') {
        cli_fail(error, EXIT_CODE_USAGE, _("--user wants a name"));
        return FALSE;
    }
    if (result && *result == '\0') {
        cli_fail(error, EXIT_CODE_USAGE,
                 _("--result is ok, failed, a code such as 404103 or a reason such as offline"));
        return FALSE;
    }
    reading->filter.device = reading->device;
    reading->filter.module = reading->module;
    reading->filter.user = user;
    reading->filter.result = result;
    return TRUE;
}

static gboolean
reading_take(const Cli *cli, Reading *reading, GError **error)
{
    LogFilter *filter = &reading->filter;

    if (!take_names(cli, reading, error) || !take_kinds(cli, &filter->kinds, error) ||
        !take_time(cli, OPTION_SINCE, filter->since, error) ||
        !take_time(cli, OPTION_UNTIL, filter->until, error))
        return FALSE;
    if (*filter->since && *filter->until && strcmp(filter->since, filter->until) > 0) {
        cli_fail(error, EXIT_CODE_USAGE, _("--since is after --until"));
        return FALSE;
    }
    reading->folder = verb_records_folder(cli, error);
    return reading->folder != NULL;
}

static gboolean
takes(const Reading *reading, const LogLine *line)
{
    LogRecord record;

    return log_record_parse(line->text, line->len, &record) &&
           log_filter_takes(&reading->filter, &record, line->text, line->len);
}

/* Counts the lines that are no records; not one that was cut off, which the next start says. */
static void
count_broken(Reading *reading, const LogLine *line)
{
    LogRecord record;

    if (!log_record_parse(line->text, line->len, &record))
        reading->broken++;
    else if (reading->broken > 0 && log_record_is_start(&record) && log_record_is_torn(&record))
        reading->broken--;
}

/* Whether FILE begins before TIME. */
static gboolean
begins_before(const char *folder, const LogFile *file, const char *time)
{
    g_autoptr(LogCursor) cursor = log_cursor_new(folder);
    LogLine line;
    LogRecord record;

    return log_cursor_seek(cursor, file, 0, 1, NULL) &&
           log_cursor_next(cursor, &line, NULL) == LOG_STEP_LINE &&
           log_record_parse(line.text, line.len, &record) &&
           strncmp(record.time.ptr, time, record.time.len) < 0;
}

/* The first of FILES that may have something since then: what comes before one that began before it
 * is older still. */
static guint
first_since(const Reading *reading, const GArray *files)
{
    guint i = files->len;

    if (!*reading->filter.since)
        return 0;
    while (i > 1 && !begins_before(reading->folder, &g_array_index(files, LogFile, i - 1),
                                   reading->filter.since))
        i--;
    return i > 0 ? i - 1 : 0;
}

/* How many records of FILE, as long as it was when it was listed, the filter takes. */
static guint64
count_in(const Reading *reading, const LogFile *file)
{
    g_autoptr(LogCursor) cursor = log_cursor_new(reading->folder);
    guint64 count = 0;
    LogLine line;

    if (!log_cursor_seek(cursor, file, 0, 1, NULL))
        return 0;
    while (log_cursor_next(cursor, &line, NULL) == LOG_STEP_LINE && line.file == file->number &&
           line.offset <= file->size)
        count += takes(reading, &line) ? 1 : 0;
    return count;
}

/* Goes to where the answer begins: not before the last LINES records of it. */
static gboolean
reading_seek(Reading *reading, guint64 lines, GError **error)
{
    g_autoptr(GArray) files = log_files_list(reading->folder, error);
    guint first = files ? first_since(reading, files) : 0, begin = first;
    guint64 count = 0;

    if (!files)
        return FALSE;
    if (lines < G_MAXUINT64)
        for (begin = files->len; begin > first && (begin == files->len || count < lines); begin--)
            count += count_in(reading, &g_array_index(files, LogFile, begin - 1));
    reading->skip = count > lines ? count - lines : 0;
    return begin >= files->len ||
           log_cursor_seek(reading->cursor, &g_array_index(files, LogFile, begin), 0, 1, error);
}

/* A file may be renamed between the look at the folder and its opening. */
static gboolean
reading_begin(Reading *reading, guint64 lines, GError **error)
{
    for (guint tries = 0;; tries++) {
        g_autoptr(GError) cause = NULL;

        log_cursor_free(reading->cursor);
        reading->cursor = log_cursor_new(reading->folder);
        if (reading_seek(reading, lines, &cause))
            return TRUE;
        if (tries < TRIES && g_error_matches(cause, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND) &&
            g_file_test(reading->folder, G_FILE_TEST_IS_DIR))
            continue;
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
}

/* Shows what there is. FALSE with ERROR set: it cannot be read, or not be written. */
static gboolean
reading_run(Reading *reading, LogShow *show, GError **error)
{
    for (;;) {
        LogLine line;
        LogStep step = log_cursor_next(reading->cursor, &line, error);

        if (step == LOG_STEP_FAILED)
            return FALSE;
        if (step == LOG_STEP_END)
            return log_show_flush(show, error);
        count_broken(reading, &line);
        if (takes(reading, &line)) {
            if (reading->skip > 0)
                reading->skip--;
            else
                log_show_add(show, line.text, line.len);
        }
        if (!log_show_turn(show, error))
            return FALSE;
    }
}

/* SIGINT and SIGTERM as a descriptor. */
static int
signals_open(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* FALSE: it is to end. */
static gboolean
wait_for_more(int watch, int signals)
{
    struct pollfd fds[] = {{.fd = watch, .events = POLLIN},
                           {.fd = signals, .events = POLLIN},
                           {.fd = STDOUT_FILENO}}; /* whose reader may go */

    (void)poll(fds, G_N_ELEMENTS(fds), LOOK_EVERY);
    log_watch_clear(watch);
    return fds[1].revents == 0 && !(fds[2].revents & (POLLERR | POLLNVAL));
}

static gboolean
reading_follow(Reading *reading, LogShow *show, guint64 lines, GError **error)
{
    int watch = log_watch_open(reading->folder), signals = signals_open();
    gboolean good = reading_begin(reading, lines, error);

    do
        good = good && reading_run(reading, show, error);
    while (good && wait_for_more(watch, signals));
    if (watch >= 0)
        close(watch);
    if (signals >= 0)
        close(signals);
    return good;
}

static gboolean
take_lines(const Cli *cli, guint64 *ret, GError **error)
{
    gboolean follows = cli->given[OPTION_FOLLOW] && !cli->given[OPTION_SINCE];

    *ret = follows ? FOLLOW_LINES : G_MAXUINT64;
    return cli_number(cli, OPTION_LINES, 0, G_MAXINT32, ret, error);
}

ExitCode
verb_log(Cli *cli, GError **error)
{
    g_auto(Reading) reading = {0};
    g_auto(LogShow) show = log_show_begin(cli);
    guint64 lines = 0;
    gboolean good;

    if (!take_lines(cli, &lines, error) || !reading_take(cli, &reading, error))
        return verb_end(FALSE, error);
    if (cli->given[OPTION_FOLLOW])
        good = reading_follow(&reading, &show, lines, error);
    else
        good = reading_begin(&reading, lines, error) && reading_run(&reading, &show, error) &&
               log_show_end(&show, error);
    if (reading.broken > 0)
        (void)fprintf(stderr,
                      ngettext("streamhub: %llu line is no record, see 'streamhub log verify'\n",
                               "streamhub: %llu lines are no records, see 'streamhub log verify'\n",
                               (gulong)reading.broken),
                      (unsigned long long)reading.broken);
    return good ? EXIT_CODE_OK : verb_records_end(reading.folder, error);
}
