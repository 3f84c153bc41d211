/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hubs, targets, rules and tunnels as clients see them, and the secrets that they never see. */
#include "tests/bus/bus-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* base64 of "canarycanarycanary": found anywhere, it is a leak. */
#define CANARY "Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5"
#define SERVICE "HostName=localhost:9;SharedAccessKeyName=service;SharedAccessKey=" CANARY
#define DEVICE "HostName=localhost:9;DeviceId=dev1;SharedAccessKey=" CANARY

/* What one connection heard: "added PATH", "removed PATH", "changed PATH NAME...". */
typedef struct {
    GString *text;
    const char *wanted;
} Heard;

static int
on_signal(sd_bus_message *message, void *data, sd_bus_error *error)
{
    const char *member = sd_bus_message_get_member(message), *path = NULL, *name;
    Heard *heard = data;

    if (strcmp(member, "InterfacesAdded") == 0 && sd_bus_message_read(message, "o", &path) >= 0)
        g_string_append_printf(heard->text, "added %s\n", path);
    if (strcmp(member, "InterfacesRemoved") == 0 && sd_bus_message_read(message, "o", &path) >= 0)
        g_string_append_printf(heard->text, "removed %s\n", path);
    if (strcmp(member, "PropertiesChanged") != 0)
        return 0;
    g_string_append_printf(heard->text, "changed %s", sd_bus_message_get_path(message));
    g_assert_cmpint(sd_bus_message_skip(message, "s"), >=, 0);
    g_assert_cmpint(sd_bus_message_enter_container(message, 'a', "{sv}"), >=, 0);
    while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
        g_assert_cmpint(sd_bus_message_read(message, "s", &name), >=, 0);
        g_string_append_printf(heard->text, " %s", name);
        g_assert_cmpint(sd_bus_message_skip(message, "v"), >=, 0);
        g_assert_cmpint(sd_bus_message_exit_container(message), >=, 0);
    }
    g_string_append_c(heard->text, '\n');
    return 0;
}

static gboolean
has_heard(void *data)
{
    const Heard *heard = data;

    return strstr(heard->text->str, heard->wanted) != NULL;
}

static void
wait_heard(sd_bus *bus, Heard *heard, const char *wanted)
{
    heard->wanted = wanted;
    fixture_wait(bus, has_heard, heard);
}

static void
listen_to_all(sd_bus *bus, Heard *heard)
{
    heard->text = g_string_new(NULL);
    g_assert_cmpint(
        sd_bus_add_match(bus, NULL, "type='signal',sender='" BUS_NAME "'", on_signal, heard), >=,
        0);
    sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_MANAGER, "Watch", "a{sv}", 0));
}

static void
test_targets(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autoptr(sd_bus_message) added = NULL, removed = NULL;
    g_autofree char *address = NULL, *exists = NULL, *invalid = NULL;
    Heard heard;

    listen_to_all(bus, &heard);
    added = fixture_call(bus, BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", "web.ui",
                         "tcp:127.0.0.1:80", 0);
    wait_heard(bus, &heard, "added " BUS_PATH_TARGET "/web_2eui\n");
    address = fixture_property(bus, BUS_PATH_TARGET "/web_2eui", BUS_TARGET, "Address");
    g_assert_cmpstr(address, ==, "tcp:127.0.0.1:80");
    g_assert_cmpuint(fixture_number(bus, BUS_ROOT, BUS_MANAGER, "Targets", 'u'), ==, 1);
    exists = fixture_fails(bus, "Exists", BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}",
                           "web.ui", "tcp:127.0.0.1:81", 0);
    invalid = fixture_fails(bus, "Invalid", BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", "b",
                            "ftp:nowhere", 0);
    removed = fixture_call(bus, BUS_PATH_TARGET "/web_2eui", BUS_TARGET, "Remove", NULL);
    wait_heard(bus, &heard, "removed " BUS_PATH_TARGET "/web_2eui\n");
    g_assert_false(fixture_has_object(bus, BUS_PATH_TARGET "/web_2eui"));
    g_string_free(heard.text, TRUE);
}

static guint64
add_rule(sd_bus *bus, const char *stream, const char *target, int position)
{
    g_autoptr(sd_bus_message) reply = NULL;
    guint64 id;

    reply = position < 0 ? fixture_call(bus, BUS_ROOT, BUS_POLICY, "Add", "a{sv}", 3, "stream", "s",
                                        stream, "verdict", "s", "accept", "target", "s", target)
                         : fixture_call(bus, BUS_ROOT, BUS_POLICY, "Add", "a{sv}", 4, "stream", "s",
                                        stream, "verdict", "s", "accept", "target", "s", target,
                                        "position", "u", (guint32)position);
    g_assert_cmpint(sd_bus_message_read(reply, "t", &id), >=, 0);
    return id;
}

static void
add_target(sd_bus *bus, const char *name)
{
    g_autoptr(sd_bus_message) reply G_GNUC_UNUSED = fixture_call(
        bus, BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", name, "tcp:127.0.0.1:9", 0);
}

static guint64
deciding_rule(sd_bus *bus, const char *stream, const char *verdict)
{
    g_autoptr(sd_bus_message) reply =
        fixture_call(bus, BUS_ROOT, BUS_POLICY, "Test", "sa{sv}", stream, 0);
    const char *found;
    guint64 rule;

    g_assert_cmpint(sd_bus_message_read(reply, "st", &found, &rule), >=, 0);
    g_assert_cmpstr(found, ==, verdict);
    return rule;
}

static void
test_policy(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autoptr(sd_bus_message) moved = NULL, set = NULL, removed = NULL;
    g_autofree char *missing = NULL, *reason = NULL;
    guint64 revision = fixture_number(bus, BUS_ROOT, BUS_POLICY, "Revision", 't');
    guint64 all, ssh;
    Heard heard;

    add_target(bus, "any");
    add_target(bus, "ssh");
    listen_to_all(bus, &heard);
    g_assert_cmpuint(deciding_rule(bus, "ssh", "reject"), ==, 0);
    all = add_rule(bus, "*", "any", -1);
    ssh = add_rule(bus, "ssh", "ssh", -1);
    g_assert_cmpuint(deciding_rule(bus, "ssh", "accept"), ==, all);
    moved = fixture_call(bus, BUS_ROOT, BUS_POLICY, "Move", "tu", ssh, 0);
    g_assert_cmpuint(deciding_rule(bus, "ssh", "accept"), ==, ssh);
    g_assert_cmpuint(deciding_rule(bus, "web", "accept"), ==, all);
    removed = fixture_call(bus, BUS_ROOT, BUS_POLICY, "Remove", "t", all);
    g_assert_cmpuint(deciding_rule(bus, "web", "reject"), ==, 0);
    missing = fixture_fails(bus, "NotFound", BUS_ROOT, BUS_POLICY, "Remove", "t", all);
    set = fixture_call(bus, BUS_ROOT, BUS_POLICY, "SetDefault", "sa{sv}", "reject", 1, "reason",
                       "s", "ask me first");
    reason = fixture_property(bus, BUS_ROOT, BUS_POLICY, "DefaultReason");
    g_assert_cmpstr(reason, ==, "ask me first");
    g_assert_cmpuint(fixture_number(bus, BUS_ROOT, BUS_POLICY, "Revision", 't'), ==, revision + 5);
    wait_heard(bus, &heard, "changed " BUS_ROOT " DefaultVerdict DefaultReason Revision\n");
    g_string_free(heard.text, TRUE);
}

/* 64-bit ids and positions that no rule has are not found, and do not wrap around. */
static void
test_policy_numbers(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    guint64 id = add_rule(bus, "*", "any", 5000000);
    g_autofree char *wrapped G_GNUC_UNUSED = fixture_fails(
        bus, "NotFound", BUS_ROOT, BUS_POLICY, "Remove", "t", id + (G_GUINT64_CONSTANT(1) << 32));
    g_autofree char *zero G_GNUC_UNUSED =
        fixture_fails(bus, "NotFound", BUS_ROOT, BUS_POLICY, "Move", "tu", (guint64)0, 0);

    /* The rule decides, but there is no target. */
    g_assert_cmpuint(deciding_rule(bus, "x", "reject"), ==, id);
    add_target(bus, "any");
    g_assert_cmpuint(deciding_rule(bus, "x", "accept"), ==, id);
}

static void
test_hubs(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autoptr(sd_bus_message) connect = NULL, disconnect = NULL, removed = NULL;
    g_autofree char *service = NULL, *device = NULL, *role = NULL, *identity = NULL, *host = NULL;
    Heard heard;

    listen_to_all(bus, &heard);
    service = fixture_add_hub(bus, "work", SERVICE, TRUE);
    device = fixture_add_hub(bus, "home", DEVICE, TRUE);
    g_assert_cmpstr(service, ==, BUS_PATH_HUB "/work");
    wait_heard(bus, &heard, "added " BUS_PATH_HUB "/work\n");
    role = fixture_property(bus, service, BUS_HUB, "Role");
    g_assert_cmpstr(role, ==, "service");
    identity = fixture_property(bus, device, BUS_HUB, "Identity");
    g_assert_cmpstr(identity, ==, "dev1");
    host = fixture_property(bus, device, BUS_HUB, "HostName");
    g_assert_cmpstr(host, ==, "localhost:9");
    connect = fixture_call(bus, device, BUS_HUB, "Connect", NULL);
    wait_heard(bus, &heard,
               "changed " BUS_PATH_HUB
               "/home CertificateExpires CertificateError State Since LastError\n");
    disconnect = fixture_call(bus, device, BUS_HUB, "Disconnect", NULL);
    removed = fixture_call(bus, device, BUS_HUB, "Remove", NULL);
    wait_heard(bus, &heard, "removed " BUS_PATH_HUB "/home\n");
    g_assert_cmpuint(fixture_number(bus, BUS_ROOT, BUS_MANAGER, "Hubs", 'u'), ==, 1);
    g_string_free(heard.text, TRUE);
}

static char *
add_hub_fails(sd_bus *bus, const char *name, const char *error, int fd)
{
    char *text = fixture_fails(bus, error, BUS_ROOT, BUS_MANAGER, "AddHub", "sha{sv}", name, fd, 0);

    (void)close(fd);
    return text;
}

/* Every wrong connection string with the key in it, and no error says the key. */
static void
test_secrets_are_not_echoed(Fixture *fixture, gconstpointer data)
{
    const char *wrong[] = {
        CANARY,
        "SharedAccessKey=" CANARY,
        "HostName=localhost;SharedAccessKey=" CANARY,
        "HostName=localhost;DeviceId=a/b;SharedAccessKey=" CANARY,
        "HostName=localhost;DeviceId=dev1;SharedAccessKey=" CANARY "!",
        "HostName=localhost;DeviceId=dev1;" CANARY "=x;SharedAccessKey=" CANARY,
        "HostName=localhost;DeviceId=dev1;SharedAccessKey=" CANARY ";SharedAccessKey=" CANARY,
        SERVICE ";DeviceId=dev1",
    };
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *log = NULL, *good = NULL, *twice = NULL;
    guint before;

    good = fixture_add_hub(bus, "x", SERVICE, TRUE);
    before = fixture_count_fds(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *text = add_hub_fails(bus, "y", "Invalid", fixture_memfd(wrong[i]));

        if (strstr(text, CANARY) != NULL)
            g_error("the key is in: %s", text);
    }
    twice = add_hub_fails(bus, "x", "Exists", fixture_memfd(SERVICE));
    g_assert_null(strstr(twice, CANARY));
    fixture_assert_fds(fixture, before);
    log = fixture_read_log(fixture);
    g_assert_null(strstr(log, CANARY));
}

typedef struct {
    sd_bus *monitor;
    guint messages;
    guint calls; /* of AddHub */
} Overheard;

/* Everything on the bus, as a monitor prints it. */
static int
on_overheard(sd_bus_message *message, void *data, sd_bus_error *error)
{
    Overheard *overheard = data;
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);

    g_assert_cmpint(sd_bus_message_dump(message, file, SD_BUS_MESSAGE_DUMP_WITH_HEADER), >=, 0);
    (void)fclose(file);
    if (strstr(text, CANARY) != NULL)
        g_error("the key is on the bus: %s", text);
    overheard->messages++;
    if (sd_bus_message_is_method_call(message, BUS_MANAGER, "AddHub") > 0)
        overheard->calls++;
    free(text);
    return 1;
}

static gboolean
has_overheard(void *data)
{
    const Overheard *overheard = data;

    return overheard->calls == 2;
}

/* Whoever listens to the whole bus does not see the key, whether it is taken or refused. */
static void
test_secrets_are_not_on_the_bus(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autoptr(sd_bus) monitor = NULL;
    g_autofree char *hub G_GNUC_UNUSED = NULL, *refused G_GNUC_UNUSED = NULL;
    g_autoptr(sd_bus_message) all G_GNUC_UNUSED = NULL;
    Overheard overheard = {0};

    g_assert_cmpint(sd_bus_new(&monitor), >=, 0);
    g_assert_cmpint(sd_bus_set_address(monitor, fixture->address), >=, 0);
    g_assert_cmpint(sd_bus_set_bus_client(monitor, 1), >=, 0);
    g_assert_cmpint(sd_bus_set_monitor(monitor, 1), >=, 0);
    g_assert_cmpint(sd_bus_start(monitor), >=, 0);
    {
        g_autoptr(sd_bus_message) reply = NULL;

        g_assert_cmpint(sd_bus_call_method(monitor, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                           "org.freedesktop.DBus.Monitoring", "BecomeMonitor", NULL,
                                           &reply, "asu", 0, 0),
                        >=, 0);
    }
    g_assert_cmpint(sd_bus_add_filter(monitor, NULL, on_overheard, &overheard), >=, 0);
    hub = fixture_add_hub(bus, "work", SERVICE, TRUE);
    refused = add_hub_fails(bus, "work", "Exists", fixture_memfd(SERVICE));
    all = fixture_call(bus, BUS_ROOT, BUS_OBJECT_MANAGER, "GetManagedObjects", NULL);
    fixture_wait(monitor, has_overheard, &overheard);
    g_assert_cmpuint(overheard.messages, >, 4);
}

static void
test_credentials_descriptors(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *long_text = g_strnfill(5000, 'x');
    g_autofree char *state = g_build_filename(fixture->dir, "bus.conf", NULL);
    g_autofree char *device = NULL, *folder = NULL, *file = NULL, *empty = NULL, *too_long = NULL;
    guint before = fixture_count_fds(fixture);
    int pair[2];

    device = add_hub_fails(bus, "x", "Invalid", open("/dev/zero", O_RDONLY | O_CLOEXEC));
    folder = add_hub_fails(bus, "x", "Invalid", open("/", O_RDONLY | O_CLOEXEC | O_DIRECTORY));
    if (!g_str_has_prefix(g_get_tmp_dir(), "/dev/shm"))
        file = add_hub_fails(bus, "x", "Invalid", open(state, O_RDONLY | O_CLOEXEC));
    empty = add_hub_fails(bus, "x", "Invalid", fixture_memfd(""));
    too_long = add_hub_fails(bus, "x", "Invalid", fixture_memfd(long_text));
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
    g_assert_cmpint(write(pair[1], SERVICE "\n", strlen(SERVICE "\n")), >, 0);
    (void)close(pair[1]);
    g_clear_pointer(&device, g_free);
    {
        g_autoptr(sd_bus_message) added G_GNUC_UNUSED =
            fixture_call(bus, BUS_ROOT, BUS_MANAGER, "AddHub", "sha{sv}", "by-socket", pair[0], 0);
    }
    (void)close(pair[0]);
    g_assert_true(fixture_has_object(bus, BUS_PATH_HUB "/by_2dsocket"));
    fixture_assert_fds(fixture, before);
}

/* The writer never ends, and the caller goes: nothing of it stays. */
static void
test_caller_of_add_hub_vanishes(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    guint before = fixture_count_fds(fixture);
    sd_bus *other = fixture_connect(fixture);
    sd_bus_message *message = fixture_message(other, BUS_ROOT, BUS_MANAGER, "AddHub");
    g_autoptr(sd_bus_message) ping = NULL;
    int fds[2];

    g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
    g_assert_cmpint(sd_bus_message_append(message, "sha{sv}", "x", fds[0], 0), >=, 0);
    g_assert_cmpint(sd_bus_send(other, message, NULL), >=, 0);
    g_assert_cmpint(sd_bus_flush(other), >=, 0);
    sd_bus_message_unref(message);
    ping = fixture_call(other, BUS_ROOT, BUS_PEER, "Ping", NULL); /* AddHub is under way now */
    g_assert_cmpuint(fixture_count_fds(fixture), >, before);
    sd_bus_flush_close_unref(other);
    fixture_assert_fds(fixture, before);
    g_assert_false(fixture_has_object(bus, BUS_PATH_HUB "/x"));
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static char *
open_tunnel(sd_bus *bus, gboolean persistent, guint16 *ret_port)
{
    g_autoptr(sd_bus_message) reply =
        fixture_call(bus, BUS_ROOT, BUS_MANAGER, "OpenTunnel", "ssssa{sv}", "", "dev1", "ssh", "",
                     1, "persistent", "b", persistent);
    const char *path, *address;

    g_assert_cmpint(sd_bus_message_read(reply, "os", &path, &address), >=, 0);
    g_assert_true(g_str_has_prefix(address, "tcp:127.0.0.1:"));
    *ret_port = (guint16)atoi(strrchr(address, ':') + 1);
    return g_strdup(path);
}

static gboolean
can_connect(guint16 port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int r = connect(fd, (struct sockaddr *)&address, sizeof(address));

    (void)close(fd);
    return r == 0;
}

static gboolean
is_refused(void *data)
{
    return !can_connect(*(guint16 *)data);
}

static void
test_tunnel_ends_with_its_caller(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    sd_bus *owner = fixture_connect(fixture);
    g_autofree char *hub G_GNUC_UNUSED = fixture_add_hub(bus, "work", SERVICE, TRUE);
    g_autofree char *path = NULL, *kept = NULL, *gone = NULL, *stays = NULL;
    guint16 port, kept_port;
    Heard heard;

    listen_to_all(bus, &heard);
    path = open_tunnel(owner, FALSE, &port);
    kept = open_tunnel(owner, TRUE, &kept_port);
    g_assert_true(can_connect(port));
    sd_bus_flush_close_unref(owner);
    gone = g_strdup_printf("removed %s\n", path);
    wait_heard(bus, &heard, gone);
    fixture_wait(bus, is_refused, &port);
    g_assert_true(can_connect(kept_port));
    g_assert_true(fixture_has_object(bus, kept));
    stays = g_strdup_printf("removed %s\n", kept);
    g_assert_null(strstr(heard.text->str, stays));
    g_string_free(heard.text, TRUE);
}

static void
test_tunnel_is_closed(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *hub G_GNUC_UNUSED = fixture_add_hub(bus, "work", SERVICE, TRUE);
    g_autofree char *again = NULL, *taken = NULL, *bad = NULL;
    g_autoptr(sd_bus_message) closed = NULL;
    g_autofree char *path = NULL, *listen = NULL;
    guint before = fixture_count_fds(fixture);
    guint16 port;

    path = open_tunnel(bus, FALSE, &port);
    listen = g_strdup_printf("tcp:127.0.0.1:%u", port);
    taken = fixture_fails(bus, "Exists", BUS_ROOT, BUS_MANAGER, "OpenTunnel", "ssssa{sv}", "",
                          "dev1", "ssh", listen, 0);
    bad = fixture_fails(bus, "Invalid", BUS_ROOT, BUS_MANAGER, "OpenTunnel", "ssssa{sv}", "",
                        "dev1", "ssh", "udp:127.0.0.1:1", 0);
    closed = fixture_call(bus, path, BUS_TUNNEL, "Close", NULL);
    again = fixture_fails(bus, "org.freedesktop.DBus.Error.UnknownObject", path, BUS_TUNNEL,
                          "Close", NULL);
    fixture_assert_fds(fixture, before);
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/objects/targets", test_targets);
    ADD("/objects/policy", test_policy);
    ADD("/objects/policy-numbers", test_policy_numbers);
    ADD("/objects/hubs", test_hubs);
    ADD("/objects/secrets", test_secrets_are_not_echoed);
    ADD("/objects/monitored", test_secrets_are_not_on_the_bus);
    ADD("/objects/credentials", test_credentials_descriptors);
    ADD("/objects/add-hub-vanishes", test_caller_of_add_hub_vanishes);
    ADD("/objects/tunnel-lease", test_tunnel_ends_with_its_caller);
    ADD("/objects/tunnel-close", test_tunnel_is_closed);
    return g_test_run();
}
