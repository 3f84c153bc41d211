/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/verb/cli.h"

#include "common/base/error.h"
#include "hub/admin/init.h"
#include "hub/base/exit-code.h"
#include "hub/base/private-file.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const CliVerb verbs[] = {
    {"init", 0, 0, CLI_INIT, verb_init, "",
     "make the state folder of a new hub: authority, certificate, registry"},
    {"serve", 0, 0, CLI_SERVE, verb_serve, "", "run the hub"},
    {"reload", 0, 0, 0, verb_reload, "",
     "let the hub read certificate and settings again, and wait for what it says"},
    {"certificate show", 0, 0, CLI_JSON, verb_certificate_show, "",
     "the certificate that the hub shows, and how long it is good"},
    {"certificate install", 2, 2, CLI_NAMES, verb_certificate_install, "CERT KEY",
     "look at a certificate, and give it to the hub if clients will take it"},
    {"settings", 0, 0, 0, verb_settings, "", "print a file for serve --config with every limit"},
    {"drain", 0, 0, CLI_DRAIN, verb_drain, "",
     "take no new streams, and wait until the last one has ended: before a restart"},
    {"status", 0, 0, CLI_JSON, verb_status, "", "what the running hub is doing"},
    {"log-level", 0, 1, CLI_JSON, verb_log_level, "[LEVEL]",
     "how much the hub tells its log: emerg to debug, until its next start"},
    {"device add", 1, 1, CLI_MODULE | CLI_JSON, verb_device_add, "ID",
     "add a device, or a module of one"},
    {"device list", 0, 0, CLI_JSON, verb_device_list, "", "list devices and modules"},
    {"device show", 1, 1, CLI_MODULE | CLI_JSON, verb_device_show, "ID", "show one of them"},
    {"device remove", 1, 1, CLI_MODULE, verb_device_remove, "ID",
     "remove it; its connections and streams are cut"},
    {"device enable", 1, 1, CLI_MODULE, verb_device_enable, "ID", "let it connect again"},
    {"device disable", 1, 1, CLI_MODULE, verb_device_disable, "ID",
     "keep it in the registry, cut it and let it in no more"},
    {"policy add", 1, 1, CLI_RIGHTS | CLI_JSON, verb_policy_add, "NAME --rights RIGHT,...",
     "add a shared access policy"},
    {"policy list", 0, 0, CLI_JSON, verb_policy_list, "", "list policies and their rights"},
    {"policy remove", 1, 1, 0, verb_policy_remove, "NAME", "remove one; its streams are cut"},
    {"invite device", 1, 1, CLI_MODULE | CLI_OUTPUT, verb_invite_device, "ID",
     "add a device, and write all it needs into a file: ID.invite"},
    {"invite user", 1, 1, CLI_OUTPUT | CLI_EXISTING, verb_invite_user, "NAME",
     "the same for somebody who opens streams: a new policy of that name"},
    {"connection-string device", 1, 1, CLI_MODULE | CLI_OUTPUT | CLI_KEYS,
     verb_connection_string_device, "ID", "print the connection string of a device: a credential"},
    {"connection-string policy", 1, 1, CLI_OUTPUT | CLI_KEYS, verb_connection_string_policy, "NAME",
     "print the connection string of a policy: a credential"},
    {"backup", 1, 1, 0, verb_backup, "FILE",
     "copy the registry into a new file of mode 0600, also while the hub runs"},
    {"restore", 1, 1, 0, verb_restore, "FILE",
     "put a backup in the registry's place; the hub is stopped, the former one kept"},
    {"endpoints", 0, 0, 0, verb_endpoints, "", "print the streaming endpoints as JSON"},
    {NULL, 0, 0, 0, NULL, NULL, NULL},
};

const CliVerb *
cli_verbs(void)
{
    return verbs;
}

static void
options_clear(CliOptions *options)
{
    g_free(options->state_dir);
    g_free(options->admin_socket);
    g_free(options->module);
    g_free(options->rights);
    g_free(options->output);
    g_strfreev(options->host_names);
    g_strfreev(options->sans);
    g_strfreev(options->listen);
    g_strfreev(options->mqtt_listen);
    g_free(options->streaming_host);
    g_free(options->config);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CliOptions, options_clear)

static void
add_entry(GArray *entries, const char *name, GOptionArg type, void *data, const char *help,
          const char *value)
{
    const GOptionEntry entry = {name, 0, 0, type, data, help, value};

    g_array_append_val(entries, entry);
}

static void
add_serve_entries(GArray *e, CliOptions *o)
{
    add_entry(e, "listen", G_OPTION_ARG_STRING_ARRAY, &o->listen,
              "serve everything here (repeatable; port 0: any)", "ADDR:PORT");
    add_entry(e, "mqtt-listen", G_OPTION_ARG_STRING_ARRAY, &o->mqtt_listen,
              "serve here too, announced as MQTT over TLS (repeatable)", "ADDR:PORT");
    add_entry(e, "streaming-host", G_OPTION_ARG_STRING, &o->streaming_host,
              "the host in the URLs of streams", "NAME[:PORT]");
    add_entry(e, "threads", G_OPTION_ARG_INT, &o->threads, "reactors (default: one per CPU)", "N");
    add_entry(e, "config", G_OPTION_ARG_FILENAME, &o->config, "settings", "FILE");
    add_entry(e, "grace", G_OPTION_ARG_INT, &o->grace,
              "how long streams may go on after SIGTERM (default: 0)", "SECONDS");
}

static GArray *
entries_for(CliOptions *o, CliOptionSet set)
{
    GArray *e = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));

    add_entry(e, "state-dir", G_OPTION_ARG_FILENAME, &o->state_dir,
              "the hub's state folder (default: " STATE_DIR_DEFAULT ")", "DIR");
    add_entry(e, "admin-socket", G_OPTION_ARG_FILENAME, &o->admin_socket,
              "the running hub's socket (default: DIR/" STATE_ADMIN_SOCKET ")", "PATH");
    if (set & CLI_JSON)
        add_entry(e, "json", G_OPTION_ARG_NONE, &o->json, "print JSON", NULL);
    if (set & CLI_MODULE)
        add_entry(e, "module", G_OPTION_ARG_STRING, &o->module, "a module of the device", "M");
    if (set & CLI_RIGHTS)
        add_entry(e, "rights", G_OPTION_ARG_STRING, &o->rights,
                  "service-connect,device-connect,registry-read,registry-write", "LIST");
    if (set & CLI_OUTPUT)
        add_entry(e, "output", G_OPTION_ARG_FILENAME, &o->output,
                  "write it to a new file of mode 0600; -: to standard output", "FILE");
    if (set & CLI_EXISTING)
        add_entry(e, "existing", G_OPTION_ARG_NONE, &o->existing,
                  "hand out the key of one that is there already, with all its rights", NULL);
    if (set & CLI_KEYS)
        add_entry(e, "secondary", G_OPTION_ARG_NONE, &o->secondary, "with the secondary key", NULL);
    if (set & CLI_DRAIN) {
        add_entry(e, "timeout", G_OPTION_ARG_INT, &o->timeout,
                  "wait no longer than this (default: for ever)", "SECONDS");
        add_entry(e, "cancel", G_OPTION_ARG_NONE, &o->cancel, "take new streams again", NULL);
    }
    if (set & (CLI_INIT | CLI_SERVE | CLI_NAMES))
        add_entry(e, "host-name", G_OPTION_ARG_STRING_ARRAY, &o->host_names,
                  "what the hub is called", "NAME");
    if (set & CLI_INIT)
        add_entry(e, "san", G_OPTION_ARG_STRING_ARRAY, &o->sans,
                  "what else it is called (repeatable)", "DNS:NAME|IP:ADDRESS");
    if (set & CLI_SERVE)
        add_serve_entries(e, o);
    return e;
}

/* All verbs, or those of two words that begin with NOUN; how many. */
static guint
usage_append_verbs(GString *text, const char *noun)
{
    g_autofree char *prefix = noun ? g_strconcat(noun, " ", NULL) : g_strdup("");
    guint n = 0;

    for (const CliVerb *verb = verbs; verb->verb; verb++) {
        g_autofree char *call = g_strconcat(verb->verb, " ", verb->args, NULL);

        if (!g_str_has_prefix(verb->verb, prefix))
            continue;
        g_string_append_printf(text, "  %-34s %s\n", call, verb->help);
        n++;
    }
    return n;
}

static char *
usage_text(void)
{
    GString *text =
        g_string_new("Usage: streamhub [--state-dir DIR | --admin-socket PATH] VERB ...\n"
                     "       streamhub VERB --help | --version\n\nVerbs:\n");

    (void)usage_append_verbs(text, NULL);
    g_string_append(text,
                    "\nExit codes: 0 done, 1 failure, 2 usage, 3 no hub reached, 4 not found,\n"
                    "  5 denied, 6 there already, 7 limit reached, 8 not in time\n");
    return g_string_free(text, FALSE);
}

static const CliVerb *
verb_find(int argc, char **argv, int *ret_words)
{
    g_autofree char *two = argc > 1 ? g_strjoin(" ", argv[0], argv[1], NULL) : NULL;

    for (const CliVerb *verb = verbs; argc > 0 && verb->verb; verb++) {
        *ret_words = strchr(verb->verb, ' ') ? 2 : 1;
        if (g_strcmp0(verb->verb, *ret_words == 2 ? two : argv[0]) == 0)
            return verb;
    }
    return NULL;
}

static gboolean
check_usage(const CliVerb *verb, int n_args, GError **error)
{
    if (n_args >= verb->min && n_args <= verb->max)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: usage: streamhub %s %s",
                n_args < verb->min ? "something is missing" : "too many arguments", verb->verb,
                verb->args);
    return FALSE;
}

/* The options of VERB, wherever they stand; what is left is its arguments. */
static gboolean
parse_verb(const CliVerb *verb, CliOptions *options, int *argc, char ***argv, GError **error)
{
    g_autofree char *summary = g_strdup_printf("%s %s - %s", verb->verb, verb->args, verb->help);
    g_autoptr(GOptionContext) context = g_option_context_new(summary);
    g_autoptr(GArray) entries = entries_for(options, verb->options);

    g_option_context_add_main_entries(context, (const GOptionEntry *)(void *)entries->data, NULL);
    return g_option_context_parse(context, argc, argv, error);
}

/* The options before the verb. */
static gboolean
parse_front(CliOptions *options, int *argc, char ***argv, gboolean *ret_help, gboolean *ret_version,
            GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GArray) entries = entries_for(options, 0);

    add_entry(entries, "help", G_OPTION_ARG_NONE, ret_help, NULL, NULL);
    add_entry(entries, "version", G_OPTION_ARG_NONE, ret_version, NULL, NULL);
    g_option_context_add_main_entries(context, (const GOptionEntry *)(void *)entries->data, NULL);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_set_strict_posix(context, TRUE);
    return g_option_context_parse(context, argc, argv, error);
}

/* ARGV is no verb: help for what its first word begins, if that is asked for, or what is wrong. */
static gboolean
run_no_verb(int argc, char **argv, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    gboolean help = argc > 1 && (g_str_equal(argv[1], "--help") || g_str_equal(argv[1], "-h"));

    if (argc > 0 && usage_append_verbs(text, argv[0]) > 0) {
        if (help)
            g_print("The verbs of '%s':\n%s", argv[0], text->str);
        else
            g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "the verbs of '%s' are:\n%s",
                        argv[0], g_strchomp(text->str));
        return help;
    }
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                argc > 0 ? "'%s' is not a verb; see streamhub --help"
                         : "what to do? See streamhub --help%s",
                argc > 0 ? argv[0] : "");
    return FALSE;
}

static gboolean
run_verb(CliOptions *options, int argc, char **argv, GError **error)
{
    int words = 0;
    const CliVerb *verb = verb_find(argc - 1, argv + 1, &words);
    CliCall call = {.options = options};

    if (!verb)
        return run_no_verb(argc - 1, argv + 1, error);
    if (!parse_verb(verb, options, &argc, &argv, error))
        return FALSE;
    if (!options->state_dir && !options->admin_socket)
        options->state_dir = g_strdup(STATE_DIR_DEFAULT);
    call.n_args = argc - 1 - words;
    call.args = argv + 1 + words;
    return check_usage(verb, call.n_args, error) && verb->func(&call, error);
}

int
cli_run(int argc, char **argv)
{
    g_auto(CliOptions) options = {.grace = CLI_GRACE_DEFAULT, .timeout = -1};
    g_auto(GStrv) owned = g_strdupv(argv);
    g_autofree char **args = g_memdup2(owned, ((gsize)argc + 1) * sizeof *owned);
    g_autoptr(GError) error = NULL;
    gboolean help = FALSE, version = FALSE, ok;
    char **rest = args;

    ok = parse_front(&options, &argc, &rest, &help, &version, &error);
    if (ok && help) {
        g_autofree char *usage = usage_text();

        g_print("%s", usage);
    } else if (ok && version)
        g_print("streamhub %s\n", STREAMD_VERSION);
    else if (ok)
        ok = run_verb(&options, argc, rest, &error);
    if (ok)
        return 0;
    g_printerr("streamhub: %s\n", error->message);
    return exit_code_of(error);
}

AdminClient *
cli_connect(const CliCall *call, GError **error)
{
    const CliOptions *options = call->options;
    g_autofree char *path = NULL;

    if (options->admin_socket)
        path = g_strdup(options->admin_socket);
    else
        path = g_build_filename(options->state_dir, STATE_ADMIN_SOCKET, NULL);
    return admin_client_new(path);
}

gboolean
cli_write(const char *text, GError **error)
{
    gsize len = strlen(text);
    ssize_t done;

    if (fflush(stdout) == EOF)
        len = 0;
    while (len > 0 && ((done = write(STDOUT_FILENO, text, len)) >= 0 || errno == EINTR)) {
        text += MAX(done, 0);
        len -= (gsize)MAX(done, 0);
    }
    if (len == 0 && !ferror(stdout))
        return TRUE;
    if (errno == EPIPE) /* libraries ignore the signal; `| head` expects no message */
        exit(128 + SIGPIPE);
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_FAILED, "standard output: %s",
                g_strerror(errno));
    return FALSE;
}

gboolean
cli_write_secret(const char *file, const char *text, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (strcmp(file, "-") == 0)
        return cli_write(text, error);
    if (private_file_write(file, text, strlen(text), &failure))
        return TRUE;
    if (g_error_matches(failure, G_FILE_ERROR, G_FILE_ERROR_EXIST))
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_EXISTS,
                    "%s is there already: move it away, or name another with --output FILE (- is "
                    "standard output)",
                    file);
    else
        g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

void
cli_print_json(JsonNode *node)
{
    g_autofree char *text = json_to_string(node, TRUE);

    g_print("%s\n", text);
}
