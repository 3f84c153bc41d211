/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net/dial.h"

#include "daemon/net/job.h"
#include "daemon/net/socket-dial.h"

#include <errno.h>

struct Dial {
    Job job; /* the handshake */
    SocketDial *socket;
    char *host;
    guint16 port;
    char *through; /* the proxy's name; NULL: none, or not known yet */
    TlsContext *tls;
    Reactor *reactor;
    Runtime *runtime;
    gint64 started;
    TlsPeer peer;        /* the reactor's, until the job has come home */
    DialFailure failure; /* the same */
    gboolean shaking;    /* the job is running, and will free us */
    DialDone done;
    void *data;
};

static void
dial_free(Dial *dial)
{
    g_free(dial->host);
    g_free(dial->through);
    tls_context_unref(dial->tls);
    g_free(dial);
}

static void
dial_tell(Dial *dial, Connection *connection, GError *error)
{
    if (error)
        g_prefix_error(&error, "%s port %u: ", dial->host, dial->port);
    dial->done(connection, error, dial->data);
    g_clear_error(&error);
}

/* Reactor. */
static void
dial_ready(Job *job)
{
    Dial *dial = CONTAINER_OF(job, Dial, job);
    g_autofree char *text = NULL;
    int r = connection_handshake(job->connection);

    if (r == -EAGAIN)
        return;
    dial->peer = tls_session_peer(connection_tls(job->connection));
    if (r == 0) {
        job_succeed(job);
        return;
    }
    if (r == -ECONNRESET || r == -ESHUTDOWN || r == -EPIPE)
        dial->failure = DIAL_CUT;
    text = g_strdup(dial->failure == DIAL_CUT ? "the connection was closed before TLS was up"
                                              : tls_session_error(connection_tls(job->connection)));
    job_fail(job,
             r == -EKEYREJECTED ? STREAMD_ERROR_UNTRUSTED
             : r == -EACCES     ? STREAMD_ERROR_UNAUTHORIZED
             : r == -EPROTO     ? STREAMD_ERROR_PROTOCOL
                                : STREAMD_ERROR_UNREACHABLE,
             text);
}

/* TLS failed behind a proxy: the proxy may have closed after its answer, or intercept TLS. */
static void
dial_blame_proxy(const Dial *dial, GError *error)
{
    const char *why =
        error->code == STREAMD_ERROR_UNTRUSTED ? "which may open TLS itself" : "which had said yes";
    char *text =
        g_strdup_printf("%s (through the proxy %s, %s)", error->message, dial->through, why);

    g_free(error->message);
    error->message = text;
}

static void
dial_shaken(Job *job)
{
    Dial *dial = CONTAINER_OF(job, Dial, job);
    g_autoptr(GError) error = NULL;

    if (job_failed(job, &error) && dial->through)
        dial_blame_proxy(dial, error);
    dial_tell(dial, job_take_connection(job), g_steal_pointer(&error));
}

static void
dial_job_free(Job *job)
{
    dial_free(CONTAINER_OF(job, Dial, job));
}

static const JobClass dial_class = {
    .ready = dial_ready,
    .done = dial_shaken,
    .free = dial_job_free,
};

static GError *
dial_socket_error(const GError *error)
{
    if (error->domain == STREAMD_ERROR)
        return g_error_copy(error);
    return g_error_new_literal(STREAMD_ERROR, STREAMD_ERROR_UNREACHABLE, error->message);
}

static void
dial_shake(Dial *dial, int fd)
{
    gint64 left = DIAL_TIMEOUT - (g_get_monotonic_time() - dial->started);
    Connection *connection = connection_new(fd);

    connection_start_tls(connection, dial->tls, dial->host);
    dial->shaking = TRUE;
    job_run(&dial->job, &dial_class, connection, dial->reactor, dial->runtime,
            MAX(left, G_TIME_SPAN_SECOND));
}

static void
dial_socket_done(int fd, const GError *error, void *data)
{
    Dial *dial = data;

    dial->through = g_strdup(socket_dial_proxy(dial->socket));
    if (fd < 0 && g_str_equal(socket_dial_cause(dial->socket), "refused"))
        dial->failure = DIAL_REFUSED;
    dial->socket = NULL;
    if (fd >= 0) {
        dial_shake(dial, fd);
        return;
    }
    dial_tell(dial, NULL, dial_socket_error(error));
    dial_free(dial);
}

static Dial *
dial_prepare(Runtime *runtime, Reactor *reactor, const char *host, guint16 port, TlsContext *tls,
             DialDone done, void *data)
{
    Dial *dial = g_new0(Dial, 1);

    dial->runtime = runtime;
    dial->reactor = reactor;
    dial->host = g_strdup(host);
    dial->port = port;
    dial->tls = tls_context_ref(tls);
    dial->started = g_get_monotonic_time();
    dial->done = done;
    dial->data = data;
    return dial;
}

Dial *
dial_new(Runtime *runtime, Reactor *reactor, const char *host, guint16 port, TlsContext *tls,
         Proxy *proxy, DialDone done, void *data)
{
    Dial *dial = dial_prepare(runtime, reactor, host, port, tls, done, data);
    g_autoptr(GSocketConnectable) to = proxy ? NULL : g_network_address_new(host, port);

    dial->socket =
        proxy ? socket_dial_new_to(runtime, host, port, proxy, DIAL_TIMEOUT, dial_socket_done, dial)
              : socket_dial_new(runtime, to, DIAL_TIMEOUT, dial_socket_done, dial);
    return dial;
}

Dial *
dial_new_on(Runtime *runtime, Reactor *reactor, int fd, const char *name, const char *host,
            guint16 port, TlsContext *tls, DialDone done, void *data)
{
    Dial *dial = dial_prepare(runtime, reactor, host, port, tls, done, data);

    dial->through = g_strdup(name);
    dial_shake(dial, fd);
    return dial;
}

TlsPeer
dial_peer(const Dial *dial)
{
    return dial->peer;
}

DialFailure
dial_failure(const Dial *dial)
{
    return dial->failure;
}

void
dial_cancel(Dial *dial)
{
    if (!dial)
        return;
    if (dial->shaking) {
        job_cancel(&dial->job);
        return;
    }
    socket_dial_cancel(dial->socket);
    dial_free(dial);
}
