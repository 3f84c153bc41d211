/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RefusalLog: a line of the log for each peer that is refused before it has a session, with its
 * address, the identity that it claims, the reason and the cure.
 *
 * Whoever is refused tries again, and anybody may knock. So a source gets one line for the same
 * identity and reason in REFUSAL_LOG_WINDOW; further ones are counted, and the count is written
 * within a second after the window ends. REFUSAL_LOG_APART of a source are told apart; all others
 * of it are one count. What is remembered is bounded: when REFUSAL_LOG_MAX are, further lines are
 * written, and only the journal's own limits apply to them (common/log/rate.h).
 *
 * Many windows may end in one second, and when the hub stops all of them do. Of those
 * REFUSAL_LOG_TOLD counts get a line: the largest of each source comes first. The others are added
 * up, in a line for each cure, which says how many sources these were; there are at most
 * REFUSAL_LOG_SUMS of them, and the last one takes what is left. The journal's limits of rate do
 * not apply to these lines, so that every refusal is in a line or in a count. Main thread. */
#pragma once

#include "common/log/events.h"
#include "hub/base/clock.h"

#define REFUSAL_LOG_WINDOW (60 * G_TIME_SPAN_SECOND)
#define REFUSAL_LOG_APART 64
#define REFUSAL_LOG_MAX 8192
#define REFUSAL_LOG_TOLD 16
#define REFUSAL_LOG_SUMS 8

typedef struct RefusalLog RefusalLog;

typedef struct {
    EventKind kind;      /* EVENT_DEVICE_REFUSED or EVENT_SERVICE_REFUSED */
    const char *peer;    /* "address:port" */
    const char *claimed; /* a device or user, from the peer: any text; NULL: nobody */
    const char *why;     /* from the table of hub/edge/cure.c */
} Refused;

RefusalLog *refusal_log_new(Clock *clock); /* kept by reference */
void refusal_log_free(RefusalLog *log);    /* writes the counts; NULL is fine */

/* LOG NULL: nothing is written. */
void refusal_log_note(RefusalLog *log, const Refused *refused);

/* The same at NOW (µs, monotonic): for tests. */
void refusal_log_note_at(RefusalLog *log, const Refused *refused, gint64 now);
void refusal_log_sweep(RefusalLog *log, gint64 now);

/* Who an Authorization field claims to be: the user, or what the token is for. NULL: nobody. The
 * caller frees it. */
char *refusal_log_claimed(const char *authorization, gsize len);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RefusalLog, refusal_log_free)
