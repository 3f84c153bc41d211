/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text: numbers and states in the user's language. Caller frees what is not const. */
#pragma once

#include "desktop/base/item.h"

/* "1.2 MB" */
char *text_size(guint64 bytes);

/* "1.2 MB/s"; "" when nothing moves. */
char *text_rate(double bytes_per_second);

/* "↓ 1.2 MB/s  ↑ –"; "" when nothing moves. */
char *text_rates(double in, double out);

/* "for 3 min": since TIME, in µs since the epoch. */
char *text_since(guint64 time);

/* "closed": the state of a hub or stream. An unknown state is shown as it is. */
const char *text_hub_state(const char *state);
const char *text_stream_state(const char *state);

/* "via office" for a stream, tunnel or device that uses the hub "office"; "" without a hub. */
char *text_via(const char *hub);

/* PARTS joined by " · ", without the empty ones. NULL ends them. */
char *text_join(const char *first, ...) G_GNUC_NULL_TERMINATED;

/* Text from the network on one line, of at most so many characters; a longer one ends in "…".
 * Characters that would move, reverse or hide other text, or that nobody sees, are shown as U+FFFD;
 * of spaces in a row there is one. */
#define TEXT_PLAIN_MAX 256
char *text_plain(const char *text);

/* The same for text in the middle of a sentence: what is written from right to left does not carry
 * the words around it along. */
char *text_apart(const char *text);

/* Whether a stream in that state has ended. */
gboolean text_stream_ended(Item *stream);
