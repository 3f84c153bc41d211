/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What --help prints: for all verbs, for those with one first word, or for one verb. */
#include "common/base/table.h"
#include "common/cli/cli.h"
#include "common/cli/wrap.h"

#include <glib/gi18n.h>
#include <string.h>

#define COLUMNS 80

/* TEXT as a paragraph. INDENT goes before its first line, NEXT before the others. */
static void
help_append(GString *out, const char *indent, const char *next, const char *text)
{
    g_autofree char *wrapped = wrap_text(text, COLUMNS - 1 - (guint)strlen(indent), next);

    g_string_append_printf(out, "%s%s\n", indent, wrapped);
}

static void
help_append_usage(GString *text, const char *indent, const char *program, const Verb *verb)
{
    g_autofree char *next = g_strconcat(indent, "    ", NULL);
    g_autofree char *usage = g_strconcat(program, verb->name, *verb->arguments != '\0' ? " " : "",
                                         verb->arguments, NULL);

    help_append(text, indent, next, usage);
}

/* "-j, --json", "--ca=FILE", "--wait[=SECONDS]". Caller frees. */
static char *
help_option_form(const OptionRow *row)
{
    gboolean optional = row->kind == VALUE_OPTIONAL;

    return g_strconcat(row->brief != NULL ? row->brief : "", row->brief != NULL ? ", " : "", "--",
                       row->name, optional ? "[" : "", row->value != NULL ? "=" : "",
                       row->value != NULL ? row->value : "", optional ? "]" : "", NULL);
}

/* The options of VERB, one line each: those that every verb takes (VERB NULL: there is no other),
 * or its own. */
static void
help_append_options(GString *text, const Program *program, const Verb *verb, gboolean everywhere)
{
    const OptionTable *options = &program->options;
    g_autoptr(Table) table = table_new("", "", NULL);
    g_autofree char *rows = NULL;

    for (Option i = 0; i < option_count(options); i++) {
        const OptionRow *row = option_row(options, i);
        g_autofree char *form = NULL;

        if (!program_takes(program, verb, i) || option_is_everywhere(options, i) != everywhere)
            continue;
        form = help_option_form(row);
        table_addf(table, "  %s", form);
        table_add(table, row->help != NULL ? _(row->help) : "");
    }
    if (table_rows(table) == 0)
        return;
    rows = table_format(table, NULL);
    g_string_append_printf(text, "\n%s\n%s",
                           everywhere ? _("Options of every verb:") : _("Options:"),
                           rows + strspn(rows, "\n"));
}

/* NOUN: only the verbs that begin with it; NULL: all. */
static void
help_append_verbs(GString *text, const Verb *verbs, const char *noun)
{
    g_autofree char *prefix = noun != NULL ? g_strconcat(noun, " ", NULL) : NULL;

    for (const Verb *row = verbs; row->name != NULL; row++)
        if (prefix == NULL || g_str_has_prefix(row->name, prefix)) {
            help_append_usage(text, "  ", "", row);
            help_append(text, "      ", "      ", _(row->help));
        }
}

/* Of "log": "log verify". */
static void
help_append_others(GString *text, const Program *program, const Verb *verb)
{
    g_autoptr(GString) others = g_string_new(NULL);

    help_append_verbs(others, program->verbs, verb->name);
    if (others->len == 0)
        return;
    g_string_append_c(text, '\n');
    g_string_append_printf(text, _("The verbs of '%s':"), verb->name);
    g_string_append_printf(text, "\n%s", others->str);
}

static void
help_verb(GString *text, const Program *program, const Verb *verb)
{
    g_autofree char *front = g_strconcat(program->name, " ", NULL);
    g_autofree char *codes = g_strdup_printf(
        /* TRANSLATORS: a program and its page of the manual: "streamctl", "streamctl(1)" */
        _("0 is success; '%s --help' lists the other exit codes, and %s explains them."),
        program->name, program->manual);

    help_append_usage(text, "", front, verb);
    g_string_append_c(text, '\n');
    help_append(text, "", "", _(verb->help));
    if (verb->more != NULL) {
        g_string_append_c(text, '\n');
        help_append(text, "", "", _(verb->more));
    }
    help_append_options(text, program, verb, FALSE);
    help_append_options(text, program, verb, TRUE);
    help_append_others(text, program, verb);
    g_string_append_c(text, '\n');
    help_append(text, "", "", codes);
}

static void
help_noun(GString *text, const Program *program, const char *noun)
{
    g_string_append_printf(text, _("The verbs of '%s':"), noun);
    g_string_append_c(text, '\n');
    help_append_verbs(text, program->verbs, noun);
    g_string_append_c(text, '\n');
    g_string_append_printf(text, _("'%s %s VERB --help' says more of one of them."), program->name,
                           noun);
    g_string_append_c(text, '\n');
}

/* "Exit codes: 0 ok, 1 failed, ..." */
static void
help_append_codes(GString *text)
{
    g_autoptr(GString) list = g_string_new(_("Exit codes:"));

    for (const ExitCodeRow *row = exit_code_rows(); row->word != NULL; row++)
        g_string_append_printf(list, "%s %d %s", row->code == EXIT_CODE_OK ? "" : ",",
                               (int)row->code, _(row->word));
    help_append(text, "", "", list->str);
}

static void
help_all(GString *text, const Program *program)
{
    g_string_append_printf(text, _("%s [OPTIONS] VERB"), program->name);
    g_string_append_printf(text, "\n\n%s\n", _("Verbs:"));
    help_append_verbs(text, program->verbs, NULL);
    help_append_options(text, program, NULL, TRUE);
    g_string_append_c(text, '\n');
    g_string_append_printf(text, _("'%s VERB --help' explains a verb and its own options."),
                           program->name);
    g_string_append(text, "\n\n");
    help_append_codes(text);
}

char *
cli_help(const Program *program, const Cli *cli)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (cli->verb != NULL)
        help_verb(text, program, cli->verb);
    else if (cli->noun != NULL)
        help_noun(text, program, cli->noun);
    else
        help_all(text, program);
    return g_string_free(g_steal_pointer(&text), FALSE);
}
