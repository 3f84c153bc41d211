/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/pump.h"
#include "client/verb.h"
#include "common/table.h"

#include <fcntl.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The socket ends a moment before streamd has decided how the stream ended. */
#define END_WAIT (5 * G_TIME_SPAN_SECOND)
#define END_POLL (20 * G_TIME_SPAN_MILLISECOND)

/* The stream's properties once it has ended; NULL when that cannot be known. */
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
    const char *reason, *text;

    if (stream == NULL) {
        if (failure != NULL && failure->code == EXIT_CODE_NO_DAEMON)
            return cli_fail(error, EXIT_CODE_CUT, _("the stream was cut: streamd has gone"));
        /* So many others have ended meanwhile that this one is forgotten. */
        if (end == PUMP_RESET)
            return cli_fail(error, EXIT_CODE_CUT, _("the stream was cut"));
        return EXIT_CODE_OK;
    }
    reason = bus_string(stream, "CloseReason");
    if (exit_code_of_reason(reason) == EXIT_CODE_OK)
        return EXIT_CODE_OK;
    text = bus_string(stream, "CloseText");
    return cli_fail(error, EXIT_CODE_CUT, _("the stream was cut: %s (%s)"),
                    *text != '\0' ? text : reason, reason);
}

static GVariant *
connect_arguments(const Cli *cli, gint64 *ret_limit, GError **error)
{
    g_auto(GVariantBuilder) options = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    const char *hub = cli->values[OPTION_HUB];

    if (!verb_add_times(cli, &options, ret_limit, error))
        return NULL;
    return g_variant_new("(sssa{sv})", hub != NULL ? hub : "", cli->words[0], cli->words[1],
                         &options);
}

ExitCode
verb_connect(Cli *cli, GError **error)
{
    gint64 limit;
    GVariant *args = connect_arguments(cli, &limit, error);
    g_autoptr(Bus) bus = NULL;
    g_autoptr(GVariant) reply = NULL;
    g_autofree char *path = NULL;
    PumpEnd end;
    int fd;

    if (args == NULL)
        return EXIT_CODE_USAGE;
    bus = verb_open_bus(cli, error);
    if (bus == NULL) {
        g_variant_unref(g_variant_ref_sink(args));
        return verb_code(error);
    }
    reply = bus_call(bus, BUS_ROOT, BUS_MANAGER, "OpenStream", args, limit, error);
    if (reply == NULL)
        return verb_code(error);
    g_variant_get(reply, "(ho)", &fd, &path);
    if (fd < 0)
        return cli_fail(error, EXIT_CODE_OTHER, _("too many open files"));
    (void)signal(SIGPIPE, SIG_IGN); /* a reader that goes is an end like others */
    end = pump_run(fd, STDIN_FILENO, STDOUT_FILENO);
    (void)close(fd);
    return connect_end(bus, path, end, error);
}
