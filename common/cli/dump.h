/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dump: a command line as JSON, untranslated. The manual pages are made from it, and tests compare
 * completions and documents with it. {"program", "verbs": [{name, min, max, arguments, help, more,
 * json, options: [name]}], "options": [{name, brief, value, kind:
 * "none"|"required"|"optional"|"repeated", help, everywhere}], "aliases": [{old, now}],
 * "exit_codes": [{code, word}]}. The format is not stable for others. */
#pragma once

#include "common/cli/program.h"

void dump_print(const Program *program);
