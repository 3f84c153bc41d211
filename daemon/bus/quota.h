/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quotas: what one user may take of the bus, over all connections: calls per second, and calls that
 * wait for their reply. The number of streams and tunnels of a user is limited where they are made
 * (daemon/app.h). That also limits the descriptors that were handed out: each stream of OpenStream
 * has one. Main thread. */
#pragma once

#include <glib.h>
#include <sys/types.h>

#define QUOTA_CALLS_PER_SECOND 20
#define QUOTA_CALLS_BURST 60
#define QUOTA_PENDING_MAX 64

typedef struct Quotas Quotas;

Quotas *quotas_new(void);
void quotas_free(Quotas *quotas); /* NULL is fine */

/* Takes one call; NOW is monotonic, in µs. FALSE: this user calls too often. */
gboolean quotas_take_call(Quotas *quotas, uid_t uid, gint64 now);

/* A call begins to wait for its reply. FALSE: too many wait; then do not call quotas_end for it. */
gboolean quotas_begin(Quotas *quotas, uid_t uid);
void quotas_end(Quotas *quotas, uid_t uid);

/* Number of users that are remembered: those that have taken something and not given it back, and
 * some that were not removed yet. */
guint quotas_users(const Quotas *quotas);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Quotas, quotas_free)
