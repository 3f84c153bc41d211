/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamd: options, log, bus, the main loop, the end. */
#include "common/base/descriptors.h"
#include "common/bus/unit-job.h"
#include "common/bus/util.h"
#include "common/loop/watchdog.h"
#include "daemon/app-handover.h"
#include "daemon/app.h"
#include "daemon/bus/introspect.h"
#include "daemon/bus/object/log.h"
#include "daemon/bus/presence.h"
#include "daemon/bus/remote.h"
#include "daemon/config/config.h"
#include "daemon/handover/fd-store.h"
#include "daemon/reload.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

/* For the system's instance; the units have the same path. */
#define SYSTEM_STATE_DIR "/var/lib/streamd"

/* A stream takes two descriptors, and two more while it is opened. The usual soft limit of 1024 is
 * meant for programs that use select(2). */
#define DESCRIPTORS (4 * APP_STREAMS_MAX)

/* For the service manager to say whether this process is to come back. */
#define JOB_WAIT G_TIME_SPAN_SECOND

typedef struct {
    gboolean user;
    gboolean version;
    gboolean reload;
    char *config;
    char *state_dir;
    int threads;
    char *introspect;
} Arguments;

typedef struct {
    GMainLoop *loop;
    Journal *journal;
    App *app;
    Watchdog *watchdog;
    sd_bus *bus;   /* NULL: there is none at the moment */
    BusLog *log;   /* the same */
    GArray *items; /* FdStoreItem, left by a former process; NULL: the app has them */
    UnitJob *job;
    gboolean ending;
    gboolean user;
    gboolean failed;
} Program;

static void
arguments_clear(Arguments *arguments)
{
    g_free(arguments->config);
    g_free(arguments->state_dir);
    g_free(arguments->introspect);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

static gboolean
arguments_parse(Arguments *arguments, int argc, char **argv, GError **error)
{
    const GOptionEntry entries[] = {
        {"user", 0, 0, G_OPTION_ARG_NONE, &arguments->user,
         "Serve one user, on the session bus; without it everybody, on the system bus", NULL},
        {"config", 0, 0, G_OPTION_ARG_FILENAME, &arguments->config, "Read the configuration FILE",
         "FILE"},
        {"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &arguments->state_dir, "Keep the state in DIR",
         "DIR"},
        {"threads", 0, 0, G_OPTION_ARG_INT, &arguments->threads,
         "Threads that carry streams; default: one per CPU", "N"},
        {"bus-introspect", 0, 0, G_OPTION_ARG_STRING, &arguments->introspect,
         "Print the D-Bus interfaces of the object at PATH", "PATH"},
        {"reload", 0, 0, G_OPTION_ARG_NONE, &arguments->reload,
         "Let the streamd that runs read its configuration again, wait, and say what is wrong",
         NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &arguments->version, "Print the version", NULL},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- carry streams between machines");

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, error))
        return FALSE;
    if (argc > 1) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "unexpected argument '%s'",
                    argv[1]);
        return FALSE;
    }
    if (arguments->threads < 0 || arguments->threads > 64) {
        g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                            "--threads is between 0 (one per CPU) and 64");
        return FALSE;
    }
    return TRUE;
}

static int
print_interfaces(const char *path)
{
    g_autofree char *xml = bus_introspect(path);

    if (xml == NULL) {
        (void)fprintf(stderr, "streamd: there is no object at %s\n", path);
        return EXIT_FAILURE;
    }
    (void)fputs(xml, stdout);
    return EXIT_SUCCESS;
}

/* --state-dir; else the directory made by systemd; else the system's or the user's default. */
static char *
state_directory(const Arguments *arguments, GError **error)
{
    const char *given = arguments->state_dir;
    g_autofree char *path = NULL;

    if (given == NULL)
        given = g_getenv("STATE_DIRECTORY");
    if (given == NULL && !arguments->user)
        given = SYSTEM_STATE_DIR;
    path =
        given != NULL ? g_strdup(given) : g_build_filename(g_get_user_state_dir(), "streamd", NULL);
    if (g_mkdir_with_parents(path, 0700) < 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot make %s: %s%s", path,
                    g_strerror(errno),
                    arguments->user ? "" : " (an instance of your own is streamd --user)");
        return NULL;
    }
    return g_steal_pointer(&path);
}

static void
program_left(void *data)
{
    g_main_loop_quit(((Program *)data)->loop);
}

/* Stopped for good, as far as anybody knows, or nothing is kept: streams end, and both sides are
 * told why. */
static void
program_on_job(UnitJobKind kind, guint store, void *data)
{
    Program *program = data;

    g_clear_pointer(&program->job, unit_job_free);
    if (kind == UNIT_JOB_STOP || kind == UNIT_JOB_UNKNOWN ||
        !app_leave(program->app, store, program_left, program))
        g_main_loop_quit(program->loop);
}

/* A second signal does not wait for what the first one has begun; what is frozen by then is left.
 */
static gboolean
program_on_signal(gpointer data)
{
    Program *program = data;

    (void)sd_notify(0, "STOPPING=1\nSTATUS=Stopping");
    if (!program->ending && program->bus && app_may_leave(program->app)) {
        app_hold_tunnels(program->app);
        program->job = unit_job_ask(program->bus, JOB_WAIT, program_on_job, program);
    }
    if (!app_leave_now(program->app) && (program->ending || !program->job))
        g_main_loop_quit(program->loop);
    program->ending = TRUE;
    return G_SOURCE_CONTINUE;
}

static gboolean
program_on_reload(gpointer data)
{
    Program *program = data;

    (void)reload_config(program->app, NULL, NULL, NULL, NULL);
    return G_SOURCE_CONTINUE;
}

static void
program_on_refused(const char *why, void *data)
{
    Program *program = data;

    g_warning("Stopping: %s", why);
    program->failed = TRUE;
    g_main_loop_quit(program->loop);
}

static void
program_is_alive(void *data G_GNUC_UNUSED)
{
    (void)sd_notify(0, "WATCHDOG=1");
}

static void
program_on_bus(BusContext *context, void *data)
{
    Program *program = data;

    program->bus = context->bus;
    program->log = bus_log_new(context, program->journal);
}

static void
program_on_no_bus(void *data)
{
    Program *program = data;

    g_clear_pointer(&program->log, bus_log_free);
    program->bus = NULL;
    if (program->job)
        program_on_job(UNIT_JOB_UNKNOWN, UNIT_JOB_STORE_UNKNOWN, program);
}

static void
program_tell_status(const char *status, void *data G_GNUC_UNUSED)
{
    (void)sd_notifyf(0, "STATUS=%s", status);
}

/* Hubs connect only when the bus name is ours: a second instance never replaces the first. */
static void
program_on_name(void *data)
{
    Program *program = data;
    uint64_t limit = 0;

    app_set_status(program->app, program_tell_status, NULL);
    app_inherit(program->app, g_steal_pointer(&program->items));
    app_start(program->app);
    if (sd_watchdog_enabled(1, &limit) > 0)
        program->watchdog =
            watchdog_new(app_reactors(program->app), (gint64)limit, program_is_alive, NULL);
    if (program->user)
        g_message("streamd " STREAMD_VERSION " serves user %u on the session bus",
                  (unsigned)getuid());
    else
        g_message("streamd " STREAMD_VERSION " serves all users on the system bus");
    (void)sd_notify(0, "READY=1");
}

static gboolean
open_bus(gboolean user, sd_bus **ret_bus, GError **error)
{
    g_autoptr(sd_bus) bus = NULL;
    const char *name;
    int r;

    r = user ? sd_bus_open_user_with_description(&bus, "streamd")
             : sd_bus_open_system_with_description(&bus, "streamd");
    if (r >= 0)
        r = sd_bus_get_unique_name(bus, &name); /* waits for the end of the handshake */
    if (r < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    user ? "cannot reach the session bus: %s (is DBUS_SESSION_BUS_ADDRESS set?)"
                         : "cannot reach the system bus: %s",
                    g_strerror(-r));
        return FALSE;
    }
    *ret_bus = g_steal_pointer(&bus);
    return TRUE;
}

static const BusPresenceEvents program_events = {
    .appeared = program_on_bus,
    .left = program_on_no_bus,
    .named = program_on_name,
    .refused = program_on_refused,
};

static gboolean
program_run(Program *program, sd_bus *bus)
{
    const BusServerOptions options = {.system = !program->user};
    guint terminate = g_unix_signal_add(SIGTERM, program_on_signal, program);
    guint interrupt = g_unix_signal_add(SIGINT, program_on_signal, program);
    guint reload = g_unix_signal_add(SIGHUP, program_on_reload, program);
    g_autoptr(BusPresence) presence G_GNUC_UNUSED =
        bus_presence_new(bus, program->app, &options, &program_events, program);

    if (!program->failed)
        g_main_loop_run(program->loop);
    app_finish_changes(program->app); /* before the bus goes, because it answers calls */
    g_source_remove(terminate);
    g_source_remove(interrupt);
    g_source_remove(reload);
    g_clear_pointer(&program->watchdog, watchdog_free);
    g_clear_pointer(&program->job, unit_job_free);
    g_clear_pointer(&program->items, g_array_unref);
    return !program->failed;
}

static gboolean
serve(const Arguments *arguments, Journal *journal, GError **error)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autofree char *state_dir = state_directory(arguments, error);
    g_autoptr(App) app = NULL;
    g_autoptr(sd_bus) bus = NULL;
    const char *config = arguments->config;
    g_autoptr(GArray) items = fd_store_take();
    Program program = {.loop = loop, .journal = journal, .user = arguments->user};

    if (state_dir == NULL || !open_bus(arguments->user, &bus, error))
        return FALSE;
    if (config == NULL && !arguments->user)
        config = CONFIG_SYSTEM_FILE;
    app = app_new(&(AppOptions){.config_file = config,
                                .config_optional = arguments->config == NULL,
                                .state_dir = state_dir,
                                .user = arguments->user,
                                .threads = (guint)arguments->threads},
                  error);
    if (app == NULL)
        return FALSE;
    program.app = app;
    program.items = g_steal_pointer(&items);
    return program_run(&program, g_steal_pointer(&bus));
}

int
main(int argc, char **argv)
{
    g_auto(Arguments) arguments = {0};
    g_autoptr(GError) error = NULL;
    Journal *journal;
    gboolean ok;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)umask(0077);
    journal = journal_install("streamd");
    descriptors_raise_limit(DESCRIPTORS);
    if (!arguments_parse(&arguments, argc, argv, &error)) {
        (void)fprintf(stderr, "streamd: %s\n", error->message);
        return 2;
    }
    if (arguments.version) {
        (void)puts("streamd " STREAMD_VERSION);
        return EXIT_SUCCESS;
    }
    if (arguments.introspect != NULL)
        return print_interfaces(arguments.introspect);
    ok = arguments.reload ? bus_remote_reload(arguments.user, &error)
                          : serve(&arguments, journal, &error);
    journal_flush(journal);
    if (ok)
        return EXIT_SUCCESS;
    if (error != NULL)
        (void)fprintf(stderr, "streamd: %s\n", error->message);
    return EXIT_FAILURE;
}
