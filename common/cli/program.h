/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Program: what a command line consists of, as data: verbs, options, and the source of words for
 * completion. Runs it. One thread, once per process. */
#pragma once

#include "common/base/exit-code.h"
#include "common/cli/option.h"

typedef struct Cli Cli;

typedef struct {
    const char *name; /* "hub add": one or two words */
    guint min;        /* words behind the name */
    guint max;
    const Option *options; /* OPTION_LIST, besides those that every verb takes */
    /* Runs the verb. Returns EXIT_CODE_OK, or an exit code with ERROR set, or without when
     * everything was said already. The code in ERROR takes precedence (exit-code.h). */
    ExitCode (*run)(Cli *cli, GError **error);
    const char *arguments; /* "NAME [--ca FILE]" for usage */
    const char *help;      /* one line, untranslated: passed through gettext when shown */
    const char *more;      /* paragraphs for the help of this verb, untranslated; may be NULL */
    const char *json;      /* what --json prints, for the manual: "[{...}, ...]"; NULL: nothing */
} Verb;

/* As the JSON of a Verb: the verb refuses --json. */
#define JSON_REFUSED "-"

/* An old spelling of the first words of verbs. It still works, but help and completion do not show
 * it. Both sides have the same number of words; NULL for a second word that is not there. */
typedef struct {
    const char *old[2];
    const char *now[2];
} VerbAlias;

/* What a verb is called in other programs: named by the error, and by nothing else. */
typedef struct {
    const char *said;  /* one word: "ps" */
    const char *meant; /* "stream list" */
} VerbGuess;

/* What to complete: the words that could stand for a placeholder. */
typedef struct {
    const char *verb;   /* "hub show": the verb whose argument it is; NULL: it is the value of */
    const char *option; /* this option, without the dashes */
    const char *placeholder;   /* "NAME", "DEVICE[/MODULE]", as in the usage text */
    const gboolean *given;     /* of each option: whether it is before the cursor */
    const char *const *values; /* of those options, OPTIONS_MAX of them; NULL where there is none */
} WordsWanted;

/* WORD may come more than once, and may not fit what was typed so far. */
typedef void (*WordFunc)(const char *word, const char *description, void *data);

typedef struct {
    const char *name;   /* "streamctl" */
    const char *manual; /* where the exit codes are explained: "streamctl(1)" */
    const Verb *verbs;  /* ends with a row without name */
    OptionTable options;
    const VerbAlias *aliases; /* ends with a row without OLD; NULL: there are none */
    const VerbGuess *guesses; /* ends with a row without SAID; NULL: there are none */
    const char *default_verb; /* NULL: without words it does nothing */
    /* Refuses options that exclude each other, and may put words and options into their usual form.
     * NULL: there is nothing to check. */
    gboolean (*check)(Cli *cli, GError **error);
    /* What to try after an error with that MESSAGE, translated. The function or its result may be
     * NULL: no hint. */
    const char *(*hint)(const Cli *cli, ExitCode code, const char *message);
    /* Gives words for completion; must not ask the user nor wait long. TRUE: complete file names.
     * May be NULL. */
    gboolean (*words)(const WordsWanted *wanted, WordFunc func, void *data);
} Program;

/* The verb that WORDS, COUNT of them, begin with, or NULL; and how many words its name has. Of
 * "log" and "log verify" the longer one that fits. */
const Verb *
program_find_verb(const Program *program, const char *const *words, guint count, guint *ret_used);

/* Whether VERB takes the option; NULL: whether all verbs do. */
gboolean program_takes(const Program *program, const Verb *verb, Option option);

/* Replaces old words by the present ones (VerbAlias). */
void program_replace_aliases(const Program *program, const char **words, guint count);

/* Everything between main() and exit: language, `--complete WORD...` and `--dump-verbs` (for the
 * shells and the manual), help, version, the verb and its error. LOCALE_DIR: where the translations
 * are. Returns the exit code. */
int program_run(const Program *program, const char *locale_dir, int argc, char **argv);
