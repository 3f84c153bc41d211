/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Complete: which words could stand at the cursor, for the shells (common/cli/shell/). All shells
 * call `PROGRAM --complete WORD...`, so verbs, options and names are known in one place.
 *
 * This never asks the user and never waits long: when streamd or the hub does not answer, there are
 * still the verbs and options. Names with characters that are special to a shell are left out. */
#pragma once

#include "common/cli/program.h"

/* WORDS: those after the program's name, up to the one at the cursor, which may be "". Prints a
 * line per candidate: the word, a tab and a description, which may be empty. A line ":files" asks
 * the shell for file names. */
void complete_print(const Program *program, char **words);
