/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who sees what on a system's bus, as a table: each kind of object and each signal, for the user
 * whose it is, another one, an administrator who watches, one who answers requests, and the user
 * of streamd itself, who is nobody special here. Needs root, to be the users. */
#include "tests/bus/authority.h"
#include "tests/bus/calls.h"
#include "tests/bus/hub-fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVICE "HostName=localhost:9;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0"
#define HISTORY_MAX 256 /* daemon/stream/stream.h */

enum { OWNER = 1, OTHER = 2, ADMIN = 4, AGENT = 8, SELF = 16, ALL = 31 };

/* nobody, daemon, bin and sys of every Debian. */
static const struct {
    const char *name;
    uid_t uid;
} people[] = {{"owner", 65534}, {"other", 1}, {"admin", 2}, {"agent", 3}, {"self", 0}};

#define PEOPLE G_N_ELEMENTS(people)

typedef struct {
    sd_bus *bus;
    GHashTable *heard; /* "Added PATH", "Removed PATH", "Changed PATH" */
} Person;

typedef struct {
    Site site;
    Authority *authority;
    Person people[PEOPLE];
    sd_bus_message *opened, *taken; /* the replies to OpenStream and Accept: a stream's both ends */
    char *tunnel;
    guint16 port;
} Scene;

static int
on_message(sd_bus_message *message, void *data, sd_bus_error *error)
{
    const char *path = sd_bus_message_get_path(message), *member;
    Person *person = data;

    if (sd_bus_message_is_signal(message, NULL, NULL) <= 0)
        return 0;
    member = sd_bus_message_get_member(message);
    if (g_str_has_prefix(member, "Interfaces"))
        g_assert_cmpint(sd_bus_message_read(message, "o", &path), >=, 0);
    else if (strcmp(member, "PropertiesChanged") != 0)
        return 0;
    if (g_str_has_prefix(path, BUS_ROOT "/"))
        path += strlen(BUS_ROOT "/");
    if (strcmp(member, "PropertiesChanged") == 0)
        g_hash_table_add(person->heard, g_strconcat("Changed ", path, NULL));
    else
        g_hash_table_add(person->heard,
                         g_strconcat(member + strlen("Interfaces"), " ", path, NULL));
    return 0;
}

static void
person_arrive(Person *person, Fixture *fixture, uid_t uid)
{
    person->bus = fixture_connect_as(fixture, uid);
    person->heard = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_assert_cmpint(sd_bus_add_filter(person->bus, NULL, on_message, person), >=, 0);
    g_assert_cmpint(sd_bus_add_match(person->bus, NULL, "type='signal'", NULL, NULL), >=, 0);
    sd_bus_message_unref(
        fixture_call(person->bus, BUS_ROOT, BUS_OBJECT_MANAGER, "GetManagedObjects", NULL));
}

/* What was sent before this is heard after it. */
static void
scene_catch_up(Scene *scene)
{
    for (guint i = 0; i < PEOPLE; i++) {
        sd_bus *bus = scene->people[i].bus;

        sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_PEER, "Ping", NULL));
        while (sd_bus_process(bus, NULL) > 0)
            continue;
    }
}

static gboolean
scene_set_up(Scene *scene)
{
    if (!fixture_has_users())
        return FALSE;
    site_begin(&scene->site, &calls_guarded);
    scene->authority = authority_new(&scene->site.gateway, AUTHORITY_ALLOWS);
    site_join(&scene->site);
    for (guint i = 0; i < PEOPLE; i++)
        person_arrive(&scene->people[i], &scene->site.gateway, people[i].uid);
    sd_bus_message_unref(
        fixture_call(scene->people[2].bus, BUS_ROOT, BUS_MANAGER, "Watch", "a{sv}", 0));
    sd_bus_message_unref(fixture_call(scene->people[3].bus, BUS_ROOT, BUS_MANAGER, "RegisterAgent",
                                      "oa{sv}", "/agent", 0));
    return TRUE;
}

static void
scene_tear_down(Scene *scene)
{
    sd_bus_message_unref(scene->opened);
    sd_bus_message_unref(scene->taken);
    for (guint i = 0; i < PEOPLE; i++) {
        sd_bus_flush_close_unref(scene->people[i].bus);
        g_hash_table_unref(scene->people[i].heard);
    }
    authority_free(scene->authority);
    site_tear_down(&scene->site, NULL);
    g_free(scene->tunnel);
}

/* A connection of somebody to whom the tunnel does not belong: it has something to say then. */
static void
knock(uid_t uid, guint16 port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char byte;
    int fd;

    g_assert_cmpint(seteuid(uid), ==, 0);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(seteuid(0), ==, 0);
    g_assert_cmpint(read(fd, &byte, 1), <=, 0);
    (void)close(fd);
}

static void
scene_open_tunnel(Scene *scene)
{
    g_autoptr(sd_bus_message) reply =
        fixture_call(scene->people[0].bus, BUS_ROOT, BUS_MANAGER, "OpenTunnel", "ssssa{sv}", "work",
                     "dev", "s", "", 0);
    const char *path, *address;

    g_assert_cmpint(sd_bus_message_read(reply, "os", &path, &address), >=, 0);
    scene->tunnel = g_strdup(path);
    scene->port = (guint16)atoi(strrchr(address, ':') + 1);
}

static void
open_in_vain(sd_bus *bus)
{
    g_free(fixture_fails(bus, "HubUnreachable", BUS_ROOT, BUS_MANAGER, "OpenStream", "sssa{sv}",
                         "work", "dev", "s", 0));
}

static int
on_opened(sd_bus_message *reply, void *data, sd_bus_error *error)
{
    *(sd_bus_message **)data = sd_bus_message_ref(reply);
    return 0;
}

static gboolean
has_request(void *bus)
{
    return fixture_number(bus, BUS_ROOT, BUS_MANAGER, "Requests", 'u') == 1;
}

/* Somebody wants a stream, and the gateway asks. */
static void
scene_request(Scene *scene)
{
    g_autoptr(sd_bus_message) message =
        fixture_message(scene->site.bus, BUS_ROOT, BUS_MANAGER, "OpenStream");

    sd_bus_message_unref(fixture_call(scene->site.gateway_bus, BUS_ROOT, BUS_POLICY, "Add", "a{sv}",
                                      2, "stream", "s", "ask", "verdict", "s", "ask"));
    g_assert_cmpint(sd_bus_message_append(message, "sssa{sv}", "", "gw-1", "ask", 0), >=, 0);
    g_assert_cmpint(sd_bus_call_async(scene->site.bus, NULL, message, on_opened, &scene->opened, 0),
                    >=, 0);
    g_assert_cmpint(sd_bus_flush(scene->site.bus), >=, 0);
    fixture_wait(scene->people[2].bus, has_request, scene->people[2].bus);
}

static gboolean
is_opened(void *data)
{
    return *(sd_bus_message **)data != NULL;
}

/* Takes it, as the user who owns it from then on. */
static void
scene_accept(Scene *scene)
{
    scene->taken = fixture_call(scene->people[0].bus, BUS_PATH_REQUEST "/1", BUS_REQUEST, "Accept",
                                "a{sv}", 0);
    fixture_wait(scene->site.bus, is_opened, &scene->opened);
}

static void
add_hub(sd_bus *bus, const char *name)
{
    g_free(fixture_add_hub(bus, name, SERVICE, TRUE));
}

static void
scene_play(Scene *scene)
{
    sd_bus *root = scene->site.gateway_bus;

    add_hub(root, "work");
    add_hub(root, "gone");
    sd_bus_message_unref(fixture_call(root, BUS_PATH_HUB "/gone", BUS_HUB, "Remove", NULL));
    sd_bus_message_unref(fixture_call(root, BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", "t",
                                      "tcp:127.0.0.1:9", 0));
    sd_bus_message_unref(fixture_call(root, TARGET "t", BUS_TARGET, "Remove", NULL));
    scene_open_tunnel(scene);
    knock(people[1].uid, scene->port);
    open_in_vain(scene->people[0].bus); /* stream/1 */
    scene_request(scene);               /* stream/2 */
    scene_accept(scene);
    for (guint i = 0; i < HISTORY_MAX + 1; i++)
        open_in_vain(root);
    sd_bus_message_unref(
        fixture_call(scene->people[0].bus, scene->tunnel, BUS_TUNNEL, "Close", NULL));
    scene_catch_up(scene);
}

static const struct {
    const char *what;
    guint who;
} signals[] = {
    {"Added hub/work", ALL},
    {"Changed hub/work", ALL},
    {"Added hub/gone", ALL},
    {"Removed hub/gone", ALL},
    {"Added target/t", ALL},
    {"Removed target/t", ALL},
    {"Changed " BUS_ROOT, ALL}, /* the policy has another rule */
    {"Added tunnel/1", OWNER | ADMIN},
    {"Changed tunnel/1", OWNER | ADMIN},
    {"Removed tunnel/1", OWNER | ADMIN},
    {"Added stream/1", OWNER | ADMIN},
    {"Changed stream/1", OWNER | ADMIN},
    {"Removed stream/1", OWNER | ADMIN},
    /* streamd's own until somebody takes it, and that one's from then on. */
    {"Added stream/2", OWNER | ADMIN | SELF},
    {"Changed stream/2", OWNER | ADMIN | SELF},
    {"Removed stream/2", SELF},
    {"Added stream/3", ADMIN | SELF},
    {"Changed stream/3", ADMIN | SELF},
    {"Added request/1", ADMIN | AGENT},
    {"Removed request/1", ADMIN | AGENT},
};

static void
test_signals(void)
{
    Scene scene = {0};

    if (!scene_set_up(&scene))
        return;
    scene_play(&scene);
    for (guint i = 0; i < PEOPLE; i++) {
        GHashTableIter iter;
        gpointer heard;

        for (guint s = 0; s < G_N_ELEMENTS(signals); s++)
            if (g_hash_table_contains(scene.people[i].heard, signals[s].what) !=
                ((signals[s].who >> i & 1) != 0))
                g_error("%s: \"%s\" is %s", people[i].name, signals[s].what,
                        signals[s].who >> i & 1 ? "not heard" : "heard");
        /* Nothing else is about anything of somebody's. */
        g_hash_table_iter_init(&iter, scene.people[i].heard);
        while (g_hash_table_iter_next(&iter, &heard, NULL)) {
            gboolean known = strstr(heard, " hub/") != NULL;

            for (guint s = 0; s < G_N_ELEMENTS(signals); s++)
                known |= strcmp(heard, signals[s].what) == 0;
            if (!known && ((OWNER | OTHER | AGENT) >> i & 1) != 0)
                g_error("%s has heard \"%s\"", people[i].name, (const char *)heard);
        }
    }
    scene_tear_down(&scene);
}

static const struct {
    const char *path, *interface;
    guint who;
} objects[] = {
    {BUS_PATH_HUB "/work", BUS_HUB, ALL},
    {TARGET "t", BUS_TARGET, ALL},
    {BUS_PATH_TUNNEL "/1", BUS_TUNNEL, OWNER | ADMIN},
    {BUS_PATH_STREAM "/1", BUS_STREAM, OWNER | ADMIN},
    {BUS_PATH_STREAM "/2", BUS_STREAM, ADMIN | SELF},
    {BUS_PATH_REQUEST "/1", BUS_REQUEST, ADMIN | AGENT},
};

/* By every way that there is to look at one. */
static void
assert_sees(sd_bus *bus, const char *name, const char *path, const char *interface, gboolean sees)
{
    g_autofree char *prefix = g_path_get_dirname(path), *key = g_path_get_basename(path);
    g_autofree char *node = g_strdup_printf("<node name=\"%s\"", key);
    g_autoptr(sd_bus_message) all = NULL, above = NULL;
    const char *xml;

    if (fixture_has_object(bus, path) != sees)
        g_error("%s: GetManagedObjects and %s", name, path);
    above = fixture_call(bus, prefix, BUS_INTROSPECTABLE, "Introspect", NULL);
    g_assert_cmpint(sd_bus_message_read(above, "s", &xml), >=, 0);
    if ((strstr(xml, node) != NULL) != sees)
        g_error("%s: Introspect and %s: %s", name, path, xml);
    if (!sees) {
        g_free(fixture_fails(bus, DENIED, path, BUS_PROPERTIES, "GetAll", "s", interface));
        g_free(fixture_fails(bus, DENIED, path, BUS_PROPERTIES, "Get", "ss", interface, "Hub"));
        g_free(fixture_fails(bus, DENIED, path, BUS_INTROSPECTABLE, "Introspect", NULL));
        return;
    }
    all = fixture_call(bus, path, BUS_PROPERTIES, "GetAll", "s", interface);
}

static void
test_objects(void)
{
    Scene scene = {0};
    sd_bus *root;

    if (!scene_set_up(&scene))
        return;
    root = scene.site.gateway_bus;
    add_hub(root, "work");
    sd_bus_message_unref(fixture_call(root, BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", "t",
                                      "tcp:127.0.0.1:9", 0));
    scene_open_tunnel(&scene);
    open_in_vain(scene.people[0].bus);
    scene_request(&scene);
    for (guint i = 0; i < PEOPLE; i++) {
        sd_bus *bus = scene.people[i].bus;

        for (guint o = 0; o < G_N_ELEMENTS(objects); o++)
            assert_sees(bus, people[i].name, objects[o].path, objects[o].interface,
                        (objects[o].who >> i & 1) != 0);
        g_assert_cmpuint(fixture_number(bus, BUS_ROOT, BUS_MANAGER, "Requests", 'u'), ==,
                         ((ADMIN | AGENT) >> i & 1));
        g_assert_cmpuint(fixture_number(bus, BUS_ROOT, BUS_MANAGER, "Tunnels", 'u'), ==,
                         ((OWNER | ADMIN) >> i & 1));
        g_assert_cmpuint(fixture_number(bus, BUS_ROOT, BUS_MANAGER, "Streams", 'u'), ==,
                         ((ADMIN | SELF) >> i & 1));
    }
    /* Who answers no requests any more has no reason to see them. */
    sd_bus_message_unref(
        fixture_call(scene.people[3].bus, BUS_ROOT, BUS_MANAGER, "UnregisterAgent", "o", "/agent"));
    assert_sees(scene.people[3].bus, "no agent", BUS_PATH_REQUEST "/1", BUS_REQUEST, FALSE);
    scene_accept(&scene);
    scene_tear_down(&scene);
}

/* root, and streamd's own user, see all without having asked for it. */
static void
test_privileged(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) root = NULL, owner = NULL;
    g_autoptr(sd_bus_message) opened = NULL;
    Authority *authority;

    if (fixture->dir == NULL)
        return;
    authority = authority_new(fixture, AUTHORITY_ALLOWS);
    root = fixture_connect(fixture);
    owner = fixture_connect_as(fixture, people[0].uid);
    add_hub(root, "work");
    opened = fixture_call(owner, BUS_ROOT, BUS_MANAGER, "OpenTunnel", "ssssa{sv}", "work", "dev",
                          "s", "", 0);
    authority_set_mode(authority, AUTHORITY_DENIES);
    assert_sees(root, "root", BUS_PATH_TUNNEL "/1", BUS_TUNNEL, TRUE);
    g_assert_cmpuint(fixture_number(root, BUS_ROOT, BUS_MANAGER, "Tunnels", 'u'), ==, 1);
    authority_free(authority);
}

/* A user's own instance, where somebody else reaches its bus: nothing is said to him. */
static void
test_user_instance(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) other = NULL;
    g_autofree char *said = NULL;

    if (fixture->dir == NULL)
        return;
    other = fixture_connect_as(fixture, people[1].uid);
    said = fixture_fails(other, DENIED, BUS_ROOT, BUS_PEER, "Ping", NULL);
    g_assert_nonnull(strstr(said, "serves processes of user 0 only"));
    g_free(fixture_fails(other, DENIED, BUS_ROOT, BUS_PROPERTIES, "Get", "ss", BUS_MANAGER,
                         "Version"));
    g_free(fixture_fails(other, DENIED, BUS_ROOT, BUS_OBJECT_MANAGER, "GetManagedObjects", NULL));
    g_free(fixture_fails(other, DENIED, BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", "t",
                         "tcp:127.0.0.1:9", 0));
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
    if (fixture_has_users())
        fixture_set_up(fixture, data);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    if (fixture->dir != NULL)
        fixture_tear_down(fixture, data);
}

static const FixtureProgram system_instance = {"STREAMD", {"--threads=1", NULL}};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/seen/signals", test_signals);
    g_test_add_func("/seen/objects", test_objects);
    g_test_add("/seen/privileged", Fixture, &system_instance, set_up, test_privileged, tear_down);
    g_test_add("/seen/user-instance", Fixture, NULL, set_up, test_user_instance, tear_down);
    return g_test_run();
}
