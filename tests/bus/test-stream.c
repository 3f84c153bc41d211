/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OpenStream through a real hub: the descriptor's life, and the name of every error. */
#include "tests/bus/hub-fixture.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Opens a stream and takes the target's end; the descriptor is ours. */
static int
open_stream(Site *site, sd_bus *bus, int listener, int *ret_target, char **ret_path)
{
    g_autoptr(sd_bus_message) reply =
        fixture_call(bus, BUS_ROOT, BUS_MANAGER, "OpenStream", "sssa{sv}", "", "gw-1", "echo", 0);
    const char *path;
    int fd;

    g_assert_cmpint(sd_bus_message_read(reply, "ho", &fd, &path), >=, 0);
    *ret_target = accept(listener, NULL, NULL);
    g_assert_cmpint(*ret_target, >=, 0);
    if (ret_path != NULL)
        *ret_path = g_strdup(path);
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static void
pass(int from, int to, const char *text)
{
    char buffer[64] = "";

    g_assert_cmpint(write(from, text, strlen(text)), ==, (int)strlen(text));
    g_assert_cmpint(recv(to, buffer, strlen(text), MSG_WAITALL), ==, (int)strlen(text));
    g_assert_cmpstr(buffer, ==, text);
}

typedef struct {
    sd_bus *bus;
    const char *path;
    const char *state;
} Awaited;

static gboolean
has_state(void *data)
{
    Awaited *awaited = data;
    g_autofree char *state = fixture_property(awaited->bus, awaited->path, BUS_STREAM, "State");

    return strcmp(state, awaited->state) == 0;
}

static void
assert_end(sd_bus *bus, const char *path, const char *state, const char *reason)
{
    Awaited awaited = {bus, path, state};
    g_autofree char *found = NULL;

    fixture_wait(bus, has_state, &awaited);
    found = fixture_property(bus, path, BUS_STREAM, "CloseReason");
    g_assert_cmpstr(found, ==, reason);
}

static void
test_descriptor_outlives_its_caller(Site *site, gconstpointer data)
{
    sd_bus *caller = fixture_connect(&site->client);
    int listener = site_expose(site, "echo"), target, fd;
    g_autofree char *path = NULL;
    char end;

    fd = open_stream(site, caller, listener, &target, &path);
    pass(fd, target, "before");
    sd_bus_flush_close_unref(caller);
    g_assert_cmpuint(fixture_number(site->bus, BUS_ROOT, BUS_MANAGER, "Streams", 'u'), ==, 1);
    pass(fd, target, "after the caller has gone");
    pass(target, fd, "and back");
    g_assert_cmpint(shutdown(fd, SHUT_WR), ==, 0);
    g_assert_cmpint(read(target, &end, 1), ==, 0);
    pass(target, fd, "the other half");
    (void)close(target);
    g_assert_cmpint(read(fd, &end, 1), ==, 0);
    assert_end(site->bus, path, "closed", "completed");
    g_assert_cmpuint(fixture_number(site->bus, path, BUS_STREAM, "BytesOut", 't'), ==, 31);
    g_assert_cmpuint(fixture_number(site->bus, path, BUS_STREAM, "BytesIn", 't'), ==, 22);
    (void)close(fd);
    (void)close(listener);
}

static void
test_close_cuts(Site *site, gconstpointer data)
{
    int listener = site_expose(site, "echo"), target, fd;
    g_autofree char *path = NULL;
    g_autoptr(sd_bus_message) closed = NULL, again = NULL;
    char end;

    fd = open_stream(site, site->bus, listener, &target, &path);
    pass(fd, target, "x");
    closed = fixture_call(site->bus, path, BUS_STREAM, "Close", NULL);
    g_assert_cmpint(read(fd, &end, 1), <=, 0);
    assert_end(site->bus, path, "closed", "closed-by-user");
    again = fixture_call(site->bus, path, BUS_STREAM, "Close", NULL);
    (void)close(fd);
    (void)close(target);
    (void)close(listener);
}

/* The names in an a{sv} of REPLY, joined by blanks; "waits-for" with its value. */
static char *
read_names(sd_bus_message *reply)
{
    GString *names = g_string_new(NULL);
    const char *name, *value;

    g_assert_cmpint(sd_bus_message_enter_container(reply, 'a', "{sv}"), >, 0);
    while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
        g_assert_cmpint(sd_bus_message_read(reply, "s", &name), >, 0);
        g_string_append_printf(names, " %s", name);
        if (g_str_equal(name, "waits-for")) {
            g_assert_cmpint(sd_bus_message_read(reply, "v", "s", &value), >, 0);
            g_string_append_printf(names, "=%s", value);
        } else {
            g_assert_cmpint(sd_bus_message_skip(reply, "v"), >, 0);
        }
        g_assert_cmpint(sd_bus_message_exit_container(reply), >=, 0);
    }
    g_assert_cmpint(sd_bus_message_exit_container(reply), >=, 0);
    return g_string_free(names, FALSE);
}

/* What it waits for; the same asked for by a hundred callers that do not wait for the answer; and
 * once it has ended. */
static void
test_inspect(Site *site, gconstpointer data)
{
    int listener = site_expose(site, "echo"), target, fd;
    g_autofree char *path = NULL, *open = NULL, *ended = NULL;
    g_autoptr(sd_bus_message) first = NULL, last = NULL;

    fd = open_stream(site, site->bus, listener, &target, &path);
    pass(fd, target, "x");
    first = fixture_call(site->bus, path, BUS_STREAM, "Inspect", NULL);
    open = read_names(first);
    g_assert_nonnull(strstr(open, " waits-for=data "));
    g_assert_nonnull(strstr(open, " answered "));
    g_assert_nonnull(strstr(open, " limits survives directions sides"));
    for (guint i = 0; i < 100; i++) {
        sd_bus *caller = fixture_connect(&site->client);

        for (guint j = 0; j < 3; j++)
            g_assert_cmpint(sd_bus_call_method_async(caller, NULL, BUS_NAME, path, BUS_STREAM,
                                                     "Inspect", NULL, NULL, NULL),
                            >=, 0);
        sd_bus_flush_close_unref(caller);
    }
    (void)close(fd);
    (void)close(target);
    (void)close(listener);
    while (fixture_number(site->bus, path, BUS_STREAM, "ClosedAt", 't') == 0)
        g_usleep(1000);
    last = fixture_call(site->bus, path, BUS_STREAM, "Inspect", NULL);
    ended = read_names(last);
    g_assert_nonnull(strstr(ended, " waits-for=nothing "));
    g_assert_null(strstr(ended, "directions"));
}

/* Many streams, ended by closing the descriptor: nothing is left of them. */
static void
test_nothing_is_left(Site *site, gconstpointer data)
{
    int listener = site_expose(site, "echo"), target, fd;
    guint client, gateway;

    fd = open_stream(site, site->bus, listener, &target, NULL);
    (void)close(fd);
    (void)close(target);
    client = fixture_count_fds(&site->client);
    gateway = fixture_count_fds(&site->gateway);
    for (guint i = 0; i < 20; i++) {
        g_autofree char *path = NULL;

        fd = open_stream(site, site->bus, listener, &target, &path);
        pass(fd, target, "y");
        (void)close(fd);
        (void)close(target);
        fixture_wait(site->bus, has_state, &(Awaited){site->bus, path, "closed"});
    }
    while (fixture_count_fds(&site->client) > client)
        g_usleep(5000);
    while (fixture_count_fds(&site->gateway) > gateway)
        g_usleep(5000);
    (void)close(listener);
}

static void
assert_fails(Site *site, const char *error, const char *hub, const char *device, const char *stream)
{
    g_autofree char *text = fixture_fails(site->bus, error, BUS_ROOT, BUS_MANAGER, "OpenStream",
                                          "sssa{sv}", hub, device, stream, 0);

    g_assert_cmpuint(strlen(text), >, 0);
}

static void
test_every_error_has_its_name(Site *site, gconstpointer data)
{
    g_autofree char *added G_GNUC_UNUSED = site_admin(site, "device", "add", "asleep", NULL);
    g_autofree char *good = site_admin(site, "connection-string", "user", "service", NULL);
    g_autofree char *bad = g_strdup(good);
    g_autoptr(sd_bus_message) rule = NULL;

    memcpy(strstr(bad, "SharedAccessKey=") + strlen("SharedAccessKey="), "AAAA", 4);
    site_add_hub(site->bus, "wrong-key", bad, site->ca);
    site_add_hub(site->bus, "not-trusted", good, NULL);
    rule = fixture_call(site->gateway_bus, BUS_ROOT, BUS_POLICY, "Add", "a{sv}", 3, "stream", "s",
                        "no-target", "verdict", "s", "accept", "target", "s", "nowhere");
    assert_fails(site, "NotFound", "office", "nobody", "echo");
    assert_fails(site, "DeviceOffline", "office", "asleep", "echo");
    assert_fails(site, "Rejected", "office", "gw-1", "anything");
    assert_fails(site, "Rejected", "office", "gw-1", "no-target");
    assert_fails(site, "Unauthorized", "wrong-key", "gw-1", "echo");
    assert_fails(site, "HubUntrusted", "not-trusted", "gw-1", "echo");
}

#define ADD(path, func) g_test_add(path, Site, NULL, site_set_up, func, site_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/stream/outlives", test_descriptor_outlives_its_caller);
    ADD("/stream/close", test_close_cuts);
    ADD("/stream/inspect", test_inspect);
    ADD("/stream/nothing-left", test_nothing_is_left);
    ADD("/stream/errors", test_every_error_has_its_name);
    return g_test_run();
}
