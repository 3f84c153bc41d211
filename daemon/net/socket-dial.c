/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net/socket-dial.h"

#include "common/base/error.h"
#include "daemon/net/http-exchange.h"
#include "daemon/net/proxy-schemes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct SocketDial {
    Runtime *runtime;
    GSocketClient *client;
    GCancellable *cancellable;
    guint limit;
    gboolean timed_out;
    Proxy *proxy; /* NULL: no proxy */
    ProxyRoute route;
    ProxySchemes *schemes; /* the proxy is asked how one signs in there */
    GError *refused;       /* what it said before */
    const char *cause;
    gboolean negotiating; /* the proxy was reached: later failures are its answer or silence */
    char *host;           /* when there is a proxy */
    guint16 port;
    SocketDialDone done; /* NULL: cancelled */
    void *data;
};

static void
socket_dial_free(SocketDial *dial)
{
    if (dial->limit)
        g_source_remove(dial->limit);
    g_signal_handlers_disconnect_by_data(dial->client, dial);
    g_object_unref(dial->client);
    g_object_unref(dial->cancellable);
    proxy_unref(dial->proxy);
    proxy_route_clear(&dial->route);
    proxy_schemes_cancel(dial->schemes);
    g_clear_error(&dial->refused);
    g_free(dial->host);
    dial->runtime->away--;
    g_free(dial);
}

/* The GSocket owns its descriptor and closes it; this is a duplicate. */
static int
socket_dial_take(GSocketConnection *connection, GError **error)
{
    int fd = fcntl(g_socket_get_fd(g_socket_connection_get_socket(connection)), F_DUPFD_CLOEXEC, 3);

    if (fd < 0)
        g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(errno), "%s", g_strerror(errno));
    return fd;
}

/* The HTTP status, which GIO has only in the text of its error; 0: none. */
static guint
socket_dial_status(const SocketDial *dial, const GError *error)
{
    const char *colon = g_strrstr(error->message, ":");

    if (!colon || !g_str_has_prefix(dial->route.uri, "http:") ||
        !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PROXY_FAILED))
        return 0;
    return (guint)g_ascii_strtoull(colon + 1, NULL, 10);
}

/* Makes the error to report, and sets its cause. */
static GError *G_GNUC_PRINTF(4, 5) socket_dial_blame(SocketDial *dial, const char *cause,
                                                     StreamdError code, const char *format, ...)
{
    GError *error;
    va_list args;

    va_start(args, format);
    error = g_error_new_valist(STREAMD_ERROR, (int)code, format, args);
    va_end(args);
    dial->cause = cause;
    return error;
}

static GError *
socket_dial_failed(SocketDial *dial, const GError *error)
{
    const char *name = dial->route.name;
    guint status = socket_dial_status(dial, error);

    if (status == 401) /* tinyproxy's answer to wrong credentials */
        return socket_dial_blame(dial, "proxy-credentials", STREAMD_ERROR_PROXY_REFUSED,
                                 "the proxy %s rejects its credentials", name);
    if (status >= 500)
        return socket_dial_blame(
            dial, "proxy-unreachable", STREAMD_ERROR_UNREACHABLE,
            "the proxy %s cannot reach the hub: it answered with HTTP status %u", name, status);
    if (status > 0)
        return socket_dial_blame(dial, "proxy-answer", STREAMD_ERROR_UNREACHABLE,
                                 "the proxy %s answered with HTTP status %u", name, status);
    return socket_dial_blame(
        dial,
        g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PROXY_FAILED) ? "proxy-answer"
                                                                    : "proxy-unreachable",
        STREAMD_ERROR_UNREACHABLE, "the proxy %s did not connect: %s", name, error->message);
}

/* What failed after the proxy was reached. */
static GError *
socket_dial_refusal(SocketDial *dial, const GError *error)
{
    const char *name = dial->route.name;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PROXY_NEED_AUTH))
        return socket_dial_blame(dial, "proxy-credentials", STREAMD_ERROR_PROXY_REFUSED,
                                 "the proxy %s wants credentials, and none are set for it", name);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PROXY_AUTH_FAILED))
        return socket_dial_blame(dial, "proxy-credentials", STREAMD_ERROR_PROXY_REFUSED,
                                 "the proxy %s rejects its credentials", name);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PROXY_NOT_ALLOWED))
        return socket_dial_blame(dial, "proxy-refused", STREAMD_ERROR_PROXY_REFUSED,
                                 "the proxy %s allows no connection to the hub", name);
    return socket_dial_failed(dial, error);
}

static GError *
socket_dial_late(SocketDial *dial)
{
    if (!dial->route.name)
        return socket_dial_blame(dial, "timeout", STREAMD_ERROR_TIMED_OUT, "no answer in time");
    if (dial->negotiating)
        return socket_dial_blame(dial, "proxy-timeout", STREAMD_ERROR_TIMED_OUT,
                                 "the proxy %s did not answer in time", dial->route.name);
    return socket_dial_blame(dial, "proxy-down", STREAMD_ERROR_TIMED_OUT,
                             "the proxy %s was not reached in time", dial->route.name);
}

static void
socket_dial_explain(SocketDial *dial, GError **error)
{
    GError *own = NULL;

    if (dial->timed_out)
        own = socket_dial_late(dial);
    else if (dial->route.name && dial->negotiating)
        own = socket_dial_refusal(dial, *error);
    else if (dial->route.name)
        own = socket_dial_blame(dial, "proxy-down", STREAMD_ERROR_UNREACHABLE,
                                "the proxy %s cannot be reached: %s", dial->route.name,
                                (*error)->message);
    else if (g_error_matches(*error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
        dial->cause = "refused";
    else if (g_error_matches(*error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
        dial->cause = "timeout";
    if (!own)
        return;
    g_clear_error(error);
    *error = own;
}

static void
socket_dial_finish(SocketDial *dial, int fd, GError **error)
{
    if (fd < 0 && dial->done)
        socket_dial_explain(dial, error);
    if (dial->done)
        dial->done(fd, *error, dial->data);
    socket_dial_free(dial);
}

static void
socket_dial_asked(const char *foreign, void *data)
{
    SocketDial *dial = data;
    g_autoptr(GError) error = g_steal_pointer(&dial->refused);

    dial->schemes = NULL;
    if (foreign) {
        g_clear_error(&error);
        error = socket_dial_blame(dial, "proxy-credentials", STREAMD_ERROR_PROXY_REFUSED,
                                  "the proxy %s wants a sign-in by %s, and streamd has only a name "
                                  "and password (Basic); ask for an exception for the hub, or use "
                                  "a helper that signs in at the proxy",
                                  dial->route.name, foreign);
    }
    if (dial->done)
        dial->done(-1, error, dial->data);
    socket_dial_free(dial);
}

/* An HTTP proxy takes no credentials of ours: perhaps it takes none of the kind. FALSE: it is
 * something else. */
static gboolean
socket_dial_ask(SocketDial *dial, const GError *error)
{
    g_autofree char *authority = NULL;

    if (!dial->done || dial->timed_out || !dial->route.uri ||
        !g_str_has_prefix(dial->route.uri, "http:") ||
        !(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PROXY_NEED_AUTH) ||
          g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PROXY_AUTH_FAILED)))
        return FALSE;
    authority = http_authority_with_port(dial->host, dial->port);
    dial->refused = socket_dial_refusal(dial, error);
    dial->schemes = proxy_schemes_new(dial->runtime, dial->route.host, dial->route.port, authority,
                                      socket_dial_asked, dial);
    return TRUE;
}

static void
socket_dial_connected(GObject *source, GAsyncResult *result, gpointer data)
{
    SocketDial *dial = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect_finish(G_SOCKET_CLIENT(source), result, &error);
    int fd = -1;

    if (dial->done && connection)
        fd = socket_dial_take(connection, &error);
    if (error && socket_dial_ask(dial, error))
        return;
    socket_dial_finish(dial, fd, &error);
}

static void
socket_dial_event(GSocketClient *client, GSocketClientEvent event, GSocketConnectable *to,
                  GIOStream *stream, gpointer data)
{
    SocketDial *dial = data;

    if (event == G_SOCKET_CLIENT_PROXY_NEGOTIATING)
        dial->negotiating = TRUE;
}

/* GIO writes the host into its CONNECT unchanged, so an IPv6 address needs its brackets. */
static GSocketConnectable *
socket_dial_destination(const SocketDial *dial)
{
    g_autofree char *host = NULL;

    if (dial->route.uri && g_str_has_prefix(dial->route.uri, "http:") && strchr(dial->host, ':'))
        host = g_strdup_printf("[%s]", dial->host);
    return g_network_address_new(host ? host : dial->host, dial->port);
}

static void
socket_dial_use_route(SocketDial *dial)
{
    g_autoptr(GProxyResolver) resolver = NULL;

    if (!dial->route.uri)
        return;
    resolver = g_simple_proxy_resolver_new(dial->route.uri, NULL);
    g_socket_client_set_enable_proxy(dial->client, TRUE);
    g_socket_client_set_proxy_resolver(dial->client, resolver);
    g_signal_connect(dial->client, "event", G_CALLBACK(socket_dial_event), dial);
}

static void
socket_dial_no_route(GError **error)
{
    GError *own = g_error_new(
        STREAMD_ERROR, STREAMD_ERROR_UNREACHABLE,
        (*error)->domain == STREAMD_ERROR ? "%s" : "cannot find out which proxy to use: %s",
        (*error)->message);

    g_clear_error(error);
    *error = own;
}

static void
socket_dial_routed(GObject *source, GAsyncResult *result, gpointer data)
{
    SocketDial *dial = data;
    g_autoptr(GSocketConnectable) to = NULL;
    g_autoptr(GError) error = NULL;

    if (!proxy_route_finish(dial->proxy, result, &dial->route, &error)) {
        socket_dial_no_route(&error);
        socket_dial_finish(dial, -1, &error);
        return;
    }
    socket_dial_use_route(dial);
    to = socket_dial_destination(dial);
    g_socket_client_connect_async(dial->client, to, dial->cancellable, socket_dial_connected, dial);
}

static gboolean
socket_dial_limit(gpointer data)
{
    SocketDial *dial = data;

    dial->limit = 0;
    dial->timed_out = TRUE;
    g_cancellable_cancel(dial->cancellable);
    if (dial->schemes) { /* what it said is known */
        g_clear_pointer(&dial->schemes, proxy_schemes_cancel);
        socket_dial_asked(NULL, dial);
    }
    return G_SOURCE_REMOVE;
}

static SocketDial *
socket_dial_prepare(Runtime *runtime, gint64 limit, SocketDialDone done, void *data)
{
    SocketDial *dial = g_new0(SocketDial, 1);

    dial->runtime = runtime;
    dial->client = g_socket_client_new();
    dial->cancellable = g_cancellable_new();
    dial->cause = "unreachable";
    dial->done = done;
    dial->data = data;
    dial->limit = g_timeout_add((guint)(limit / 1000), socket_dial_limit, dial);
    runtime->away++;
    g_socket_client_set_enable_proxy(dial->client, FALSE);
    return dial;
}

SocketDial *
socket_dial_new(Runtime *runtime, GSocketConnectable *to, gint64 limit, SocketDialDone done,
                void *data)
{
    SocketDial *dial = socket_dial_prepare(runtime, limit, done, data);

    g_socket_client_connect_async(dial->client, to, dial->cancellable, socket_dial_connected, dial);
    return dial;
}

SocketDial *
socket_dial_new_to(Runtime *runtime, const char *host, guint16 port, Proxy *proxy, gint64 limit,
                   SocketDialDone done, void *data)
{
    SocketDial *dial = socket_dial_prepare(runtime, limit, done, data);

    dial->proxy = proxy_ref(proxy);
    dial->host = g_strdup(host);
    dial->port = port;
    proxy_route_async(proxy, host, port, dial->cancellable, socket_dial_routed, dial);
    return dial;
}

const char *
socket_dial_proxy(const SocketDial *dial)
{
    return dial->route.name;
}

const char *
socket_dial_cause(const SocketDial *dial)
{
    return dial->cause;
}

void
socket_dial_cancel(SocketDial *dial)
{
    if (!dial)
        return;
    dial->done = NULL;
    g_cancellable_cancel(dial->cancellable);
    if (dial->schemes)
        socket_dial_free(dial);
}
