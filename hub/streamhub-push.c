/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub-push: sends the hub's records to a receiver over HTTP. A program of its own, so that
 * the process that faces the network has no client of HTTP, and this one nothing of the hub but its
 * records. */
#include "common/base/exit-code.h"
#include "common/log/journal.h"
#include "hub/base/state.h"
#include "hub/push/push.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>

#define POSITION_DIR_DEFAULT "/var/lib/streamhub-push"

/* As GOption fills it in. */
typedef struct {
    gboolean version;
    char *state_dir;
    char *position_dir;
    char *config;
} Options;

static void
options_clear(Options *options)
{
    g_free(options->state_dir);
    g_free(options->position_dir);
    g_free(options->config);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean
options_parse(Options *o, int *argc, char ***argv, GError **error)
{
    const GOptionEntry entries[] = {
        {"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &o->state_dir,
         "the hub's state folder (default: " STATE_DIR_DEFAULT ")", "DIR"},
        {"position-dir", 0, 0, G_OPTION_ARG_FILENAME, &o->position_dir,
         "keeps how far the records were sent (default: " POSITION_DIR_DEFAULT ")", "DIR"},
        {"config", 0, 0, G_OPTION_ARG_FILENAME, &o->config, "settings of the hub", "FILE"},
        {"version", 0, 0, G_OPTION_ARG_NONE, &o->version, "print the version", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- send the hub's records away");

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, error))
        return FALSE;
    if (*argc == 1)
        return TRUE;
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "too many arguments");
    return FALSE;
}

static gboolean
run(const Options *o, GError **error)
{
    const char *state_dir = o->state_dir ? o->state_dir : STATE_DIR_DEFAULT;
    g_autoptr(Settings) settings = o->config ? settings_load(o->config, error) : settings_new();
    g_autofree char *records = NULL;

    if (!settings)
        return FALSE;
    if (!settings->records_push_url) {
        g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                            "nowhere to send to: set records-push-url in the file of --config");
        return FALSE;
    }
    records = settings->records_folder ? g_strdup(settings->records_folder)
                                       : g_build_filename(state_dir, STATE_RECORDS, NULL);
    return push_run(settings, records, o->position_dir ? o->position_dir : POSITION_DIR_DEFAULT,
                    error);
}

int
main(int argc, char **argv)
{
    g_auto(Options) options = {0};
    g_autoptr(GError) error = NULL;
    Journal *journal;
    gboolean good;

    (void)setlocale(LC_ALL, "");
    (void)signal(SIGPIPE, SIG_IGN);
    if (options_parse(&options, &argc, &argv, &error) && options.version) {
        (void)puts("streamhub-push " STREAMD_VERSION);
        return EXIT_CODE_OK;
    }
    if (error) {
        (void)fprintf(stderr, "streamhub-push: %s\n", error->message);
        return EXIT_CODE_USAGE;
    }
    journal = journal_install("streamhub-push");
    good = run(&options, &error);
    journal_flush(journal);
    /* The journal knows of whom this is, even when the process is gone by then. */
    if (!good)
        (void)fprintf(stderr, "streamhub-push: %s\n", error->message);
    return good ? EXIT_CODE_OK : (int)exit_code_of_error(error);
}
