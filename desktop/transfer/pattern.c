/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/transfer/pattern.h"

#include <string.h>

/* SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). */
static guint64
pattern_next(Pattern *pattern)
{
    guint64 z = pattern->state += G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void
pattern_init(Pattern *pattern, guint64 seed)
{
    pattern->state = seed;
    pattern->used = sizeof pattern->word;
}

void
pattern_fill(Pattern *pattern, guint8 *bytes, gsize length)
{
    while (length > 0) {
        gsize part;

        if (pattern->used == sizeof pattern->word) {
            guint64 number = pattern_next(pattern);

            memcpy(pattern->word, &number, sizeof number);
            pattern->used = 0;
        }
        part = MIN(length, sizeof pattern->word - pattern->used);
        memcpy(bytes, pattern->word + pattern->used, part);
        pattern->used += (guint)part;
        bytes += part;
        length -= part;
    }
}

gboolean
pattern_matches(Pattern *pattern, const guint8 *bytes, gsize length, gsize *ret_at)
{
    guint8 wanted[4096];

    for (gsize done = 0; done < length;) {
        gsize part = MIN(length - done, sizeof wanted), same = 0;

        pattern_fill(pattern, wanted, part);
        if (memcmp(wanted, bytes + done, part) != 0) {
            while (wanted[same] == bytes[done + same])
                same++;
            *ret_at = done + same;
            return FALSE;
        }
        done += part;
    }
    return TRUE;
}
