/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamctl logs: runs the real journalctl for what streamd wrote there. */
#include "client/verb/verb.h"
#include "common/log/events.h"
#include "common/log/rate.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <unistd.h>

#define UNIT "streamd.service"

/* A stream has one record when it opens, and one of its end; between them two of each pause. */
static const EventKind stream_events[] = {
    EVENT_STREAM_OPENED,   EVENT_STREAM_ENDED,     EVENT_STREAM_CUT,     EVENT_STREAM_FAILED,
    EVENT_STREAM_REJECTED, EVENT_STREAM_SUSPENDED, EVENT_STREAM_RESUMED, EVENT_TARGET_DOWN,
};

static void
logs_add(GPtrArray *argv, const char *name, const char *value)
{
    g_ptr_array_add(argv, g_strconcat(name, "=", value, NULL));
}

static void
logs_add_value(GPtrArray *argv, const Cli *cli, Option option, const char *name)
{
    if (cli->given[option])
        logs_add(argv, name, cli->values[option]);
}

/* Matches of one field are alternatives, to journalctl. */
static GPtrArray *
logs_arguments(const Cli *cli)
{
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(argv, g_strdup("journalctl"));
    /* Not --user: that looks only into files of the user's own, which a volatile journal has not.
     */
    logs_add(argv, verb_is_for_system(cli) ? "--unit" : "--user-unit", UNIT);
    logs_add_value(argv, cli, OPTION_SINCE, "--since");
    logs_add_value(argv, cli, OPTION_UNTIL, "--until");
    if (cli->given[OPTION_FOLLOW])
        g_ptr_array_add(argv, g_strdup("--follow"));
    if (cli->given[OPTION_CHANGES]) {
        logs_add(argv, EVENT_CLASS_FIELD, log_class_name(LOG_CLASS_CHANGE));
        logs_add(argv, EVENT_CLASS_FIELD, log_class_name(LOG_CLASS_DENIED));
    }
    for (guint i = 0; cli->given[OPTION_STREAMS] && i < G_N_ELEMENTS(stream_events); i++)
        logs_add(argv, EVENT_ID_FIELD, event_message_id(stream_events[i]));
    g_ptr_array_add(argv, NULL);
    return argv;
}

ExitCode
verb_logs(Cli *cli, GError **error)
{
    g_autoptr(GPtrArray) argv = NULL;

    if (cli->given[OPTION_CHANGES] && cli->given[OPTION_STREAMS])
        return cli_fail(error, EXIT_CODE_USAGE, _("--changes and --streams exclude each other"));
    argv = logs_arguments(cli);
    (void)execvp("journalctl", (char **)argv->pdata);
    return cli_fail(error, EXIT_CODE_OTHER, _("cannot run journalctl: %s"), g_strerror(errno));
}
