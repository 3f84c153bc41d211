/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net/ws-dial.h"

#include "common/base/error.h"
#include "common/codec/http-build.h"
#include "common/codec/ws-handshake.h"
#include "daemon/net/dial.h"
#include "daemon/net/http-exchange.h"
#include "daemon/net/web-page.h"

#include <unistd.h>

struct WsDial {
    Runtime *runtime;
    Reactor *reactor;
    char *host;
    guint16 port;
    char *protocol;
    guint8 nonce[WS_NONCE_SIZE];
    GString *request;
    Dial *dial;
    HttpExchange *exchange;
    WsDialDone done;
    void *data;
};

static void
ws_dial_free(WsDial *dial)
{
    g_free(dial->host);
    g_free(dial->protocol);
    http_request_wipe(dial->request);
    g_free(dial);
}

static void
ws_dial_finish(WsDial *dial, Connection *connection, const GError *error)
{
    dial->done(connection, error, dial->data);
    ws_dial_free(dial);
}

static GError *
ws_dial_check(WsDial *dial, const HttpResponse *response)
{
    g_autofree char *page = web_page_text(response);
    const char *text = NULL;
    guint status = response->status;

    if (page)
        return g_error_new(STREAMD_ERROR, STREAMD_ERROR_PROTOCOL, "%s port %u: %s", dial->host,
                           dial->port, page);
    switch (ws_response_verify(response, dial->nonce, dial->protocol, &text)) {
    case WS_RESPONSE_OK:
        return NULL;
    case WS_RESPONSE_DENIED:
        return g_error_new(STREAMD_ERROR,
                           status == 401 || status == 403 ? STREAMD_ERROR_UNAUTHORIZED
                                                          : STREAMD_ERROR_FAILED,
                           "%s port %u: the hub answered %u %s to the WebSocket request",
                           dial->host, dial->port, status, http_status_reason(status));
    default:
        return g_error_new(STREAMD_ERROR, STREAMD_ERROR_PROTOCOL,
                           "%s port %u: no WebSocket there: %s", dial->host, dial->port, text);
    }
}

static void
ws_dial_answered(Connection *connection, const HttpAnswer *answer, const GError *error, void *data)
{
    WsDial *dial = data;
    g_autoptr(GError) refused = NULL;

    dial->exchange = NULL;
    if (error)
        refused = g_error_new(error->domain, error->code, "%s port %u: %s", dial->host, dial->port,
                              error->message);
    else
        refused = ws_dial_check(dial, &answer->head);
    if (refused)
        g_clear_pointer(&connection, connection_free);
    ws_dial_finish(dial, connection, refused);
}

static void
ws_dial_upgrade(WsDial *dial, Connection *connection)
{
    dial->exchange =
        http_exchange_new(dial->runtime, dial->reactor, connection, g_steal_pointer(&dial->request),
                          WS_DIAL_UPGRADE_TIMEOUT, ws_dial_answered, dial);
}

static void
ws_dial_connected(Connection *connection, const GError *error, void *data)
{
    WsDial *dial = data;

    dial->dial = NULL;
    if (error)
        ws_dial_finish(dial, NULL, error);
    else
        ws_dial_upgrade(dial, connection);
}

static gboolean
ws_dial_build(WsDial *dial, const WsDialTo *to)
{
    g_autofree char *authority = http_authority(to->host, to->port);
    const WsClientRequest request = {
        .host = authority,
        .target = to->target,
        .protocol = to->protocol,
        .bearer = to->bearer,
    };

    dial->request = g_string_new(NULL);
    return getentropy(dial->nonce, sizeof dial->nonce) == 0 &&
           ws_request_build(dial->request, &request, dial->nonce);
}

/* The path or token from the hub cannot be put in a request. Reported later, like every other
 * error. */
static void
ws_dial_unbuildable(void *data)
{
    WsDial *dial = data;
    g_autoptr(GError) error =
        g_error_new_literal(STREAMD_ERROR, STREAMD_ERROR_PROTOCOL,
                            "the hub gave a URL or token that cannot be in a request");

    dial->runtime->away--;
    if (dial->done)
        dial->done(NULL, error, dial->data);
    ws_dial_free(dial);
}

WsDial *
ws_dial_new(Runtime *runtime, Reactor *reactor, TlsContext *tls, const WsDialTo *to,
            Connection *reuse, WsDialDone done, void *data)
{
    WsDial *dial = g_new0(WsDial, 1);

    dial->runtime = runtime;
    dial->reactor = reactor;
    dial->host = g_strdup(to->host);
    dial->port = to->port;
    dial->protocol = g_strdup(to->protocol);
    dial->done = done;
    dial->data = data;
    if (!ws_dial_build(dial, to)) {
        connection_free(reuse);
        runtime->away++;
        queue_call(runtime->home, ws_dial_unbuildable, dial);
    } else if (reuse) {
        ws_dial_upgrade(dial, reuse);
    } else {
        dial->dial =
            dial_new(runtime, reactor, to->host, to->port, tls, to->proxy, ws_dial_connected, dial);
    }
    return dial;
}

void
ws_dial_cancel(WsDial *dial)
{
    if (!dial)
        return;
    if (!dial->dial && !dial->exchange) { /* ws_dial_unbuildable is queued, and frees it */
        dial->done = NULL;
        return;
    }
    dial_cancel(dial->dial);
    http_exchange_cancel(dial->exchange);
    ws_dial_free(dial);
}
