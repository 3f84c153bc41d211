/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What --help prints: of all verbs, of those of a noun, of one. */
#include "client/cli/cli.h"
#include "client/cli/wrap.h"
#include "common/base/table.h"

#include <glib/gi18n.h>
#include <string.h>

#define COLUMNS 80

/* TEXT as a paragraph, with INDENT in front of its first line and NEXT of the others. */
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

/* The options of MASK, one line each, under TITLE. */
static void
help_append_options(GString *text, const char *title, guint64 mask)
{
    g_autoptr(Table) table = table_new("", "", NULL);
    g_autofree char *rows = NULL;

    for (guint i = 0; i < OPTION_LAST; i++) {
        const OptionRow *row = option_row((Option)i);
        g_autofree char *form = NULL;

        if (!(mask & OPTION_BIT(i)))
            continue;
        form = help_option_form(row);
        table_addf(table, "  %s", form);
        table_add(table, row->help != NULL ? _(row->help) : "");
    }
    if (table_rows(table) == 0)
        return;
    rows = table_format(table, NULL);
    g_string_append_printf(text, "\n%s\n%s", title, rows + strspn(rows, "\n"));
}

static void
help_verb(GString *text, const Verb *verb)
{
    help_append_usage(text, "", "streamctl ", verb);
    g_string_append_c(text, '\n');
    help_append(text, "", "", _(verb->help));
    if (verb->more != NULL) {
        g_string_append_c(text, '\n');
        help_append(text, "", "", _(verb->more));
    }
    help_append_options(text, _("Options:"), verb->options);
    help_append_options(text, _("Options of every verb:"), OPTIONS_GLOBAL);
    g_string_append_c(text, '\n');
    help_append(text, "", "",
                _("0 is success; 'streamctl --help' lists the other exit codes, and streamctl(1) "
                  "explains them."));
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

static void
help_noun(GString *text, const Verb *verbs, const char *noun)
{
    g_string_append_printf(text, _("The verbs of '%s':"), noun);
    g_string_append_c(text, '\n');
    help_append_verbs(text, verbs, noun);
    g_string_append_c(text, '\n');
    g_string_append_printf(text, _("'streamctl %s VERB --help' says more of one of them."), noun);
    g_string_append_c(text, '\n');
}

static void
help_all(GString *text, const Verb *verbs)
{
    g_string_append_printf(text, "%s\n\n%s\n", _("streamctl [OPTIONS] VERB"), _("Verbs:"));
    help_append_verbs(text, verbs, NULL);
    help_append_options(text, _("Options of every verb:"), OPTIONS_GLOBAL);
    g_string_append_printf(
        text, "\n%s\n\n%s\n", _("'streamctl VERB --help' explains a verb and its own options."),
        _("Exit codes: 0 ok, 1 failed, 2 usage, 3 no streamd, 4 not found, 5 denied, 6 exists,\n"
          "7 limit, 10 device offline, 11 hub refused the identity, 12 device rejected,\n"
          "13 timed out, 14 hub unreachable, 15 hub not trusted, 16 protocol, 17 stream cut,\n18 "
          "proxy refused"));
}

char *
cli_help(const Verb *verbs, const Cli *cli)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (cli->verb != NULL)
        help_verb(text, cli->verb);
    else if (cli->noun != NULL)
        help_noun(text, verbs, cli->noun);
    else
        help_all(text, verbs);
    return g_string_free(g_steal_pointer(&text), FALSE);
}
