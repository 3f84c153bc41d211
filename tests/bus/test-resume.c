/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams that survive their legs (docs/wire-protocol.md, section 8a), as clients of the bus set
 * and see it. */
#include "tests/bus/hub-fixture.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DAY_USEC ((guint64)24 * 60 * 60 * G_TIME_SPAN_SECOND)
#define SERVICE "HostName=localhost:1;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0"

static void
assert_resume(sd_bus *bus, const char *hub, const char *resume, guint64 time)
{
    g_autofree char *path = g_strconcat(BUS_PATH_HUB "/", hub, NULL);

    g_assert_cmpuint(fixture_number(bus, path, BUS_HUB, "Resume", 'b'), ==,
                     strcmp(resume, "yes") == 0);
    g_assert_cmpuint(fixture_number(bus, path, BUS_HUB, "ResumeTime", 't'), ==, time);
}

/* ON: -1: not given. TIME: G_MAXUINT64: not given. */
static void
append_options(sd_bus_message *message, int on, guint64 time)
{
    g_assert_cmpint(sd_bus_message_open_container(message, 'a', "{sv}"), >=, 0);
    if (on >= 0)
        g_assert_cmpint(sd_bus_message_append(message, "{sv}", "resume", "b", on), >=, 0);
    if (time != G_MAXUINT64)
        g_assert_cmpint(sd_bus_message_append(message, "{sv}", "resume-time", "t", time), >=, 0);
    g_assert_cmpint(sd_bus_message_close_container(message), >=, 0);
}

static void
add_hub(sd_bus *bus, const char *name, int on, guint64 time)
{
    g_autoptr(sd_bus_message) message = fixture_message(bus, BUS_ROOT, BUS_MANAGER, "AddHub");
    g_autoptr(sd_bus_message) reply = NULL;
    int fd = fixture_memfd(SERVICE);

    g_assert_cmpint(sd_bus_message_append(message, "sh", name, fd), >=, 0);
    append_options(message, on, time);
    g_assert_cmpint(sd_bus_call(bus, message, 0, NULL, &reply), >=, 0);
    (void)close(fd);
}

static void
test_hubs(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autoptr(sd_bus_message) longer = fixture_message(bus, BUS_ROOT, BUS_MANAGER, "AddHub");
    g_autofree char *text = NULL;
    int fd = fixture_memfd(SERVICE);

    add_hub(bus, "plain", -1, G_MAXUINT64);
    assert_resume(bus, "plain", "yes", 180 * G_TIME_SPAN_SECOND);
    add_hub(bus, "off", 0, G_MAXUINT64);
    assert_resume(bus, "off", "no", 0);
    add_hub(bus, "zero", -1, 0);
    assert_resume(bus, "zero", "no", 0);
    add_hub(bus, "both", 0, 5 * G_TIME_SPAN_SECOND);
    assert_resume(bus, "both", "no", 0);
    add_hub(bus, "part", 1, G_TIME_SPAN_SECOND + 1);
    assert_resume(bus, "part", "yes", 2 * G_TIME_SPAN_SECOND);
    add_hub(bus, "day", -1, DAY_USEC);
    assert_resume(bus, "day", "yes", DAY_USEC);
    g_assert_cmpint(sd_bus_message_append(longer, "sh", "longer", fd), >=, 0);
    append_options(longer, -1, DAY_USEC + 1);
    text = fixture_call_fails(bus, longer, "Invalid");
    g_assert_nonnull(strstr(text, "'resume-time' is at most 24 hours"));
    (void)close(fd);
}

static void
update(sd_bus *bus, int on, guint64 time)
{
    g_autoptr(sd_bus_message) message =
        fixture_message(bus, BUS_PATH_HUB "/office", BUS_HUB, "Update");
    g_autoptr(sd_bus_message) reply = NULL;

    g_assert_cmpint(sd_bus_message_open_container(message, 'a', "{sv}"), >=, 0);
    g_assert_cmpint(sd_bus_message_append(message, "{sv}", "force", "b", 1), >=, 0);
    if (on >= 0)
        g_assert_cmpint(sd_bus_message_append(message, "{sv}", "resume", "b", on), >=, 0);
    if (time != G_MAXUINT64)
        g_assert_cmpint(sd_bus_message_append(message, "{sv}", "resume-time", "t", time), >=, 0);
    g_assert_cmpint(sd_bus_message_close_container(message), >=, 0);
    g_assert_cmpint(sd_bus_call(bus, message, 0, NULL, &reply), >=, 0);
}

/* Another streamd of the same state. */
static void
start_again(Fixture *fixture, sd_bus *bus)
{
    const char *const arguments[] = {"--user", "--threads=1", NULL};

    g_assert_cmpint(kill(fixture->streamd, SIGTERM), ==, 0);
    g_assert_cmpint(fixture_wait_exit(fixture->streamd), ==, 0);
    fixture->streamd = fixture_spawn(fixture, arguments);
    fixture_wait_name(bus);
}

/* What is not given stays; and all of it is kept over a restart. */
static void
test_changed(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *text = NULL;

    add_hub(bus, "office", -1, G_MAXUINT64);
    update(bus, -1, 20 * G_TIME_SPAN_SECOND);
    assert_resume(bus, "office", "yes", 20 * G_TIME_SPAN_SECOND);
    start_again(fixture, bus);
    assert_resume(bus, "office", "yes", 20 * G_TIME_SPAN_SECOND);
    update(bus, 0, G_MAXUINT64);
    assert_resume(bus, "office", "no", 0);
    start_again(fixture, bus);
    assert_resume(bus, "office", "no", 0);
    update(bus, 1, G_MAXUINT64);
    assert_resume(bus, "office", "yes", 20 * G_TIME_SPAN_SECOND);
    update(bus, -1, 0);
    assert_resume(bus, "office", "no", 0);
    update(bus, -1, 30 * G_TIME_SPAN_SECOND);
    assert_resume(bus, "office", "yes", 30 * G_TIME_SPAN_SECOND);
    text = fixture_read_log(fixture);
    g_assert_nonnull(strstr(text, "resume 180s"));
    g_assert_nonnull(strstr(text, "resume no"));
}

/* Openings take the option, and nothing but a boolean for it. */
static void
test_options(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *wrong = NULL, *none = NULL;
    g_autoptr(sd_bus_message) tunnel = NULL;

    add_hub(bus, "office", -1, G_MAXUINT64);
    wrong = fixture_fails(bus, "Invalid", BUS_ROOT, BUS_MANAGER, "OpenStream", "sssa{sv}", "",
                          "gw-1", "echo", 1, "resume", "s", "no");
    g_assert_nonnull(strstr(wrong, "'b'"));
    none = fixture_fails(bus, "HubUnreachable", BUS_ROOT, BUS_MANAGER, "OpenStream", "sssa{sv}", "",
                         "gw-1", "echo", 1, "resume", "b", 0);
    tunnel = fixture_call(bus, BUS_ROOT, BUS_MANAGER, "OpenTunnel", "ssssa{sv}", "", "gw-1", "echo",
                          "", 2, "resume", "b", 0, "persistent", "b", 1);
    start_again(fixture, bus);
}

/* A stream through the hub, with both its ends. */
typedef struct {
    Site *site;
    int listener, fd, target;
    char *path;
    GString *states; /* that were told, with what was told beside each */
} Opened;

static gboolean
is_resumable(void *data)
{
    const Opened *opened = data;

    return fixture_number(opened->site->bus, opened->path, BUS_STREAM, "Resumable", 'b') == 1;
}

static gboolean
has_ended(void *data)
{
    const Opened *opened = data;

    return fixture_number(opened->site->bus, opened->path, BUS_STREAM, "ClosedAt", 't') != 0;
}

static gboolean
is_suspended(void *data)
{
    const Opened *opened = data;
    g_autofree char *state = fixture_property(opened->site->bus, opened->path, BUS_STREAM, "State");

    return strcmp(state, "suspended") == 0;
}

static void
opened_set_up(Opened *opened, Site *site)
{
    g_autoptr(sd_bus_message) reply = NULL;
    const char *path;
    int fd;

    opened->site = site;
    opened->listener = site_expose(site, "echo");
    reply = fixture_call(site->bus, BUS_ROOT, BUS_MANAGER, "OpenStream", "sssa{sv}", "", "gw-1",
                         "echo", 0);
    g_assert_cmpint(sd_bus_message_read(reply, "ho", &fd, &path), >=, 0);
    opened->target = accept(opened->listener, NULL, NULL);
    opened->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    opened->path = g_strdup(path);
    fixture_wait(site->bus, is_resumable, opened);
}

static void
opened_clear(Opened *opened)
{
    (void)close(opened->fd);
    (void)close(opened->target);
    (void)close(opened->listener);
    g_free(opened->path);
    if (opened->states != NULL)
        (void)g_string_free(opened->states, TRUE);
}

/* What a PropertiesChanged of a state has beside it. */
static int
on_changed(sd_bus_message *message, void *data, sd_bus_error *error)
{
    Opened *opened = data;
    const char *name, *type;

    g_assert_cmpint(sd_bus_message_read(message, "s", &name), >, 0);
    g_assert_cmpint(sd_bus_message_enter_container(message, 'a', "{sv}"), >, 0);
    while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
        g_assert_cmpint(sd_bus_message_read(message, "s", &name), >, 0);
        g_string_append_printf(opened->states, " %s", name);
        g_assert_cmpint(sd_bus_message_peek_type(message, NULL, &type), >, 0);
        if (strcmp(type, "s") == 0) {
            g_assert_cmpint(sd_bus_message_read(message, "v", "s", &name), >, 0);
            g_string_append_printf(opened->states, "=%s", name);
        } else {
            g_assert_cmpint(sd_bus_message_skip(message, "v"), >, 0);
        }
        g_assert_cmpint(sd_bus_message_exit_container(message), >=, 0);
    }
    g_string_append_c(opened->states, ';');
    return 0;
}

static gboolean
was_told(void *data)
{
    const Opened *opened = data;

    return strstr(opened->states->str, " State=suspended Resumes SuspendedSince "
                                       "SuspendReason=cut Unconfirmed;") != NULL &&
           strstr(opened->states->str, " State=closed ") != NULL;
}

/* Without a hub a stream waits, is seen to wait, and can be closed all the same. */
static void
test_suspended(Site *site, gconstpointer data)
{
    g_autofree char *match = NULL, *reason = NULL, *ended = NULL;
    g_autoptr(sd_bus_message) closed = NULL;
    Opened opened = {.states = g_string_new(NULL)};
    char end;

    opened_set_up(&opened, site);
    match = g_strdup_printf("type='signal',path='%s',member='PropertiesChanged'", opened.path);
    g_assert_cmpint(sd_bus_add_match(site->bus, NULL, match, on_changed, &opened), >=, 0);
    g_assert_cmpuint(fixture_number(site->bus, opened.path, BUS_STREAM, "SuspendedSince", 't'), ==,
                     0);
    site_kill_hub(site);
    fixture_wait(site->bus, is_suspended, &opened);
    g_assert_cmpuint(fixture_number(site->bus, opened.path, BUS_STREAM, "SuspendedSince", 't'), >,
                     fixture_number(site->bus, opened.path, BUS_STREAM, "OpenedAt", 't'));
    reason = fixture_property(site->bus, opened.path, BUS_STREAM, "SuspendReason");
    g_assert_cmpstr(reason, ==, "cut");
    g_assert_cmpuint(fixture_number(site->bus, opened.path, BUS_STREAM, "Resumes", 'u'), ==, 0);
    g_assert_cmpuint(fixture_number(site->bus, opened.path, BUS_STREAM, "ClosedAt", 't'), ==, 0);
    g_assert_cmpuint(fixture_number(site->bus, BUS_ROOT, BUS_MANAGER, "Streams", 'u'), ==, 1);
    g_assert_cmpuint(fixture_number(site->bus, BUS_ROOT, BUS_MANAGER, "SuspendedStreams", 'u'), ==,
                     1);
    g_assert_cmpint(recv(opened.fd, &end, 1, MSG_DONTWAIT), ==, -1); /* it notices nothing */
    closed = fixture_call(site->bus, opened.path, BUS_STREAM, "Close", NULL);
    fixture_wait(site->bus, has_ended, &opened);
    ended = fixture_property(site->bus, opened.path, BUS_STREAM, "CloseReason");
    g_assert_cmpstr(ended, ==, "closed-by-user");
    g_assert_cmpint(read(opened.fd, &end, 1), <=, 0);
    g_assert_cmpuint(fixture_number(site->bus, opened.path, BUS_STREAM, "SuspendedSince", 't'), ==,
                     0);
    g_assert_cmpuint(fixture_number(site->bus, BUS_ROOT, BUS_MANAGER, "SuspendedStreams", 'u'), ==,
                     0);
    fixture_wait(site->bus, was_told, &opened);
    opened_clear(&opened);
}

/* It waits for its time and no longer; then it ends for the reason for which it was lost. */
static void
test_time(Site *site, gconstpointer data)
{
    g_autoptr(sd_bus_message) changed =
        fixture_call(site->bus, BUS_PATH_HUB "/office", BUS_HUB, "Update", "a{sv}", 1,
                     "resume-time", "t", (guint64)G_TIME_SPAN_SECOND);
    g_autofree char *ended = NULL;
    Opened opened = {0};
    gint64 killed;

    opened_set_up(&opened, site);
    site_kill_hub(site);
    killed = g_get_monotonic_time();
    fixture_wait(site->bus, has_ended, &opened);
    g_assert_cmpint(g_get_monotonic_time() - killed, >=, G_TIME_SPAN_SECOND / 2);
    ended = fixture_property(site->bus, opened.path, BUS_STREAM, "CloseReason");
    g_assert_cmpstr(ended, ==, "cut");
    opened_clear(&opened);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/resume/hubs", Fixture, NULL, fixture_set_up, test_hubs, fixture_tear_down);
    g_test_add("/resume/changed", Fixture, NULL, fixture_set_up, test_changed, fixture_tear_down);
    g_test_add("/resume/options", Fixture, NULL, fixture_set_up, test_options, fixture_tear_down);
    g_test_add("/resume/suspended", Site, NULL, site_set_up, test_suspended, site_tear_down);
    g_test_add("/resume/time", Site, NULL, site_set_up, test_time, site_tear_down);
    return g_test_run();
}
