/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Listening: which of the common services listen on this machine, to suggest them. Pure, but for
 * listening_look(). */
#pragma once

#include <gio/gio.h>

typedef struct {
    guint16 port;
    const char *name; /* of the stream under which it would be offered */
    const char *what; /* passed through gettext when shown */
} ListeningService;

typedef struct {
    const ListeningService *service;
    char *address; /* as a target has it: "tcp:127.0.0.1:22" */
} Listening;

/* TCP, TCP6: what /proc/net/tcp and tcp6 have. The Listening in the order of their ports. */
GPtrArray *listening_find(const char *tcp, const char *tcp6);

/* The same of this machine as it is now. DONE is called in any case; NULL: it was cancelled, and
 * DATA may be gone. */
void listening_look(GCancellable *cancellable, GAsyncReadyCallback done, gpointer data);
GPtrArray *listening_look_finish(GAsyncResult *result);
