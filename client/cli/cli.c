/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/cli/cli.h"

#include "client/cli/nearest.h"

#include <glib/gi18n.h>
#include <string.h>

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
cli_unknown_option(const char *name, gsize length, GError **error)
{
    g_autofree char *text = g_strndup(name, MIN(length, 64));
    const char *best = NULL;
    guint distance = 0;

    for (guint i = 0; i < OPTION_LAST; i++)
        nearest_consider(text, option_row((Option)i)->name, &best, &distance);
    if (best != NULL)
        cli_fail(error, EXIT_CODE_USAGE, _("there is no option --%s; did you mean --%s?"), text,
                 best);
    else
        cli_fail(error, EXIT_CODE_USAGE, _("there is no option --%s"), text);
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
    const OptionRow *row;
    Option option;

    if (!option_find(name, length, &option))
        return cli_unknown_option(name, length, error);
    row = option_row(option);
    if (row->kind == VALUE_NONE && value != NULL) {
        cli_fail(error, EXIT_CODE_USAGE, _("--%s takes no value"), row->name);
        return FALSE;
    }
    if (row->kind == VALUE_REQUIRED && value == NULL) {
        if (next == NULL) {
            cli_fail(error, EXIT_CODE_USAGE, _("--%s takes a value"), row->name);
            return FALSE;
        }
        value = next;
        *ret_used_next = TRUE;
    }
    if (cli->given[option] && row->kind != VALUE_NONE) {
        cli_fail(error, EXIT_CODE_USAGE, _("--%s is given twice"), row->name);
        return FALSE;
    }
    cli->given[option] = TRUE;
    cli->values[option] = value;
    return TRUE;
}

static gboolean
cli_split(Cli *cli, char **argv, GError **error)
{
    gboolean ended = FALSE;

    for (guint i = 1; argv[i] != NULL; i++) {
        const OptionRow *brief = ended ? NULL : option_of_brief(argv[i]);
        g_autofree char *spelt_out = brief != NULL ? g_strconcat("--", brief->name, NULL) : NULL;
        const char *arg = spelt_out != NULL ? spelt_out : argv[i];
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

/* The verb, or the first word of some, that WORDS nearly are; NULL when nothing is near. Caller
 * frees. */
static char *
cli_nearest_verb(const Cli *cli, const Verb *verbs)
{
    g_autofree char *two = g_strjoin(" ", cli->words[0], cli->words[1], NULL);
    g_autoptr(GPtrArray) nouns = g_ptr_array_new_with_free_func(g_free);
    const char *best = NULL;
    guint distance = 0;

    for (const Verb *verb = verbs; verb->name != NULL; verb++) {
        const char *blank = strchr(verb->name, ' ');

        nearest_consider(blank != NULL ? two : cli->words[0], verb->name, &best, &distance);
        if (blank == NULL || cli->count > 1)
            continue;
        g_ptr_array_add(nouns, g_strndup(verb->name, (gsize)(blank - verb->name)));
        nearest_consider(two, g_ptr_array_index(nouns, nouns->len - 1), &best, &distance);
    }
    return g_strdup(best);
}

static gboolean
cli_unknown_verb(const Cli *cli, const Verb *verbs, GError **error)
{
    g_autofree char *siblings = cli_siblings(verbs, cli->words[0]);
    g_autofree char *nearest = cli_nearest_verb(cli, verbs);

    if (nearest != NULL)
        cli_fail(error, EXIT_CODE_USAGE, _("there is no verb '%.64s%s%.64s'; did you mean '%s'?"),
                 cli->words[0], siblings != NULL ? " " : "", siblings != NULL ? cli->words[1] : "",
                 nearest);
    else if (siblings == NULL)
        cli_fail(error, EXIT_CODE_USAGE, _("there is no verb '%.64s'; see streamctl --help"),
                 cli->words[0]);
    else
        cli_fail(error, EXIT_CODE_USAGE,
                 /* TRANSLATORS: verbs and nouns of the command line stay as they are */
                 _("there is no verb '%s %.64s'; after '%s' comes one of: %s"), cli->words[0],
                 cli->words[1], cli->words[0], siblings);
    return FALSE;
}

/* "hub" alone, or "hub --help". */
static gboolean
cli_is_noun(Cli *cli, const Verb *verbs)
{
    g_autofree char *siblings = cli_siblings(verbs, cli->words[0]);

    if (siblings == NULL || cli->count > 1)
        return FALSE;
    cli->noun = cli->words[0];
    cli->noun_only = !cli->given[OPTION_HELP];
    return TRUE;
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
    return cli_is_noun(cli, verbs) || cli_unknown_verb(cli, verbs, error);
}

static gboolean
cli_check_color(const char *when, GError **error)
{
    static const char *const choice[] = {"auto", "always", "never", NULL};

    if (when == NULL || g_strv_contains(choice, when))
        return TRUE;
    cli_fail(error, EXIT_CODE_USAGE, _("--color is auto, always or never, not '%.64s'"), when);
    return FALSE;
}

static gboolean
cli_check(const Cli *cli, GError **error)
{
    const Verb *verb = cli->verb;

    for (guint i = 0; i < OPTION_LAST; i++)
        if (cli->given[i] && !((verb->options | OPTIONS_GLOBAL) & OPTION_BIT(i))) {
            cli_fail(error, EXIT_CODE_USAGE, _("--%s does not go with '%s'"),
                     option_row((Option)i)->name, verb->name);
            return FALSE;
        }
    if (cli->given[OPTION_USER] && cli->given[OPTION_SYSTEM]) {
        cli_fail(error, EXIT_CODE_USAGE, _("--user and --system exclude each other"));
        return FALSE;
    }
    if (!cli_check_color(cli->values[OPTION_COLOR], error))
        return FALSE;
    if (cli->count < verb->min || cli->count > verb->max) {
        cli_fail(error, EXIT_CODE_USAGE, "%s: streamctl %s%s%s",
                 cli->count < verb->min ? _("something is missing; the form is")
                                        : _("that is too much; the form is"),
                 verb->name, *verb->arguments != '\0' ? " " : "", verb->arguments);
        return FALSE;
    }
    return TRUE;
}

/* "help hub add" is "hub add --help". */
static void
cli_take_help(Cli *cli)
{
    if (cli->count == 0 || strcmp(cli->words[0], "help") != 0)
        return;
    cli->given[OPTION_HELP] = TRUE;
    cli->count--;
    memmove(cli->words, cli->words + 1, (cli->count + 1) * sizeof(*cli->words));
}

gboolean
cli_parse(Cli *cli, const Verb *verbs, const char *default_verb, char **argv, GError **error)
{
    cli->words = g_new0(const char *, g_strv_length(argv) + 2);
    if (!cli_split(cli, argv, error))
        return FALSE;
    cli_take_help(cli);
    if (cli->count == 0) {
        if (cli->given[OPTION_HELP] || cli->given[OPTION_VERSION])
            return TRUE;
        cli->words[cli->count++] = default_verb;
    }
    if (!cli_find_verb(cli, verbs, error))
        return FALSE;
    return cli->given[OPTION_HELP] || cli->noun != NULL || cli_check(cli, error);
}

void
cli_clear(Cli *cli)
{
    g_clear_pointer(&cli->words, g_free);
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
    g_autofree char *what = g_strconcat("--", option_row(option)->name, NULL);

    if (!cli->given[option])
        return TRUE;
    return cli_parse_number(what, cli->values[option], min, max, ret, error);
}
