/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/admin/serve-options.h"

#include "common/base/error.h"
#include "hub/admin/serve.h"
#include "hub/base/state.h"
#include "common/base/exit-code.h"

#define THREADS_MAX 64
#define GRACE_MAX 86400 /* s */

/* As GOption fills it in. */
typedef struct {
    gboolean version;
    char *state_dir;
    char *admin_socket;
    char **host_names;
    char **listen;
    char **device_listen;
    char *streaming_host;
    char *config;
    int threads;
    int grace; /* s */
} Options;

static void
options_clear(Options *options)
{
    g_free(options->state_dir);
    g_free(options->admin_socket);
    g_strfreev(options->host_names);
    g_strfreev(options->listen);
    g_strfreev(options->device_listen);
    g_free(options->streaming_host);
    g_free(options->config);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean
options_parse(Options *o, int *argc, char ***argv, GError **error)
{
    const GOptionEntry entries[] = {
        {"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &o->state_dir,
         "the hub's state folder (default: " STATE_DIR_DEFAULT ")", "DIR"},
        {"admin-socket", 0, 0, G_OPTION_ARG_FILENAME, &o->admin_socket,
         "the running hub's socket (default: DIR/" STATE_ADMIN_SOCKET ")", "PATH"},
        {"host-name", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->host_names, "what the hub is called",
         "NAME"},
        {"listen", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->listen,
         "serve everything here (repeatable; port 0: any)", "ADDR:PORT"},
        {"mqtt-listen", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->device_listen,
         "serve here too, announced as MQTT over TLS (repeatable)", "ADDR:PORT"},
        {"streaming-host", 0, 0, G_OPTION_ARG_STRING, &o->streaming_host,
         "the host in the URLs of streams", "NAME[:PORT]"},
        {"threads", 0, 0, G_OPTION_ARG_INT, &o->threads, "reactors (default: one per CPU)", "N"},
        {"config", 0, 0, G_OPTION_ARG_FILENAME, &o->config, "settings", "FILE"},
        {"grace", 0, 0, G_OPTION_ARG_INT, &o->grace,
         "how long streams may go on after SIGTERM (default: 0)", "SECONDS"},
        {"version", 0, 0, G_OPTION_ARG_NONE, &o->version, "print the version", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- run the hub");

    g_option_context_add_main_entries(context, entries, NULL);
    return g_option_context_parse(context, argc, argv, error);
}

static gboolean
set_invalid(GError **error, const char *text)
{
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, text);
    return FALSE;
}

static gboolean
check_number(int value, int max, const char *option, GError **error)
{
    g_autofree char *text = g_strdup_printf("%s: a number from 0 to %d", option, max);

    return (value >= 0 && value <= max) || set_invalid(error, text);
}

static gboolean
options_check(Options *o, int argc, GError **error)
{
    if (argc > 1)
        return set_invalid(error, "too many arguments: usage: streamhub serve ");
    if (!o->state_dir && o->admin_socket)
        return set_invalid(error, "which hub? Give --state-dir DIR, as to streamhub init");
    if (!o->state_dir)
        o->state_dir = g_strdup(STATE_DIR_DEFAULT);
    return check_number(o->threads, THREADS_MAX, "--threads", error) &&
           check_number(o->grace, GRACE_MAX, "--grace", error);
}

static gboolean
options_serve(const Options *o, GError **error)
{
    Journal *journal = journal_install("streamhub");
    const ServeOptions options = {
        .state_dir = o->state_dir,
        .admin_socket = o->admin_socket,
        .host_names = (const char *const *)o->host_names,
        .listen = (const char *const *)o->listen,
        .device_listen = (const char *const *)o->device_listen,
        .streaming_host = o->streaming_host,
        .config = o->config,
        .threads = (guint)o->threads,
        .grace = o->grace * G_TIME_SPAN_SECOND,
        .journal = journal,
    };
    gboolean ok = serve_run(&options, error);

    journal_flush(journal);
    return ok;
}

int
serve_options_run(int argc, char **argv)
{
    g_auto(Options) options = {0};
    g_auto(GStrv) owned = g_strdupv(argv);
    g_autofree char **args = g_memdup2(owned, ((gsize)argc + 1) * sizeof *owned);
    g_autoptr(GError) error = NULL;
    char **rest = args;
    gboolean ok = options_parse(&options, &argc, &rest, &error);

    if (ok && options.version)
        g_print("streamhubd %s\n", STREAMD_VERSION);
    else if (ok)
        ok = options_check(&options, argc, &error) && options_serve(&options, &error);
    if (ok)
        return 0;
    /* Errors have the name of the service, whoever has started it. */
    g_printerr("streamhub: %s\n", error->message);
    return (int)exit_code_of_error(error);
}
