/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inspection: all that streamd knows of one stream (Stream.Inspect), besides its properties. */
#pragma once

#include "common/cli/cli.h"

/* Prints both: a line per value, or with --json the properties with a member "debug". STATE is an
 * a{sv} of numbers, texts, booleans and more of the same. Names are those of the JSON output, so
 * that readers can look them up. */
void show_inspection(const Cli *cli, GVariant *properties, GVariant *state);
