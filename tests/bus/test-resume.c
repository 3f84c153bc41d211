/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams that survive their legs (docs/wire-protocol.md, section 8a), as clients of the bus set
 * and see it. */
#include "tests/bus/bus-fixture.h"

#include <string.h>
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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/resume/hubs", Fixture, NULL, fixture_set_up, test_hubs, fixture_tear_down);
    g_test_add("/resume/changed", Fixture, NULL, fixture_set_up, test_changed, fixture_tear_down);
    g_test_add("/resume/options", Fixture, NULL, fixture_set_up, test_options, fixture_tear_down);
    return g_test_run();
}
