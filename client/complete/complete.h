/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Complete: what could stand where the cursor is, for the shells (client/completions/). They all
 * ask `streamctl --complete WORD...`, so that verbs, options and what streamd has are known in one
 * place.
 *
 * Nothing of it asks anybody, starts streamd or waits long: without streamd there are the verbs and
 * options. Names with characters that a shell treats in its own way are left out. */
#pragma once

#include "client/cli/cli.h"

/* WORDS: those after "streamctl" up to the one with the cursor, which may be "". Prints a line per
 * candidate: the word, a tab and a description, which may be empty. A line ":files" asks the shell
 * for names of files. */
void complete_print(const Verb *verbs, char **words);
