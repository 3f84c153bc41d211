/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which requests the edge takes, by their head alone; each other one is told why not. On the
 * connection's reactor. */
#include "hub/edge/private.h"

#include "common/codec/ws-handshake.h"

#define WHY_VALUE_MAX 64 /* bytes of what the peer said, in the log */

/* "WHAT: value": no more of it than leaves room for the rest of the line. */
static char *
why_with(const char *what, Slice value)
{
    return g_strdup_printf("%s: %.*s", what, (int)MIN(value.len, WHY_VALUE_MAX),
                           value.ptr ? value.ptr : "");
}

/* The C# samples speak AMQP where nobody has told them not to. */
static void
edge_refuse_amqp(EdgeConnection *edge, const HttpRequest *head)
{
    Slice agent = slice_of("no User-Agent");
    g_autofree char *why = NULL;

    (void)!http_headers_get(&head->headers, "User-Agent", &agent);
    why = why_with("AMQP over WebSocket is not there yet, and is asked for by", agent);
    edge_refuse(edge, head,
                &(Refusal){.status = 501,
                           .text = "AMQP is not there yet. Choose MQTT in the client: port 8883, "
                                   "or over WebSocket at port 443."},
                why);
}

static void
edge_refuse_protocol(EdgeConnection *edge, const HttpRequest *head, Slice offered)
{
    g_autofree char *why = why_with("the subprotocol is none of this hub's", offered);

    edge_refuse(edge, head,
                &(Refusal){.status = 400, .text = "The subprotocol of this path is mqtt."}, why);
}

/* Prepares the 101 for a valid upgrade. FALSE: the connection was refused. */
static gboolean
upgrade_prepare(EdgeConnection *edge, const HttpRequest *head)
{
    const Route *route = edge->request.match.route;
    WsUpgrade upgrade = {0};
    HttpRefusal refusal = {0};
    Slice protocol = {0};

    if (!ws_upgrade_validate(head, &upgrade, &refusal)) {
        edge_refuse(edge, head, &(Refusal){.status = refusal.status}, refusal.text);
        return FALSE;
    }
    if (upgrade.protocols.len > 0 &&
        !ws_protocol_choose(upgrade.protocols, route->kind == ROUTE_MQTT ? "mqtt" : NULL,
                            &protocol)) {
        if (ws_protocol_choose(upgrade.protocols, "AMQPWSB10", &protocol))
            edge_refuse_amqp(edge, head);
        else
            edge_refuse_protocol(edge, head, upgrade.protocols);
        return FALSE;
    }
    edge->accept = g_string_new(NULL);
    ws_upgrade_accept(edge->accept, &upgrade, protocol);
    return TRUE;
}

/* FALSE: a browser, on somebody's web page (failure class 14). A browser shows its certificate for
 * any page, and a page at http://HUB may be anybody's: then only listed origins pass. */
static gboolean
origin_is_fit(EdgeConnection *edge, const HttpRequest *head)
{
    const Origins *origins = edge->worker->terms->origins;
    TlsSession *tls = connection_tls(edge->connection);
    g_autoptr(TlsClient) client = tls ? tls_session_client(tls) : NULL;
    Slice origin = {0};

    if (!http_headers_get(&head->headers, "Origin", &origin))
        return TRUE;
    return client ? origins_list(origins, origin) : origins_have(origins, origin);
}

static void
edge_refuse_path(EdgeConnection *edge, const HttpRequest *head)
{
    const EdgeEvents *events = edge->worker->edge->events;
    g_autofree char *methods = NULL;
    Refusal refusal = refusal_of_path(events->routes, head->method, head->path, &methods);
    /* The target begins behind the method and a space. */
    const Slice both = {head->method.ptr, head->method.len + 1 + head->path.len};
    g_autofree char *why = why_with(methods ? "no such method" : "no such path", both);

    edge_refuse(edge, head, &refusal, why);
}

static void
edge_refuse_origin(EdgeConnection *edge, const HttpRequest *head)
{
    Slice origin = {NULL, 0};
    g_autofree char *why = NULL;

    (void)!http_headers_get(&head->headers, "Origin", &origin);
    why = why_with("a page of a browser", origin);
    edge_refuse(edge, head, &(Refusal){.status = 403}, why);
}

gboolean
edge_admit_head(EdgeConnection *edge, const HttpRequest *head)
{
    const EdgeEvents *events = edge->worker->edge->events;
    guint most;

    if (!route_find(events->routes, head->method, head->path, &edge->request.match)) {
        edge_refuse_path(edge, head);
        return FALSE;
    }
    if (!origin_is_fit(edge, head)) {
        edge_refuse_origin(edge, head);
        return FALSE;
    }
    if (edge->request.match.route->upgrade && !upgrade_prepare(edge, head))
        return FALSE;
    most = edge->request.match.route->body_max;
    if (most > 0 && head->content_length > most) {
        edge_refuse(edge, head, &(Refusal){.status = 413}, "the body is too large");
        return FALSE;
    }
    return TRUE;
}
