/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Command line: reads the arguments by a program's table of verbs. Each verb says how many words it
 * takes and which options it knows. An option that the verb does not know is refused with a message
 * of its own. */
#pragma once

#include "common/cli/program.h"

struct Cli {
    const Program *program;
    const Verb *verb;   /* NULL: only help or the version was asked for */
    const char *noun;   /* help was asked for the verbs with this first word; borrowed from argv */
    gboolean noun_only; /* because nothing came after it, which is an error */
    const char **words; /* behind the verb's name; NULL-terminated, borrowed from argv */
    guint count;
    gboolean given[OPTIONS_MAX];
    const char
        *values[OPTIONS_MAX]; /* NULL for an option without a value; of repeated ones the last */
    GPtrArray *repeated[OPTIONS_MAX]; /* of VALUE_REPEATED: see cli_list() */
};

/* Reads ARGV as PROGRAM describes. Errors are EXIT_CODE_USAGE. Without words the default verb is
 * meant; with --help or --version VERB may then be NULL. "help WORDS" means "WORDS --help". */
gboolean cli_parse(Cli *cli, const Program *program, char **argv, GError **error);
void cli_clear(Cli *cli);

/* All values of an option that may be repeated, in order, NULL-terminated. NULL when it was not
 * given. Borrowed. */
const char *const *cli_list(const Cli *cli, Option option);

/* Whether one of LIST was given. */
gboolean cli_has_any(const Cli *cli, const Option *list);

/* The help that CLI asks for: of one verb, of the verbs with one first word, or of all. Caller
 * frees. */
char *cli_help(const Program *program, const Cli *cli);

/* The value of an option as a number from MIN to MAX. FALSE with ERROR set when it is not one. RET
 * does not change when the option is absent. */
gboolean
cli_number(const Cli *cli, Option option, guint64 min, guint64 max, guint64 *ret, GError **error);

/* A word or value as a number. WHAT names it in the error message. */
gboolean cli_parse_number(const char *what, const char *text, guint64 min, guint64 max,
                          guint64 *ret, GError **error);

/* Sets ERROR and returns CODE, so that a verb can return the result of this call. */
ExitCode cli_fail(GError **error, ExitCode code, const char *format, ...) G_GNUC_PRINTF(3, 4);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Cli, cli_clear)
