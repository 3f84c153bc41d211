/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a streamd takes of its users, as a table: each bound is reached, the next one is refused and
 * says so, and one that is given back makes room for one. */
#include "daemon/bus/agent.h"
#include "daemon/bus/bounds.h"
#include "daemon/bus/caller.h"
#include "daemon/bus/quota.h"
#include "daemon/local/tunnel.h"
#include "daemon/policy/accept-policy.h"
#include "daemon/policy/user-limits.h"
#include "daemon/stream/handler.h"
#include "tests/bus/authority.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT BUS_ERROR_PREFIX "LimitReached"
#define NOBODY "HostName=localhost:9;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0"
#define USERS_MAX 9

typedef struct {
    Fixture *fixture;
    sd_bus *bus;              /* of streamd's own user */
    sd_bus *users[USERS_MAX]; /* of others, where a bound is for all of them together */
    guint per_user;
    GArray *ids; /* guint64: of rules */
    GPtrArray *buses;
    int listener; /* of a hub that never answers; -1: none */
} Scene;

/* The result of the Nth call, from 0: TRUE, or FALSE when it is over the bound. */
static gboolean
call_fits(sd_bus *bus, sd_bus_message *message, sd_bus_message **ret_reply)
{
    g_auto(sd_bus_error) error = SD_BUS_ERROR_NULL;

    if (sd_bus_call(bus, message, 0, &error, ret_reply) >= 0)
        return TRUE;
    if (strcmp(error.name, LIMIT) != 0)
        g_error("%s: %s", error.name, error.message);
    return FALSE;
}

static gboolean
add_hub(Scene *scene, guint n)
{
    g_autofree char *name = g_strdup_printf("h%u", n);
    g_autoptr(sd_bus_message) message =
        fixture_message(scene->bus, BUS_ROOT, BUS_MANAGER, "AddHub");
    int fd = fixture_memfd(NOBODY);

    g_assert_cmpint(sd_bus_message_append(message, "sha{sv}", name, fd, 0), >=, 0);
    (void)close(fd);
    return call_fits(scene->bus, message, NULL);
}

static void
remove_named(Scene *scene, const char *prefix, const char *interface, guint n)
{
    g_autofree char *path = g_strdup_printf("%s%u", prefix, n);

    sd_bus_message_unref(fixture_call(scene->bus, path, interface, "Remove", NULL));
}

static void
remove_hub(Scene *scene, guint n)
{
    remove_named(scene, BUS_PATH_HUB "/h", BUS_HUB, n);
}

static gboolean
add_target(Scene *scene, guint n)
{
    g_autofree char *name = g_strdup_printf("t%u", n);
    g_autoptr(sd_bus_message) message =
        fixture_message(scene->bus, BUS_ROOT, BUS_MANAGER, "ExposeTarget");

    g_assert_cmpint(sd_bus_message_append(message, "ssa{sv}", name, "tcp:127.0.0.1:9", 0), >=, 0);
    return call_fits(scene->bus, message, NULL);
}

static void
remove_target(Scene *scene, guint n)
{
    remove_named(scene, BUS_PATH_TARGET "/t", BUS_TARGET, n);
}

static gboolean
add_rule(Scene *scene, guint n)
{
    g_autoptr(sd_bus_message) message = fixture_message(scene->bus, BUS_ROOT, BUS_POLICY, "Add");
    g_autoptr(sd_bus_message) reply = NULL;
    guint64 id;

    g_assert_cmpint(sd_bus_message_append(message, "a{sv}", 1, "verdict", "s", "reject"), >=, 0);
    if (!call_fits(scene->bus, message, &reply))
        return FALSE;
    g_assert_cmpint(sd_bus_message_read(reply, "t", &id), >=, 0);
    g_array_append_val(scene->ids, id);
    return TRUE;
}

static void
remove_rule(Scene *scene, guint n)
{
    guint64 id = g_array_index(scene->ids, guint64, n);

    sd_bus_message_unref(fixture_call(scene->bus, BUS_ROOT, BUS_POLICY, "Remove", "t", id));
}

/* The user whose turn it is, where each has so many. */
static sd_bus *
user_of(Scene *scene, guint n)
{
    static const uid_t uids[USERS_MAX] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    guint i = scene->per_user > 0 ? n / scene->per_user : 0;

    if (scene->per_user == 0)
        return scene->bus;
    if (scene->users[i] == NULL)
        scene->users[i] = fixture_connect_as(scene->fixture, uids[i]);
    return scene->users[i];
}

static gboolean
add_agent(Scene *scene, guint n)
{
    g_autofree char *path = g_strdup_printf("/a%u", n);
    sd_bus *bus = user_of(scene, n);
    g_autoptr(sd_bus_message) message =
        fixture_message(bus, BUS_ROOT, BUS_MANAGER, "RegisterAgent");

    g_assert_cmpint(sd_bus_message_append(message, "oa{sv}", path, 0), >=, 0);
    return call_fits(bus, message, NULL);
}

static void
remove_agent(Scene *scene, guint n)
{
    g_autofree char *path = g_strdup_printf("/a%u", n);

    sd_bus_message_unref(
        fixture_call(user_of(scene, n), BUS_ROOT, BUS_MANAGER, "UnregisterAgent", "o", path));
}

static gboolean
add_handler(Scene *scene, guint n)
{
    g_autofree char *path = g_strdup_printf("/h%u", n);
    sd_bus *bus = user_of(scene, n);
    g_autoptr(sd_bus_message) message =
        fixture_message(bus, BUS_ROOT, BUS_MANAGER, "RegisterHandler");

    g_assert_cmpint(sd_bus_message_append(message, "oa{sv}", path, 1, "name", "s", path), >=, 0);
    return call_fits(bus, message, NULL);
}

static void
remove_handler(Scene *scene, guint n)
{
    g_autofree char *path = g_strdup_printf("/h%u", n);

    sd_bus_message_unref(
        fixture_call(user_of(scene, n), BUS_ROOT, BUS_MANAGER, "UnregisterHandler", "o", path));
}

static gboolean
open_tunnel(Scene *scene, guint n, guint16 *ret_port)
{
    g_autoptr(sd_bus_message) message =
        fixture_message(scene->bus, BUS_ROOT, BUS_MANAGER, "OpenTunnel");
    g_autoptr(sd_bus_message) reply = NULL;
    const char *path, *address;

    g_assert_cmpint(sd_bus_message_append(message, "ssssa{sv}", "", "dev", "s", "", 0), >=, 0);
    if (!call_fits(scene->bus, message, &reply))
        return FALSE;
    g_assert_cmpint(sd_bus_message_read(reply, "os", &path, &address), >=, 0);
    if (ret_port != NULL)
        *ret_port = (guint16)atoi(strrchr(address, ':') + 1);
    return TRUE;
}

static gboolean
add_tunnel(Scene *scene, guint n)
{
    if (n == 0)
        g_free(fixture_add_hub(scene->bus, "work", NOBODY, TRUE));
    return open_tunnel(scene, n, NULL);
}

static void
close_tunnel(Scene *scene, guint n)
{
    g_autofree char *path = g_strdup_printf(BUS_PATH_TUNNEL "/%u", n + 1);

    sd_bus_message_unref(fixture_call(scene->bus, path, BUS_TUNNEL, "Close", NULL));
}

static void
add_silent_hub(Scene *scene)
{
    g_autofree char *text = NULL;

    scene->listener = fixture_listen(&text);
    g_free(fixture_add_hub(scene->bus, "work", text, FALSE));
}

typedef struct {
    sd_bus *bus;
    const char *what;
    guint count;
} Counted;

static gboolean
is_counted(void *data)
{
    const Counted *counted = data;

    return fixture_number(counted->bus, BUS_ROOT, BUS_MANAGER, counted->what, 'u') ==
           counted->count;
}

static void
wait_streams(Scene *scene, guint count)
{
    fixture_wait(scene->bus, is_counted, &(Counted){scene->bus, "Streams", count});
}

static int
on_refused(sd_bus_message *reply, void *data, sd_bus_error *error)
{
    *(gboolean *)data = sd_bus_message_is_method_error(reply, LIMIT) > 0;
    return 0;
}

/* OpenStream that waits, each of a connection of its own. */
static gboolean
begin_opening(Scene *scene, guint n)
{
    sd_bus *bus = fixture_connect(scene->fixture);
    g_autoptr(sd_bus_message) message = fixture_message(bus, BUS_ROOT, BUS_MANAGER, "OpenStream");
    g_autoptr(sd_bus_slot) slot = NULL;
    gboolean refused = FALSE;

    if (n == 0)
        add_silent_hub(scene);
    g_ptr_array_add(scene->buses, bus);
    g_assert_cmpint(sd_bus_message_append(message, "sssa{sv}", "", "dev", "s", 0), >=, 0);
    g_assert_cmpint(sd_bus_call_async(bus, &slot, message, on_refused, &refused, 0), >=, 0);
    sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_PEER, "Ping", NULL));
    while (sd_bus_process(bus, NULL) > 0)
        continue;
    return !refused;
}

static void
end_opening(Scene *scene, guint n)
{
    sd_bus_close_unref(g_ptr_array_index(scene->buses, n));
    scene->buses->pdata[n] = NULL;
    wait_streams(scene, n);
}

/* Another name on the bus that streamd knows. */
static gboolean
add_caller(Scene *scene, guint n)
{
    sd_bus *bus = n == 0 ? sd_bus_ref(scene->bus) : fixture_connect(scene->fixture);
    g_autoptr(sd_bus_message) message = fixture_message(bus, BUS_ROOT, BUS_PEER, "Ping");

    g_ptr_array_add(scene->buses, bus);
    return call_fits(bus, message, NULL);
}

static void
remove_caller(Scene *scene, guint n)
{
    sd_bus_close_unref(g_ptr_array_index(scene->buses, n));
    scene->buses->pdata[n] = NULL;
    sd_bus_message_unref(fixture_call(scene->bus, BUS_ROOT, BUS_PEER, "Ping", NULL));
}

typedef struct {
    const char *name;
    guint bound;
    gboolean (*add)(Scene *scene, guint n);
    void (*take)(Scene *scene, guint n);
    guint per_user; /* > 0: of several users, each so many */
} Row;

static const Row rows[] = {
    {"hubs", APP_HUBS_MAX, add_hub, remove_hub, 0},
    {"targets", APP_TARGETS_MAX, add_target, remove_target, 0},
    {"rules", ACCEPT_RULES_MAX, add_rule, remove_rule, 0},
    {"agents", AGENTS_PER_UID, add_agent, remove_agent, 0},
    {"all-agents", AGENTS_MAX, add_agent, remove_agent, AGENTS_PER_UID},
    {"handlers", HANDLERS_PER_UID, add_handler, remove_handler, 0},
    {"all-handlers", HANDLERS_MAX, add_handler, remove_handler, HANDLERS_PER_UID},
    {"tunnels", APP_LISTENERS_PER_UID, add_tunnel, close_tunnel, 0},
    {"opening", QUOTA_PENDING_MAX, begin_opening, end_opening, 0},
    {"callers", CALLERS_MAX, add_caller, remove_caller, 0},
};

static void
scene_begin(Scene *scene, Fixture *fixture, guint per_user)
{
    *scene = (Scene){.fixture = fixture,
                     .bus = fixture_connect(fixture),
                     .per_user = per_user,
                     .ids = g_array_new(FALSE, FALSE, sizeof(guint64)),
                     .buses = g_ptr_array_new(),
                     .listener = -1};
}

static void
scene_end(Scene *scene)
{
    for (guint i = 0; i < scene->buses->len; i++)
        sd_bus_close_unref(scene->buses->pdata[i]);
    for (guint i = 0; i < USERS_MAX; i++)
        sd_bus_close_unref(scene->users[i]);
    sd_bus_close_unref(scene->bus);
    g_ptr_array_unref(scene->buses);
    g_array_unref(scene->ids);
    if (scene->listener >= 0)
        (void)close(scene->listener);
}

static void
test_row(Fixture *fixture, gconstpointer data)
{
    const Row *row = data;
    Authority *authority = NULL;
    Scene scene;
    guint n;

    if (row->per_user > 0)
        authority = authority_new(fixture, AUTHORITY_ALLOWS);
    scene_begin(&scene, fixture, row->per_user);
    for (n = 0; n < row->bound; n++)
        if (!row->add(&scene, n))
            g_error("%s: the bound is %u", row->name, n);
    g_assert_false(row->add(&scene, n));
    row->take(&scene, n - 1);
    g_assert_true(row->add(&scene, n + 1));
    g_assert_false(row->add(&scene, n + 2));
    scene_end(&scene);
    authority_free(authority);
}

/* With a name that is not known yet, so many calls are held; they are there before the answer that
 * says whose it is. */
static int
count_reply(sd_bus_message *reply, void *data, sd_bus_error *error)
{
    guint *counts = data;

    counts[sd_bus_message_is_method_error(reply, LIMIT) > 0 ? 1 : 0]++;
    return 0;
}

static gboolean
all_replied(void *data)
{
    const guint *counts = data;

    return counts[0] + counts[1] == CALLER_HELD_MAX + 1;
}

static void
test_held(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autoptr(sd_bus) other = fixture_connect(fixture);
    guint counts[2] = {0};

    fixture_stop(fixture);
    for (guint i = 0; i <= CALLER_HELD_MAX; i++) {
        g_autoptr(sd_bus_message) message = fixture_message(bus, BUS_ROOT, BUS_POLICY, "List");

        g_assert_cmpint(sd_bus_call_async(bus, NULL, message, count_reply, counts, 0), >=, 0);
    }
    g_assert_cmpint(sd_bus_flush(bus), >=, 0);
    /* The bus has passed them on when it has answered this. */
    g_assert_cmpint(sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                       "org.freedesktop.DBus", "GetId", NULL, NULL, NULL),
                    >=, 0);
    fixture_continue(fixture);
    fixture_wait(bus, all_replied, counts);
    g_assert_cmpuint(counts[0], ==, CALLER_HELD_MAX);
    g_assert_cmpuint(counts[1], ==, 1);
    sd_bus_message_unref(fixture_call(other, BUS_ROOT, BUS_PEER, "Ping", NULL));
}

static int
knock(guint16 port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    return fd;
}

/* Streams of a user: of several tunnels, since each has so many under way. The next connection is
 * reset, and OpenStream refused, until one has ended. */
static void
test_streams(Fixture *fixture, gconstpointer data)
{
    const guint tunnels = APP_STREAMS_PER_UID / TUNNEL_OPENING_MAX;
    g_autofree int *fds = g_new(int, APP_STREAMS_PER_UID);
    guint16 port = 0;
    Scene scene;
    char byte;
    int fd;

    scene_begin(&scene, fixture, 0);
    add_silent_hub(&scene);
    for (guint i = 0; i < tunnels; i++) {
        g_assert_true(open_tunnel(&scene, i, &port));
        for (guint n = 0; n < TUNNEL_OPENING_MAX; n++)
            fds[i * TUNNEL_OPENING_MAX + n] = knock(port);
    }
    wait_streams(&scene, APP_STREAMS_PER_UID);
    g_free(fixture_fails(scene.bus, "LimitReached", BUS_ROOT, BUS_MANAGER, "OpenStream", "sssa{sv}",
                         "", "dev", "s", 0));
    g_assert_true(open_tunnel(&scene, tunnels, &port));
    fd = knock(port);
    g_assert_cmpint(read(fd, &byte, 1), <, 0);
    (void)close(fd);
    g_assert_cmpint(
        setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger)),
        ==, 0);
    (void)close(fds[0]);
    wait_streams(&scene, APP_STREAMS_PER_UID - 1);
    fds[0] = knock(port);
    wait_streams(&scene, APP_STREAMS_PER_UID);
    for (guint i = 0; i < APP_STREAMS_PER_UID; i++)
        (void)close(fds[i]);
    scene_end(&scene);
}

/* A string and an array at their bound, and one past it: of those that a method takes. */
static void
test_arguments(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *longest = g_strnfill(BUS_BOUNDS_STRING, 'x');
    g_autofree char *longer = g_strnfill(BUS_BOUNDS_STRING + 1, 'x');
    g_autofree char *said = NULL, *too_long = NULL;

    /* Refused for what it says, and not for how long it is. */
    said = fixture_fails(bus, "Invalid", BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", "t",
                         longest, 0);
    too_long = fixture_fails(bus, "Invalid", BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", "t",
                             longer, 0);
    g_assert_null(strstr(said, "a string is longer than 4096 bytes"));
    g_assert_nonnull(strstr(too_long, "a string is longer than 4096 bytes"));
    for (guint more = 0; more < 2; more++) {
        g_autoptr(sd_bus_message) message = fixture_message(bus, BUS_ROOT, BUS_POLICY, "Test");
        g_autofree char *text = NULL;

        g_assert_cmpint(sd_bus_message_append(message, "s", "s"), >=, 0);
        g_assert_cmpint(sd_bus_message_open_container(message, 'a', "{sv}"), >=, 0);
        for (guint i = 0; i < BUS_BOUNDS_ARRAY + more; i++)
            g_assert_cmpint(sd_bus_message_append(message, "{sv}", "x", "s", "x"), >=, 0);
        g_assert_cmpint(sd_bus_message_close_container(message), >=, 0);
        text = fixture_call_fails(bus, message, "Invalid");
        g_assert_cmpint(strstr(text, "more than 64 elements") != NULL, ==, more == 1);
    }
}

static const FixtureProgram system_instance = {"STREAMD", {"--threads=1", NULL}};

static void
set_up_users(Fixture *fixture, gconstpointer data)
{
    if (fixture_has_users())
        fixture_set_up(fixture, &system_instance);
}

static void
test_users_row(Fixture *fixture, gconstpointer data)
{
    if (fixture->dir != NULL)
        test_row(fixture, data);
}

static void
tear_down_users(Fixture *fixture, gconstpointer data)
{
    if (fixture->dir != NULL)
        fixture_tear_down(fixture, data);
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture_set_up(fixture, NULL);
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/bounds/", rows[i].name, NULL);

        if (rows[i].per_user > 0)
            g_test_add(path, Fixture, &rows[i], set_up_users, test_users_row, tear_down_users);
        else
            g_test_add(path, Fixture, &rows[i], set_up, test_row, fixture_tear_down);
    }
    ADD("/bounds/held", test_held);
    ADD("/bounds/streams", test_streams);
    ADD("/bounds/arguments", test_arguments);
    return g_test_run();
}
