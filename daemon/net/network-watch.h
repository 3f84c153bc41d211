/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Network watch: reports when connections may have died silently, because this machine changed its
 * network or was asleep.
 *
 * The kernel reports addresses and default routes that come and go (rtnetlink). Sleep is detected
 * with a timer on CLOCK_BOOTTIME, which goes on during sleep, so that the timer is due at once
 * after a long one. Main thread. */
#pragma once

#include <glib.h>

typedef struct NetworkWatch NetworkWatch;

#define NETWORK_SETTLE 500 /* ms from the first change: a new network comes in several */
#define NETWORK_GAP (5 * G_TIME_SPAN_SECOND) /* between two calls, but for a wake-up */
#define NETWORK_SLEEP_TICK 20                /* s; shorter sleeps may be noticed this much later */
#define NETWORK_SLEEP_LEAST (1 * G_TIME_SPAN_SECOND)

typedef void (*NetworkChanged)(void *data);

/* Where the kernel offers one of both not, the other remains. */
NetworkWatch *network_watch_new(NetworkChanged changed, void *data);
void network_watch_free(NetworkWatch *watch); /* NULL is fine */

/* Whether a message of rtnetlink speaks of a change that matters: a new or lost address that others
 * can reach, or a default route. An address that is only renewed does not. Pure. */
gboolean network_message_matters(const void *message, gsize len);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetworkWatch, network_watch_free)
