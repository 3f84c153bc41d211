/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Output: what the verbs print, as text pieces and as JSON. */
#pragma once

#include "common/base/table.h"
#include "common/cli/cli.h"

#include <json-glib/json-glib.h>

/* Prints VALUE as one JSON document and a line end. Names become snake_case ("HostName" is
 * "host_name"); everything else is as on the bus: times in µs, sizes in bytes. COMPACT: one line.
 */
void output_json(GVariant *value, gboolean compact);

/* The same of what a hub answered: "deviceId" is "device_id". The tags of a device keep the names
 * that somebody gave them. Borrowed. */
void output_json_node(JsonNode *node, gboolean compact);

/* NODE as text, names in snake_case, without a line end. Caller frees. */
char *output_format_node(JsonNode *node, gboolean compact);

/* What was printed has left the program, or ERROR says why it could not. A reader that has gone
 * ends the program as SIGPIPE does: `| head` expects no message. */
gboolean output_flush(GError **error);

/* Writes TEXT behind that, and keeps no copy of it: it may be a secret. */
gboolean output_write(const char *text, GError **error);

/* How tables look by CLI's options, the environment (NO_COLOR, SYSTEMD_COLORS, TERM) and what
 * standard output is: colours and cut cells are for terminals. */
TableStyle output_style(const Cli *cli);

/* Prints TABLE; EMPTY instead when there are no rows. */
void output_table(const Cli *cli, const Table *table, const char *empty);

/* For one thing that is shown: a row "LABEL:  TEXT" of a table of two columns without titles; none
 * when there is no text. And all of them, never cut. */
void output_add_row(Table *table, const char *label, const char *text);
void output_rows(const Cli *cli, const Table *table);

/* What a state of a hub or stream means. */
TablePaint output_paint(const char *state);

/* TEXT between terminal sequences when STYLE has colours; else as it is. Caller frees. */
char *output_painted(const TableStyle *style, TablePaint paint, const char *text);

/* A cell with the state of a hub or stream, painted by what it means. */
void output_add_state(Table *table, const char *state, const char *text);

/* "host_name" of "HostName" or "hostName", "last_error" of "last-error". Caller frees. */
char *output_snake_case(const char *name);

/* "3 min" since a time in µs since the epoch; "" for 0. Caller frees. */
char *output_age(guint64 time);

/* "12.3 MiB". Caller frees. */
char *output_size(guint64 bytes);
