/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The system's instance: which calls polkit is asked about, and with what. */
#include "tests/bus/authority.h"

#include <string.h>
#include <unistd.h>

#define DENIED "org.freedesktop.DBus.Error.AccessDenied"
#define UNKNOWN "org.freedesktop.DBus.Error.Unknown"
#define INVALID_ARGS "org.freedesktop.DBus.Error.InvalidArgs"

#define TARGET BUS_PATH_TARGET "/"
#define SERVICE "HostName=localhost:9;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0"

static void
test_unmapped(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_ALLOWS);

    g_free(fixture_fails(bus, UNKNOWN "Method", BUS_ROOT, BUS_MANAGER, "Shutdown", NULL));
    g_free(fixture_fails(bus, UNKNOWN "Method", BUS_ROOT, NULL, "AddHub", NULL));
    g_free(fixture_fails(bus, UNKNOWN "Interface", BUS_ROOT, "com.example.Other", "AddHub", NULL));
    /* A method that there is, where it is not. */
    g_free(fixture_fails(bus, UNKNOWN "Interface", BUS_PATH_HUB "/x", BUS_MANAGER, "Reload", NULL));
    g_assert_cmpuint(authority_asked(authority), ==, 0);
    authority_free(authority);
}

/* Nobody is asked for a password over a call that cannot work. */
static void
test_wrong_arguments(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_ALLOWS);

    g_free(fixture_fails(bus, INVALID_ARGS, BUS_ROOT, BUS_MANAGER, "ExposeTarget", "s", "x"));
    g_assert_cmpuint(authority_asked(authority), ==, 0);
    authority_free(authority);
}

/* What is shown in a dialogue cannot pretend to be something else. */
static void
test_details(Fixture *fixture, gconstpointer data)
{
    static const char *const bad[] = {"a\nb", "\x1b[2J", "dev\u202egnp",     "\u2028",   "x\u200by",
                                      "",     "d/",      "of the hub yours", "$(stream)"};
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_ALLOWS);
    g_autofree char *path = fixture_add_hub(bus, "home", SERVICE, TRUE);
    g_autofree char *long_text = g_strnfill(257, 'x');
    g_autofree char *text = NULL;
    g_autofree char *last = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_free(fixture_fails(bus, "Invalid", BUS_ROOT, BUS_MANAGER, "OpenStream", "sssa{sv}", "",
                             bad[i], "ssh", 0));
    }
    text = fixture_fails(bus, "Invalid", BUS_ROOT, BUS_MANAGER, "OpenStream", "sssa{sv}", "", "dev",
                         long_text, 0);
    g_assert_cmpuint(authority_asked(authority), ==, 1);
    sd_bus_message_unref(fixture_call(bus, path, BUS_HUB, "Remove", NULL));
    last = authority_last(authority);
    g_assert_nonnull(strstr(last, "manage-hubs 0 hub=home"));
    g_assert_nonnull(
        strstr(last, "polkit.message=Authentication is required to manage the hub $(hub)"));
    authority_free(authority);
}

/* What everybody may do needs no polkit. */
static void
test_everybody(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *version = fixture_property(bus, BUS_ROOT, BUS_MANAGER, "Version");

    sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_PEER, "Ping", NULL));
    sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_INTROSPECTABLE, "Introspect", NULL));
    g_assert_cmpstr(version, ==, STREAMD_VERSION);
}

/* The program itself: its own user passes, polkit or not. */
static void
test_privileged(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority;

    sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", "x",
                                      "tcp:127.0.0.1:9", 0));
    authority = authority_new(fixture, AUTHORITY_DENIES);
    sd_bus_message_unref(fixture_call(bus, TARGET "x", BUS_TARGET, "Remove", NULL));
    g_assert_cmpuint(authority_asked(authority), ==, 0);
    authority_free(authority);
}

static void
add_hub_for(sd_bus *bus, const char *name, const char *user)
{
    int fd = fixture_memfd(SERVICE);

    sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_MANAGER, "AddHub", "sha{sv}", name, fd, 1,
                                      "allowed-users", "as", 2, "nobody-of-this-name", user));
    (void)close(fd);
}

/* A hub's list comes before polkit, which then has the last word. */
static void
test_allowed_users(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_ALLOWS);
    g_autofree char *me = g_strdup_printf("%u", (unsigned)getuid());
    g_autofree char *mine = g_strdup_printf("@%u", (unsigned)getgid());
    g_autofree char *text = NULL;
    g_autofree char *stream = NULL;
    g_autofree char *bad = NULL;
    int fd = fixture_memfd(SERVICE);

    add_hub_for(bus, "others", "4294967290");
    add_hub_for(bus, "other-groups", "@4294967290");
    add_hub_for(bus, "me", me);
    add_hub_for(bus, "mine", mine);
    text = fixture_fails(bus, "Denied", BUS_ROOT, BUS_MANAGER, "OpenTunnel", "ssssa{sv}", "others",
                         "dev1", "ssh", "", 0);
    g_assert_nonnull(strstr(text, "others"));
    stream = fixture_fails(bus, "Denied", BUS_ROOT, BUS_MANAGER, "OpenStream", "sssa{sv}",
                           "other-groups", "dev1", "ssh", 0);
    g_assert_cmpuint(authority_asked(authority), ==, 4);
    sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_MANAGER, "OpenTunnel", "ssssa{sv}", "me",
                                      "dev1", "ssh", "", 0));
    sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_MANAGER, "OpenTunnel", "ssssa{sv}", "mine",
                                      "dev1", "ssh", "", 0));
    g_assert_cmpuint(authority_asked(authority), ==, 6);
    bad = fixture_fails(bus, "Invalid", BUS_ROOT, BUS_MANAGER, "AddHub", "sha{sv}", "bad", fd, 1,
                        "allowed-users", "as", 1, "a:b");
    (void)close(fd);
    authority_free(authority);
}

/* One's own is closed without a question; what is not there takes one, so that nobody learns what
 * is. */
static void
test_owner(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_ALLOWS);
    g_autoptr(sd_bus_message) reply = NULL;
    const char *tunnel;

    g_free(fixture_add_hub(bus, "home", SERVICE, TRUE));
    reply = fixture_call(bus, BUS_ROOT, BUS_MANAGER, "OpenTunnel", "ssssa{sv}", "home", "dev1",
                         "ssh", "", 0);
    g_assert_cmpint(sd_bus_message_read(reply, "os", &tunnel, NULL), >=, 0);
    authority_set_mode(authority, AUTHORITY_DENIES);
    sd_bus_message_unref(fixture_call(bus, tunnel, BUS_TUNNEL, "Close", NULL));
    g_assert_cmpuint(authority_asked(authority), ==, 2);
    g_free(fixture_fails(bus, DENIED, tunnel, BUS_TUNNEL, "Close", NULL));
    g_assert_cmpuint(authority_asked(authority), ==, 3);
    authority_free(authority);
}

static const FixtureProgram system_streamd = {"STREAMD", {"--threads=1", NULL}};
static const FixtureProgram guarded = {"GUARDED_STREAMD", {NULL}};

#define ADD(path, func) g_test_add(path, Fixture, &guarded, fixture_set_up, func, fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/admission/unmapped", test_unmapped);
    ADD("/admission/wrong-arguments", test_wrong_arguments);
    ADD("/admission/details", test_details);
    ADD("/admission/everybody", test_everybody);
    g_test_add("/admission/privileged", Fixture, &system_streamd, fixture_set_up, test_privileged,
               fixture_tear_down);
    ADD("/admission/allowed-users", test_allowed_users);
    ADD("/admission/owner", test_owner);
    return g_test_run();
}
