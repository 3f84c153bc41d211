/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Program: what a command line is made of, as data: verbs, options, and where the words come from
 * that the shells complete. Runs it. One thread, once per process. */
#pragma once

#include "common/base/exit-code.h"
#include "common/cli/option.h"

typedef struct Cli Cli;

typedef struct {
    const char *name; /* "hub add": one or two words */
    guint min;        /* words after the name */
    guint max;
    guint64 options; /* OPTION_BITs beyond those that every verb takes */
    /* Runs it: EXIT_CODE_OK, or an exit code with ERROR set (or not: everything is said already).
     * The code of an ERROR that is set counts more (exit-code.h). */
    ExitCode (*run)(Cli *cli, GError **error);
    const char *arguments; /* "NAME [--ca FILE]" for usage */
    const char *help;      /* one line, untranslated: passed through gettext when shown */
    const char *more;      /* paragraphs for the verb's own help, untranslated; may be NULL */
    const char *json;      /* what --json prints, for the manual: "[{...}, ...]"; NULL: nothing */
} Verb;

/* For the JSON of a Verb: --json does not go with it. */
#define JSON_REFUSED "-"

/* Another spelling of the first words of verbs: it works, and no help and no completion names it.
 * As many words on each side; NULL for a second one that there is not. */
typedef struct {
    const char *old[2];
    const char *now[2];
} VerbAlias;

/* What a shell wants to know: the words that could stand for a placeholder. */
typedef struct {
    const char *verb;          /* "hub show": whose argument it is; NULL: it is a value of */
    const char *option;        /* this one, without the dashes */
    const char *placeholder;   /* "NAME", "DEVICE[/MODULE]", as the usage has it */
    guint64 given;             /* OPTION_BITs before the cursor */
    const char *const *values; /* of those options, OPTIONS_MAX of them; NULL where there is none */
} WordsWanted;

/* WORD may come more than once, and need not begin with what is typed already. */
typedef void (*WordFunc)(const char *word, const char *description, void *data);

typedef struct {
    const char *name;   /* "streamctl" */
    const char *manual; /* where the exit codes are explained: "streamctl(1)" */
    const Verb *verbs;  /* ends with a row without name */
    OptionTable options;
    const VerbAlias *aliases; /* ends with a row without OLD; NULL: none */
    const char *default_verb; /* NULL: without words there is nothing to do */
    /* What is wrong with options that exclude each other; NULL: nothing ever. */
    gboolean (*check)(const Cli *cli, GError **error);
    /* What to try after an error, translated; NULL as a pointer or as the result: nothing to say.
     */
    const char *(*hint)(ExitCode code);
    /* Never asks anybody, and never for long. TRUE: names of files are wanted. May be NULL. */
    gboolean (*words)(const WordsWanted *wanted, WordFunc func, void *data);
} Program;

/* The verb that WORDS, COUNT of them, begin with, or NULL; and how many of them are its name. */
const Verb *
program_find_verb(const Program *program, const char *const *words, guint count, guint *ret_used);

/* The options that a verb takes, as OPTION_BITs. */
guint64 program_options_of(const Program *program, const Verb *verb);

/* Puts the present words in the place of old ones (VerbAlias). */
void program_replace_aliases(const Program *program, const char **words, guint count);

/* Everything between main() and exit: language, `--complete WORD...` and `--dump-verbs` (which are
 * for the shells and the manual), help, version, the verb, its error. LOCALE_DIR: where the
 * translations are. Returns the exit code. */
int program_run(const Program *program, const char *locale_dir, int argc, char **argv);
