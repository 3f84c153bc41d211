/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub serve */
#include "hub/verb/cli.h"

#include "common/base/error.h"
#include "common/log/journal.h"
#include "hub/admin/serve.h"

#define THREADS_MAX 64
#define GRACE_MAX 86400 /* s */

static gboolean
check_number(int value, int max, const char *option, GError **error)
{
    if (value >= 0 && value <= max)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: a number from 0 to %d", option,
                max);
    return FALSE;
}

static gboolean
serve_with_journal(const ServeOptions *options, GError **error)
{
    Journal *journal = journal_install("streamhub");
    gboolean ok = serve_run(options, error);

    journal_flush(journal);
    return ok;
}

gboolean
verb_serve(const CliCall *call, GError **error)
{
    const CliOptions *o = call->options;
    const ServeOptions options = {
        .state_dir = o->state_dir,
        .admin_socket = o->admin_socket,
        .host_names = (const char *const *)o->host_names,
        .listen = (const char *const *)o->listen,
        .mqtt_listen = (const char *const *)o->mqtt_listen,
        .streaming_host = o->streaming_host,
        .config = o->config,
        .threads = (guint)o->threads,
        .grace = o->grace * G_TIME_SPAN_SECOND,
    };

    if (!o->state_dir) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "which hub? Give --state-dir DIR, as to streamhub init");
        return FALSE;
    }
    if (!check_number(o->threads, THREADS_MAX, "--threads", error) ||
        !check_number(o->grace, GRACE_MAX, "--grace", error))
        return FALSE;
    return serve_with_journal(&options, error);
}
