/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/program.h"

#include "common/base/error.h"
#include "common/base/table.h"
#include "common/cli/charset.h"
#include "common/cli/cli.h"
#include "common/cli/complete.h"
#include "common/cli/dump.h"
#include "common/cli/output.h"

#include <libintl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

/* How many of WORDS make up NAME; 0: they are not NAME. */
static guint
program_match(const char *name, const char *const *words, guint count)
{
    g_auto(GStrv) parts = g_strsplit(name, " ", 0);
    guint length = g_strv_length(parts);

    if (count < length)
        return 0;
    for (guint i = 0; i < length; i++)
        if (strcmp(parts[i], words[i]) != 0)
            return 0;
    return length;
}

const Verb *
program_find_verb(const Program *program, const char *const *words, guint count, guint *ret_used)
{
    const Verb *found = NULL;

    for (const Verb *verb = program->verbs; verb->name != NULL; verb++) {
        guint used = program_match(verb->name, words, count);

        if (used > (found != NULL ? *ret_used : 0)) {
            *ret_used = used;
            found = verb;
        }
    }
    return found;
}

gboolean
program_takes(const Program *program, const Verb *verb, Option option)
{
    if (verb != NULL && option == OPTION_JSON && g_strcmp0(verb->json, JSON_REFUSED) == 0)
        return FALSE;
    return option_is_everywhere(&program->options, option) ||
           (verb != NULL && option_is_in(verb->options, option));
}

void
program_replace_aliases(const Program *program, const char **words, guint count)
{
    for (const VerbAlias *alias = program->aliases; alias != NULL && alias->old[0] != NULL;
         alias++) {
        guint length = alias->old[1] != NULL ? 2 : 1;

        if (count < length || strcmp(words[0], alias->old[0]) != 0 ||
            (length == 2 && strcmp(words[1], alias->old[1]) != 0))
            continue;
        for (guint i = 0; i < length; i++)
            words[i] = alias->now[i];
        return;
    }
}

static void
program_print_error(const Cli *cli, const GError *error, ExitCode code)
{
    const Program *program = cli->program;
    const char *hint = program->hint != NULL ? program->hint(cli, code, error->message) : NULL;
    /* A file with several faults gets a line for each. Messages of other machines, in EXIT_ERROR,
     * are always shown on one line. */
    const gboolean lines = error->domain == STREAMD_ERROR;
    g_auto(GStrv) parts = g_strsplit(error->message, "\n", lines ? 0 : 1);

    for (char **part = parts; *part != NULL; part++) {
        g_autofree char *text = table_escape(*part);

        (void)fprintf(stderr, "%s: %s\n", program->name, text);
    }
    if (hint != NULL)
        (void)fprintf(stderr, "  %s\n", hint);
}

/* Handles what was asked for instead of a verb. FALSE: nothing of the kind. */
static gboolean
program_explain(const Program *program, const Cli *cli, ExitCode *ret_code, GError **error)
{
    if (cli->given[OPTION_HELP] || cli->noun_only) {
        g_autofree char *help = cli_help(program, cli);

        *ret_code = cli->noun_only ? EXIT_CODE_USAGE : EXIT_CODE_OK;
        if (cli->noun_only)
            (void)fputs(help, stderr);
        else
            (void)output_write(help, error);
        return TRUE;
    }
    if (!cli->given[OPTION_VERSION])
        return FALSE;
    (void)printf("%s " STREAMD_VERSION "\n", program->name);
    *ret_code = EXIT_CODE_OK;
    return TRUE;
}

static ExitCode
program_call(const Program *program, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_auto(Cli) cli = {0};
    ExitCode code = EXIT_CODE_USAGE;

    if (cli_parse(&cli, program, argv, &error) && !program_explain(program, &cli, &code, &error))
        code = cli.verb->run(&cli, &error);
    if (error == NULL && code == EXIT_CODE_OK && !output_flush(&error))
        code = EXIT_CODE_OTHER;
    if (error == NULL)
        return code;
    code = exit_code_of_error(error);
    program_print_error(&cli, error, code);
    return code;
}

int
program_run(const Program *program, const char *locale_dir, int argc, char **argv)
{
    (void)setlocale(LC_ALL, "");
    (void)bindtextdomain("streamd", locale_dir);
    (void)bind_textdomain_codeset("streamd", "UTF-8");
    (void)textdomain("streamd");
    charset_begin();
    if (argc == 2 && strcmp(argv[1], "--dump-verbs") == 0) {
        dump_print(program);
        return EXIT_CODE_OK;
    }
    if (argc >= 2 && strcmp(argv[1], "--complete") == 0) {
        complete_print(program, argv + 2);
        return EXIT_CODE_OK;
    }
    return (int)program_call(program, argv);
}
