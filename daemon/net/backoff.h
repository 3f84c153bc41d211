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

typedef struct {
    guint failures;
    gboolean settled; /* the last connection had lasted BACKOFF_SETTLED */
    guint refusals;   /* in a row */
} Backoff;

/* The delay in µs before the next attempt, after one more failure. RANDOM: from 0 to below 1. */
gint64 backoff_next(Backoff *backoff, gboolean refused, double random);

/* A connection ended that had lasted LASTED µs. */
void backoff_lasted(Backoff *backoff, gint64 lasted);
