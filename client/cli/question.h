/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Question: asks the user for yes or no, on the terminal. */
#pragma once

#include "common/cli/cli.h"

/* Whether somebody can be asked: standard input and output are a terminal, and no program reads
 * what is printed. */
gboolean question_may_ask(const Cli *cli);

/* Prints TEXT, with the answers behind it, until one of them comes. FALSE: no, or the end of input.
 * Blocks. */
gboolean question_ask(const char *text);
