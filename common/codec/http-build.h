/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes the head of a request or response, and guards against injected lines.
 *
 *   http_request_line(out, "GET", target) && http_header_append(out, "Host", host) && ...
 *   http_head_end(out);
 *
 * Each function appends a whole line. When a part breaks the grammar (a CR, LF or other control
 * character in a value, a space in a target) it appends nothing and returns FALSE. The caller owns
 * the string. It may hold tokens, but never keys. Pure; any thread. */
#pragma once

#include <glib.h>

G_GNUC_WARN_UNUSED_RESULT
gboolean http_request_line(GString *out, const char *method, const char *target);

/* Uses the reason phrase of RFC 9110, or an empty one for an unknown status. */
void http_status_line(GString *out, guint status);

G_GNUC_WARN_UNUSED_RESULT
gboolean http_header_append(GString *out, const char *name, const char *value);

/* For "Content-Length" and the like. */
void http_header_append_number(GString *out, const char *name, guint64 value);

/* The empty line behind the last field. */
void http_head_end(GString *out);

/* "Not Found"; "" when unknown. */
const char *http_status_reason(guint status);
