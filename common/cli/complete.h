/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Complete: what could stand where the cursor is, for the shells (common/cli/shell/). They all ask
 * `PROGRAM --complete WORD...`, so that verbs, options and what there is are known in one place.
 *
 * Nothing of it asks anybody or waits long: where streamd or the hub does not answer there are the
 * verbs and options. Names with characters that a shell treats in its own way are left out. */
#pragma once

#include "common/cli/program.h"

/* WORDS: those after the program's name up to the one with the cursor, which may be "". Prints a
 * line per candidate: the word, a tab and a description, which may be empty. A line ":files" asks
 * the shell for names of files. */
void complete_print(const Program *program, char **words);
