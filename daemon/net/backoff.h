/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backoff: how long to wait before the next attempt (requirement R31).
 *
 * Full jitter: a random time up to a ceiling that doubles with each failure, so that thousands that
 * lost their hub at once do not come back at once. The first attempt comes within a second. Pure.
 */
#pragma once

#include <glib.h>

#define BACKOFF_FIRST (1 * G_TIME_SPAN_SECOND)
#define BACKOFF_MIN (1 * G_TIME_SPAN_SECOND) /* of every attempt but the first */
#define BACKOFF_MAX (60 * G_TIME_SPAN_SECOND)
#define BACKOFF_MAX_REFUSED                                                                        \
    (300 * G_TIME_SPAN_SECOND) /* after BACKOFF_REFUSALS of the identity                           \
                                */
#define BACKOFF_REFUSALS 10
#define BACKOFF_STABLE (60 * G_TIME_SPAN_SECOND) /* a connection that lasted forgives all */
#define BACKOFF_SETTLED                                                                            \
    (5 * G_TIME_SPAN_SECOND) /* its loss is none of a series: the next attempt comes at once */

/* While another machine with the same identity takes the connection over again and again: from the
 * first to the second, doubling. */
#define BACKOFF_DISPUTE (5 * G_TIME_SPAN_SECOND)
#define BACKOFF_DISPUTE_MAX (300 * G_TIME_SPAN_SECOND)
#define BACKOFF_PEACE (10 * G_TIME_SPAN_MINUTE) /* without one, and it is over */

typedef struct {
    guint failures;
    gboolean settled; /* the last connection had lasted BACKOFF_SETTLED */
    guint refusals;   /* in a row */
    guint disputes;   /* take-overs, without BACKOFF_PEACE in between */
    gint64 disputed;  /* when the last one was; 0: never */
} Backoff;

/* The delay in µs before the next attempt, after one more failure. RANDOM: from 0 to below 1. */
gint64 backoff_next(Backoff *backoff, gboolean refused, double random);

/* Another machine has taken over, or the hub said that it had. NOW: monotonic µs. */
void backoff_dispute(Backoff *backoff, gint64 now);

/* The delay before the next attempt, in place of backoff_next, when there was a take-over within
 * BACKOFF_PEACE: from half of the ceiling to all of it. 0: there was none. */
gint64 backoff_next_disputed(const Backoff *backoff, gint64 now, double random);

/* A connection ended that had lasted LASTED µs. */
void backoff_lasted(Backoff *backoff, gint64 lasted);
