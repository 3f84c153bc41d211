/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answer: what follows from how a request went. Pure; any thread. */
#pragma once

#include <glib.h>

#define PUSH_WAIT_FIRST (1 * G_TIME_SPAN_SECOND)
#define PUSH_WAIT_MAX (60 * G_TIME_SPAN_SECOND)
#define PUSH_RETRY_AFTER_MAX (3600 * G_TIME_SPAN_SECOND)

/* STATUS 0: there was no answer. */
gboolean push_answer_is_good(guint status);

/* 413 and 400: it is these records that are not taken; fewer of them, or others, may be. */
gboolean push_answer_blames_records(guint status);

/* Whether Retry-After counts: with 429 and 503. */
gboolean push_answer_asks_to_wait(guint status);

/* What Retry-After says: µs from NOW (µs since the epoch); 0: nothing, or it is not understood. At
 * most PUSH_RETRY_AFTER_MAX. TEXT may be NULL. */
gint64 push_retry_after(const char *text, gint64 now);

/* How long to wait after FAILURES in a row, the first is 1: twice as long each time, up to
 * PUSH_WAIT_MAX, less up to half of it by RANDOM (0 to 1); never less than RETRY_AFTER. */
gint64 push_wait(guint failures, gint64 retry_after, double random);
