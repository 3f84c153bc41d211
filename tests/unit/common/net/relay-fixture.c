/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/common/net/relay-fixture.h"

#include "tests/unit/common/net/tls-fixture.h"

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

void
chain_tcp_pair(int ret_fds[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_no_errno(bind(listener, (struct sockaddr *)&address, sizeof address));
    g_assert_no_errno(listen(listener, 1));
    g_assert_no_errno(getsockname(listener, (struct sockaddr *)&address, &len));
    ret_fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_no_errno(connect(ret_fds[0], (struct sockaddr *)&address, sizeof address));
    ret_fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    g_assert_cmpint(ret_fds[1], >=, 0);
    close(listener);
}

void
chain_write_all(int fd, const void *data, gsize len)
{
    for (gsize at = 0; at < len;) {
        ssize_t n = send(fd, (const char *)data + at, len - at, MSG_NOSIGNAL);

        g_assert_cmpint(n, >, 0);
        at += (gsize)n;
    }
}

typedef struct {
    void (*func)(void *data);
    void *data;
    atomic_bool done;
} ChainCall;

static void
chain_call_run(void *data)
{
    ChainCall *call = data;

    call->func(call->data);
    atomic_store(&call->done, TRUE);
}

void
chain_call(Reactor *reactor, void (*func)(void *data), void *data)
{
    ChainCall call = {.func = func, .data = data};

    reactor_call(reactor, chain_call_run, &call);
    while (!atomic_load(&call.done))
        g_usleep(100);
}

static void
hop_ended(Relay *relay G_GNUC_UNUSED, Reason reason, void *data)
{
    ((Hop *)data)->reason = reason;
}

static Connection *
leg(Chain *chain, int fd, gboolean client)
{
    Connection *connection = connection_new(fd);

    /* Handshakes happen on first use: both ends are pumped by the same reactor. */
    if (chain->server)
        connection_start_tls(connection, client ? chain->client : chain->server,
                             client ? "localhost" : NULL);
    return connection;
}

static void
hop_start(Chain *chain, guint index, RelaySide a, RelaySide b, const RelayTimes *times)
{
    Hop *hop = &chain->hops[index];

    hop->relay =
        relay_new(chain->reactor, &a, &b, times, &hop->meter, chain->queue, hop_ended, hop);
}

/* Both ends of one leg, with TLS done: the relay expects a session that is up. */
static void
legs_new(Chain *chain, Connection **ret_client, Connection **ret_server)
{
    int fds[2];
    int client = -EAGAIN, server = -EAGAIN;

    chain_tcp_pair(fds);
    *ret_client = leg(chain, fds[0], TRUE);
    *ret_server = leg(chain, fds[1], FALSE);
    while (client == -EAGAIN || server == -EAGAIN) {
        client = connection_handshake(*ret_client);
        server = connection_handshake(*ret_server);
    }
    g_assert_cmpint(client, ==, 0);
    g_assert_cmpint(server, ==, 0);
}

static Chain *
chain_make(gboolean tls, Caps service, Caps device, const RelayTimes *times,
           const RelayTimes *last_times)
{
    Chain *chain = g_new0(Chain, 1);
    Connection *service_leg[2], *device_leg[2];
    int app[2], target[2];

    chain->context = g_main_context_new();
    chain->queue = queue_new();
    chain->source = queue_source_new(chain->queue);
    g_source_attach(chain->source, chain->context);
    chain->reactor = reactor_new("test");
    if (tls)
        chain->folder = tls_fixture_new(&chain->server, &chain->client);
    chain_tcp_pair(app);
    chain_tcp_pair(target);
    legs_new(chain, &service_leg[0], &service_leg[1]);
    legs_new(chain, &device_leg[0], &device_leg[1]);
    chain->app = app[0];
    chain->target = target[0];
    hop_start(chain, 0, (RelaySide){connection_new(app[1]), FALSE, FALSE, 0, REASON_SERVICE_CLOSED},
              (RelaySide){service_leg[0], TRUE, TRUE, service, REASON_DEVICE_CLOSED}, times);
    hop_start(chain, 1, (RelaySide){service_leg[1], TRUE, FALSE, service, REASON_SERVICE_CLOSED},
              (RelaySide){device_leg[1], TRUE, FALSE, device, REASON_DEVICE_CLOSED}, times);
    hop_start(chain, 2,
              (RelaySide){connection_new(target[1]), FALSE, FALSE, 0, REASON_DEVICE_CLOSED},
              (RelaySide){device_leg[0], TRUE, TRUE, device, REASON_SERVICE_CLOSED}, last_times);
    return chain;
}

Chain *
chain_new(gboolean tls, Caps service, Caps device, const RelayTimes *times)
{
    return chain_make(tls, service, device, times, times);
}

Chain *
chain_new_limited(gboolean tls, const RelayLimits *limits)
{
    const RelayTimes times = {RELAY_QUIET, RELAY_PING, RELAY_DEAD, *limits};
    const Caps all = CAP_HALF_CLOSE | CAP_REASON;

    return chain_make(tls, all, all, NULL, &times);
}

Reason
chain_wait(Chain *chain, guint hop)
{
    while (chain->hops[hop].reason == REASON_NONE)
        g_main_context_iteration(chain->context, TRUE);
    return chain->hops[hop].reason;
}

void
chain_free(Chain *chain)
{
    if (chain->app >= 0)
        close(chain->app);
    if (chain->target >= 0)
        close(chain->target);
    for (guint i = 0; i < G_N_ELEMENTS(chain->hops); i++) {
        chain_wait(chain, i);
        relay_unref(chain->hops[i].relay);
    }
    reactor_free(chain->reactor);
    g_source_destroy(chain->source);
    g_source_unref(chain->source);
    queue_free(chain->queue);
    g_main_context_unref(chain->context);
    tls_context_unref(chain->server);
    tls_context_unref(chain->client);
    if (chain->folder)
        tls_fixture_remove(chain->folder);
    g_free(chain);
}
