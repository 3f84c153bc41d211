/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text: what numbers and states are called, in the user's language. Caller frees what is not const.
 */
#pragma once

#include "item.h"

/* "1.2 MB" */
char *text_size(guint64 bytes);

/* "1.2 MB/s"; "" when nothing moves. */
char *text_rate(double bytes_per_second);

/* "for 3 min": since a time in µs since the epoch. */
char *text_since(guint64 time);

/* "closed": a state of a hub or stream. One that is not known is shown as it is. */
const char *text_hub_state(const char *state);
const char *text_stream_state(const char *state);

/* "office" of a stream, tunnel or device that goes through it: "via office"; "" without a name. */
char *text_via(const char *hub);

/* PARTS joined by " · ", the empty ones left out. NULL ends them. */
char *text_join(const char *first, ...) G_GNUC_NULL_TERMINATED;

/* A text from the network on one line: what would move or turn other text around is shown as
 * U+FFFD. */
char *text_plain(const char *text);

/* Whether a stream in that state has ended. */
gboolean text_stream_ended(Item *stream);
