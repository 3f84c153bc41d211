/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Socket dial: connects a plain socket, TCP or Unix, without blocking, perhaps through a proxy.
 *
 * Names are resolved off the main thread and addresses tried side by side (RFC 8305, by
 * GSocketClient), HTTP CONNECT and SOCKS5 spoken by GIO: it reads at most 128 KiB of a proxy's
 * answer (GLib 2.74), and no longer than the limit. Main thread. */
#pragma once

#include "daemon/net/proxy.h"
#include "daemon/net/runtime.h"

#include <gio/gio.h>

typedef struct SocketDial SocketDial;

/* The callee owns FD. Or it is -1: then ERROR is GIO's, or STREAMD_ERROR_TIMED_OUT. Called once,
 * later. */
typedef void (*SocketDialDone)(int fd, const GError *error, void *data);

/* Directly. */
SocketDial *socket_dial_new(Runtime *runtime, GSocketConnectable *to, gint64 limit,
                            SocketDialDone done, void *data);

/* To HOST (without brackets) and PORT by the way that PROXY gives. ERROR then is in STREAMD_ERROR
 * when it is the proxy's: UNREACHABLE, TIMED_OUT, or PROXY_REFUSED (it wants credentials, does not
 * take ours, or allows no connection to the hub); the message names the proxy. */
SocketDial *socket_dial_new_to(Runtime *runtime, const char *host, guint16 port, Proxy *proxy,
                               gint64 limit, SocketDialDone done, void *data);

/* "HOST:PORT" of the proxy that is used, or NULL. Until the end of DONE. */
const char *socket_dial_proxy(const SocketDial *dial);

/* Which kind of failure it was: "proxy-down", "proxy-credentials", "proxy-refused",
 * "proxy-unreachable" (it does not reach the destination), "proxy-timeout", "proxy-answer",
 * "refused", "unreachable" or "timeout". In DONE, when it failed. */
const char *socket_dial_cause(const SocketDial *dial);

/* Gives up and closes everything; DONE will not be called. Not allowed after DONE. NULL is fine. */
void socket_dial_cancel(SocketDial *dial);
