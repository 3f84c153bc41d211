/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line as JSON, untranslated: what the manual page is made of, and what tests hold
 * completions and documents to. {"verbs": [{name, arguments, help, more, options: [name]}],
 * "options": [{name, brief, value, kind: "none"|"required"|"optional", help, global}]}; not a
 * promise to anybody else. */
#pragma once

#include "client/cli/cli.h"

/* Prints it. */
void cli_dump(const Verb *verbs);
