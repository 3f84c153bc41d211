/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reconnects: how long a device that connects again and again waits for its CONNACK (requirement
 * R15). Nothing is refused, and each device and module is counted for itself.
 *
 * The connection that is number `reconnects-per-minute` within the last minute waits for
 * RECONNECTS_WAIT. Each further one waits for twice as long as the one before, up to
 * RECONNECTS_WAIT_MAX, until a connection is not number `reconnects-per-minute` within its minute.
 * A connection that comes while an earlier one waits, or after that one has given up, waits only
 * for the rest of its time: so a client with less patience than the hub gets in as well. No clock
 * and no I/O; main thread. NOW in monotonic µs. */
#pragma once

#include <glib.h>

#define RECONNECTS_WINDOW G_TIME_SPAN_MINUTE
#define RECONNECTS_WAIT_MAX (5 * G_TIME_SPAN_SECOND)
#define RECONNECTS_WAIT (RECONNECTS_WAIT_MAX / 16) /* 312.5 ms */

/* Devices and modules that are remembered; for one more the oldest is forgotten. */
#define RECONNECTS_MAX 65536

typedef struct Reconnects Reconnects;

Reconnects *reconnects_new(guint per_minute); /* 0: nobody ever waits */
void reconnects_free(Reconnects *reconnects);

/* CLIENT_ID has authenticated. For how long it waits; 0: not at all. */
gint64 reconnects_note(Reconnects *reconnects, const char *client_id, gint64 now);

guint reconnects_known(const Reconnects *reconnects); /* for tests */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reconnects, reconnects_free)
