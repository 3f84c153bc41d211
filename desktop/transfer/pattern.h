/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pattern: bytes that look random and can be made again from a seed. So a transfer of any size can
 * be compared without keeping what was sent. Pure; any thread. */
#pragma once

#include <glib.h>

typedef struct {
    guint64 state;
    guint8 word[8]; /* the bytes of the last number */
    guint used;     /* of them */
} Pattern;

/* SEED: any number; the same seed gives the same bytes. */
void pattern_init(Pattern *pattern, guint64 seed);

/* The next LENGTH bytes. */
void pattern_fill(Pattern *pattern, guint8 *bytes, gsize length);

/* Whether BYTES equal the next LENGTH bytes; moves past them. RET_AT (on FALSE): the first
 * difference. */
gboolean pattern_matches(Pattern *pattern, const guint8 *bytes, gsize length, gsize *ret_at);
