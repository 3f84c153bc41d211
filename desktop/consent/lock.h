/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lock: whether the screen is locked, as logind and the desktop's screen saver say, so that a
 * notification over the lock says no more than it must. Without either it counts as not locked.
 * Main thread; nothing blocks. */
#pragma once

#include <gio/gio.h>

typedef struct Lock Lock;

/* SESSION: the session bus; may be NULL. CHANGED: lock_is_locked() may have changed, or whose turn
 * it is to sit at the machine. */
typedef void (*LockChanged)(void *data);
Lock *lock_new(GDBusConnection *session, LockChanged changed, void *data);
void lock_free(Lock *lock);

gboolean lock_is_locked(Lock *lock);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lock, lock_free)
