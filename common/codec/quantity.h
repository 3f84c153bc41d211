/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quantity: times and sizes as people write them, as in systemd.time(7): "30s", "2h 30min", "90"
 * (seconds); "64K", "1.5G", "100M" (powers of 1024), "4096" (bytes). Pure. */
#pragma once

#include <glib.h>

#define QUANTITY_TEXT_MAX 64 /* bytes of a text; a longer one is not accepted */

/* FALSE: the text is no quantity, or is too large for RET, which then does not change. Time in µs.
 * Zero is accepted. */
gboolean quantity_parse_time(const char *text, guint64 *ret_usec);
gboolean quantity_parse_size(const char *text, guint64 *ret_bytes);

/* The shortest text with exactly the same meaning. Caller frees. */
char *quantity_format_time(guint64 usec);  /* "1h 30min", "0" */
char *quantity_format_size(guint64 bytes); /* "10M", "1000" */
