/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proxy: which way an outgoing connection takes (docs/architecture.md, section 3).
 *
 * There are two kinds: a configured proxy (HTTP CONNECT or SOCKS5, with exceptions), and the proxy
 * of a user's session (from its environment, else from the desktop). With both, the proxy resolves
 * names. Immutable and counted; main thread. */
#pragma once

#include <gio/gio.h>

typedef struct Proxy Proxy;

#define PROXY_URL_MAX 512
#define PROXY_CREDENTIALS_MAX 511 /* USER:PASSWORD, each at most 255 bytes (RFC 1929) */
#define PROXY_PART_MAX 255
#define PROXY_EXCEPTIONS_MAX 64
#define PROXY_EXCEPTIONS_LENGTH 4096

/* All NULL: nothing is configured. */
typedef struct {
    const char *url; /* http://HOST:PORT, socks5://HOST:PORT, socks5h:// the same; "direct" */
    const char *credentials; /* secret: USER:PASSWORD, for the proxy alone; NULL: none */
    const char *exceptions;  /* names, addresses, networks; blanks or commas between them */
} ProxySettings;

gboolean proxy_is_set(const ProxySettings *settings);
/* Copies that are the caller's; clearing wipes the credentials. */
ProxySettings proxy_settings_copy(const ProxySettings *settings);
void proxy_settings_clear(ProxySettings *settings);
gboolean proxy_settings_equal(const ProxySettings *a, const ProxySettings *b);

/* INVALID, with what is wrong and what is right, and never the credentials. */
gboolean proxy_check(const ProxySettings *settings, GError **error);

/* Checks and copies. "direct" gives a proxy through which everything goes directly. */
Proxy *proxy_new(const ProxySettings *settings, GError **error);

/* That of a user's session: the environment's (https_proxy, all_proxy, no_proxy; upper case too),
 * else in a desktop's session the desktop's. What is wrong there is told when it is used. */
Proxy *proxy_new_session(void);

Proxy *proxy_ref(Proxy *proxy);
void proxy_unref(Proxy *proxy); /* NULL is fine */

/* As it was configured, without credentials; "" for that of a session. */
const char *proxy_url(const Proxy *proxy);

/* The way to one host. */
typedef struct {
    char *uri;    /* for GIO, with the credentials: secret; NULL: directly */
    char *name;   /* "HOST:PORT" of the proxy, for people; NULL: directly */
    char *host;   /* of the proxy, without brackets; NULL: directly */
    guint16 port; /* of the proxy */
} ProxyRoute;

void proxy_route_clear(ProxyRoute *route);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProxyRoute, proxy_route_clear)

/* Asks for the way to HOST (without brackets) and PORT. DONE comes later; it calls
 * proxy_route_finish. */
void proxy_route_async(Proxy *proxy, const char *host, guint16 port, GCancellable *cancellable,
                       GAsyncReadyCallback done, gpointer data);

/* INVALID: the proxy cannot be used: it is spoken to over TLS, or by another protocol. */
gboolean proxy_route_finish(Proxy *proxy, GAsyncResult *result, ProxyRoute *ret, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Proxy, proxy_unref)
