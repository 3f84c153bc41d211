/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What systemd does with the descriptors of a service, on a real notification socket: keeps those
 * that come with FDSTORE=1, up to a number and dropping the rest, and lets go on FDSTOREREMOVE=1.
 */
#pragma once

#include <gio/gio.h>

typedef struct Manager Manager;

/* It keeps MOST descriptors. Sets NOTIFY_SOCKET and FD_STORE_VARIABLE. */
Manager *manager_new(guint most);
void manager_free(Manager *manager); /* lets go of all */

/* After fd_store_sync. */
guint manager_kept(Manager *manager);
guint manager_kept_as(Manager *manager, const char *name);
guint manager_messages(Manager *manager); /* with descriptors to be stored */
guint manager_polled(Manager *manager);   /* of those, without FDPOLL=0 */

/* Copies of what is kept, as fd_store_take gives them, for the caller. */
GArray *manager_take(Manager *manager);

/* Starts CHILD in a process that has what is kept, in an order of its own, as descriptors from 3
 * on. Returns its exit status. */
int manager_start(Manager *manager, int (*child)(void *data), void *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Manager, manager_free)
