/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/pipe/fdpass.h"
#include "client/pipe/pump.h"
#include "client/show/progress.h"
#include "client/show/suspension.h"
#include "client/verb/ssh-name.h"
#include "client/verb/verb.h"
#include "common/base/table.h"
#include "common/cli/words.h"

#include <fcntl.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The socket ends a moment before streamd knows how the stream ended. */
#define END_WAIT (5 * G_TIME_SPAN_SECOND)
#define END_POLL (20 * G_TIME_SPAN_MILLISECOND)

/* The stream's properties after its end; NULL when they cannot be known. */
static GVariant *
connect_wait_end(Bus *bus, const char *path, GError **error)
{
    gint64 until = g_get_monotonic_time() + END_WAIT;

    for (;;) {
        g_autoptr(GVariant) stream = bus_properties(bus, path, BUS_STREAM, error);

        if (stream == NULL)
            return NULL;
        if (bus_number(stream, "ClosedAt") != 0)
            return g_steal_pointer(&stream);
        if (g_get_monotonic_time() > until)
            return NULL;
        g_usleep(END_POLL);
    }
}

static ExitCode
connect_end(Bus *bus, const char *path, PumpEnd end, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GVariant) stream = connect_wait_end(bus, path, &failure);
    g_autofree char *text = NULL;
    const char *reason;

    if (stream == NULL) {
        if (failure != NULL && failure->code == EXIT_CODE_NOT_RUNNING)
            return cli_fail(error, EXIT_CODE_CUT, _("the stream was cut: streamd has gone"));
        /* streamd has forgotten this stream: many others have ended since. */
        if (end == PUMP_RESET)
            return cli_fail(error, EXIT_CODE_CUT, _("the stream was cut"));
        return EXIT_CODE_OK;
    }
    reason = bus_string(stream, "CloseReason");
    if (exit_code_of_reason(reason) == EXIT_CODE_OK)
        return EXIT_CODE_OK;
    text = words_of_reason(reason, bus_string(stream, "CloseText"));
    return cli_fail(error, EXIT_CODE_CUT, _("the stream was cut: %s (%s)"), text, reason);
}

/* The names of the hubs through which streams can be opened. NULL with ERROR set. */
static GPtrArray *
connect_hubs(Bus *bus, GError **error)
{
    g_autoptr(GPtrArray) hubs = bus_objects(bus, BUS_HUB, error);
    g_autoptr(GPtrArray) names = NULL;

    if (hubs == NULL)
        return NULL;
    names = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < hubs->len; i++) {
        GVariant *hub = ((BusObject *)g_ptr_array_index(hubs, i))->properties;

        if (strcmp(bus_string(hub, "Role"), "service") == 0)
            g_ptr_array_add(names, g_strdup(bus_string(hub, "Name")));
    }
    g_ptr_array_add(names, NULL);
    return g_steal_pointer(&names);
}

/* The device that an ssh host name means, and the hub if it names one. FALSE with ERROR set. */
static gboolean
connect_read_host(const Cli *cli, Bus *bus, char **ret_device, char **ret_hub, GError **error)
{
    g_autoptr(GPtrArray) hubs = NULL;
    const char *hub = NULL;

    if (!cli->given[OPTION_HUB]) {
        hubs = connect_hubs(bus, error);
        if (hubs == NULL)
            return FALSE;
    }
    if (!ssh_name_parse(cli->words[0], hubs != NULL ? (const char *const *)hubs->pdata : NULL,
                        ret_device, &hub)) {
        cli_fail(error, EXIT_CODE_USAGE,
                 _("'%s' is no host name of a device; those are DEVICE.device and "
                   "DEVICE.HUB.device"),
                 cli->words[0]);
        return FALSE;
    }
    *ret_hub = g_strdup(hub != NULL ? hub : cli->values[OPTION_HUB]);
    return TRUE;
}

static void
connect_waiting(guint seconds, void *progress)
{
    progress_show(progress, seconds);
}

/* The reply of OpenStream. NULL with ERROR set. */
static GVariant *
connect_open(const Cli *cli, Bus *bus, GError **error)
{
    g_auto(GVariantBuilder) options = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    g_autofree char *device = NULL, *hub = NULL;
    g_autoptr(Progress) progress = NULL;
    gint64 limit;
    GVariant *args;

    if (!verb_add_times(cli, &options, &limit, error))
        return NULL;
    verb_add_resume(cli, &options);
    if (!cli->given[OPTION_SSH_HOST]) {
        device = g_strdup(cli->words[0]);
        hub = g_strdup(cli->values[OPTION_HUB]);
    } else if (!connect_read_host(cli, bus, &device, &hub, error)) {
        return NULL;
    }
    args = g_variant_new("(sssa{sv})", hub != NULL ? hub : "", device, cli->words[1], &options);
    progress = progress_new(device);
    bus_on_waiting(bus, connect_waiting, progress);
    return bus_call(bus, BUS_ROOT, BUS_MANAGER, "OpenStream", args, limit, error);
}

static ExitCode
connect_pass(int fd, GError **error)
{
    int r = fdpass_send(STDOUT_FILENO, fd);

    if (r == 0)
        return EXIT_CODE_OK;
    return cli_fail(error, EXIT_CODE_OTHER, _("cannot pass the stream on: %s"), g_strerror(-r));
}

static gboolean
connect_look(void *suspension)
{
    return suspension_look(suspension);
}

/* Until the stream has ended. */
static PumpEnd
connect_pump(Bus *bus, const char *path, int fd)
{
    g_autoptr(Suspension) suspension = suspension_watch(bus, path);
    const PumpAside aside = {suspension != NULL ? suspension_descriptor(suspension) : -1,
                             connect_look, suspension};

    (void)signal(SIGPIPE, SIG_IGN); /* let a write to a lost reader fail instead */
    return pump_run(fd, STDIN_FILENO, STDOUT_FILENO, &aside);
}

ExitCode
verb_connect(Cli *cli, GError **error)
{
    g_autoptr(GVariant) reply = NULL;
    g_autofree char *path = NULL;
    g_autoptr(Bus) bus = NULL;
    PumpEnd end;
    int fd;

    if (cli->given[OPTION_FDPASS] && !fdpass_is_possible(STDOUT_FILENO))
        return cli_fail(error, EXIT_CODE_USAGE,
                        _("--fdpass needs a program at the other end of standard output that takes "
                          "the stream, as ssh with ProxyUseFdpass does; this is no Unix socket"));
    bus = verb_open_bus(cli, error);
    reply = bus != NULL ? connect_open(cli, bus, error) : NULL;
    if (reply == NULL)
        return verb_code(error);
    bus_on_waiting(bus, NULL, NULL);
    g_variant_get(reply, "(ho)", &fd, &path);
    if (fd < 0)
        return cli_fail(error, EXIT_CODE_OTHER, _("too many open files"));
    if (cli->given[OPTION_FDPASS])
        return connect_pass(fd, error);
    end = connect_pump(bus, path, fd);
    (void)close(fd);
    return connect_end(bus, path, end, error);
}
