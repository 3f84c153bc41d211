/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The system's instance and polkit, with a stand-in for polkit. All callers are one user here; what
 * several users get is in tests/system. */
#include "tests/bus/authority.h"
#include "tests/bus/calls.h"

#include <string.h>
#include <unistd.h>

#define CHALLENGE "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
#define UNKNOWN_OBJECT "org.freedesktop.DBus.Error.UnknownObject"

#define SERVICE "HostName=localhost:9;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0"

/* As in daemon/bus/bouncer.h. */
#define QUERIES_PER_CALLER 64
#define ASKED_PER_UID 32

static void
assert_fails(sd_bus *bus, const char *name, const char *text)
{
    g_autoptr(sd_bus_message) message = new_target(bus, "x");
    g_autofree char *said = fixture_call_fails(bus, message, name);

    if (strstr(said, text) == NULL)
        g_error("'%s' does not say '%s'", said, text);
    g_assert_false(fixture_has_object(bus, TARGET "x"));
    g_assert_cmpuint(count_queries(bus), ==, 0);
}

static void
test_allowed(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_ALLOWS);
    g_autoptr(sd_bus_message) message = new_target(bus, "x");
    g_autoptr(sd_bus_message) reply = NULL;
    g_autofree char *wanted = NULL;
    g_autofree char *last = NULL;
    const char *name;

    g_assert_cmpint(sd_bus_message_set_allow_interactive_authorization(message, 1), >=, 0);
    g_assert_cmpint(sd_bus_call(bus, message, 0, NULL, &reply), >=, 0);
    g_assert_true(fixture_has_object(bus, TARGET "x"));
    g_assert_cmpint(sd_bus_get_unique_name(bus, &name), >=, 0);
    wanted = g_strdup_printf("system-bus-name %s io.streamd.streamd1.manage-targets 1 target=x "
                             "address=tcp:127.0.0.1:9",
                             name);
    last = authority_last(authority);
    g_assert_cmpstr(last, ==, wanted);
    g_assert_cmpuint(authority_asked(authority), ==, 1);
    g_assert_cmpuint(count_queries(bus), ==, 0);
    authority_free(authority);
}

/* What an app registers is asked about, and what it takes back is not. */
static void
test_apps(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_DENIES);
    g_autofree char *agent = NULL, *handler = NULL;

    agent = fixture_fails(bus, DENIED, BUS_ROOT, BUS_MANAGER, "RegisterAgent", "oa{sv}", "/x", 0);
    g_assert_nonnull(strstr(agent, "io.streamd.streamd1.answer-requests"));
    handler = fixture_fails(bus, DENIED, BUS_ROOT, BUS_MANAGER, "RegisterHandler", "oa{sv}", "/x",
                            1, "name", "s", "echo");
    g_assert_nonnull(strstr(handler, "io.streamd.streamd1.handle-streams"));
    g_free(fixture_fails(bus, DENIED, BUS_PATH_REQUEST "/1", BUS_REQUEST, "Accept", "a{sv}", 0));
    g_free(fixture_fails(bus, DENIED, BUS_PATH_REQUEST "/1", BUS_REQUEST, "AcceptTo", "s", ""));
    g_free(fixture_fails(bus, DENIED, BUS_PATH_REQUEST "/1", BUS_REQUEST, "Reject", "s", ""));
    authority_set_mode(authority, AUTHORITY_ALLOWS);
    sd_bus_message_unref(
        fixture_call(bus, BUS_ROOT, BUS_MANAGER, "RegisterAgent", "oa{sv}", "/x", 0));
    g_free(fixture_fails(bus, "NotFound", BUS_PATH_REQUEST "/1", BUS_REQUEST, "Reject", "s", ""));
    authority_set_mode(authority, AUTHORITY_DENIES);
    sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_MANAGER, "UnregisterAgent", "o", "/x"));
    g_assert_cmpuint(authority_asked(authority), ==, 7);
    authority_free(authority);
}

static void
test_denied(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_DENIES);
    g_autofree char *last = NULL;

    assert_fails(bus, DENIED, "io.streamd.streamd1.manage-targets");
    last = authority_last(authority);
    g_assert_nonnull(strstr(last, "manage-targets 0 ")); /* nobody said that it may ask */
    /* A yes for one call is none for the next. */
    authority_set_mode(authority, AUTHORITY_ALLOWS);
    sd_bus_message_unref(
        fixture_call(bus, BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", "y", "tcp:[::1]:9", 0));
    authority_set_mode(authority, AUTHORITY_DENIES);
    assert_fails(bus, DENIED, "manage-targets");
    g_assert_cmpuint(authority_asked(authority), ==, 3);
    authority_free(authority);
}

static void
test_challenge(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_CHALLENGES);

    assert_fails(bus, CHALLENGE, "manage-targets");
    authority_free(authority);
}

static void
test_absent(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);

    assert_fails(bus, AUTH_FAILED, "polkit is not running");
}

static void
test_failing(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_FAILS);
    g_autoptr(sd_bus_message) message = new_target(bus, "x");
    g_autofree char *said = NULL;

    assert_fails(bus, AUTH_FAILED, "out of order");
    said = fixture_call_fails(bus, message, AUTH_FAILED);
    g_assert_cmpuint(strlen(said), <, 400); /* no more of it than anybody reads */
    authority_free(authority);
}

static void
test_babbling(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_BABBLES);

    assert_fails(bus, AUTH_FAILED, "malformed");
    authority_free(authority);
}

static void
test_vanishes(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_HOLDS);
    g_auto(Calls) calls = {0};

    calls_add_target(&calls, bus, "x");
    authority_wait_asked(authority, 1);
    authority_free(authority);
    fixture_wait(bus, calls_are_answered, &calls);
    g_assert_cmpstr(calls.error, ==, AUTH_FAILED);
    g_assert_false(fixture_has_object(bus, TARGET "x"));
    g_assert_cmpuint(count_queries(bus), ==, 0);
}

/* While one waits, others are served: the same caller's, and another one's. */
static void
test_slow(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autoptr(sd_bus) other = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_HOLDS);
    g_auto(Calls) calls = {0};
    g_autofree char *version = NULL;

    calls_add_target(&calls, bus, "slow");
    authority_wait_asked(authority, 1);
    g_assert_cmpuint(count_queries(bus), ==, 1);
    version = fixture_property(bus, BUS_ROOT, BUS_MANAGER, "Version");
    authority_set_mode(authority, AUTHORITY_ALLOWS);
    sd_bus_message_unref(fixture_call(other, BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}",
                                      "quick", "tcp:127.0.0.1:9", 0));
    g_assert_false(fixture_has_object(other, TARGET "slow"));
    authority_release(authority, TRUE);
    fixture_wait(bus, calls_are_answered, &calls);
    g_assert_cmpuint(calls.allowed, ==, 1);
    g_assert_true(fixture_has_object(other, TARGET "slow"));
    g_assert_cmpuint(count_queries(bus), ==, 0);
    authority_free(authority);
}

static void
test_timeout(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_HOLDS);

    assert_fails(bus, AUTH_FAILED, "timed out");
    authority_wait_cancelled(authority, 1);
    /* Its late yes is for nobody. */
    authority_release(authority, TRUE);
    g_assert_false(fixture_has_object(bus, TARGET "x"));
    authority_free(authority);
}

/* Of four callers: each is asked about once, and answered once. They are one user, of whom 64 calls
 * may wait until they are saved. */
#define EACH 15u

static void
test_many(Fixture *fixture, gconstpointer data)
{
    Authority *authority = authority_new(fixture, AUTHORITY_HOLDS);
    sd_bus *buses[4];
    Calls calls[4] = {0};

    for (guint i = 0; i < 4; i++) {
        buses[i] = fixture_connect(fixture);
        for (guint n = 0; n < EACH; n++) {
            g_autofree char *name = g_strdup_printf("t%u-%u", i, n);

            calls_add_target(&calls[i], buses[i], name);
        }
    }
    for (guint i = 0; i < 4; i++) /* a call of each that came after those */
        (void)count_queries(buses[i]);
    authority_wait_asked(authority, ASKED_PER_UID);
    g_assert_cmpuint(count_queries(buses[0]), ==, 4 * EACH);
    authority_set_mode(authority, AUTHORITY_ALLOWS);
    authority_release(authority, TRUE);
    for (guint i = 0; i < 4; i++) {
        fixture_wait(buses[i], calls_are_answered, &calls[i]);
        g_assert_cmpuint(calls[i].allowed, ==, EACH);
    }
    g_assert_cmpuint(fixture_number(buses[0], BUS_ROOT, BUS_MANAGER, "Targets", 'u'), ==, 4 * EACH);
    g_assert_cmpuint(count_queries(buses[0]), ==, 0);
    g_assert_cmpuint(authority_asked(authority), ==, 4 * EACH);
    g_assert_cmpuint(authority_cancelled(authority), ==, 0);
    for (guint i = 0; i < 4; i++)
        sd_bus_flush_close_unref(buses[i]);
    authority_free(authority);
}

static void
test_bounded(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_HOLDS);
    g_auto(Calls) calls = {0};
    g_autofree char *version = NULL;

    /* The first message alone is held for the caller's UID, which has a bound of its own. */
    version = fixture_property(bus, BUS_ROOT, BUS_MANAGER, "Version");
    g_assert_cmpstr(version, ==, STREAMD_VERSION);
    for (guint n = 0; n < QUERIES_PER_CALLER + 10; n++) {
        g_autofree char *name = g_strdup_printf("t%u", n);

        calls_add_target(&calls, bus, name);
    }
    authority_wait_asked(authority, ASKED_PER_UID);
    g_assert_cmpuint(count_queries(bus), ==, QUERIES_PER_CALLER);
    authority_set_mode(authority, AUTHORITY_DENIES);
    authority_release(authority, FALSE);
    fixture_wait(bus, calls_are_answered, &calls);
    g_assert_cmpuint(calls.failed, ==, QUERIES_PER_CALLER + 10);
    g_assert_cmpuint(authority_asked(authority), ==, QUERIES_PER_CALLER);
    g_assert_cmpuint(count_queries(bus), ==, 0);
    authority_free(authority);
}

/* Who asks too much hears of it, and others are still taken. */
static void
test_fair(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) greedy = fixture_connect(fixture);
    g_autoptr(sd_bus) other = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_HOLDS);
    g_auto(Calls) calls = {0}, more = {0}, others = {0};
    g_autofree char *version = fixture_property(greedy, BUS_ROOT, BUS_MANAGER, "Version");

    g_assert_cmpstr(version, ==, STREAMD_VERSION);
    for (guint n = 0; n < QUERIES_PER_CALLER; n++)
        calls_add_target(&calls, greedy, "x");
    authority_wait_asked(authority, ASKED_PER_UID);
    calls_add_target(&more, greedy, "more");
    fixture_wait(greedy, calls_are_answered, &more);
    g_assert_cmpstr(more.error, ==, LIMIT);
    calls_add_target(&others, other, "other");
    g_assert_cmpuint(count_queries(other), ==, QUERIES_PER_CALLER + 1);
    authority_set_mode(authority, AUTHORITY_ALLOWS);
    authority_release(authority, FALSE);
    fixture_wait(greedy, calls_are_answered, &calls);
    fixture_wait(other, calls_are_answered, &others);
    g_assert_cmpuint(others.allowed, ==, 1);
    authority_free(authority);
}

/* The caller leaves while polkit is asked: the question is taken back, what came with the call is
 * let go, and a yes that comes later changes nothing. */
static void
test_caller_leaves(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) witness = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_HOLDS);
    guint before;

    g_assert_cmpuint(count_queries(witness), ==, 0);
    before = fixture_count_fds(fixture);
    for (guint round = 1; round <= 20; round++) {
        g_autoptr(sd_bus) bus = fixture_connect(fixture);
        g_autoptr(sd_bus_message) message = fixture_message(bus, BUS_ROOT, BUS_MANAGER, "AddHub");
        int fd = fixture_memfd(SERVICE);

        g_assert_cmpint(sd_bus_message_append(message, "sha{sv}", "x", fd, 0), >=, 0);
        (void)close(fd);
        g_assert_cmpint(sd_bus_send(bus, message, NULL), >=, 0);
        g_assert_cmpint(sd_bus_flush(bus), >=, 0);
        authority_wait_asked(authority, round);
        if (round % 2 == 0) /* the yes and the farewell race */
            authority_release(authority, FALSE);
    }
    fixture_wait(witness, has_no_queries, witness);
    authority_release(authority, TRUE);
    fixture_assert_fds(fixture, before);
    g_assert_false(fixture_has_object(witness, BUS_PATH_HUB "/x"));
    authority_free(authority);
}

/* It has left before its call arrives: nobody is asked about it, or it is taken back. */
static void
test_caller_left_before(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) witness = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_HOLDS);
    guint before;

    g_assert_cmpuint(count_queries(witness), ==, 0);
    before = fixture_count_fds(fixture);
    for (guint round = 0; round < 50; round++) {
        g_autoptr(sd_bus) bus = fixture_connect(fixture);
        g_autoptr(sd_bus_message) message = fixture_message(bus, BUS_ROOT, BUS_MANAGER, "AddHub");
        int fd = fixture_memfd(SERVICE);

        g_assert_cmpint(sd_bus_message_append(message, "sha{sv}", "x", fd, 0), >=, 0);
        (void)close(fd);
        g_assert_cmpint(sd_bus_send(bus, message, NULL), >=, 0);
    }
    fixture_wait(witness, has_no_queries, witness);
    fixture_assert_fds(fixture, before);
    g_assert_false(fixture_has_object(witness, BUS_PATH_HUB "/x"));
    g_assert_cmpuint(authority_cancelled(authority), <=, authority_asked(authority));
    authority_free(authority);
}

/* What the call was about is gone when the yes comes. */
static void
test_object_leaves(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autoptr(sd_bus) other = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_ALLOWS);
    g_autoptr(sd_bus_message) target = new_target(bus, "x");
    g_autoptr(sd_bus_message) remove = NULL;
    g_auto(Calls) calls = {0};

    g_assert_cmpint(sd_bus_call(bus, target, 0, NULL, NULL), >=, 0);
    authority_set_mode(authority, AUTHORITY_HOLDS);
    remove = fixture_message(bus, TARGET "x", BUS_TARGET, "Remove");
    calls_send(&calls, bus, remove);
    authority_wait_asked(authority, 2);
    authority_set_mode(authority, AUTHORITY_ALLOWS);
    sd_bus_message_unref(fixture_call(other, TARGET "x", BUS_TARGET, "Remove", NULL));
    authority_release(authority, TRUE);
    fixture_wait(bus, calls_are_answered, &calls);
    g_assert_cmpstr(calls.error, ==, UNKNOWN_OBJECT);
    authority_free(authority);
}

/* "The only hub" is another one when the yes comes: the yes was not for that one. */
static void
test_only_hub_changes(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_ALLOWS);
    g_autofree char *first = fixture_add_hub(bus, "first", SERVICE, TRUE);
    g_autofree char *second = NULL;
    g_autofree char *last = NULL;
    g_autoptr(sd_bus_message) open = fixture_message(bus, BUS_ROOT, BUS_MANAGER, "OpenTunnel");
    g_auto(Calls) calls = {0};

    authority_set_mode(authority, AUTHORITY_HOLDS);
    g_assert_cmpint(sd_bus_message_append(open, "ssssa{sv}", "", "dev1", "ssh", "", 0), >=, 0);
    calls_send(&calls, bus, open);
    authority_wait_asked(authority, 2);
    last = authority_last(authority);
    g_assert_nonnull(strstr(last, "hub=first device=dev1 stream=ssh"));
    authority_set_mode(authority, AUTHORITY_ALLOWS);
    sd_bus_message_unref(fixture_call(bus, first, BUS_HUB, "Remove", NULL));
    second = fixture_add_hub(bus, "second", SERVICE, TRUE);
    authority_release(authority, TRUE);
    fixture_wait(bus, calls_are_answered, &calls);
    g_assert_cmpstr(calls.error, ==, DENIED);
    g_assert_cmpuint(fixture_number(bus, BUS_ROOT, BUS_MANAGER, "Tunnels", 'u'), ==, 0);
    authority_free(authority);
}

static const FixtureProgram impatient = {"GUARDED_STREAMD", {"100", NULL}};

#define ADD(path, func)                                                                            \
    g_test_add(path, Fixture, &calls_guarded, fixture_set_up, func, fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/polkit/allowed", test_allowed);
    ADD("/polkit/denied", test_denied);
    ADD("/polkit/apps", test_apps);
    ADD("/polkit/challenge", test_challenge);
    ADD("/polkit/absent", test_absent);
    ADD("/polkit/failing", test_failing);
    ADD("/polkit/babbling", test_babbling);
    ADD("/polkit/vanishes", test_vanishes);
    ADD("/polkit/slow", test_slow);
    g_test_add("/polkit/timeout", Fixture, &impatient, fixture_set_up, test_timeout,
               fixture_tear_down);
    ADD("/polkit/many", test_many);
    ADD("/polkit/bounded", test_bounded);
    ADD("/polkit/fair", test_fair);
    ADD("/polkit/caller-leaves", test_caller_leaves);
    ADD("/polkit/caller-left-before", test_caller_left_before);
    ADD("/polkit/object-leaves", test_object_leaves);
    ADD("/polkit/only-hub-changes", test_only_hub_changes);
    return g_test_run();
}
