/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FdStore: descriptors that the service manager keeps for this service while the program is
 * restarted (sd_notify(3), FDSTORE=1). The manager's copy is as good as ours: what we close stays
 * open there. The connection is what systemd(1) gave us, so there is nothing to open. Main thread.
 *
 * Of systemd 252 these things are known that its manual does not say:
 *   - It tells nobody how many it keeps, and drops what is beyond FileDescriptorStoreMax= without a
 *     word. So the unit says the same number in FD_STORE_VARIABLE.
 *   - Without FDPOLL=0 it drops a socket whose peer has ended it, with its unread bytes.
 *   - It looks through all that it keeps for each one that comes: 512 cost 0.1 s, 4,000 cost 8 s.
 *   - What is kept comes back in no order; its name says what it is. */
#pragma once

#include <gio/gio.h>

#define FD_STORE_VARIABLE "STREAMD_FDSTORE"
#define FD_STORE_MOST 1000       /* whatever the variable says */
#define FD_STORE_MESSAGE_MAX 253 /* descriptors that the kernel passes on in one message */
#define FD_STORE_NAME_MAX 255    /* bytes of a name */
#define FD_STORE_BARRIER (5 * G_TIME_SPAN_SECOND)

typedef struct {
    char *name;
    int fd; /* CLOEXEC; the array's, -1: somebody has taken it */
} FdStoreItem;

/* How many descriptors the manager would keep; 0: there is none that keeps any. */
guint fd_store_room(void);

/* TRUE: 1 to FD_STORE_NAME_MAX printable ASCII characters without a colon. */
gboolean fd_store_name_is_valid(const char *name);

/* Gives copies of COUNT descriptors to the manager, under NAME, in as many messages as it takes.
 * Ours stay open. Waits until the manager has room for a message. */
gboolean fd_store_push(const char *name, const int *fds, guint count, GError **error);

/* The manager lets go of all that it has under NAME. */
gboolean fd_store_remove(const char *name, GError **error);

/* Waits until the manager has done all that was said before. TIMED_OUT: after FD_STORE_BARRIER. */
gboolean fd_store_sync(GError **error);

/* What a former process of this service has left, once: the environment is cleared. FdStoreItem;
 * the caller frees the array, which closes what nobody has taken. The manager keeps its copies
 * until fd_store_remove, so that the next one gets them if this one cannot start. */
GArray *fd_store_take(void);
