/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Command line: a table of verbs, each with how many words it takes and which options it knows.
 * Options are data: what is not in a verb's mask is refused with a message of its own. */
#pragma once

#include "client/cli/exit-code.h"
#include "client/cli/option.h"

typedef struct Cli Cli;

typedef struct {
    const char *name; /* "hub add": one or two words */
    guint min;        /* words after the name */
    guint max;
    guint64 options; /* OPTION_BITs beyond the global ones */
    /* Runs it: EXIT_CODE_OK, or an exit code with ERROR set (or not: everything is said already).
     */
    ExitCode (*run)(Cli *cli, GError **error);
    const char *arguments; /* "NAME [--ca FILE]" for usage */
    const char *help;      /* one line, untranslated: passed through gettext when shown */
    const char *more;      /* paragraphs for the verb's own help, untranslated; may be NULL */
} Verb;

struct Cli {
    const Verb *verb;   /* NULL: only help or the version is wanted */
    const char *noun;   /* help is wanted for the verbs of this first word; borrowed from argv */
    gboolean noun_only; /* because nothing came after it, which is a mistake */
    const char **words; /* after the verb's name; NULL-terminated, borrowed from argv */
    guint count;
    gboolean given[OPTION_LAST];
    const char *values[OPTION_LAST]; /* NULL for an option without a value */
};

/* Reads ARGV by VERBS (a row without name at the end). Errors are EXIT_CODE_USAGE. Without words:
 * DEFAULT_VERB, unless --help or --version is given: then VERB may be NULL. "help WORDS" is
 * "WORDS --help". */
gboolean
cli_parse(Cli *cli, const Verb *verbs, const char *default_verb, char **argv, GError **error);
void cli_clear(Cli *cli);

/* What CLI asks for: one verb, those of a noun, or all. Caller frees. */
char *cli_help(const Verb *verbs, const Cli *cli);

/* The value of an option as a number from MIN to MAX; FALSE with ERROR set when it is none. RET is
 * left alone when the option is absent. */
gboolean
cli_number(const Cli *cli, Option option, guint64 min, guint64 max, guint64 *ret, GError **error);

/* A word or value as a number, called WHAT in the message. */
gboolean cli_parse_number(const char *what, const char *text, guint64 min, guint64 max,
                          guint64 *ret, GError **error);

/* Sets ERROR and returns CODE, so that it can be the return expression of a verb. */
ExitCode cli_fail(GError **error, ExitCode code, const char *format, ...) G_GNUC_PRINTF(3, 4);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Cli, cli_clear)
