/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may call what, wrong arguments, and descriptors that come with them. */
#include "tests/bus/bus-fixture.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INVALID_ARGS "org.freedesktop.DBus.Error.InvalidArgs"

static const struct {
    const char *path;
    const char *interface;
    const char *member;
    const char *types;
} methods[] = {
    {BUS_ROOT, BUS_MANAGER, "AddHub", "sha{sv}"},
    {BUS_ROOT, BUS_MANAGER, "OpenStream", "sssa{sv}"},
    {BUS_ROOT, BUS_MANAGER, "OpenTunnel", "ssssa{sv}"},
    {BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}"},
    {BUS_ROOT, BUS_MANAGER, "Watch", "a{sv}"},
    {BUS_ROOT, BUS_MANAGER, "GetMetrics", ""},
    {BUS_ROOT, BUS_POLICY, "List", ""},
    {BUS_ROOT, BUS_POLICY, "Add", "a{sv}"},
    {BUS_ROOT, BUS_POLICY, "Remove", "t"},
    {BUS_ROOT, BUS_POLICY, "Move", "tu"},
    {BUS_ROOT, BUS_POLICY, "SetDefault", "sa{sv}"},
    {BUS_ROOT, BUS_POLICY, "Test", "sa{sv}"},
    {BUS_ROOT, BUS_OBJECT_MANAGER, "GetManagedObjects", ""},
    {BUS_PATH_HUB "/x", BUS_HUB, "Connect", ""},
    {BUS_PATH_HUB "/x", BUS_HUB, "Disconnect", ""},
    {BUS_PATH_HUB "/x", BUS_HUB, "Diagnose", "a{sv}"},
    {BUS_PATH_HUB "/x", BUS_HUB, "Update", "a{sv}"},
    {BUS_PATH_HUB "/x", BUS_HUB, "Remove", ""},
    {BUS_PATH_TARGET "/x", BUS_TARGET, "Remove", ""},
};

static void
add_objects(sd_bus *bus)
{
    g_autoptr(sd_bus_message) target G_GNUC_UNUSED = fixture_call(
        bus, BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", "x", "tcp:127.0.0.1:9", 0);
    g_autofree char *hub G_GNUC_UNUSED = fixture_add_hub(
        bus, "x", "HostName=localhost:9;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0",
        TRUE);
}

#define UNKNOWN "org.freedesktop.DBus.Error.Unknown"

/* What is called by a wrong name, and what streamd says that it has instead. Every kind of object
 * has a row for its interface, one of its methods, and one of its properties. */
static const struct {
    const char *error; /* after UNKNOWN */
    const char *path, *interface, *member;
    const char *of, *property; /* arguments of Get; OF alone of GetAll */
    const char *says;
} misspelt[] = {
    {"Method", BUS_ROOT, BUS_MANAGER, "OpenStraem", NULL, NULL, "did you mean OpenStream?"},
    {"Method", BUS_ROOT, BUS_MANAGER, "Shutdown", NULL, NULL, "has no method Shutdown"},
    {"Method", BUS_ROOT, NULL, "List", NULL, NULL, "did you mean " BUS_POLICY "?"},
    {"Method", BUS_ROOT, NULL, "Shutdown", NULL, NULL, "names no interface"},
    {"Method", BUS_ROOT, BUS_POLICY, "list", NULL, NULL, "did you mean List?"},
    {"Method", BUS_ROOT, BUS_OBJECT_MANAGER, "GetManagedObject", NULL, NULL, "GetManagedObjects?"},
    {"Method", BUS_ROOT, BUS_PROPERTIES, "get", NULL, NULL, "did you mean Get?"},
    {"Method", BUS_PATH_HUB "/x", BUS_HUB, "Conect", NULL, NULL, "did you mean Connect?"},
    {"Method", BUS_PATH_TARGET "/x", BUS_TARGET, "Removed", NULL, NULL, "did you mean Remove?"},
    {"Method", BUS_PATH_STREAM "/1", BUS_STREAM, "Closed", NULL, NULL, "did you mean Close?"},
    {"Method", BUS_PATH_TUNNEL "/1", BUS_TUNNEL, "close", NULL, NULL, "did you mean Close?"},
    {"Method", BUS_PATH_REQUEST "/1", BUS_REQUEST, "Acept", NULL, NULL, "did you mean Accept?"},
    {"Method", BUS_PATH_LOG, BUS_LOG, "SetLevel", NULL, NULL, "has no method"},
    {"Interface", BUS_ROOT, "io.streamd.Streamd1.Manger", "AddHub", NULL, NULL, BUS_MANAGER "?"},
    {"Interface", BUS_ROOT, "com.example.Other", "AddHub", NULL, NULL, "no interface com.example"},
    {"Interface", BUS_ROOT, BUS_HUB, "Connect", NULL, NULL, "it is at " BUS_PATH_HUB "/NAME"},
    {"Interface", BUS_PATH_HUB "/x", BUS_MANAGER, "AddHub", NULL, NULL, "it is at " BUS_ROOT},
    {"Interface", BUS_PATH_STREAM "/1", BUS_TUNNEL, "Close", NULL, NULL, BUS_PATH_TUNNEL "/NAME"},
    {"Interface", BUS_PATH_LOG, BUS_HUB, "Connect", NULL, NULL, "it is at " BUS_PATH_HUB "/NAME"},
    {"Interface", BUS_PATH_HUB, BUS_HUB, "Connect", NULL, NULL, "it is at " BUS_PATH_HUB "/NAME"},
    {"Interface", BUS_ROOT, BUS_PROPERTIES, "GetAll", BUS_HUB, NULL, "it is at " BUS_PATH_HUB},
    {"Interface", BUS_PATH_HUB "/x", BUS_PROPERTIES, "GetAll", BUS_HUB "s", NULL, BUS_HUB "?"},
    {"Interface", BUS_PATH_STREAM "/1", BUS_PROPERTIES, "Get", BUS_HUB, "Id", "it is at"},
    {"Property", BUS_ROOT, BUS_PROPERTIES, "Get", BUS_MANAGER, "Versoin", "did you mean Version?"},
    {"Property", BUS_ROOT, BUS_PROPERTIES, "Get", BUS_POLICY, "revision", "did you mean Revision?"},
    {"Property", BUS_ROOT, BUS_PROPERTIES, "Get", BUS_PEER, "Id", "has no property Id"},
    {"Property", BUS_PATH_HUB "/x", BUS_PROPERTIES, "Get", BUS_HUB, "Sate", "did you mean State?"},
    {"Property", BUS_PATH_TARGET "/x", BUS_PROPERTIES, "Get", BUS_TARGET, "Adress", "Address?"},
    {"Property", BUS_PATH_STREAM "/1", BUS_PROPERTIES, "Get", BUS_STREAM, "state", "State?"},
    {"Property", BUS_PATH_TUNNEL "/1", BUS_PROPERTIES, "Get", BUS_TUNNEL, "Error", "no property"},
    {"Property", BUS_PATH_REQUEST "/1", BUS_PROPERTIES, "Get", BUS_REQUEST, "Devicd", "DeviceId?"},
    {"Property", BUS_PATH_LOG, BUS_PROPERTIES, "Get", BUS_LOG, "Level", "property Level"},
    {"Interface", "/", BUS_MANAGER, "AddHub", NULL, NULL, "it is at " BUS_ROOT},
    {"Object", "/nowhere", BUS_MANAGER, "AddHub", NULL, NULL, "did you mean " BUS_ROOT "?"},
    {"Object", "/nowhere", BUS_PROPERTIES, "GetAll", BUS_MANAGER, NULL, "/nowhere"},
    {"Object", BUS_ROOT "/hubs/x", BUS_HUB, "Connect", NULL, NULL, BUS_PATH_HUB "/x?"},
    {"Object", BUS_ROOT "/streams/7", BUS_PROPERTIES, "GetAll", BUS_STREAM, NULL, "stream/7?"},
    {"Object", BUS_PATH_HUB "/nope", BUS_PROPERTIES, "GetAll", BUS_HUB, NULL, "hub/nope"},
    {"Object", BUS_PATH_STREAM "/77", BUS_PROPERTIES, "Get", BUS_STREAM, "State", "stream/77"},
};

static void
assert_unknown(sd_bus *bus, guint i)
{
    g_autoptr(sd_bus_message) message =
        fixture_message(bus, misspelt[i].path, misspelt[i].interface, misspelt[i].member);
    g_autofree char *name = g_strconcat(UNKNOWN, misspelt[i].error, NULL), *text = NULL;

    if (misspelt[i].of != NULL)
        g_assert_cmpint(sd_bus_message_append(message, "s", misspelt[i].of), >=, 0);
    if (misspelt[i].property != NULL)
        g_assert_cmpint(sd_bus_message_append(message, "s", misspelt[i].property), >=, 0);
    text = fixture_call_fails(bus, message, name);
    if (strstr(text, misspelt[i].says) == NULL)
        g_error("row %u: \"%s\" does not say \"%s\"", i, text, misspelt[i].says);
}

static void
test_unmapped_is_unknown(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);

    add_objects(bus);
    for (guint i = 0; i < G_N_ELEMENTS(misspelt); i++)
        assert_unknown(bus, i);
    /* A name alone, of whatever length and shape, is not the end of anything. */
    g_free(fixture_fails(bus, UNKNOWN "Property", BUS_ROOT, BUS_PROPERTIES, "Get", "ss",
                         BUS_MANAGER, ""));
    sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_PROPERTIES, "GetAll", "s", ""));
}

static void
test_unknown_objects(Fixture *fixture, gconstpointer data)
{
    static const char unknown[] = "org.freedesktop.DBus.Error.UnknownObject";
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *hub G_GNUC_UNUSED =
        fixture_fails(bus, unknown, BUS_PATH_HUB "/nope", BUS_HUB, "Remove", NULL);
    g_autofree char *stream G_GNUC_UNUSED =
        fixture_fails(bus, unknown, BUS_PATH_STREAM "/12345", BUS_STREAM, "Close", NULL);
    g_autofree char *odd G_GNUC_UNUSED =
        fixture_fails(bus, unknown, BUS_PATH_TUNNEL "/nonsense", BUS_TUNNEL, "Close", NULL);
    g_autofree char *deep G_GNUC_UNUSED =
        fixture_fails(bus, unknown, BUS_PATH_HUB "/a/b", BUS_HUB, "Connect", NULL);
}

/* Every method is mapped, and takes its own arguments only. */
static void
test_wrong_signatures(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);

    add_objects(bus);
    for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
        g_autoptr(sd_bus_message) message =
            fixture_message(bus, methods[i].path, methods[i].interface, methods[i].member);
        g_autofree char *text = NULL;

        g_assert_cmpint(sd_bus_message_append(message, "(ii)d", 1, 2, 3.0), >=, 0);
        text = fixture_call_fails(bus, message, INVALID_ARGS);
    }
    g_assert_true(fixture_has_object(bus, BUS_PATH_HUB "/x"));
    g_assert_true(fixture_has_object(bus, BUS_PATH_TARGET "/x"));
}

/* Sixteen descriptors in every wrong call: none of them stays. */
static void
test_descriptors_do_not_stay(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    guint before;

    add_objects(bus);
    before = fixture_count_fds(fixture);
    for (guint round = 0; round < 20; round++)
        for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
            g_autoptr(sd_bus_message) message =
                fixture_message(bus, methods[i].path, methods[i].interface, methods[i].member);
            g_autoptr(sd_bus_message) reply = NULL;

            for (guint n = 0; n < 16; n++)
                g_assert_cmpint(sd_bus_message_append(message, "h", fd), >=, 0);
            g_assert_cmpint(sd_bus_call(bus, message, 0, NULL, &reply), <, 0);
        }
    fixture_assert_fds(fixture, before);
    (void)close(fd);
}

static void
test_options_are_strict(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *unknown =
        fixture_fails(bus, "Invalid", BUS_ROOT, BUS_MANAGER, "OpenTunnel", "ssssa{sv}", "", "d",
                      "s", "", 1, "persistant", "b", 1);
    g_autofree char *type =
        fixture_fails(bus, "Invalid", BUS_ROOT, BUS_MANAGER, "OpenTunnel", "ssssa{sv}", "", "d",
                      "s", "", 1, "persistent", "s", "yes");
    g_autofree char *twice =
        fixture_fails(bus, "Invalid", BUS_ROOT, BUS_MANAGER, "OpenTunnel", "ssssa{sv}", "", "d",
                      "s", "", 2, "persistent", "b", 1, "persistent", "b", 0);
    g_autofree char *wait =
        fixture_fails(bus, "Invalid", BUS_ROOT, BUS_MANAGER, "OpenStream", "sssa{sv}", "", "d", "s",
                      1, "wait", "t", (guint64)61000000);
    g_autofree char *verdict = fixture_fails(bus, "Invalid", BUS_ROOT, BUS_POLICY, "Add", "a{sv}",
                                             1, "verdict", "s", "maybe");
    g_autofree char *mixed = fixture_fails(bus, "Invalid", BUS_ROOT, BUS_POLICY, "Add", "a{sv}", 2,
                                           "verdict", "s", "reject", "target", "s", "ssh");

    g_assert_nonnull(strstr(unknown, "persistant"));
    g_assert_nonnull(strstr(type, "persistent"));
    g_assert_nonnull(strstr(twice, "twice"));
    g_assert_nonnull(strstr(wait, "60 seconds"));
    g_assert_nonnull(strstr(verdict, "maybe"));
    g_assert_nonnull(strstr(mixed, "target"));
}

static void
test_long_strings_are_refused(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *text = g_strnfill(100000, 'x');
    g_autofree char *name = fixture_fails(bus, "Invalid", BUS_ROOT, BUS_MANAGER, "ExposeTarget",
                                          "ssa{sv}", text, "tcp:127.0.0.1:1", 0);
    g_autofree char *device = fixture_fails(bus, "Invalid", BUS_ROOT, BUS_MANAGER, "OpenStream",
                                            "sssa{sv}", "", text, "s", 0);
    g_autofree char *option = fixture_fails(bus, "Invalid", BUS_ROOT, BUS_POLICY, "Test", "sa{sv}",
                                            "s", 1, "initiator", "s", text);

    g_assert_cmpuint(strlen(name), <, 2048);
    g_assert_cmpuint(strlen(device), <, 2048);
    g_assert_cmpuint(strlen(option), <, 2048);
}

static void
test_properties_cannot_be_set(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *text G_GNUC_UNUSED =
        fixture_fails(bus, "org.freedesktop.DBus.Error.PropertyReadOnly", BUS_ROOT, BUS_PROPERTIES,
                      "Set", "ssv", BUS_MANAGER, "Version", "s", "9");
    g_autofree char *version = fixture_property(bus, BUS_ROOT, BUS_MANAGER, "Version");

    g_assert_cmpstr(version, ==, STREAMD_VERSION);
}

static void
test_a_second_instance_gives_way(Fixture *fixture, gconstpointer data)
{
    static const char *const arguments[] = {"--user", "--threads=1", NULL};
    g_autofree char *other = g_build_filename(fixture->dir, "other", NULL);
    g_autofree char *log = NULL;
    char *state = fixture->dir;
    GPid pid;

    g_assert_cmpint(mkdir(other, 0700), ==, 0);
    fixture->dir = other;
    pid = fixture_spawn(fixture, arguments);
    fixture->dir = state;
    g_assert_cmpint(fixture_wait_exit(pid), ==, 1);
    log = fixture_read_log(fixture);
    g_assert_nonnull(strstr(log, "another streamd runs on this bus"));
}

static int
count_answer(sd_bus_message *reply, void *data, sd_bus_error *error)
{
    ++*(guint *)data;
    return 0;
}

static gboolean
has_hundred(void *data)
{
    return *(guint *)data == 100;
}

/* Callers that are gone before streamd knows who they were: nothing of them stays. */
static void
test_callers_that_vanish(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    guint before;

    add_objects(bus);
    before = fixture_count_fds(fixture);
    for (guint i = 0; i < 200; i++) {
        sd_bus *other = fixture_connect(fixture);

        for (guint n = 0; n <= i % 3; n++) {
            g_autoptr(sd_bus_message) message =
                fixture_message(other, BUS_ROOT, BUS_MANAGER, "AddHub");

            g_assert_cmpint(sd_bus_message_append(message, "sha{sv}", "y", fd, 0), >=, 0);
            g_assert_cmpint(sd_bus_send(other, message, NULL), >=, 0);
        }
        sd_bus_flush_close_unref(other);
    }
    fixture_assert_fds(fixture, before);
    g_assert_false(fixture_has_object(bus, BUS_PATH_HUB "/y"));
    (void)close(fd);
}

/* 64 calls at once from a name that is not known yet are held; the next is refused, all are
 * answered. */
static void
test_held_calls_are_bounded(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    guint answered = 0;

    for (guint i = 0; i < 100; i++) {
        g_autoptr(sd_bus_message) message = fixture_message(bus, BUS_ROOT, BUS_POLICY, "List");

        g_assert_cmpint(sd_bus_call_async(bus, NULL, message, count_answer, &answered, 0), >=, 0);
    }
    fixture_wait(bus, has_hundred, &answered);
}

/* How often the main thread has gone to sleep. */
static guint64
count_sleeps(const Fixture *fixture)
{
    g_autofree char *path =
        g_strdup_printf("/proc/%d/task/%d/status", (int)fixture->streamd, (int)fixture->streamd);
    g_autofree char *text = NULL;
    const char *line;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    line = strstr(text, "\nvoluntary_ctxt_switches:");
    g_assert_nonnull(line);
    return g_ascii_strtoull(strchr(line, ':') + 1, NULL, 10);
}

/* A source that wakes its own loop in every turn would make tens of thousands of turns here. */
static void
test_an_idle_daemon_sleeps(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *version G_GNUC_UNUSED =
        fixture_property(bus, BUS_ROOT, BUS_MANAGER, "Version");
    guint64 before = count_sleeps(fixture);

    g_usleep(G_USEC_PER_SEC / 2);
    g_assert_cmpuint(count_sleeps(fixture) - before, <, 100);
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/access/unmapped", test_unmapped_is_unknown);
    ADD("/access/unknown-objects", test_unknown_objects);
    ADD("/access/wrong-signatures", test_wrong_signatures);
    ADD("/access/descriptors", test_descriptors_do_not_stay);
    ADD("/access/options", test_options_are_strict);
    ADD("/access/long-strings", test_long_strings_are_refused);
    ADD("/access/read-only", test_properties_cannot_be_set);
    ADD("/access/second-instance", test_a_second_instance_gives_way);
    ADD("/access/vanishing", test_callers_that_vanish);
    ADD("/access/held", test_held_calls_are_bounded);
    ADD("/access/idle", test_an_idle_daemon_sleeps);
    return g_test_run();
}
