/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Output: what the verbs print, as text and as JSON. */
#pragma once

#include "common/base/table.h"
#include "common/cli/cli.h"

#include <json-glib/json-glib.h>

/* Prints VALUE as one JSON document and a line end. Names become snake_case ("HostName" is
 * "host_name"). Everything else stays as on the bus: times in µs, sizes in bytes. COMPACT: on one
 * line. */
void output_json(GVariant *value, gboolean compact);

/* The same for an answer of a hub: "deviceId" becomes "device_id". The tags of a device keep the
 * names that users gave them. NODE is borrowed. */
void output_json_node(JsonNode *node, gboolean compact);

/* NODE as text, names in snake_case, without a line end. Caller frees. */
char *output_format_node(JsonNode *node, gboolean compact);

/* Makes sure that all output was written. If it was not, ERROR says why. When the reader has gone,
 * the program ends as with SIGPIPE: `| head` expects no message. */
gboolean output_flush(GError **error);

/* Writes TEXT after the other output, and keeps no copy of it: it may be a secret. */
gboolean output_write(const char *text, GError **error);

/* FORMAT, a translated message, with VALUE in the place of each "%s" and "%1$s"; it has no other
 * directives. For messages that are chosen at run time, where no compiler can check what printf
 * would be given. Caller frees. */
char *output_fill(const char *format, const char *value);

/* The style of tables, by CLI's options, the environment (NO_COLOR, SYSTEMD_COLORS, TERM) and
 * standard output. Only a terminal gets colours and cut cells. */
TableStyle output_style(const Cli *cli);

/* Prints TEXT and a line end, unless it ends with one; on a terminal in lines that fit. */
void output_text(const Cli *cli, const char *text);
void output_note(const char *text); /* likewise, on standard error, below the other output */
void output_textf(const Cli *cli, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Prints TABLE, or EMPTY when it has no rows. */
void output_table(const Cli *cli, const Table *table, const char *empty);

/* For showing a single object. Adds a row "LABEL:  TEXT" to a table with two columns and no titles;
 * nothing when there is no text. The second function prints the rows, never cut. */
void output_add_row(Table *table, const char *label, const char *text);
void output_rows(const Cli *cli, const Table *table);

/* What a state of a hub or stream means. */
TablePaint output_paint(const char *state);

/* TEXT with the terminal sequences of PAINT when STYLE has colours; otherwise as it is. Caller
 * frees. */
char *output_painted(const TableStyle *style, TablePaint paint, const char *text);

/* Adds a cell with the state of a hub or stream, painted by what the state means. */
void output_add_state(Table *table, const char *state, const char *text);

/* "host_name" of "HostName" or "hostName", "last_error" of "last-error". Caller frees. */
char *output_snake_case(const char *name);

/* "3 min": the time since TIME, which is in µs since the epoch. "" for 0. Caller frees. */
char *output_age(guint64 time);

/* "12.3 MiB". Caller frees. */
char *output_size(guint64 bytes);

/* Cells with these, which become "12.3M" and "3m" where there is little room. */
void output_add_size(Table *table, guint64 bytes);
void output_add_age(Table *table, guint64 time);
