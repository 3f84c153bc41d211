/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The journal with a socket or a pipe of the test's own at its other end. */
#include "common/log/journal.h"

#include "common/log/events.h"
#include "common/log/rate.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct {
    int ends[2];
    Journal *journal;
} Pipe;

static void
pipe_open(Pipe *self)
{
    g_assert_cmpint(pipe2(self->ends, O_CLOEXEC), ==, 0);
    g_assert_cmpint(fcntl(self->ends[0], F_SETFL, O_NONBLOCK), ==, 0);
    self->journal = journal_new("prog", self->ends[1], NULL);
}

static void
pipe_close(Pipe *self)
{
    journal_free(self->journal);
    close(self->ends[0]);
    close(self->ends[1]);
}

static char *
pipe_read(Pipe *self)
{
    GString *out = g_string_new(NULL);
    char buffer[4096];
    ssize_t count;

    while ((count = read(self->ends[0], buffer, sizeof buffer)) > 0)
        g_string_append_len(out, buffer, count);
    return g_string_free(out, FALSE);
}

static void
say(Journal *journal, GLogLevelFlags level, const char *message)
{
    const GLogField fields[] = {{"MESSAGE", message, -1}};

    (void)journal_write(level, fields, 1, journal);
}

static guint
count_of(const char *text, const char *part)
{
    guint count = 0;

    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
        count++;
    return count;
}

static guint
count_lines(const char *text)
{
    guint lines = 0;

    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static void
test_text(void)
{
    Pipe self;
    g_autofree char *out = NULL;

    pipe_open(&self);
    g_assert_cmpstr(journal_target(self.journal), ==, "console");
    say(self.journal, G_LOG_LEVEL_MESSAGE, "one");
    say(self.journal, G_LOG_LEVEL_WARNING, "two\nforged: line");
    out = pipe_read(&self);
    g_assert_cmpstr(out, ==, "prog: one\nprog: warning: two\\x0aforged: line\n");
    pipe_close(&self);
}

static void
test_level(void)
{
    Pipe self;
    g_autofree char *quiet = NULL, *loud = NULL;

    pipe_open(&self);
    say(self.journal, G_LOG_LEVEL_DEBUG, "hidden");
    quiet = pipe_read(&self);
    g_assert_cmpstr(quiet, ==, "");
    journal_set_level(self.journal, LOG_DEBUG);
    say(self.journal, G_LOG_LEVEL_DEBUG, "shown");
    loud = pipe_read(&self);
    g_assert_cmpstr(loud, ==, "prog: shown\n");
    pipe_close(&self);
}

/* Many in one go are cut, and the cut is told once; a record of another class passes. */
static void
test_rate(void)
{
    const GLogField other[] = {{"MESSAGE", "other", -1}, {"STREAMD_CLASS", "stream", -1}};
    Pipe self;
    g_autofree char *out = NULL, *end = NULL;

    pipe_open(&self);
    for (guint i = 0; i < 20 * LOG_RATE_MAX; i++)
        say(self.journal, G_LOG_LEVEL_MESSAGE, "again");
    (void)journal_write(G_LOG_LEVEL_MESSAGE, other, 2, self.journal);
    out = pipe_read(&self);
    /* A slow machine may have been given a new second or more on the way. */
    g_assert_cmpuint(count_lines(out), <, 20 * LOG_RATE_MAX);
    g_assert_cmpuint(count_lines(out), >, LOG_RATE_MAX);
    g_assert_nonnull(strstr(out, "prog: other\n"));
    journal_free(g_steal_pointer(&self.journal));
    end = pipe_read(&self);
    g_assert_nonnull(strstr(end, "text records were left out"));
    pipe_close(&self);
}

/* What is bounded elsewhere passes when nothing else does, but not below the level. */
static void
test_bounded(void)
{
    const GLogField other[] = {{"MESSAGE", "other", -1}, {"STREAMD_CLASS", "refused", -1}};
    const GLogField fields[] = {
        {"MESSAGE", "owed", -1}, {"STREAMD_CLASS", "refused", -1}, {EVENT_BOUNDED_FIELD, "1", -1}};
    Pipe self;
    g_autofree char *out = NULL, *end = NULL;

    pipe_open(&self);
    for (guint i = 0; i < 20 * LOG_RATE_MAX; i++)
        (void)journal_write(G_LOG_LEVEL_MESSAGE, other, 2, self.journal);
    for (guint i = 0; i < 2 * LOG_RATE_MAX; i++)
        (void)journal_write(G_LOG_LEVEL_MESSAGE, fields, 3, self.journal);
    out = pipe_read(&self);
    g_assert_cmpuint(count_of(out, "prog: other\n"), <, 20 * LOG_RATE_MAX);
    g_assert_cmpuint(count_of(out, "prog: owed\n"), ==, 2 * LOG_RATE_MAX);
    journal_set_level(self.journal, LOG_WARNING);
    (void)journal_write(G_LOG_LEVEL_MESSAGE, fields, 3, self.journal);
    end = pipe_read(&self);
    g_assert_null(strstr(end, "owed"));
    pipe_close(&self);
}

static void
say_of(Journal *journal, const char *class, const char *key, const char *who)
{
    const GLogField fields[] = {{"MESSAGE", who, -1}, {"STREAMD_CLASS", class, -1}, {key, who, -1}};

    (void)journal_write(G_LOG_LEVEL_MESSAGE, fields, G_N_ELEMENTS(fields), journal);
}

/* In every class: one floods, another's records are there, and whose were left out is told. */
static void
test_subjects(void)
{
    static const char *const cases[][5] = {
        {"device", "STREAMD_DEVICE", "gw-1", "gw-2", "device (gw-1)"},
        {"stream", "STREAMD_INITIATOR", "bob", "eve", "stream (bob)"},
        {"stream", "STREAMD_UID", "1000", "1001", "stream (1000)"},
        {"tunnel", "STREAMD_UID", "1000", "1001", "tunnel (1000)"},
        {"hub", "STREAMD_HUB", "office", "home", "hub (office)"},
        {"refused", "STREAMD_PEER", "192.0.2.1:1", "192.0.2.2:1", "refused (192.0.2.1)"},
        {"limit", "STREAMD_DEVICE", "gw-1", "gw-2", "limit (gw-1)"},
        {"control", "STREAMD_UID", "1000", "1001", "control (1000)"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *quiet = g_strdup_printf("prog: %s\n", cases[i][3]);
        g_autofree char *told = g_strdup_printf("%s records were left out", cases[i][4]);
        g_autofree char *out = NULL, *end = NULL;
        Pipe self;

        pipe_open(&self);
        for (guint j = 0; j < 20 * LOG_RATE_MAX; j++)
            say_of(self.journal, cases[i][0], cases[i][1], cases[i][2]);
        for (guint j = 0; j < LOG_RATE_SURE; j++)
            say_of(self.journal, cases[i][0], cases[i][1], cases[i][3]);
        out = pipe_read(&self);
        journal_free(g_steal_pointer(&self.journal));
        end = pipe_read(&self);
        g_assert_cmpuint(count_of(out, quiet), ==, LOG_RATE_SURE);
        g_assert_true(strstr(out, told) || strstr(end, told));
        pipe_close(&self);
    }
}

/* Nobody reads: nothing blocks, what is lost is counted, and told when there is room. */
static void
test_full_pipe(void)
{
    Pipe self;
    g_autofree char *fill = NULL, *out = NULL;

    pipe_open(&self);
    g_assert_cmpint(fcntl(self.ends[1], F_SETPIPE_SZ, 4096), >=, 4096);
    fill = g_strnfill(JOURNAL_MESSAGE_MAX, 'x');
    for (guint i = 0; i < 50; i++)
        say(self.journal, G_LOG_LEVEL_MESSAGE, fill);
    g_assert_cmpuint(journal_dropped(self.journal), >, 0);
    g_free(pipe_read(&self));
    say(self.journal, G_LOG_LEVEL_MESSAGE, "after");
    g_assert_cmpuint(journal_dropped(self.journal), ==, 0);
    out = pipe_read(&self);
    g_assert_nonnull(
        strstr(out, "records were left out: the log did not take them\nprog: after\n"));
    pipe_close(&self);
}

/* The pipe's other users keep the flags that they had. */
static void
test_flags(void)
{
    Pipe self;

    pipe_open(&self);
    g_assert_cmpint(fcntl(self.ends[1], F_GETFL) & O_NONBLOCK, ==, 0);
    pipe_close(&self);
}

typedef struct {
    char *folder, *path;
    int fd;
} Journald;

static void
journald_open(Journald *self)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (!self->folder)
        self->folder = g_dir_make_tmp("journal-XXXXXX", NULL);
    if (!self->path)
        self->path = g_build_filename(self->folder, "socket", NULL);
    (void)g_unlink(self->path);
    g_assert_cmpuint(g_strlcpy(address.sun_path, self->path, sizeof address.sun_path), <,
                     sizeof address.sun_path);
    self->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    g_assert_cmpint(bind(self->fd, (struct sockaddr *)&address, sizeof address), ==, 0);
}

static void
journald_close(Journald *self)
{
    close(self->fd);
    (void)g_unlink(self->path);
    (void)g_rmdir(self->folder);
    g_free(self->path);
    g_free(self->folder);
}

static char *
journald_read(Journald *self)
{
    char buffer[8192];
    ssize_t count = recv(self->fd, buffer, sizeof buffer - 1, 0);

    return count < 0 ? NULL : g_strndup(buffer, (gsize)count);
}

static void
test_record(void)
{
    Journald journald = {0};
    Journal *journal;
    g_autofree char *record = NULL;
    const GLogField fields[] = {
        {"MESSAGE", "Stream 1 is open", -1},
        {"PRIORITY", "5", -1},
        {EVENT_ID_FIELD, event_message_id(EVENT_STREAM_OPENED), -1},
        {"STREAMD_STREAM", "ssh", -1},
        {"CODE_FILE", "x.c", -1},
    };

    journald_open(&journald);
    journal = journal_new("prog", STDERR_FILENO, journald.path);
    g_assert_cmpstr(journal_target(journal), ==, "journal");
    (void)journal_write(G_LOG_LEVEL_INFO, fields, G_N_ELEMENTS(fields), journal);
    record = journald_read(&journald);
    g_assert_nonnull(record);
    g_assert_true(g_str_has_prefix(
        record, "PRIORITY=5\nSYSLOG_IDENTIFIER=prog\nMESSAGE=Stream 1 is open\nMESSAGE_ID="));
    g_assert_true(g_str_has_suffix(record, "\nSTREAMD_STREAM=ssh\n"));
    g_assert_null(strstr(record, "CODE_FILE"));
    journal_free(journal);
    journald_close(&journald);
}

/* journald is stopped: its queue fills, and nothing waits for it. */
static void
test_stopped(void)
{
    Journald journald = {0};
    Journal *journal;
    char *record;
    gboolean told = FALSE;

    journald_open(&journald);
    journal = journal_new("prog", STDERR_FILENO, journald.path);
    for (guint i = 0; i < LOG_RATE_MAX; i++) {
        const GLogField fields[] = {{"MESSAGE", "m", -1}, {"STREAMD_CLASS", "hub", -1}};
        const GLogField more[] = {{"MESSAGE", "m", -1}, {"STREAMD_CLASS", "device", -1}};
        const GLogField yet_more[] = {{"MESSAGE", "m", -1}, {"STREAMD_CLASS", "tunnel", -1}};

        (void)journal_write(G_LOG_LEVEL_INFO, fields, 2, journal);
        (void)journal_write(G_LOG_LEVEL_INFO, more, 2, journal);
        (void)journal_write(G_LOG_LEVEL_INFO, yet_more, 2, journal);
    }
    /* net.unix.max_dgram_qlen may hold all of them on some machines; then there is no loss to tell.
     */
    told = journal_dropped(journal) == 0;
    while ((record = journald_read(&journald)) != NULL)
        g_free(record);
    say(journal, G_LOG_LEVEL_MESSAGE, "after");
    g_assert_cmpuint(journal_dropped(journal), ==, 0);
    while ((record = journald_read(&journald)) != NULL) {
        told = told || strstr(record, "records were left out") != NULL;
        g_free(record);
    }
    g_assert_true(told);
    journal_free(journal);
    journald_close(&journald);
}

static void
test_restarted(void)
{
    Journald journald = {0};
    Journal *journal;
    g_autofree char *record = NULL;

    journald_open(&journald);
    journal = journal_new("prog", STDERR_FILENO, journald.path);
    close(journald.fd);
    journald_open(&journald);
    say(journal, G_LOG_LEVEL_MESSAGE, "hello again");
    record = journald_read(&journald);
    g_assert_nonnull(record);
    g_assert_nonnull(strstr(record, "MESSAGE=hello again\n"));
    journal_free(journal);
    journald_close(&journald);
}

static void
test_level_names(void)
{
    for (int level = LOG_EMERG; level <= LOG_DEBUG; level++)
        g_assert_cmpint(journal_level_from_name(journal_level_name(level)), ==, level);
    g_assert_cmpint(journal_level_from_name("loud"), ==, -1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/journal/text", test_text);
    g_test_add_func("/journal/level", test_level);
    g_test_add_func("/journal/rate", test_rate);
    g_test_add_func("/journal/bounded", test_bounded);
    g_test_add_func("/journal/subjects", test_subjects);
    g_test_add_func("/journal/full-pipe", test_full_pipe);
    g_test_add_func("/journal/flags", test_flags);
    g_test_add_func("/journal/record", test_record);
    g_test_add_func("/journal/stopped", test_stopped);
    g_test_add_func("/journal/restarted", test_restarted);
    g_test_add_func("/journal/level-names", test_level_names);
    return g_test_run();
}
