/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dump: a command line as JSON, untranslated: what the manual pages are made of, and what tests
 * hold completions and documents to. {"program", "verbs": [{name, min, max, arguments, help, more,
 * json, options: [name]}], "options": [{name, brief, value, kind:
 * "none"|"required"|"optional"|"repeated", help, everywhere}], "aliases": [{old, now}],
 * "exit_codes": [{code, word}]}; not a promise to anybody else. */
#pragma once

#include "common/cli/program.h"

/* Prints it. */
void dump_print(const Program *program);
