/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inspection: all that streamd knows of one stream (Stream.Inspect), below its properties. */
#pragma once

#include "common/cli/cli.h"

/* Prints both: a line per value, or with --json the properties with a member "debug". STATE is an
 * a{sv} of numbers, texts, yes and no, and such. Names are those of JSON: who reads it looks them
 * up. */
void show_inspection(const Cli *cli, GVariant *properties, GVariant *state);
