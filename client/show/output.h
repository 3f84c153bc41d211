/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Output: what the verbs print, as text pieces and as JSON. */
#pragma once

#include "client/cli/cli.h"
#include "common/base/table.h"

/* Prints VALUE as one JSON document and a line end. Names become snake_case ("HostName" is
 * "host_name"); everything else is as on the bus: times in µs, sizes in bytes. COMPACT: one line.
 */
void output_json(GVariant *value, gboolean compact);

/* How tables look by CLI's options, the environment (NO_COLOR, SYSTEMD_COLORS, TERM) and what
 * standard output is: colours and cut cells are for terminals. */
TableStyle output_style(const Cli *cli);

/* Prints TABLE; EMPTY instead when there are no rows. */
void output_table(const Cli *cli, const Table *table, const char *empty);

/* What a state of a hub or stream means. */
TablePaint output_paint(const char *state);

/* TEXT between terminal sequences when STYLE has colours; else as it is. Caller frees. */
char *output_painted(const TableStyle *style, TablePaint paint, const char *text);

/* A cell with the state of a hub or stream, painted by what it means. */
void output_add_state(Table *table, const char *state, const char *text);

/* "host_name" of "HostName". Caller frees. */
char *output_snake_case(const char *name);

/* "3 min" since a time in µs since the epoch; "" for 0. Caller frees. */
char *output_age(guint64 time);

/* "12.3 MiB". Caller frees. */
char *output_size(guint64 bytes);
