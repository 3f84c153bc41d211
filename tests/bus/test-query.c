/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls that polkit is asked about: how many, and what becomes of them when a caller goes, time
 * runs out, or polkit dies. Whatever happens it is no yes, and nothing is left. */
#include "daemon/bus/access.h"
#include "daemon/bus/bouncer.h"
#include "daemon/bus/kind.h"
#include "tests/bus/authority.h"
#include "tests/bus/calls.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SERVICE "HostName=localhost:9;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0"
#define BURST 60 /* calls of one user at once: daemon/bus/quota.h */

typedef struct {
    Fixture *fixture;
    GPtrArray *buses; /* sd_bus */
    Calls calls;
} Crowd;

static void
crowd_init(Crowd *crowd, Fixture *fixture)
{
    *crowd = (Crowd){.fixture = fixture, .buses = g_ptr_array_new()};
}

/* COUNT calls of UID, of as many connections as that takes. */
static void
crowd_call(Crowd *crowd, uid_t uid, guint count)
{
    while (count > 0) {
        guint n = MIN(count, BOUNCER_QUERIES_PER_CALLER);
        sd_bus *bus = uid == getuid() ? fixture_connect(crowd->fixture)
                                      : fixture_connect_as(crowd->fixture, uid);

        calls_greet(bus);
        g_ptr_array_add(crowd->buses, bus);
        calls_add_targets(&crowd->calls, bus, n);
        count -= n;
    }
}

static gboolean
crowd_is_answered(void *data)
{
    Crowd *crowd = data;

    for (guint i = 0; i < crowd->buses->len; i++)
        while (sd_bus_process(g_ptr_array_index(crowd->buses, i), NULL) > 0)
            continue;
    return calls_are_answered(&crowd->calls);
}

static void
crowd_clear(Crowd *crowd)
{
    for (guint i = 0; i < crowd->buses->len; i++)
        sd_bus_flush_close_unref(g_ptr_array_index(crowd->buses, i));
    g_ptr_array_unref(crowd->buses);
    calls_clear(&crowd->calls);
}

static gboolean
has_so_many(void *data)
{
    const gpointer *pair = data;

    return count_queries(pair[0]) == GPOINTER_TO_UINT(pair[1]);
}

static void
wait_queries(sd_bus *bus, guint count)
{
    gpointer pair[] = {bus, GUINT_TO_POINTER(count)};

    fixture_wait(bus, has_so_many, pair);
}

/* One more call of UID than there may be: refused at once. */
static void
assert_full(Fixture *fixture, uid_t uid)
{
    g_autoptr(sd_bus) bus =
        uid == getuid() ? fixture_connect(fixture) : fixture_connect_as(fixture, uid);
    g_autoptr(sd_bus_message) message = new_target(bus, "more");

    g_free(fixture_call_fails(bus, message, LIMIT));
}

/* All calls of a user, over all connections; and after an answer there is room again. */
static void
test_per_uid(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_HOLDS);
    Crowd crowd, more;

    crowd_init(&crowd, fixture);
    crowd_init(&more, fixture);
    crowd_call(&crowd, getuid(), BOUNCER_QUERIES_PER_UID);
    wait_queries(bus, BOUNCER_QUERIES_PER_UID);
    assert_full(fixture, getuid());
    g_assert_cmpuint(count_queries(bus), ==, BOUNCER_QUERIES_PER_UID);
    sd_bus_flush_close_unref(g_ptr_array_steal_index(crowd.buses, 3)); /* one caller goes */
    wait_queries(bus, BOUNCER_QUERIES_PER_UID - BOUNCER_QUERIES_PER_CALLER);
    crowd_call(&more, getuid(), BOUNCER_QUERIES_PER_CALLER);
    wait_queries(bus, BOUNCER_QUERIES_PER_UID);
    assert_full(fixture, getuid());
    crowd_clear(&crowd);
    crowd_clear(&more);
    wait_queries(bus, 0);
    authority_free(authority);
}

/* All calls of all users; and of them, those that polkit is asked about at once. */
static void
test_in_all(Fixture *fixture, gconstpointer data)
{
    static const uid_t users[] = {1, 2, 3, 4, 5, 6}; /* daemon, bin, sys, sync, games, man */
    guint left = BOUNCER_QUERIES_MAX - BOUNCER_QUERIES_PER_UID;
    g_autoptr(sd_bus) bus = NULL;
    Authority *authority;
    Crowd crowd;

    if (!fixture_has_users())
        return;
    bus = fixture_connect(fixture);
    authority = authority_new(fixture, AUTHORITY_HOLDS);
    crowd_init(&crowd, fixture);
    crowd_call(&crowd, 0, BOUNCER_QUERIES_PER_UID);
    authority_wait_asked(authority, BOUNCER_ASKED_PER_UID);
    for (guint i = 0; left > 0; i++) {
        guint n = MIN(left, BURST - 8);

        crowd_call(&crowd, users[i], n);
        left -= n;
    }
    wait_queries(bus, BOUNCER_QUERIES_MAX);
    g_assert_cmpuint(authority_asked(authority), ==, BOUNCER_ASKED_MAX);
    assert_full(fixture, 0);
    assert_full(fixture, users[5]);
    g_assert_cmpuint(count_queries(bus), ==, BOUNCER_QUERIES_MAX);
    authority_set_mode(authority, AUTHORITY_DENIES);
    authority_release(authority, FALSE);
    fixture_wait(bus, crowd_is_answered, &crowd);
    g_assert_cmpuint(crowd.calls.allowed, ==, 0);
    g_assert_cmpuint(authority_asked(authority), ==, BOUNCER_QUERIES_MAX);
    g_assert_cmpuint(count_queries(bus), ==, 0);
    crowd_clear(&crowd);
    authority_free(authority);
}

/* Arguments of these types, whatever they say: nobody looks at them before polkit has answered. */
static void
append_any(sd_bus_message *message, const char *types, int fd)
{
    for (const char *type = types; *type != '\0'; type++)
        switch (*type) {
        case 's':
            g_assert_cmpint(sd_bus_message_append(message, "s", "x"), >=, 0);
            break;
        case 'o':
            g_assert_cmpint(sd_bus_message_append(message, "o", "/x"), >=, 0);
            break;
        case 'h':
            g_assert_cmpint(sd_bus_message_append(message, "h", fd), >=, 0);
            break;
        case 't':
            g_assert_cmpint(sd_bus_message_append(message, "t", (uint64_t)1), >=, 0);
            break;
        case 'u':
            g_assert_cmpint(sd_bus_message_append(message, "u", 1), >=, 0);
            break;
        case 'a':
            g_assert_true(g_str_has_prefix(type, "a{sv}"));
            g_assert_cmpint(sd_bus_message_append(message, "a{sv}", 0), >=, 0);
            type += strlen("{sv}");
            break;
        default:
            g_error("a method takes '%s'", types);
        }
}

/* A caller makes one call and goes while polkit is asked: the question is taken back, and its
 * place is there again. */
static void
leave_while_asked(Fixture *fixture, Authority *authority, const BusKind *kind,
                  const sd_bus_vtable *row, guint number)
{
    g_autofree char *path =
        kind->list == NULL ? g_strdup(kind->prefix) : g_strconcat(kind->prefix, "/1", NULL);
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autoptr(sd_bus_message) message =
        fixture_message(bus, path, kind->interface, row->x.method.member);
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (row->x.method.signature != NULL)
        append_any(message, row->x.method.signature, fd);
    g_assert_cmpint(sd_bus_send(bus, message, NULL), >=, 0);
    g_assert_cmpint(sd_bus_flush(bus), >=, 0);
    (void)close(fd);
    authority_wait_asked(authority, number);
    g_clear_pointer(&bus, sd_bus_close_unref);
    authority_wait_cancelled(authority, number);
}

/* Every method that needs an action, each once; NUMBER questions came before. */
static guint
leave_in_every_method(Fixture *fixture, Authority *authority, guint number)
{
    for (const BusKind *const *kind = bus_kinds; *kind != NULL; kind++)
        for (const sd_bus_vtable *row = (*kind)->vtable; row->type != _SD_BUS_VTABLE_END; row++) {
            const BusAccess *access =
                row->type == _SD_BUS_VTABLE_METHOD
                    ? bus_access_find((*kind)->interface, row->x.method.member)
                    : NULL;

            if (access != NULL && *access->action != '\0')
                leave_while_asked(fixture, authority, *kind, row, ++number);
        }
    return number;
}

/* More often than there are places at polkit: none of them is lost. */
static void
test_every_method(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) witness = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_HOLDS);
    guint number = 0, fds;

    g_assert_cmpuint(count_queries(witness), ==, 0);
    fds = fixture_count_fds(fixture);
    while (number <= BOUNCER_ASKED_MAX)
        number = leave_in_every_method(fixture, authority, number);
    g_assert_cmpuint(number, ==, 4 * 29); /* daemon/bus/access.c */
    wait_queries(witness, 0);
    fixture_assert_fds(fixture, fds);
    /* A yes that comes now is for nobody, and others are served. */
    authority_set_mode(authority, AUTHORITY_ALLOWS);
    authority_release(authority, TRUE);
    sd_bus_message_unref(fixture_call(witness, BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}",
                                      "y", "tcp:127.0.0.1:9", 0));
    g_assert_false(fixture_has_object(witness, TARGET "x"));
    authority_free(authority);
}

/* One caller has all places of its user at polkit, and another one waits. When the first goes, the
 * other's turn has come, and nobody has to answer for that. */
static void
test_next(Fixture *fixture, gconstpointer data)
{
    sd_bus *first = fixture_connect(fixture);
    g_autoptr(sd_bus) other = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_HOLDS);
    g_auto(Calls) calls = {0}, others = {0};

    calls_greet(first);
    calls_add_targets(&calls, first, BOUNCER_ASKED_PER_UID);
    authority_wait_asked(authority, BOUNCER_ASKED_PER_UID);
    calls_add_target(&others, other, "other");
    wait_queries(other, BOUNCER_ASKED_PER_UID + 1);
    g_assert_cmpuint(authority_asked(authority), ==, BOUNCER_ASKED_PER_UID);
    sd_bus_close_unref(first);
    authority_wait_asked(authority, BOUNCER_ASKED_PER_UID + 1);
    authority_wait_cancelled(authority, BOUNCER_ASKED_PER_UID);
    g_assert_cmpuint(count_queries(other), ==, 1);
    authority_release(authority, TRUE);
    fixture_wait(other, calls_are_answered, &others);
    g_assert_cmpuint(others.allowed, ==, 1);
    authority_free(authority);
}

/* Who waits for a turn and goes is never asked about. */
static void
test_waits(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) first = fixture_connect(fixture);
    sd_bus *other = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_HOLDS);
    g_auto(Calls) calls = {0}, others = {0};

    calls_greet(first);
    calls_greet(other);
    calls_add_targets(&calls, first, BOUNCER_ASKED_PER_UID);
    authority_wait_asked(authority, BOUNCER_ASKED_PER_UID);
    calls_add_targets(&others, other, 5);
    wait_queries(first, BOUNCER_ASKED_PER_UID + 5);
    sd_bus_close_unref(other);
    wait_queries(first, BOUNCER_ASKED_PER_UID);
    authority_set_mode(authority, AUTHORITY_ALLOWS);
    authority_release(authority, TRUE);
    fixture_wait(first, calls_are_answered, &calls);
    g_assert_cmpuint(calls.allowed, ==, BOUNCER_ASKED_PER_UID);
    g_assert_cmpuint(authority_asked(authority), ==, BOUNCER_ASKED_PER_UID);
    g_assert_cmpuint(authority_cancelled(authority), ==, 0);
    authority_free(authority);
}

/* Those whose time is over before their turn comes are refused without a question. */
static void
test_too_late(Fixture *fixture, gconstpointer data)
{
    const guint waiting = 10;
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_HOLDS);
    g_auto(Calls) calls = {0};

    calls_greet(bus);
    calls_add_targets(&calls, bus, BOUNCER_ASKED_PER_UID + waiting);
    authority_wait_asked(authority, BOUNCER_ASKED_PER_UID);
    g_assert_cmpuint(count_queries(bus), ==, BOUNCER_ASKED_PER_UID + waiting);
    fixture_stop(fixture);
    g_usleep(600 * 1000); /* calls_impatient */
    fixture_continue(fixture);
    fixture_wait(bus, calls_are_answered, &calls);
    g_assert_cmpuint(calls.failed, ==, BOUNCER_ASKED_PER_UID + waiting);
    g_assert_cmpstr(calls.error, ==, AUTH_FAILED);
    g_assert_cmpuint(authority_asked(authority), ==, BOUNCER_ASKED_PER_UID);
    authority_wait_cancelled(authority, BOUNCER_ASKED_PER_UID);
    g_assert_cmpuint(count_queries(bus), ==, 0);
    authority_free(authority);
}

static void
add_hub(sd_bus *bus, const char *user)
{
    int fd = fixture_memfd(SERVICE);

    sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_MANAGER, "AddHub", "sha{sv}", "work", fd,
                                      1, "allowed-users", "as", 1, user));
    (void)close(fd);
}

/* While polkit is asked the hub's list changes: the call is refused by the list, and the answer
 * that nobody has asked for any more is forgotten. */
static void
test_forgotten(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autoptr(sd_bus_message) open = fixture_message(bus, BUS_ROOT, BUS_MANAGER, "OpenTunnel");
    g_autofree char *me = g_strdup_printf("%u", (unsigned)getuid());
    Authority *authority = authority_new(fixture, AUTHORITY_ALLOWS);
    g_auto(Calls) calls = {0};

    add_hub(bus, me);
    authority_set_mode(authority, AUTHORITY_HOLDS);
    g_assert_cmpint(sd_bus_message_append(open, "ssssa{sv}", "work", "dev", "ssh", "", 0), >=, 0);
    calls_send(&calls, bus, open);
    authority_wait_asked(authority, 2);
    authority_set_mode(authority, AUTHORITY_ALLOWS);
    sd_bus_message_unref(fixture_call(bus, BUS_PATH_HUB "/work", BUS_HUB, "Remove", NULL));
    add_hub(bus, "4294967290");
    authority_release(authority, TRUE);
    fixture_wait(bus, calls_are_answered, &calls);
    g_assert_cmpstr(calls.error, ==, BUS_ERROR_PREFIX "Denied");
    wait_queries(bus, 0);
    authority_free(authority);
}

/* polkit dies with questions: none of them is a yes, and those that wait hear so, too. */
static void
test_polkit_dies(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_HOLDS);
    g_auto(Calls) calls = {0}, later = {0};

    calls_greet(bus);
    calls_add_targets(&calls, bus, BOUNCER_ASKED_PER_UID + 10);
    authority_wait_asked(authority, BOUNCER_ASKED_PER_UID);
    authority_free(authority);
    fixture_wait(bus, calls_are_answered, &calls);
    g_assert_cmpuint(calls.failed, ==, BOUNCER_ASKED_PER_UID + 10);
    g_assert_cmpstr(calls.error, ==, AUTH_FAILED);
    g_assert_cmpuint(count_queries(bus), ==, 0);
    g_assert_cmpuint(fixture_number(bus, BUS_ROOT, BUS_MANAGER, "Targets", 'u'), ==, 0);
    authority = authority_new(fixture, AUTHORITY_ALLOWS);
    calls_add_targets(&later, bus, 2);
    fixture_wait(bus, calls_are_answered, &later);
    g_assert_cmpuint(later.allowed, ==, 2);
    authority_free(authority);
}

/* It is back before streamd has heard that it was away: what the old one was asked is denied, and
 * only what the new one was asked is allowed. */
static void
test_polkit_restarts(Fixture *fixture, gconstpointer data)
{
    const guint waiting = 10;
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_HOLDS);
    g_auto(Calls) calls = {0};

    calls_greet(bus);
    calls_add_targets(&calls, bus, BOUNCER_ASKED_PER_UID + waiting);
    authority_wait_asked(authority, BOUNCER_ASKED_PER_UID);
    g_assert_cmpuint(count_queries(bus), ==, BOUNCER_ASKED_PER_UID + waiting);
    fixture_stop(fixture);
    authority_free(authority);
    authority = authority_new(fixture, AUTHORITY_ALLOWS);
    fixture_continue(fixture);
    fixture_wait(bus, calls_are_answered, &calls);
    g_assert_cmpuint(calls.failed, ==, BOUNCER_ASKED_PER_UID);
    g_assert_cmpuint(calls.allowed, ==, waiting);
    g_assert_cmpuint(authority_asked(authority), ==, waiting);
    g_assert_cmpuint(count_queries(bus), ==, 0);
    authority_free(authority);
}

#define ADD(path, func)                                                                            \
    g_test_add(path, Fixture, &calls_guarded, fixture_set_up, func, fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/query/per-uid", test_per_uid);
    ADD("/query/in-all", test_in_all);
    ADD("/query/every-method", test_every_method);
    ADD("/query/next", test_next);
    ADD("/query/waits", test_waits);
    g_test_add("/query/too-late", Fixture, &calls_impatient, fixture_set_up, test_too_late,
               fixture_tear_down);
    ADD("/query/forgotten", test_forgotten);
    ADD("/query/polkit-dies", test_polkit_dies);
    ADD("/query/polkit-restarts", test_polkit_restarts);
    return g_test_run();
}
