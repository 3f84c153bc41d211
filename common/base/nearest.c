/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/nearest.h"

#include <string.h>

#define LENGTH_MAX 64
#define ALWAYS_NEAR 2 /* letters; in long words a third may be wrong */

/* Three rows of the usual table: the row of the current letter of A and the two before it. */
typedef struct {
    guint before[LENGTH_MAX + 1];
    guint last[LENGTH_MAX + 1];
    guint now[LENGTH_MAX + 1];
} Rows;

static void
nearest_row(Rows *rows, const char *a, gsize i, const char *b, gsize length)
{
    rows->now[0] = (guint)i;
    for (gsize j = 1; j <= length; j++) {
        guint changed = rows->last[j - 1] + (a[i - 1] != b[j - 1] ? 1 : 0);
        guint best = MIN(changed, MIN(rows->last[j], rows->now[j - 1]) + 1);

        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
            best = MIN(best, rows->before[j - 2] + 1);
        rows->now[j] = best;
    }
    memcpy(rows->before, rows->last, sizeof(rows->last));
    memcpy(rows->last, rows->now, sizeof(rows->now));
}

guint
nearest_distance(const char *a, const char *b)
{
    gsize a_length = strnlen(a, LENGTH_MAX), b_length = strnlen(b, LENGTH_MAX);
    Rows rows = {0};

    for (gsize j = 0; j <= b_length; j++)
        rows.last[j] = (guint)j;
    for (gsize i = 1; i <= a_length; i++)
        nearest_row(&rows, a, i, b, b_length);
    return rows.last[b_length];
}

void
nearest_consider(const char *word, const char *candidate, const char **ret_best,
                 guint *ret_distance)
{
    guint distance = nearest_distance(word, candidate);
    guint near = MAX(ALWAYS_NEAR, (guint)strnlen(word, LENGTH_MAX) / 3);

    /* Two words of two letters are never more than two letters apart. */
    if (distance > near || distance >= MAX(strlen(candidate), 1))
        return;
    if (*ret_best == NULL || distance < *ret_distance) {
        *ret_best = candidate;
        *ret_distance = distance;
    }
}
