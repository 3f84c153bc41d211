/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Admin server: HTTP/1.1 on a Unix socket, for the verbs of `streamhub` (admin/request.h lists the
 * requests). Main thread, whose default main context must run.
 *
 * Only a peer whose user (SO_PEERCRED) is the server's own or root may ask; any other connection is
 * closed unread. One request per connection. Size, time and number are limited. */
#pragma once

#include "hub/admin/request.h"

#include <sys/types.h>

#define ADMIN_BODY_MAX ((gsize)64 * 1024)
#define ADMIN_CONNECTIONS_MAX 32 /* further ones wait in the socket's backlog */
#define ADMIN_TIMEOUT_S 60       /* from accept to the end of the answer */

typedef struct AdminServer AdminServer;

/* Binds PATH with mode 0660, and replaces a socket that nobody listens on any more. HUB must
 * outlive it. OWNER: the user who may ask besides root, usually geteuid(). STREAMD_ERROR_EXISTS
 * when somebody listens there, STREAMD_ERROR_INVALID for a path that is too long or not a socket,
 * STREAMD_ERROR_BUSY while the disk takes no file. */
AdminServer *admin_server_new(const char *path, uid_t owner, const AdminHub *hub, GError **error);

/* Closes all connections, answered or not, and removes the socket. NULL is fine. */
void admin_server_free(AdminServer *server);

guint admin_server_connections(AdminServer *server);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AdminServer, admin_server_free)
