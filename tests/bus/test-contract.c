/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The XML files of dbus/ against what the vtables say, without a bus and on one. XML_DIR. */
#include "tests/bus/bus-fixture.h"

#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *interface;
    const char *path;
} interfaces[] = {
    {BUS_MANAGER, BUS_ROOT},
    {BUS_POLICY, BUS_ROOT},
    {BUS_HUB, BUS_PATH_HUB "/x"},
    {BUS_TARGET, BUS_PATH_TARGET "/x"},
    {BUS_STREAM, BUS_PATH_STREAM "/1"},
    {BUS_TUNNEL, BUS_PATH_TUNNEL "/1"},
    {BUS_REQUEST, BUS_PATH_REQUEST "/1"},
};

static const char emits[] = "org.freedesktop.DBus.Property.EmitsChangedSignal";

static int
compare_lines(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
describe_arguments(GString *line, const char *direction, GDBusArgInfo **args)
{
    for (guint i = 0; args != NULL && args[i] != NULL; i++)
        g_string_append_printf(line, " %s %s:%s", direction, args[i]->name, args[i]->signature);
}

/* One sorted line per member, with all that clients rely on. */
static char *
describe(GDBusInterfaceInfo *info)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; info->methods != NULL && info->methods[i] != NULL; i++) {
        GString *line = g_string_new("method ");

        g_string_append(line, info->methods[i]->name);
        describe_arguments(line, "in", info->methods[i]->in_args);
        describe_arguments(line, "out", info->methods[i]->out_args);
        g_ptr_array_add(lines, g_string_free(line, FALSE));
    }
    for (guint i = 0; info->properties != NULL && info->properties[i] != NULL; i++) {
        const GDBusPropertyInfo *property = info->properties[i];
        const char *flag = g_dbus_annotation_info_lookup(property->annotations, emits);

        g_ptr_array_add(lines, g_strdup_printf("property %s:%s %s flags %d", property->name,
                                               property->signature, flag != NULL ? flag : "true",
                                               (int)property->flags));
    }
    for (guint i = 0; info->signals != NULL && info->signals[i] != NULL; i++) {
        GString *line = g_string_new("signal ");

        g_string_append(line, info->signals[i]->name);
        describe_arguments(line, "", info->signals[i]->args);
        g_ptr_array_add(lines, g_string_free(line, FALSE));
    }
    g_ptr_array_sort(lines, compare_lines);
    g_ptr_array_add(lines, NULL);
    return g_strjoinv("\n", (char **)lines->pdata);
}

static char *
describe_xml(const char *xml, const char *interface)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(xml, &error);
    GDBusInterfaceInfo *info;

    g_assert_no_error(error);
    info = g_dbus_node_info_lookup_interface(node, interface);
    if (info == NULL)
        g_error("no interface %s in:\n%s", interface, xml);
    return describe(info);
}

static char *
contract(const char *interface)
{
    g_autofree char *name = g_strconcat(interface, ".xml", NULL);
    g_autofree char *path = g_build_filename(g_getenv("XML_DIR"), name, NULL);
    g_autofree char *xml = NULL;
    g_autoptr(GError) error = NULL;

    g_file_get_contents(path, &xml, NULL, &error);
    g_assert_no_error(error);
    return describe_xml(xml, interface);
}

static void
test_vtables_match_the_contract(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(interfaces); i++) {
        g_autofree char *option = g_strconcat("--bus-introspect=", interfaces[i].path, NULL);
        const char *argv[] = {g_getenv("STREAMD"), option, NULL};
        g_autofree char *xml = NULL;
        g_autofree char *expected = contract(interfaces[i].interface);
        g_autofree char *found = NULL;
        g_autoptr(GError) error = NULL;
        int status;

        g_spawn_sync(NULL, (char **)argv, NULL, 0, NULL, NULL, &xml, NULL, &status, &error);
        g_assert_no_error(error);
        g_assert_cmpint(status, ==, 0);
        found = describe_xml(xml, interfaces[i].interface);
        g_assert_cmpstr(found, ==, expected);
    }
}

static void
test_unknown_path_is_an_error(void)
{
    const char *paths[] = {"/", "/io/streamd/Streamd1/hub", "/io/streamd/Streamd1/hub/",
                           "/io/streamd/Streamd1/hub/a/b", "/io/streamd/Streamd2"};

    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *option = g_strconcat("--bus-introspect=", paths[i], NULL);
        const char *argv[] = {g_getenv("STREAMD"), option, NULL};
        int status;

        g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL,
                                   G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
                                   NULL, NULL, NULL, &status, NULL));
        g_assert_cmpint(status, !=, 0);
    }
}

static void
test_objects_on_the_bus_match(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autoptr(sd_bus_message) target G_GNUC_UNUSED = fixture_call(
        bus, BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", "x", "tcp:127.0.0.1:9", 0);
    g_autofree char *hub G_GNUC_UNUSED = fixture_add_hub(
        bus, "x", "HostName=localhost:9;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0",
        TRUE);

    for (guint i = 0; i < G_N_ELEMENTS(interfaces); i++) {
        g_autoptr(sd_bus_message) reply = NULL;
        g_autofree char *expected = contract(interfaces[i].interface);
        g_autofree char *found = NULL;
        const char *xml;

        if (g_str_has_suffix(interfaces[i].path, "/1"))
            continue; /* there is no stream and no tunnel */
        reply = fixture_call(bus, interfaces[i].path, BUS_INTROSPECTABLE, "Introspect", NULL);
        g_assert_cmpint(sd_bus_message_read(reply, "s", &xml), >=, 0);
        found = describe_xml(xml, interfaces[i].interface);
        g_assert_cmpstr(found, ==, expected);
    }
}

/* The path of a live object of each interface; a stream that waits for a hub that says nothing. */
static char *
live_path(sd_bus *bus, const char *interface, int *ret_listener)
{
    g_autoptr(sd_bus_message) reply = NULL;
    g_autofree char *hub G_GNUC_UNUSED = NULL, *text = NULL;
    const char *path;

    if (strcmp(interface, BUS_TUNNEL) == 0) {
        reply = fixture_call(bus, BUS_ROOT, BUS_MANAGER, "OpenTunnel", "ssssa{sv}", "x", "d", "s",
                             "", 0);
        g_assert_cmpint(sd_bus_message_read(reply, "os", &path, NULL), >=, 0);
        return g_strdup(path);
    }
    if (strcmp(interface, BUS_STREAM) == 0) {
        g_autoptr(sd_bus_message) open = fixture_message(bus, BUS_ROOT, BUS_MANAGER, "OpenStream");

        *ret_listener = fixture_listen(&text);
        hub = fixture_add_hub(bus, "silent", text, FALSE);
        g_assert_cmpint(sd_bus_message_append(open, "sssa{sv}", "silent", "d", "s", 0), >=, 0);
        g_assert_cmpint(sd_bus_send(bus, open, NULL), >=, 0);
        while (!fixture_has_object(bus, BUS_PATH_STREAM "/1"))
            g_usleep(1000);
        return g_strdup(BUS_PATH_STREAM "/1");
    }
    for (guint i = 0; i < G_N_ELEMENTS(interfaces); i++)
        if (strcmp(interfaces[i].interface, interface) == 0)
            return g_strdup(interfaces[i].path);
    return NULL;
}

/* Every method of the contract has an action, and is there: with wrong arguments it says so. */
static void
test_every_method_is_mapped(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autoptr(sd_bus_message) target G_GNUC_UNUSED = fixture_call(
        bus, BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", "x", "tcp:127.0.0.1:9", 0);
    g_autofree char *hub G_GNUC_UNUSED = fixture_add_hub(
        bus, "x", "HostName=localhost:9;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0",
        TRUE);
    const char *wanted[] = {BUS_MANAGER, BUS_POLICY, BUS_HUB, BUS_TARGET, BUS_TUNNEL, BUS_STREAM};
    guint count = 0;
    int listener = -1;

    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        g_autofree char *path = live_path(bus, wanted[i], &listener);
        g_autofree char *lines = contract(wanted[i]);
        g_auto(GStrv) members = g_strsplit(lines, "\n", 0);

        for (guint n = 0; members[n] != NULL; n++) {
            g_auto(GStrv) words = g_strsplit(members[n], " ", 3);
            g_autofree char *text G_GNUC_UNUSED = NULL;

            if (strcmp(words[0], "method") != 0)
                continue;
            text = fixture_fails(bus, "org.freedesktop.DBus.Error.InvalidArgs", path, wanted[i],
                                 words[1], "(ii)d", 1, 2, 3.0);
            count++;
        }
    }
    g_assert_cmpuint(count, ==, 28);
    (void)close(listener);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/contract/vtables", test_vtables_match_the_contract);
    g_test_add_func("/contract/unknown-path", test_unknown_path_is_an_error);
    g_test_add("/contract/on-the-bus", Fixture, NULL, fixture_set_up, test_objects_on_the_bus_match,
               fixture_tear_down);
    g_test_add("/contract/mapped", Fixture, NULL, fixture_set_up, test_every_method_is_mapped,
               fixture_tear_down);
    return g_test_run();
}
