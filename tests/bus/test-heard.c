/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who gets the signals of a stream or tunnel, by what it did before: opened it, was given it, read
 * a property, listed the objects, watches, or has a match and nothing else. On the system's bus,
 * where signals go to one connection at a time, and on a user's own, where they are for everybody.
 * The first needs root, to be the users. */
#include "tests/bus/authority.h"
#include "tests/bus/calls.h"
#include "tests/bus/hub-fixture.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OPENER, SILENT, READER, LISTER, OTHER, ADMIN, ROOT, PEOPLE };

/* nobody, daemon and bin of every Debian. */
static const struct {
    const char *name;
    uid_t uid;
} people[PEOPLE] = {
    {"the opener", 65534},
    {"the owner's connection that only has a match", 65534},
    {"the owner's connection that has read a property", 65534},
    {"the owner's connection that has listed the objects", 65534},
    {"another user, who has asked in every way", 1},
    {"an administrator who watches", 2},
    {"root, who has only a match", 0},
};

#define BIT(who) (1U << (who))
#define ASKED (BIT(READER) | BIT(LISTER) | BIT(ADMIN))
#define EVERYBODY (BIT(PEOPLE) - 1)

typedef struct {
    sd_bus *bus;
    GHashTable *heard; /* "Added PATH", "Removed PATH", "Changed PATH NAME NAME..." */
} Person;

typedef struct {
    Site site;
    Authority *authority;
    Person people[PEOPLE];
    int listener; /* of the target */
} Scene;

/* A stream with both of its ends. */
typedef struct {
    char *path;
    int fd, target;
} Opened;

/* The names in PropertiesChanged that have a value. */
static char *
read_changed(sd_bus_message *signal)
{
    GString *names = g_string_new(NULL);
    const char *name;

    g_assert_cmpint(sd_bus_message_read(signal, "s", NULL), >=, 0);
    g_assert_cmpint(sd_bus_message_enter_container(signal, 'a', "{sv}"), >=, 0);
    while (sd_bus_message_enter_container(signal, 'e', "sv") > 0) {
        g_assert_cmpint(sd_bus_message_read(signal, "s", &name), >=, 0);
        g_string_append_printf(names, " %s", name);
        g_assert_cmpint(sd_bus_message_skip(signal, "v"), >=, 0);
        g_assert_cmpint(sd_bus_message_exit_container(signal), >=, 0);
    }
    return g_string_free(names, FALSE);
}

static int
on_message(sd_bus_message *message, void *data, sd_bus_error *error)
{
    const char *path = sd_bus_message_get_path(message);
    g_autofree char *names = NULL;
    Person *person = data;

    if (sd_bus_message_is_signal(message, BUS_PROPERTIES, "PropertiesChanged") > 0) {
        names = read_changed(message);
        g_hash_table_add(person->heard, g_strconcat("Changed ", path, names, NULL));
    } else if (sd_bus_message_is_signal(message, BUS_OBJECT_MANAGER, NULL) > 0) {
        g_assert_cmpint(sd_bus_message_read(message, "o", &path), >=, 0);
        g_hash_table_add(person->heard,
                         g_strconcat(sd_bus_message_get_member(message) + strlen("Interfaces"), " ",
                                     path, NULL));
    }
    return 0;
}

static void
person_arrive(Person *person, Fixture *fixture, uid_t uid)
{
    person->bus = fixture_connect_as(fixture, uid);
    person->heard = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_assert_cmpint(sd_bus_add_filter(person->bus, NULL, on_message, person), >=, 0);
    g_assert_cmpint(sd_bus_add_match(person->bus, NULL, "type='signal'", NULL, NULL), >=, 0);
}

static void
person_leave(Person *person)
{
    person->bus = sd_bus_flush_close_unref(person->bus);
    g_hash_table_unref(person->heard);
}

/* What was sent before this is heard after it. A call alone is no question. */
static void
person_catch_up(Person *person)
{
    sd_bus_message_unref(fixture_call(person->bus, BUS_ROOT, BUS_PEER, "Ping", NULL));
    while (sd_bus_process(person->bus, NULL) > 0)
        continue;
}

static gboolean
scene_set_up(Scene *scene)
{
    g_autofree char *service = NULL;

    if (!fixture_has_users())
        return FALSE;
    site_begin(&scene->site, &calls_guarded);
    scene->authority = authority_new(&scene->site.gateway, AUTHORITY_ALLOWS);
    site_join(&scene->site);
    service = site_admin(&scene->site, "connection-string", "policy", "service", NULL);
    site_add_hub(scene->site.gateway_bus, "work", service, scene->site.ca);
    scene->listener = site_expose(&scene->site, "echo");
    for (guint i = 0; i < PEOPLE; i++)
        person_arrive(&scene->people[i], &scene->site.gateway, people[i].uid);
    sd_bus_message_unref(
        fixture_call(scene->people[ADMIN].bus, BUS_ROOT, BUS_MANAGER, "Watch", "a{sv}", 0));
    sd_bus_message_unref(fixture_call(scene->people[LISTER].bus, BUS_ROOT, BUS_OBJECT_MANAGER,
                                      "GetManagedObjects", NULL));
    sd_bus_message_unref(fixture_call(scene->people[OTHER].bus, BUS_ROOT, BUS_OBJECT_MANAGER,
                                      "GetManagedObjects", NULL));
    return TRUE;
}

static void
scene_tear_down(Scene *scene)
{
    (void)close(scene->listener);
    for (guint i = 0; i < PEOPLE; i++)
        person_leave(&scene->people[i]);
    authority_free(scene->authority);
    site_tear_down(&scene->site, NULL);
}

static Opened
open_stream(sd_bus *bus, const char *hub, int listener)
{
    g_autoptr(sd_bus_message) reply =
        fixture_call(bus, BUS_ROOT, BUS_MANAGER, "OpenStream", "sssa{sv}", hub, "gw-1", "echo", 0);
    Opened opened = {0};
    const char *path;
    int fd;

    g_assert_cmpint(sd_bus_message_read(reply, "ho", &fd, &path), >=, 0);
    opened.path = g_strdup(path);
    opened.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    opened.target = accept(listener, NULL, NULL);
    g_assert_cmpint(opened.target, >=, 0);
    return opened;
}

typedef struct {
    sd_bus *bus;
    const char *path;
} Awaited;

static gboolean
has_ended(void *data)
{
    const Awaited *awaited = data;

    return fixture_number(awaited->bus, awaited->path, BUS_STREAM, "ClosedAt", 't') != 0;
}

/* Ends it, and waits for that on BUS, which sees it. */
static void
close_stream(Opened *opened, sd_bus *bus)
{
    (void)close(opened->fd);
    (void)close(opened->target);
    fixture_wait(bus, has_ended, &(Awaited){bus, opened->path});
    g_clear_pointer(&opened->path, g_free);
}

static void
assert_heard(Scene *scene, const char *what, const char *path, const char *names, guint who)
{
    g_autofree char *signal = g_strconcat(what, " ", path, names, NULL);

    for (guint i = 0; i < PEOPLE; i++)
        if (g_hash_table_contains(scene->people[i].heard, signal) != ((who >> i & 1) != 0))
            g_error("\"%s\" is %s by %s", signal, who >> i & 1 ? "not heard" : "heard",
                    people[i].name);
}

#define ENDED " State OpenedAt ClosedAt CloseReason CloseText"

/* Reads what it may see, and tries to read it where it may not. */
static void
read_one(Scene *scene, const char *path, const char *interface)
{
    sd_bus_message_unref(fixture_call(scene->people[READER].bus, path, BUS_PROPERTIES, "Get", "ss",
                                      interface, "OwnerUid"));
    g_free(fixture_fails(scene->people[OTHER].bus, DENIED, path, BUS_PROPERTIES, "Get", "ss",
                         interface, "OwnerUid"));
    g_free(fixture_fails(scene->people[OTHER].bus, DENIED, path, BUS_PROPERTIES, "GetAll", "s",
                         interface));
}

static void
catch_up(Scene *scene)
{
    for (guint i = 0; i < PEOPLE; i++)
        if (scene->people[i].bus != NULL)
            person_catch_up(&scene->people[i]);
}

/* Of the streams of one user each connection hears of those that it opened, and of all once it has
 * asked. Then the opener leaves, and what is sent of its stream has no receiver any more. */
static void
test_streams(void)
{
    Scene scene = {0};
    Opened first, second, third;
    g_autofree char *path = NULL;
    sd_bus *admin;

    if (!scene_set_up(&scene))
        return;
    admin = scene.people[ADMIN].bus;
    first = open_stream(scene.people[OPENER].bus, "work", scene.listener);
    second = open_stream(scene.people[SILENT].bus, "work", scene.listener);
    third = open_stream(scene.people[OPENER].bus, "work", scene.listener);
    path = g_strdup(second.path);
    read_one(&scene, first.path, BUS_STREAM);
    catch_up(&scene);
    assert_heard(&scene, "Added", first.path, "", BIT(LISTER) | BIT(ADMIN));
    assert_heard(&scene, "Changed", first.path, " State OpenedAt", BIT(LISTER) | BIT(ADMIN));
    g_clear_pointer(&path, g_free);
    path = g_strdup(first.path);
    close_stream(&first, admin);
    catch_up(&scene);
    assert_heard(&scene, "Changed", path, ENDED, BIT(OPENER) | ASKED);
    g_clear_pointer(&path, g_free);
    path = g_strdup(second.path);
    close_stream(&second, admin);
    catch_up(&scene);
    assert_heard(&scene, "Changed", path, ENDED, BIT(SILENT) | ASKED);
    scene.people[OPENER].bus = sd_bus_flush_close_unref(scene.people[OPENER].bus);
    g_clear_pointer(&path, g_free);
    path = g_strdup(third.path);
    close_stream(&third, admin);
    catch_up(&scene);
    assert_heard(&scene, "Changed", path, ENDED, ASKED);
    scene_tear_down(&scene);
}

static void
test_tunnels(void)
{
    g_autoptr(sd_bus_message) reply = NULL;
    Scene scene = {0};
    const char *path;

    if (!scene_set_up(&scene))
        return;
    reply = fixture_call(scene.people[OPENER].bus, BUS_ROOT, BUS_MANAGER, "OpenTunnel", "ssssa{sv}",
                         "work", "gw-1", "echo", "", 0);
    g_assert_cmpint(sd_bus_message_read(reply, "os", &path, NULL), >=, 0);
    read_one(&scene, path, BUS_TUNNEL);
    sd_bus_message_unref(fixture_call(scene.people[SILENT].bus, path, BUS_TUNNEL, "Close", NULL));
    catch_up(&scene);
    assert_heard(&scene, "Removed", path, "", BIT(OPENER) | ASKED);
    scene_tear_down(&scene);
}

static int
on_reply(sd_bus_message *reply, void *data, sd_bus_error *error)
{
    *(sd_bus_message **)data = sd_bus_message_ref(reply);
    return 0;
}

static gboolean
has_request(void *bus)
{
    return fixture_number(bus, BUS_ROOT, BUS_MANAGER, "Requests", 'u') == 1;
}

static gboolean
is_replied(void *reply)
{
    return *(sd_bus_message **)reply != NULL;
}

/* Who takes a stream by its request is told of it as one who has opened it. */
static void
test_requests(void)
{
    g_autoptr(sd_bus_message) message = NULL, opened = NULL, taken = NULL;
    g_autofree char *path = NULL;
    Scene scene = {0};
    const char *text;

    if (!scene_set_up(&scene))
        return;
    sd_bus_message_unref(fixture_call(scene.people[SILENT].bus, BUS_ROOT, BUS_MANAGER,
                                      "RegisterAgent", "oa{sv}", "/agent", 0));
    sd_bus_message_unref(fixture_call(scene.site.gateway_bus, BUS_ROOT, BUS_POLICY, "Add", "a{sv}",
                                      2, "stream", "s", "ask", "verdict", "s", "ask"));
    message = fixture_message(scene.site.bus, BUS_ROOT, BUS_MANAGER, "OpenStream");
    g_assert_cmpint(sd_bus_message_append(message, "sssa{sv}", "", "gw-1", "ask", 0), >=, 0);
    g_assert_cmpint(sd_bus_call_async(scene.site.bus, NULL, message, on_reply, &opened, 0), >=, 0);
    g_assert_cmpint(sd_bus_flush(scene.site.bus), >=, 0);
    fixture_wait(scene.people[ADMIN].bus, has_request, scene.people[ADMIN].bus);
    taken = fixture_call(scene.people[OPENER].bus, BUS_PATH_REQUEST "/1", BUS_REQUEST, "Accept",
                         "a{sv}", 0);
    g_assert_cmpint(sd_bus_message_read(taken, "ho", NULL, &text), >=, 0);
    path = g_strdup(text);
    fixture_wait(scene.site.bus, is_replied, &opened);
    taken = sd_bus_message_unref(taken); /* and with it the descriptor */
    fixture_wait(scene.people[ADMIN].bus, has_ended, &(Awaited){scene.people[ADMIN].bus, path});
    catch_up(&scene);
    assert_heard(&scene, "Changed", path, ENDED,
                 BIT(OPENER) | BIT(SILENT) | BIT(LISTER) | BIT(ADMIN));
    assert_heard(&scene, "Added", BUS_PATH_REQUEST "/1", "", BIT(SILENT) | BIT(ADMIN));
    assert_heard(&scene, "Removed", BUS_PATH_REQUEST "/1", "", BIT(SILENT) | BIT(ADMIN));
    scene_tear_down(&scene);
}

static int
on_requested(sd_bus_message *call, void *data, sd_bus_error *error)
{
    return sd_bus_reply_method_return(call, "bs", 1, "");
}

/* The descriptor is the message's, and so the stream ends at once. */
static int
on_given(sd_bus_message *call, void *data, sd_bus_error *error)
{
    const char *path;

    g_assert_cmpint(sd_bus_message_read(call, "o", &path), >=, 0);
    *(char **)data = g_strdup(path);
    return sd_bus_reply_method_return(call, NULL);
}

static const sd_bus_vtable handler[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("HandleRequest", "oa{sv}", "bs", on_requested, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("NewStream", "oha{sv}", "", on_given, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Release", "", "", NULL, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static gboolean
is_given(void *path)
{
    return *(char **)path != NULL;
}

/* And so is the handler to which a stream is given. */
static void
test_handlers(void)
{
    g_autoptr(sd_bus_message) message = NULL, opened = NULL;
    g_autofree char *path = NULL;
    Scene scene = {0};
    sd_bus *bus;

    if (!scene_set_up(&scene))
        return;
    bus = scene.people[OPENER].bus;
    g_assert_cmpint(sd_bus_add_object_vtable(bus, NULL, "/handler", BUS_HANDLER, handler, &path),
                    >=, 0);
    sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_MANAGER, "RegisterHandler", "oa{sv}",
                                      "/handler", 1, "name", "s", "taker"));
    sd_bus_message_unref(fixture_call(
        scene.site.gateway_bus, BUS_ROOT, BUS_POLICY, "Add", "a{sv}", 4, "stream", "s", "given",
        "verdict", "s", "accept", "handler", "s", "taker", "handler-uid", "u", people[OPENER].uid));
    message = fixture_message(scene.site.bus, BUS_ROOT, BUS_MANAGER, "OpenStream");
    g_assert_cmpint(sd_bus_message_append(message, "sssa{sv}", "", "gw-1", "given", 0), >=, 0);
    g_assert_cmpint(sd_bus_call_async(scene.site.bus, NULL, message, on_reply, &opened, 0), >=, 0);
    g_assert_cmpint(sd_bus_flush(scene.site.bus), >=, 0);
    fixture_wait(bus, is_given, &path);
    fixture_wait(scene.people[ADMIN].bus, has_ended, &(Awaited){scene.people[ADMIN].bus, path});
    catch_up(&scene);
    assert_heard(&scene, "Changed", path, ENDED, BIT(OPENER) | BIT(LISTER) | BIT(ADMIN));
    fixture_wait(scene.site.bus, is_replied, &opened);
    scene_tear_down(&scene);
}

/* A user's own streamd: whoever has a match hears of everything, without a call. */
static void
test_own_bus(void)
{
    Person person = {0};
    Opened opened;
    Site site;
    g_autofree char *path = NULL, *added = NULL, *open = NULL, *ended = NULL;
    int listener;

    site_set_up(&site, NULL);
    listener = site_expose(&site, "echo");
    person_arrive(&person, &site.client, getuid());
    opened = open_stream(site.bus, "", listener);
    path = g_strdup(opened.path);
    close_stream(&opened, site.bus);
    person_catch_up(&person);
    added = g_strconcat("Added ", path, NULL);
    open = g_strconcat("Changed ", path, " State OpenedAt", NULL);
    ended = g_strconcat("Changed ", path, ENDED, NULL);
    g_assert_true(g_hash_table_contains(person.heard, added));
    g_assert_true(g_hash_table_contains(person.heard, open));
    g_assert_true(g_hash_table_contains(person.heard, ended));
    person_leave(&person);
    (void)close(listener);
    site_tear_down(&site, NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/heard/streams", test_streams);
    g_test_add_func("/heard/tunnels", test_tunnels);
    g_test_add_func("/heard/requests", test_requests);
    g_test_add_func("/heard/handlers", test_handlers);
    g_test_add_func("/heard/own-bus", test_own_bus);
    return g_test_run();
}
