/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keep-alive: finds how long an idle control link may be silent (requirement R12).
 *
 * NAT, firewalls and proxies between us and the hub forget a connection that was idle for too long,
 * and do not say how long that is. So it is found by trying: after a pause was survived
 * KEEP_ALIVE_PROOF times, the next one is half as long again, up to `most`. When the link dies
 * during a pause although the hub can be reached, the pause is halved, down to KEEP_ALIVE_LEAST.
 * From then on it grows only half of the way to the one that failed; a day later that is forgotten.
 * In another network it starts from the beginning. Times in seconds, NOW in monotonic µs. Pure. */
#pragma once

#include <glib.h>

#define KEEP_ALIVE_START 240
#define KEEP_ALIVE_LEAST 30
#define KEEP_ALIVE_MOST 900 /* the default of `most` */
#define KEEP_ALIVE_CAP                                                                             \
    1170 /* what Azure's hub takes: its limit is 1767 s, of one and a half times */
#define KEEP_ALIVE_PROOF 2
#define KEEP_ALIVE_MEMORY G_TIME_SPAN_DAY

typedef struct {
    guint most;
    guint pause;  /* the present one */
    guint proofs; /* how often it was survived */
    guint failed; /* the shortest that was not; 0: none */
    gint64 failed_at;
} KeepAlive;

void keep_alive_init(KeepAlive *self, guint most); /* also to begin again */

/* The link was idle for the pause and lives. TRUE: a longer pause is to be tried, it is set. */
gboolean keep_alive_survived(KeepAlive *self, gint64 now);

/* The link was idle for the pause and is dead, but the hub is there. */
void keep_alive_died(KeepAlive *self, gint64 now);
