/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Serve: the running hub, made from its state folder. Main thread; returns when it has stopped.
 *
 * Without --listen and --mqtt-listen it takes the sockets that the service manager hands over
 * (sd_listen_fds(3)). Those named "https" come first, because the URLs have the port of the first
 * listener. Without such sockets it uses the defaults.
 *
 * Standard output: "listening https 127.0.0.1:41235" or "listening mqtts ..." per listener, then
 * "ready".
 *
 * SIGTERM and SIGINT stop it gracefully; a second one stops it at once. SIGHUP reads the
 * certificate again, and keeps the old one when the new one is not good. It also says what is wrong
 * in the configuration; new limits take force at the next start. The service manager is told READY,
 * RELOADING, STOPPING, STATUS and WATCHDOG. */
#pragma once

#include "common/log/journal.h"

#define SERVE_LISTEN_DEFAULT "[::]:443"
#define SERVE_DEVICE_LISTEN_DEFAULT "[::]:8883"

typedef struct {
    const char *state_dir;
    const char *admin_socket;      /* NULL: in the state folder */
    const char *const *host_names; /* NULL: only those of the certificate, which always count */
    const char *const *listen;     /* NULL and device_listen NULL: see above */
    const char *const *device_listen;
    const char *streaming_host; /* NULL: see hub.h */
    const char *config;         /* NULL: default settings */
    guint threads;              /* 0: one per CPU */
    gint64 grace;               /* µs */
    Journal *journal;           /* the log of this process */
} ServeOptions;

gboolean serve_run(const ServeOptions *options, GError **error);
