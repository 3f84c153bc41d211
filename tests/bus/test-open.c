/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OpenStream against hubs that are not there, say nothing, or are somebody else. */
#include "tests/bus/bus-fixture.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static char *
open_fails(sd_bus *bus, const char *error, const char *hub, const char *device, const char *stream)
{
    return fixture_fails(bus, error, BUS_ROOT, BUS_MANAGER, "OpenStream", "sssa{sv}", hub, device,
                         stream, 0);
}

static void
test_error_names(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *none = NULL, *several = NULL, *missing = NULL, *away = NULL, *device = NULL,
                    *stream = NULL, *work = NULL, *home = NULL;
    g_autofree char *text = NULL;
    guint before;

    (void)close(fixture_listen(&text)); /* nobody is there now */
    none = open_fails(bus, "NotFound", "", "dev1", "ssh");
    work = fixture_add_hub(bus, "work", text, TRUE);
    before = fixture_count_fds(fixture);
    away = open_fails(bus, "HubUnreachable", "", "dev1", "ssh");
    missing = open_fails(bus, "NotFound", "nope", "dev1", "ssh");
    device = open_fails(bus, "Invalid", "work", "dev/1/2", "ssh");
    stream = open_fails(bus, "Invalid", "work", "dev1", "a/b");
    g_assert_nonnull(strstr(missing, "nope"));
    g_assert_nonnull(strstr(away, "localhost"));
    fixture_assert_fds(fixture, before);
    home = fixture_add_hub(bus, "home", text, TRUE);
    several = open_fails(bus, "Invalid", "", "dev1", "ssh");
    g_assert_nonnull(strstr(several, "home"));
}

typedef struct {
    sd_bus *bus;
    const char *path;
} Watched;

static gboolean
has_ended(void *data)
{
    Watched *watched = data;

    return fixture_number(watched->bus, watched->path, BUS_STREAM, "ClosedAt", 't') != 0;
}

static gboolean
has_stream(void *data)
{
    Watched *watched = data;

    return fixture_has_object(watched->bus, watched->path);
}

/* The hub takes the connection and says nothing; the caller goes. */
static void
test_a_caller_that_goes_cancels(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autoptr(sd_bus_message) message = NULL;
    g_autoptr(sd_bus_message) removed = NULL;
    g_autofree char *reason = NULL, *hub = NULL;
    Watched watched = {bus, BUS_PATH_STREAM "/1"};
    sd_bus *other = NULL;
    g_autofree char *text = NULL;
    guint before;
    int listener = fixture_listen(&text);

    before = fixture_count_fds(fixture);
    hub = fixture_add_hub(bus, "work", text, FALSE);
    other = fixture_connect(fixture);
    message = fixture_message(other, BUS_ROOT, BUS_MANAGER, "OpenStream");
    g_assert_cmpint(sd_bus_message_append(message, "sssa{sv}", "work", "dev1", "ssh", 0), >=, 0);
    g_assert_cmpint(sd_bus_send(other, message, NULL), >=, 0);
    g_assert_cmpint(sd_bus_flush(other), >=, 0);
    fixture_wait(bus, has_stream, &watched);
    g_assert_cmpuint(fixture_number(bus, BUS_ROOT, BUS_MANAGER, "Streams", 'u'), ==, 1);
    g_clear_pointer(&message, sd_bus_message_unref);
    sd_bus_flush_close_unref(other);
    fixture_wait(bus, has_ended, &watched);
    reason = fixture_property(bus, watched.path, BUS_STREAM, "CloseReason");
    g_assert_cmpstr(reason, ==, "cancelled");
    g_assert_cmpuint(fixture_number(bus, BUS_ROOT, BUS_MANAGER, "Streams", 'u'), ==, 0);
    removed = fixture_call(bus, hub, BUS_HUB, "Remove", NULL);
    fixture_assert_fds(fixture, before);
    (void)close(listener);
}

/* streamd stops while somebody waits: the test's end asserts that it stops in order. */
static void
test_stopping_with_a_call_under_way(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autoptr(sd_bus_message) message = NULL;
    Watched watched = {bus, BUS_PATH_STREAM "/1"};
    g_autofree char *hub = NULL;
    g_autofree char *text = NULL;
    int listener = fixture_listen(&text);

    hub = fixture_add_hub(bus, "work", text, FALSE);
    message = fixture_message(bus, BUS_ROOT, BUS_MANAGER, "OpenStream");
    g_assert_cmpint(sd_bus_message_append(message, "sssa{sv}", "work", "dev1", "ssh", 0), >=, 0);
    g_assert_cmpint(sd_bus_send(bus, message, NULL), >=, 0);
    fixture_wait(bus, has_stream, &watched);
    (void)close(listener);
}

/* 64 calls of one user may wait, not more, over all connections; who asks for less is served. */
static void
test_waiting_calls_are_bounded(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autoptr(sd_bus) other = fixture_connect(fixture);
    g_autofree char *limit = NULL, *version = NULL, *hub = NULL;
    g_autofree char *text = NULL;
    int listener = fixture_listen(&text);

    hub = fixture_add_hub(bus, "work", text, FALSE);
    for (guint i = 0; i < 64; i++) {
        sd_bus *caller = i % 2 == 0 ? bus : other;
        g_autoptr(sd_bus_message) message =
            fixture_message(caller, BUS_ROOT, BUS_MANAGER, "OpenStream");

        g_assert_cmpint(sd_bus_message_append(message, "sssa{sv}", "work", "dev1", "ssh", 0), >=,
                        0);
        g_assert_cmpint(sd_bus_send(caller, message, NULL), >=, 0);
    }
    version = fixture_property(other, BUS_ROOT, BUS_MANAGER, "Version");
    limit = open_fails(bus, "LimitReached", "work", "dev1", "ssh");
    g_assert_nonnull(strstr(limit, "64 calls"));
    g_assert_cmpstr(version, ==, STREAMD_VERSION);
    (void)close(listener);
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/open/errors", test_error_names);
    ADD("/open/cancelled", test_a_caller_that_goes_cancels);
    ADD("/open/stopping", test_stopping_with_a_call_under_way);
    ADD("/open/bounded", test_waiting_calls_are_bounded);
    return g_test_run();
}
