/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Command line: what the arguments say by a program's table of verbs, each with how many words it
 * takes and which options it knows. What is not in a verb's mask is refused with a message of its
 * own. */
#pragma once

#include "common/cli/program.h"

struct Cli {
    const Program *program;
    const Verb *verb;   /* NULL: only help or the version is wanted */
    const char *noun;   /* help is wanted for the verbs of this first word; borrowed from argv */
    gboolean noun_only; /* because nothing came after it, which is a mistake */
    const char **words; /* after the verb's name; NULL-terminated, borrowed from argv */
    guint count;
    gboolean given[OPTIONS_MAX];
    const char
        *values[OPTIONS_MAX]; /* NULL for an option without a value; of repeated ones the last */
    GPtrArray *repeated[OPTIONS_MAX]; /* of VALUE_REPEATED: see cli_list() */
};

/* Reads ARGV by what PROGRAM has. Errors are EXIT_CODE_USAGE. Without words: its default verb,
 * unless --help or --version is given: then VERB may be NULL. "help WORDS" is "WORDS --help". */
gboolean cli_parse(Cli *cli, const Program *program, char **argv, GError **error);
void cli_clear(Cli *cli);

/* All values of an option that may be repeated, in order, NULL-terminated; NULL when it was not
 * given. Borrowed. */
const char *const *cli_list(const Cli *cli, Option option);

/* What CLI asks for: one verb, those of a noun, or all. Caller frees. */
char *cli_help(const Program *program, const Cli *cli);

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
