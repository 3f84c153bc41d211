/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/cli.h"

#include "common/base/nearest.h"
#include "common/cli/output.h"

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
cli_unknown_option(const OptionTable *options, const char *name, gsize length, GError **error)
{
    g_autofree char *text = g_strndup(name, MIN(length, 64));
    const char *best = NULL;
    guint distance = 0;

    for (Option i = 0; i < option_count(options); i++)
        nearest_consider(text, option_row(options, i)->name, &best, &distance);
    if (best != NULL)
        cli_fail(error, EXIT_CODE_USAGE, _("there is no option --%s; did you mean --%s?"), text,
                 best);
    else
        cli_fail(error, EXIT_CODE_USAGE, _("there is no option --%s"), text);
    return FALSE;
}

/* FORMAT has one %s, for the name of the option. */
static gboolean
cli_refuse(const OptionRow *row, const char *format, GError **error)
{
    g_autofree char *text = output_fill(format, row->name);

    cli_fail(error, EXIT_CODE_USAGE, "%s", text);
    return FALSE;
}

static void
cli_keep(Cli *cli, Option option, const char *value)
{
    cli->given[option] = TRUE;
    cli->values[option] = value;
    if (option_row(&cli->program->options, option)->kind != VALUE_REPEATED)
        return;
    if (cli->repeated[option] == NULL) {
        cli->repeated[option] = g_ptr_array_new();
        g_ptr_array_add(cli->repeated[option], NULL);
    }
    g_ptr_array_insert(cli->repeated[option], (gint)cli->repeated[option]->len - 1,
                       (void *)(guintptr)value);
}

/* ARG is "--name" or "--name=value", NEXT the argument after it. Sets whether NEXT was used. */
static gboolean
cli_take_option(Cli *cli, const char *arg, const char *next, gboolean *ret_used_next,
                GError **error)
{
    const OptionTable *options = &cli->program->options;
    const char *name = arg + 2;
    gsize length = strcspn(name, "=");
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    const OptionRow *row;
    gboolean wanted;
    Option option;

    if (!option_find(options, name, length, &option))
        return cli_unknown_option(options, name, length, error);
    row = option_row(options, option);
    wanted = row->kind == VALUE_REQUIRED || row->kind == VALUE_REPEATED;
    if (row->kind == VALUE_NONE && value != NULL)
        return cli_refuse(row, _("--%s takes no value"), error);
    if (wanted && value == NULL) {
        if (next == NULL)
            return cli_refuse(row, _("--%s takes a value"), error);
        value = next;
        *ret_used_next = TRUE;
    }
    if (cli->given[option] && row->kind != VALUE_NONE && row->kind != VALUE_REPEATED)
        return cli_refuse(row, _("--%s is given twice"), error);
    cli_keep(cli, option, value);
    return TRUE;
}

static gboolean
cli_split(Cli *cli, char **argv, GError **error)
{
    gboolean ended = FALSE;

    for (guint i = 1; argv[i] != NULL; i++) {
        const OptionTable *options = &cli->program->options;
        const char *arg = argv[i];
        g_autofree char *spelt_out = NULL;
        gboolean used_next = FALSE;
        Option brief;

        if (!ended && option_find_brief(options, arg, &brief))
            arg = spelt_out = g_strconcat("--", option_row(options, brief)->name, NULL);

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

/* What the first word means elsewhere; NULL: nothing. */
static const char *
cli_guess(const Cli *cli)
{
    for (const VerbGuess *guess = cli->program->guesses; guess != NULL && guess->said != NULL;
         guess++)
        if (strcmp(guess->said, cli->words[0]) == 0)
            return guess->meant;
    return NULL;
}

/* The verb, or the first word of verbs, that is nearest to WORDS; NULL when nothing is near. Caller
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
cli_unknown_verb(const Cli *cli, GError **error)
{
    const Verb *verbs = cli->program->verbs;
    g_autofree char *siblings = cli_siblings(verbs, cli->words[0]);
    const char *guess = cli_guess(cli);
    g_autofree char *nearest = guess != NULL ? g_strdup(guess) : cli_nearest_verb(cli, verbs);

    if (nearest != NULL)
        cli_fail(error, EXIT_CODE_USAGE, _("there is no verb '%.64s%s%.64s'; did you mean '%s'?"),
                 cli->words[0], siblings != NULL ? " " : "", siblings != NULL ? cli->words[1] : "",
                 nearest);
    else if (siblings == NULL)
        cli_fail(error, EXIT_CODE_USAGE, _("there is no verb '%.64s'; see %s --help"),
                 cli->words[0], cli->program->name);
    else
        cli_fail(error, EXIT_CODE_USAGE,
                 /* TRANSLATORS: verbs and nouns of the command line stay as they are */
                 _("there is no verb '%s %.64s'; after '%s' comes one of: %s"), cli->words[0],
                 cli->words[1], cli->words[0], siblings);
    return FALSE;
}

/* "hub" alone, or "hub --help". */
static gboolean
cli_is_noun(Cli *cli)
{
    g_autofree char *siblings = cli_siblings(cli->program->verbs, cli->words[0]);

    if (siblings == NULL || cli->count > 1)
        return FALSE;
    cli->noun = cli->words[0];
    cli->noun_only = !cli->given[OPTION_HELP];
    return TRUE;
}

static gboolean
cli_find_verb(Cli *cli, GError **error)
{
    guint used = 0;

    program_replace_aliases(cli->program, cli->words, cli->count);
    cli->verb = program_find_verb(cli->program, cli->words, cli->count, &used);
    if (cli->verb == NULL)
        return cli_is_noun(cli) || cli_unknown_verb(cli, error);
    cli->count -= used;
    memmove(cli->words, cli->words + used, (cli->count + 1) * sizeof(*cli->words));
    return TRUE;
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
cli_check_options(Cli *cli, GError **error)
{
    const OptionTable *options = &cli->program->options;
    const Verb *verb = cli->verb;

    for (Option i = 0; i < option_count(options); i++)
        if (cli->given[i] && !program_takes(cli->program, verb, i)) {
            cli_fail(error, EXIT_CODE_USAGE, _("--%s does not go with '%s'"),
                     option_row(options, i)->name, verb->name);
            return FALSE;
        }
    return cli_check_color(cli->values[OPTION_COLOR], error) &&
           (cli->program->check == NULL || cli->program->check(cli, error));
}

/* "log veriyf", of which "log" is a verb: the one that is meant may be "log verify". NULL: none. */
static const char *
cli_nearest_other(const Cli *cli)
{
    g_autofree char *front = g_strconcat(cli->verb->name, " ", NULL);
    g_autofree char *two = g_strconcat(front, cli->words[0], NULL);
    const char *best = NULL;
    guint distance = 0;

    for (const Verb *verb = cli->program->verbs; verb->name != NULL; verb++)
        if (g_str_has_prefix(verb->name, front))
            nearest_consider(two, verb->name, &best, &distance);
    return best;
}

static gboolean
cli_check_words(const Cli *cli, GError **error)
{
    const Verb *verb = cli->verb;
    const char *other;

    if (cli->count >= verb->min && cli->count <= verb->max)
        return TRUE;
    other = cli->count > verb->max ? cli_nearest_other(cli) : NULL;
    if (other != NULL) {
        cli_fail(error, EXIT_CODE_USAGE, _("there is no verb '%.64s%s%.64s'; did you mean '%s'?"),
                 verb->name, " ", cli->words[0], other);
        return FALSE;
    }
    cli_fail(error, EXIT_CODE_USAGE, "%s: %s %s%s%s",
             cli->count < verb->min ? _("something is missing; the form is")
                                    : _("that is too much; the form is"),
             cli->program->name, verb->name, *verb->arguments != '\0' ? " " : "", verb->arguments);
    return FALSE;
}

/* "help hub add" means "hub add --help". */
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
cli_parse(Cli *cli, const Program *program, char **argv, GError **error)
{
    cli->program = program;
    cli->words = g_new0(const char *, g_strv_length(argv) + 2);
    if (!cli_split(cli, argv, error))
        return FALSE;
    cli_take_help(cli);
    if (cli->count == 0) {
        if (cli->given[OPTION_HELP] || cli->given[OPTION_VERSION])
            return TRUE;
        if (program->default_verb == NULL) {
            cli_fail(error, EXIT_CODE_USAGE, _("what to do? See %s --help"), program->name);
            return FALSE;
        }
        cli->words[cli->count++] = program->default_verb;
    }
    if (!cli_find_verb(cli, error))
        return FALSE;
    return cli->given[OPTION_HELP] || cli->noun != NULL ||
           (cli_check_options(cli, error) && cli_check_words(cli, error));
}

void
cli_clear(Cli *cli)
{
    g_clear_pointer(&cli->words, g_free);
    for (guint i = 0; i < OPTIONS_MAX; i++)
        g_clear_pointer(&cli->repeated[i], g_ptr_array_unref);
}

gboolean
cli_has_any(const Cli *cli, const Option *list)
{
    for (; *list != OPTION_NONE; list++)
        if (cli->given[*list])
            return TRUE;
    return FALSE;
}

const char *const *
cli_list(const Cli *cli, Option option)
{
    return cli->repeated[option] != NULL ? (const char *const *)cli->repeated[option]->pdata : NULL;
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
    g_autofree char *what =
        g_strconcat("--", option_row(&cli->program->options, option)->name, NULL);

    if (!cli->given[option])
        return TRUE;
    return cli_parse_number(what, cli->values[option], min, max, ret, error);
}
