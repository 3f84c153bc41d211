/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bus/hub-fixture.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void
site_child(gpointer data)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

char *
site_admin(Site *site, const char *verb, ...)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    char *output = NULL;
    int status;
    va_list args;

    g_ptr_array_add(argv, (gpointer)g_getenv("STREAMHUB"));
    g_ptr_array_add(argv, (gpointer) "--state-dir");
    g_ptr_array_add(argv, site->dir);
    va_start(args, verb);
    for (const char *word = verb; word != NULL; word = va_arg(args, const char *))
        g_ptr_array_add(argv, (gpointer)word);
    va_end(args);
    g_ptr_array_add(argv, NULL);
    g_spawn_sync(NULL, (char **)argv->pdata, NULL, 0, NULL, NULL, &output, NULL, &status, &error);
    g_assert_no_error(error);
    g_assert_cmpint(status, ==, 0);
    return g_strchomp(output);
}

static void
site_wait_ready(Site *site)
{
    FILE *lines = fdopen(site->output, "r");
    char line[256];

    g_assert_nonnull(lines);
    while (fgets(line, sizeof(line), lines) != NULL && strcmp(line, "ready\n") != 0)
        if (g_str_has_prefix(line, "listening https "))
            site->port = (guint16)atoi(strrchr(line, ':') + 1);
    g_assert_cmpuint(site->port, !=, 0);
    (void)fclose(lines); /* the hub says nothing more there */
}

static void
site_start_hub(Site *site)
{
    const char *init[] = {g_getenv("STREAMHUB"), "init",      "--state-dir", site->dir,
                          "--host-name",         "localhost", NULL};
    g_autofree char *config = g_strconcat(site->dir, ".conf", NULL);
    const char *serve[] = {g_getenv("STREAMHUB"),
                           "serve",
                           "--state-dir",
                           site->dir,
                           "--config",
                           config,
                           "--listen",
                           "127.0.0.1:0",
                           "--mqtt-listen",
                           "127.0.0.1:0",
                           NULL};
    g_autoptr(GError) error = NULL;
    int status;

    /* A device that is away is said to be offline at once, though the hub has only just started. */
    g_file_set_contents(config, "[hub]\ndevice-return-time = 0\n", -1, &error);
    g_assert_no_error(error);

    g_spawn_sync(NULL, (char **)init, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, NULL,
                 &status, &error);
    g_assert_no_error(error);
    g_assert_cmpint(status, ==, 0);
    g_spawn_async_with_pipes(NULL, (char **)serve, NULL,
                             G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL, site_child,
                             NULL, &site->hub, NULL, &site->output, NULL, &error);
    g_assert_no_error(error);
    site_wait_ready(site);
}

void
site_add_hub(sd_bus *bus, const char *name, const char *connection_string, const char *ca)
{
    int fd = fixture_memfd(connection_string);
    g_autoptr(sd_bus_message) reply G_GNUC_UNUSED =
        ca != NULL ? fixture_call(bus, BUS_ROOT, BUS_MANAGER, "AddHub", "sha{sv}", name, fd, 1,
                                  "ca-file", "s", ca)
                   : fixture_call(bus, BUS_ROOT, BUS_MANAGER, "AddHub", "sha{sv}", name, fd, 0);

    (void)close(fd);
}

/* The gateway's link, as the gateway sees it, and its subscription, as the hub does. */
static gboolean
site_is_connected(void *data)
{
    Site *site = data;
    g_autofree char *state =
        fixture_property(site->gateway_bus, BUS_PATH_HUB "/office", BUS_HUB, "State");
    g_autofree char *shown = NULL;

    if (strcmp(state, "connected") != 0)
        return FALSE;
    shown = site_admin(site, "device", "show", "gw-1", "--json", NULL);
    return strstr(shown, "\"Connected\"") != NULL;
}

void
site_begin(Site *site, const FixtureProgram *gateway)
{
    fixture_set_up(&site->gateway, gateway);
    fixture_set_up(&site->client, NULL);
    site->gateway_bus = fixture_connect(&site->gateway);
    site->bus = fixture_connect(&site->client);
}

void
site_join(Site *site)
{
    g_autofree char *device = NULL, *service = NULL, *added = NULL;

    site->dir = g_build_filename(site->client.dir, "hub", NULL);
    site->ca = g_build_filename(site->dir, "ca.pem", NULL);
    site_start_hub(site);
    added = site_admin(site, "device", "add", "gw-1", NULL);
    device = site_admin(site, "connection-string", "device", "gw-1", NULL);
    service = site_admin(site, "connection-string", "policy", "service", NULL);
    site_add_hub(site->gateway_bus, "office", device, site->ca);
    site_add_hub(site->bus, "office", service, site->ca);
    fixture_wait(site->gateway_bus, site_is_connected, site);
}

void
site_set_up(Site *site, gconstpointer data)
{
    site_begin(site, NULL);
    site_join(site);
}

void
site_kill_hub(Site *site)
{
    int status;

    g_assert_cmpint(kill(site->hub, SIGKILL), ==, 0);
    g_assert_cmpint(waitpid(site->hub, &status, 0), ==, site->hub);
    site->hub = 0;
}

void
site_tear_down(Site *site, gconstpointer data)
{
    sd_bus_flush_close_unref(site->bus);
    sd_bus_flush_close_unref(site->gateway_bus);
    if (site->hub > 0) {
        (void)kill(site->hub, SIGTERM);
        g_assert_cmpint(fixture_wait_exit(site->hub), ==, 0);
    }
    fixture_tear_down(&site->client, NULL);
    fixture_tear_down(&site->gateway, NULL);
    g_free(site->dir);
    g_free(site->ca);
}

int
site_expose(Site *site, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_autofree char *path = g_build_filename(site->gateway.dir, name, NULL);
    g_autofree char *target = g_strconcat("unix:", path, NULL);
    g_autoptr(sd_bus_message) exposed = NULL, added = NULL;

    (void)g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(fd, 64), ==, 0);
    exposed = fixture_call(site->gateway_bus, BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}",
                           name, target, 0);
    added = fixture_call(site->gateway_bus, BUS_ROOT, BUS_POLICY, "Add", "a{sv}", 3, "stream", "s",
                         name, "verdict", "s", "accept", "target", "s", name);
    return fd;
}
