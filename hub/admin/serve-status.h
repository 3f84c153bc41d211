/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Serve status: how the running hub stands, in one line for the service manager (STATUS= of
 * sd_notify(3)), looked at once a second and sent when it has changed; and once a day a warning in
 * the log when the certificate ends soon. Main thread. */
#pragma once

#include "hub/admin/server.h"

typedef struct ServeStatus ServeStatus;

/* Tells READY at once. Keeps HUB and ADMIN, where the admin socket's server is or will be; both
 * outlive it. */
ServeStatus *serve_status_new(const AdminHub *hub, AdminServer *const *admin);
void serve_status_free(ServeStatus *status); /* NULL is fine */

/* The hub is ending. */
void serve_status_stopping(ServeStatus *status);

/* Writes to the log what the administrator should do about the certificate, if anything. */
void serve_warn_of_identity(const Identity *identity);

/* The line: NAME and PORT of the hub, and what is wrong (NULL or empty: nothing of that kind).
 * Pure; the caller frees. */
typedef struct {
    const char *name;
    guint16 port;
    HubFigures counts;
    gboolean stopping;
    gboolean held;           /* registry_is_held() */
    gboolean no_admin;       /* the admin socket cannot be made */
    const char *certificate; /* identity_warning() */
    const char *registry;    /* registry_trouble() */
} ServeStanding;

char *serve_status_text(const ServeStanding *standing);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ServeStatus, serve_status_free)
