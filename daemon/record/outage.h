/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Outage: when a lost hub is worth a record. It is at the loss, when there is a reason that was not
 * told yet, and then after OUTAGE_FIRST, and after every further OUTAGE_THEN; not at each attempt.
 * The caller gives the time (µs, of a clock that goes on while the machine sleeps). Pure. */
#pragma once

#include <glib.h>

#define OUTAGE_FIRST ((gint64)G_TIME_SPAN_HOUR)
#define OUTAGE_THEN ((gint64)G_TIME_SPAN_DAY)
#define OUTAGE_REASONS 8 /* that are told before the next of these times */

typedef struct Outage Outage;

Outage *outage_new(void);
void outage_free(Outage *outage); /* NULL is fine */

/* An attempt begins. */
void outage_attempt(Outage *outage);

/* It failed, or the connection was lost, for REASON. TRUE: that is to be told. */
gboolean outage_failed(Outage *outage, const char *reason, gint64 now);

/* Connected: the outage is over. How long it was, 0 when there was none. */
gint64 outage_end(Outage *outage, gint64 now, guint64 *ret_attempts);

/* How long it is, so far, and how many attempts were made. */
gint64 outage_length(const Outage *outage, gint64 now);
guint64 outage_attempts(const Outage *outage);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Outage, outage_free)
