/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limit count: how many streams each accept rule and each target has now, and has begun within the
 * last minute. Kept by name, so that a reload, which makes rules and targets anew, forgets nothing.
 * Main thread. */
#pragma once

#include "daemon/policy/limits.h"

#define LIMIT_RATE_TIME G_TIME_SPAN_MINUTE

typedef struct LimitCounts LimitCounts;
typedef struct LimitHold LimitHold; /* one stream that counts */

LimitCounts *limit_counts_new(void);
void limit_counts_free(LimitCounts *counts); /* holds may outlive it; NULL is fine */

/* Counts one more stream of WHAT ("rule 7", "target ssh") at NOW (monotonic µs). NULL with LIMIT:
 * LIMITS allow no more now. The times of starts are remembered only when their rate is limited. */
LimitHold *limit_counts_take(LimitCounts *counts, const char *what, const Limits *limits,
                             gint64 now, GError **error);
const char *limit_hold_what(const LimitHold *hold);
void limit_hold_free(LimitHold *hold); /* it has ended; NULL is fine */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(LimitCounts, limit_counts_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LimitHold, limit_hold_free)
