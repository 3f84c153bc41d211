/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Done: what a verb says when it has changed something. */
#pragma once

#include "common/cli/cli.h"

/* Prints the sentence, which is translated, or with --json the object JSON, an a{sv}: what was
 * changed, under the name of its kind, and a word for what was done as "result". Both are said when
 * it is done. Control characters do not get to a terminal. JSON is consumed when floating. Returns
 * EXIT_CODE_OK, so that a verb can return the result of this call. */
ExitCode show_done(const Cli *cli, GVariant *json, const char *format, ...) G_GNUC_PRINTF(3, 4);
