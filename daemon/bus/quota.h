/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quotas: what one user may take of the bus, over all connections: calls in a second, calls that
 * wait for their reply. How many streams and tunnels a user has is bounded where they are made
 * (daemon/app.h); each stream of OpenStream has one descriptor that was handed out, so that bounds
 * those as well. Main thread. */
#pragma once

#include <glib.h>
#include <sys/types.h>

#define QUOTA_CALLS_PER_SECOND 20
#define QUOTA_CALLS_BURST 60
#define QUOTA_PENDING_MAX 64

typedef struct Quotas Quotas;

Quotas *quotas_new(void);
void quotas_free(Quotas *quotas); /* NULL is fine */

/* Takes one call; NOW is monotonic, in µs. FALSE: this user makes too many. */
gboolean quotas_take_call(Quotas *quotas, uid_t uid, gint64 now);

/* A call begins to wait for its reply. FALSE: too many do; then there is no end. */
gboolean quotas_begin(Quotas *quotas, uid_t uid);
void quotas_end(Quotas *quotas, uid_t uid);

/* Users who are remembered: those that took anything which is not given back yet, and some that
 * have not been forgotten since. */
guint quotas_users(const Quotas *quotas);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Quotas, quotas_free)
