/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/cli.h"

#include <glib/gi18n.h>
#include <string.h>

typedef enum { VALUE_NONE, VALUE_REQUIRED, VALUE_OPTIONAL } ValueKind;

typedef struct {
    const char *name;
    ValueKind kind;
} OptionRow;

static const OptionRow options[OPTION_LAST] = {
    [OPTION_USER] = {"user", VALUE_NONE},
    [OPTION_SYSTEM] = {"system", VALUE_NONE},
    [OPTION_JSON] = {"json", VALUE_NONE},
    [OPTION_HELP] = {"help", VALUE_NONE},
    [OPTION_VERSION] = {"version", VALUE_NONE},
    [OPTION_NO_ASK_PASSWORD] = {"no-ask-password", VALUE_NONE},
    [OPTION_CONNECTION_STRING_FILE] = {"connection-string-file", VALUE_REQUIRED},
    [OPTION_CA] = {"ca", VALUE_REQUIRED},
    [OPTION_TRANSPORT] = {"transport", VALUE_REQUIRED},
    [OPTION_MQTT_PORT] = {"mqtt-port", VALUE_REQUIRED},
    [OPTION_HUB] = {"hub", VALUE_REQUIRED},
    [OPTION_STREAM] = {"stream", VALUE_REQUIRED},
    [OPTION_INITIATOR] = {"initiator", VALUE_REQUIRED},
    [OPTION_POSITION] = {"position", VALUE_REQUIRED},
    [OPTION_ACCEPT] = {"accept", VALUE_REQUIRED},
    [OPTION_REJECT] = {"reject", VALUE_REQUIRED},
    [OPTION_LISTEN] = {"listen", VALUE_REQUIRED},
    [OPTION_BACKGROUND] = {"background", VALUE_NONE},
    [OPTION_SHARED] = {"shared", VALUE_NONE},
    [OPTION_WAIT] = {"wait", VALUE_OPTIONAL},
    [OPTION_TIMEOUT] = {"timeout", VALUE_REQUIRED},
    [OPTION_ALL] = {"all", VALUE_NONE},
};

ExitCode
cli_fail(GError **error, ExitCode code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (error != NULL)
        *error = g_error_new_valist(EXIT_ERROR, (int)code, format, args);
    va_end(args);
    return code;
}

static gboolean
cli_find_option(const char *text, gsize length, Option *ret_option)
{
    for (guint i = 0; i < OPTION_LAST; i++)
        if (strlen(options[i].name) == length && strncmp(options[i].name, text, length) == 0) {
            *ret_option = (Option)i;
            return TRUE;
        }
    return FALSE;
}

/* ARG is "--name" or "--name=value", NEXT the argument after it. Sets whether NEXT was used. */
static gboolean
cli_take_option(Cli *cli, const char *arg, const char *next, gboolean *ret_used_next,
                GError **error)
{
    const char *name = arg + 2;
    gsize length = strcspn(name, "=");
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    Option option;

    if (!cli_find_option(name, length, &option)) {
        cli_fail(error, EXIT_CODE_USAGE, _("there is no option --%.*s"), (int)MIN(length, 64),
                 name);
        return FALSE;
    }
    if (options[option].kind == VALUE_NONE && value != NULL) {
        cli_fail(error, EXIT_CODE_USAGE, _("--%s takes no value"), options[option].name);
        return FALSE;
    }
    if (options[option].kind == VALUE_REQUIRED && value == NULL) {
        if (next == NULL) {
            cli_fail(error, EXIT_CODE_USAGE, _("--%s takes a value"), options[option].name);
            return FALSE;
        }
        value = next;
        *ret_used_next = TRUE;
    }
    if (cli->given[option] && options[option].kind != VALUE_NONE) {
        cli_fail(error, EXIT_CODE_USAGE, _("--%s is given twice"), options[option].name);
        return FALSE;
    }
    cli->given[option] = TRUE;
    cli->values[option] = value;
    return TRUE;
}

/* Short forms of the two options that everybody tries. */
static const char *
cli_long_form(const char *arg)
{
    if (strcmp(arg, "-h") == 0)
        return "--help";
    return strcmp(arg, "-j") == 0 ? "--json" : arg;
}

static gboolean
cli_split(Cli *cli, char **argv, GError **error)
{
    gboolean ended = FALSE;

    for (guint i = 1; argv[i] != NULL; i++) {
        const char *arg = ended ? argv[i] : cli_long_form(argv[i]);
        gboolean used_next = FALSE;

        if (!ended && strcmp(arg, "--") == 0) {
            ended = TRUE;
        } else if (!ended && g_str_has_prefix(arg, "--")) {
            if (!cli_take_option(cli, arg, argv[i + 1], &used_next, error))
                return FALSE;
            i += used_next ? 1 : 0;
        } else if (!ended && arg[0] == '-' && arg[1] != '\0') {
            cli_fail(error, EXIT_CODE_USAGE, _("there is no option %.64s"), arg);
            return FALSE;
        } else {
            cli->words[cli->count++] = arg;
        }
    }
    return TRUE;
}

/* How many words of the command line are NAME; 0: it is another verb. */
static guint
cli_match(const Cli *cli, const char *name)
{
    g_auto(GStrv) parts = g_strsplit(name, " ", 0);
    guint count = g_strv_length(parts);

    if (cli->count < count)
        return 0;
    for (guint i = 0; i < count; i++)
        if (strcmp(parts[i], cli->words[i]) != 0)
            return 0;
    return count;
}

/* "add, list, remove" for the first word "hub"; NULL when no verb begins with it. */
static char *
cli_siblings(const Verb *verbs, const char *word)
{
    g_autofree char *prefix = g_strconcat(word, " ", NULL);
    g_autoptr(GString) names = g_string_new(NULL);

    for (const Verb *verb = verbs; verb->name != NULL; verb++)
        if (g_str_has_prefix(verb->name, prefix))
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "",
                                   verb->name + strlen(prefix));
    return names->len > 0 ? g_strdup(names->str) : NULL;
}

static gboolean
cli_unknown_verb(const Cli *cli, const Verb *verbs, GError **error)
{
    g_autofree char *siblings = cli_siblings(verbs, cli->words[0]);

    if (siblings == NULL)
        cli_fail(error, EXIT_CODE_USAGE, _("there is no verb '%.64s'; see streamctl --help"),
                 cli->words[0]);
    else if (cli->count == 1)
        cli_fail(error, EXIT_CODE_USAGE, _("'%s' needs one of: %s"), cli->words[0], siblings);
    else
        cli_fail(error, EXIT_CODE_USAGE,
                 _("there is no verb '%s %.64s'; after '%s' comes one of: %s"), cli->words[0],
                 cli->words[1], cli->words[0], siblings);
    return FALSE;
}

static gboolean
cli_find_verb(Cli *cli, const Verb *verbs, GError **error)
{
    for (const Verb *verb = verbs; verb->name != NULL; verb++) {
        guint used = cli_match(cli, verb->name);

        if (used == 0)
            continue;
        cli->verb = verb;
        cli->count -= used;
        memmove(cli->words, cli->words + used, (cli->count + 1) * sizeof(*cli->words));
        return TRUE;
    }
    return cli_unknown_verb(cli, verbs, error);
}

static gboolean
cli_check(const Cli *cli, GError **error)
{
    const Verb *verb = cli->verb;

    for (guint i = 0; i < OPTION_LAST; i++)
        if (cli->given[i] && !((verb->options | OPTIONS_GLOBAL) & OPTION_BIT(i))) {
            cli_fail(error, EXIT_CODE_USAGE, _("--%s does not go with '%s'"), options[i].name,
                     verb->name);
            return FALSE;
        }
    if (cli->given[OPTION_USER] && cli->given[OPTION_SYSTEM]) {
        cli_fail(error, EXIT_CODE_USAGE, _("--user and --system exclude each other"));
        return FALSE;
    }
    if (cli->count < verb->min || cli->count > verb->max) {
        cli_fail(error, EXIT_CODE_USAGE, "%s: streamctl %s%s%s",
                 cli->count < verb->min ? _("something is missing; the form is")
                                        : _("that is too much; the form is"),
                 verb->name, *verb->arguments != '\0' ? " " : "", verb->arguments);
        return FALSE;
    }
    return TRUE;
}

gboolean
cli_parse(Cli *cli, const Verb *verbs, const char *default_verb, char **argv, GError **error)
{
    cli->words = g_new0(const char *, g_strv_length(argv) + 2);
    if (!cli_split(cli, argv, error))
        return FALSE;
    if (cli->count == 0) {
        if (cli->given[OPTION_HELP] || cli->given[OPTION_VERSION])
            return TRUE;
        cli->words[cli->count++] = default_verb;
    }
    if (!cli_find_verb(cli, verbs, error))
        return FALSE;
    return cli->given[OPTION_HELP] || cli_check(cli, error);
}

void
cli_clear(Cli *cli)
{
    g_clear_pointer(&cli->words, g_free);
}

static char *
cli_help_verb(const Verb *verb)
{
    return g_strdup_printf("streamctl %s%s%s\n\n%s\n", verb->name,
                           *verb->arguments != '\0' ? " " : "", verb->arguments, _(verb->help));
}

char *
cli_help(const Verb *verbs, const Verb *verb)
{
    g_autoptr(GString) text = NULL;

    if (verb != NULL)
        return cli_help_verb(verb);
    text = g_string_new(NULL);
    g_string_append_printf(
        text, "%s\n\n%s\n\n%s\n",
        _("streamctl [--user|--system] [--no-ask-password] [--json] VERB"),
        _("--user (the default) talks to the streamd of the user, --system to the machine's, "
          "where\n"
          "a password may be asked for on the terminal, unless --no-ask-password is given."),
        _("Verbs:"));
    for (const Verb *row = verbs; row->name != NULL; row++)
        g_string_append_printf(text, "  %s%s%s\n      %s\n", row->name,
                               *row->arguments != '\0' ? " " : "", row->arguments, _(row->help));
    g_string_append_printf(
        text, "\n%s\n",
        _("Exit codes: 0 ok, 1 failed, 2 usage, 3 no streamd, 4 not found, 5 denied, 6 exists,\n"
          "7 limit, 10 device offline, 11 hub refused the identity, 12 device rejected,\n"
          "13 timed out, 14 hub unreachable, 15 hub not trusted, 16 protocol, 17 stream cut"));
    return g_string_free(g_steal_pointer(&text), FALSE);
}

gboolean
cli_parse_number(const char *what, const char *text, guint64 min, guint64 max, guint64 *ret,
                 GError **error)
{
    if (text != NULL && g_ascii_string_to_unsigned(text, 10, min, max, ret, NULL))
        return TRUE;
    cli_fail(error, EXIT_CODE_USAGE, _("%s is a number from %llu to %llu, not '%.64s'"), what,
             (unsigned long long)min, (unsigned long long)max, text != NULL ? text : "");
    return FALSE;
}

gboolean
cli_number(const Cli *cli, Option option, guint64 min, guint64 max, guint64 *ret, GError **error)
{
    g_autofree char *what = g_strconcat("--", options[option].name, NULL);

    if (!cli->given[option])
        return TRUE;
    return cli_parse_number(what, cli->values[option], min, max, ret, error);
}
