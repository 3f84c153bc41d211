/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several users on one bus, and the system's instance: who sees, counts, hears of and closes whose
 * streams and tunnels, and how much of streamd one user may take. Needs root, to be the users. */
#include "tests/bus/authority.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DENIED "org.freedesktop.DBus.Error.AccessDenied"

/* nobody, daemon and bin of every Debian: the bus takes users with an account only. */
#define ALICE 65534
#define BOB 1
#define CAROL 2 /* may `view` */

#define DEVICE "alices-gateway"
#define STREAM "alices-stream"
#define SERVICE "HostName=localhost:9;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0"

#define CALLS_BURST 60     /* daemon/bus/quota.h */
#define TUNNELS_MAX 64     /* daemon/app.h */
#define CONNECTIONS_MAX 64 /* daemon/bus/caller.h */

static const FixtureProgram system_instance = {"STREAMD", {"--threads=1", NULL}};

static void
record(GString *text, sd_bus_message *message)
{
    g_autofree char *dump G_GNUC_UNUSED = NULL;
    char *buffer = NULL;
    gsize size = 0;
    FILE *file = open_memstream(&buffer, &size);

    g_assert_cmpint(sd_bus_message_rewind(message, 1), >=, 0);
    g_assert_cmpint(sd_bus_message_dump(message, file, SD_BUS_MESSAGE_DUMP_WITH_HEADER), >=, 0);
    (void)fclose(file);
    g_string_append_len(text, buffer, (gssize)size);
    free(buffer);
    g_assert_cmpint(sd_bus_message_rewind(message, 1), >=, 0);
}

static int
on_message(sd_bus_message *message, void *text, sd_bus_error *error)
{
    record(text, message);
    return 0;
}

/* Everything that the bus delivers to this connection, which wants all that it can get. */
static void
record_all(sd_bus *bus, GString *text)
{
    g_assert_cmpint(sd_bus_add_filter(bus, NULL, on_message, text), >=, 0);
    g_assert_cmpint(sd_bus_add_match(bus, NULL, "type='signal'", NULL, NULL), >=, 0);
    sd_bus_message_unref(
        fixture_call(bus, BUS_ROOT, BUS_OBJECT_MANAGER, "GetManagedObjects", NULL));
}

/* What was sent before this call is there after it. */
static void
catch_up(sd_bus *bus)
{
    sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_PEER, "Ping", NULL));
    while (sd_bus_process(bus, NULL) > 0)
        continue;
}

static void
watch(sd_bus *bus)
{
    sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_MANAGER, "Watch", "a{sv}", 0));
}

static char *
open_tunnel(sd_bus *bus, gboolean persistent)
{
    g_autoptr(sd_bus_message) reply =
        fixture_call(bus, BUS_ROOT, BUS_MANAGER, "OpenTunnel", "ssssa{sv}", "", DEVICE, STREAM, "",
                     1, "persistent", "b", persistent);
    const char *path;

    g_assert_cmpint(sd_bus_message_read(reply, "os", &path, NULL), >=, 0);
    return g_strdup(path);
}

static void
open_stream_in_vain(sd_bus *bus)
{
    g_free(fixture_fails(bus, "HubUnreachable", BUS_ROOT, BUS_MANAGER, "OpenStream", "sssa{sv}", "",
                         DEVICE, STREAM, 0));
}

static guint
count(sd_bus *bus, const char *what)
{
    return (guint)fixture_number(bus, BUS_ROOT, BUS_MANAGER, what, 'u');
}

static void
add_hub(Fixture *fixture)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);

    g_free(fixture_add_hub(bus, "work", SERVICE, TRUE));
}

/* All that one can try at a path: refused in the same words, whether something is there or not. */
static void
assert_hidden(sd_bus *bus, GString *heard, const char *path, const char *interface)
{
    g_autofree char *get =
        fixture_fails(bus, DENIED, path, BUS_PROPERTIES, "Get", "ss", interface, "DeviceId");
    g_autofree char *all =
        fixture_fails(bus, DENIED, path, BUS_PROPERTIES, "GetAll", "s", interface);
    g_autofree char *xml = fixture_fails(bus, DENIED, path, BUS_INTROSPECTABLE, "Introspect", NULL);
    g_autofree char *closed = fixture_fails(bus, DENIED, path, interface, "Close", NULL);

    g_assert_cmpstr(get, ==, all);
    g_assert_cmpstr(get, ==, xml);
    g_string_append_printf(heard, "%s\n%s\n", get, closed);
}

static void
assert_says_nothing(sd_bus *bus, GString *heard, const char *path, const char *interface,
                    const char *member)
{
    g_autoptr(sd_bus_message) reply = fixture_call(bus, path, interface, member, NULL);

    record(heard, reply);
}

static void
bob_tries(sd_bus *bob, GString *heard)
{
    static const char *const paths[][2] = {
        {BUS_PATH_STREAM "/1", BUS_STREAM},    {BUS_PATH_STREAM "/7000", BUS_STREAM},
        {BUS_PATH_TUNNEL "/1", BUS_TUNNEL},    {BUS_PATH_TUNNEL "/2", BUS_TUNNEL},
        {BUS_PATH_TUNNEL "/7000", BUS_TUNNEL},
    };

    g_free(fixture_fails(bob, DENIED, BUS_ROOT, BUS_MANAGER, "Watch", "a{sv}", 0));
    g_free(fixture_fails(bob, DENIED, BUS_ROOT, BUS_MANAGER, "GetMetrics", ""));
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
        assert_hidden(bob, heard, paths[i][0], paths[i][1]);
    assert_says_nothing(bob, heard, BUS_ROOT, BUS_OBJECT_MANAGER, "GetManagedObjects");
    assert_says_nothing(bob, heard, BUS_PATH_STREAM, BUS_INTROSPECTABLE, "Introspect");
    assert_says_nothing(bob, heard, BUS_PATH_TUNNEL, BUS_INTROSPECTABLE, "Introspect");
    g_assert_cmpuint(count(bob, "Tunnels"), ==, 0);
    g_assert_cmpuint(count(bob, "Streams"), ==, 0);
    catch_up(bob);
}

/* Alice opens a stream and two tunnels and closes one. Bob gets nothing of it, Carol all. */
static void
test_secret(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GString) alice_heard = g_string_new(NULL);
    g_autoptr(GString) bob_heard = g_string_new(NULL);
    g_autoptr(GString) carol_heard = g_string_new(NULL);
    g_autoptr(sd_bus) alice = NULL, bob = NULL, carol = NULL;
    g_autofree char *tunnel = NULL, *kept = NULL;
    Authority *authority;

    if (!fixture_has_users())
        return;
    authority = authority_new(fixture, AUTHORITY_ALLOWS);
    add_hub(fixture);
    alice = fixture_connect_as(fixture, ALICE);
    bob = fixture_connect_as(fixture, BOB);
    carol = fixture_connect_as(fixture, CAROL);
    record_all(alice, alice_heard);
    record_all(bob, bob_heard);
    record_all(carol, carol_heard);
    watch(carol);
    open_stream_in_vain(alice);
    tunnel = open_tunnel(alice, FALSE);
    kept = open_tunnel(alice, TRUE);
    g_assert_cmpstr(tunnel, ==, BUS_PATH_TUNNEL "/1");
    g_assert_cmpstr(kept, ==, BUS_PATH_TUNNEL "/2");
    authority_set_mode(authority, AUTHORITY_DENIES);
    bob_tries(bob, bob_heard);
    sd_bus_message_unref(fixture_call(alice, tunnel, BUS_TUNNEL, "Close", NULL));
    g_assert_cmpuint(count(alice, "Tunnels"), ==, 1);
    g_assert_cmpuint(count(carol, "Tunnels"), ==, 1);
    g_assert_true(fixture_has_object(carol, kept));
    catch_up(alice);
    catch_up(bob);
    catch_up(carol);
    g_assert_nonnull(strstr(alice_heard->str, DEVICE));
    g_assert_nonnull(strstr(carol_heard->str, DEVICE));
    g_assert_nonnull(strstr(carol_heard->str, "InterfacesRemoved"));
    g_assert_null(strstr(bob_heard->str, DEVICE));
    g_assert_null(strstr(bob_heard->str, STREAM));
    g_assert_null(strstr(bob_heard->str, "/tunnel/"));
    g_assert_null(strstr(bob_heard->str, "/stream/"));
    g_assert_nonnull(strstr(bob_heard->str, "/hub/work")); /* the record is one */
    authority_free(authority);
}

/* What belongs to a connection ends with it; what belongs to a user stays and is that user's. */
static void
test_lifetime(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bob = NULL, carol = NULL, again = NULL;
    g_autofree char *tunnel = NULL, *kept = NULL;
    sd_bus *alice, *watching;
    Authority *authority;

    if (!fixture_has_users())
        return;
    authority = authority_new(fixture, AUTHORITY_ALLOWS);
    add_hub(fixture);
    alice = fixture_connect_as(fixture, ALICE);
    tunnel = open_tunnel(alice, FALSE);
    kept = open_tunnel(alice, TRUE);
    watching = fixture_connect_as(fixture, CAROL);
    watch(watching);
    g_assert_cmpuint(count(watching, "Tunnels"), ==, 2);
    sd_bus_flush_close_unref(watching);
    authority_set_mode(authority, AUTHORITY_DENIES);
    carol = fixture_connect_as(fixture, CAROL);
    g_assert_cmpuint(count(carol, "Tunnels"), ==, 0);
    sd_bus_flush_close_unref(alice);
    again = fixture_connect_as(fixture, ALICE);
    while (fixture_has_object(again, tunnel))
        g_usleep(G_USEC_PER_SEC / 10);
    g_assert_true(fixture_has_object(again, kept));
    bob = fixture_connect_as(fixture, BOB);
    g_free(fixture_fails(bob, DENIED, kept, BUS_TUNNEL, "Close", NULL));
    sd_bus_message_unref(fixture_call(again, kept, BUS_TUNNEL, "Close", NULL));
    g_assert_cmpuint(count(again, "Tunnels"), ==, 0);
    authority_free(authority);
}

/* Who may close everybody's may do so without seeing them. */
static void
test_an_administrator_closes(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) alice = NULL, carol = NULL;
    g_autofree char *tunnel = NULL;
    Authority *authority;

    if (!fixture_has_users())
        return;
    authority = authority_new(fixture, AUTHORITY_ALLOWS);
    add_hub(fixture);
    alice = fixture_connect_as(fixture, ALICE);
    carol = fixture_connect_as(fixture, CAROL);
    tunnel = open_tunnel(alice, FALSE);
    sd_bus_message_unref(fixture_call(carol, tunnel, BUS_TUNNEL, "Close", NULL));
    g_assert_cmpuint(count(alice, "Tunnels"), ==, 0);
    authority_free(authority);
}

/* One Ping. TRUE: answered; FALSE: over the rate, and the message says so. */
static gboolean
ping(sd_bus *bus)
{
    g_autoptr(sd_bus_message) message = fixture_message(bus, BUS_ROOT, BUS_PEER, "Ping");
    g_auto(sd_bus_error) error = SD_BUS_ERROR_NULL;

    if (sd_bus_call(bus, message, 0, &error, NULL) >= 0)
        return TRUE;
    g_assert_cmpstr(error.name, ==, BUS_ERROR_PREFIX "LimitReached");
    g_assert_nonnull(strstr(error.message, "a second"));
    return FALSE;
}

/* A user's calls in a second are counted over all connections; other users' are not. */
static void
test_rate(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) alice = NULL, more = NULL, bob = NULL, root = NULL;
    guint answered = 0, n = 0;

    if (!fixture_has_users())
        return;
    alice = fixture_connect_as(fixture, ALICE);
    more = fixture_connect_as(fixture, ALICE);
    bob = fixture_connect_as(fixture, BOB);
    root = fixture_connect(fixture);
    while (ping(n++ % 2 == 0 ? alice : more))
        answered++;
    g_assert_cmpuint(answered, >=, CALLS_BURST);
    g_assert_true(ping(bob));
    for (n = 0; n < 2 * CALLS_BURST; n++)
        g_assert_true(ping(root));
    while (!ping(alice))
        g_usleep(G_USEC_PER_SEC / 20);
}

/* Opens one more, as fast as a user may. NULL, or what streamd says against it. */
static char *
one_more_tunnel(sd_bus *bus)
{
    for (;;) {
        g_autoptr(sd_bus_message) message =
            fixture_message(bus, BUS_ROOT, BUS_MANAGER, "OpenTunnel");
        g_auto(sd_bus_error) error = SD_BUS_ERROR_NULL;

        g_assert_cmpint(sd_bus_message_append(message, "ssssa{sv}", "", DEVICE, STREAM, "", 0), >=,
                        0);
        if (sd_bus_call(bus, message, 0, &error, NULL) >= 0)
            return NULL;
        g_assert_cmpstr(error.name, ==, BUS_ERROR_PREFIX "LimitReached");
        if (strstr(error.message, "a second") == NULL)
            return g_strdup(error.message);
        g_usleep(G_USEC_PER_SEC / 20);
    }
}

/* As many tunnels as a user may have; the next one is refused, until they have ended. */
static void
test_tunnels(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bob = NULL, again = NULL;
    g_autofree char *full = NULL, *tunnel = NULL;
    Authority *authority;
    sd_bus *alice;
    guint fds;

    if (!fixture_has_users())
        return;
    authority = authority_new(fixture, AUTHORITY_ALLOWS);
    add_hub(fixture);
    fds = fixture_count_fds(fixture);
    alice = fixture_connect_as(fixture, ALICE);
    for (guint n = 0; n < TUNNELS_MAX; n++)
        g_assert_null(one_more_tunnel(alice));
    full = one_more_tunnel(alice);
    g_assert_nonnull(full);
    g_assert_nonnull(strstr(full, "64 tunnels"));
    bob = fixture_connect_as(fixture, BOB);
    tunnel = open_tunnel(bob, FALSE);
    sd_bus_message_unref(fixture_call(bob, tunnel, BUS_TUNNEL, "Close", NULL));
    sd_bus_flush_close_unref(alice);
    fixture_assert_fds(fixture, fds);
    again = fixture_connect_as(fixture, ALICE);
    g_assert_null(one_more_tunnel(again));
    authority_free(authority);
}

/* Pings as fast as a user may. NULL, or what streamd says against it. */
static char *
ping_patiently(sd_bus *bus)
{
    for (;;) {
        g_autoptr(sd_bus_message) message = fixture_message(bus, BUS_ROOT, BUS_PEER, "Ping");
        g_auto(sd_bus_error) error = SD_BUS_ERROR_NULL;

        if (sd_bus_call(bus, message, 0, &error, NULL) >= 0)
            return NULL;
        g_assert_cmpstr(error.name, ==, BUS_ERROR_PREFIX "LimitReached");
        if (strstr(error.message, "a second") == NULL)
            return g_strdup(error.message);
        g_usleep(G_USEC_PER_SEC / 20);
    }
}

/* Connections of one user that streamd knows; the others keep their places. */
static void
test_connections(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bob = NULL, last = NULL;
    g_autofree char *full = NULL;
    sd_bus *alice[CONNECTIONS_MAX];

    if (!fixture_has_users())
        return;
    for (guint n = 0; n < CONNECTIONS_MAX; n++) {
        alice[n] = fixture_connect_as(fixture, ALICE);
        g_assert_null(ping_patiently(alice[n]));
    }
    last = fixture_connect_as(fixture, ALICE);
    full = ping_patiently(last);
    g_assert_nonnull(full);
    g_assert_nonnull(strstr(full, "64 connections"));
    bob = fixture_connect_as(fixture, BOB);
    g_assert_true(ping(bob));
    g_assert_null(ping_patiently(alice[0]));
    for (guint n = 0; n < CONNECTIONS_MAX; n++)
        sd_bus_flush_close_unref(alice[n]);
    do {
        g_free(full);
        full = ping_patiently(last);
    } while (full != NULL);
}

#define ADD(path, func)                                                                            \
    g_test_add(path, Fixture, &system_instance, fixture_set_up, func, fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/subscribers/secret", test_secret);
    ADD("/subscribers/lifetime", test_lifetime);
    ADD("/subscribers/administrator", test_an_administrator_closes);
    ADD("/subscribers/rate", test_rate);
    ADD("/subscribers/tunnels", test_tunnels);
    ADD("/subscribers/connections", test_connections);
    return g_test_run();
}
