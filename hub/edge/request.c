/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The request of an edge connection: what the main thread gets of it, and what comes back. */
#include "hub/edge/private.h"

#include "common/codec/http-build.h"
#include "common/codec/http-date.h"
#include "common/codec/percent.h"

#include <string.h>

void
edge_request_clear(Request *request)
{
    route_match_clear(&request->match);
    if (request->authorization)
        explicit_bzero(request->authorization, strlen(request->authorization));
    g_clear_pointer(&request->authorization, g_free);
    g_clear_pointer(&request->caps, g_free);
    g_clear_pointer(&request->order, g_free);
    g_clear_pointer(&request->connect_timeout, g_free);
    g_clear_pointer(&request->response_timeout, g_free);
    g_clear_pointer(&request->api_version, g_free);
    g_clear_pointer(&request->after, g_free);
    g_clear_pointer(&request->page_size, g_free);
    g_clear_pointer(&request->continuation, g_free);
    if (request->body)
        (void)g_string_free(g_steal_pointer(&request->body), TRUE);
    request->gone = NULL;
    request->data = NULL;
}

static char *
header_dup(const HttpRequest *head, const char *name)
{
    Slice value;

    return http_headers_get(&head->headers, name, &value) ? slice_dup(value) : NULL;
}

void
edge_request_fill(EdgeConnection *edge, const HttpRequest *head)
{
    Request *request = &edge->request;
    Slice version, after;

    request->authorization = header_dup(head, "Authorization");
    request->caps = header_dup(head, "streamd-caps");
    request->order = header_dup(head, "streamd-order");
    request->connect_timeout = header_dup(head, "iothub-streaming-connect-timeout-in-seconds");
    request->response_timeout = header_dup(head, "iothub-streaming-response-timeout-in-seconds");
    request->page_size = header_dup(head, "x-ms-max-item-count");
    request->continuation = header_dup(head, "x-ms-continuation");
    if (request->match.route->body_max > 0)
        request->body = g_string_new(NULL);
    if (http_query_get(head->query, "api-version", &version))
        request->api_version = slice_dup(version);
    if (http_query_get(head->query, "after", &after))
        request->after = percent_decode_text(after.ptr, after.len);
    g_strlcpy(request->peer, connection_peer(edge->connection), sizeof request->peer);
    connection_keep_alive(edge->connection, CONNECTION_IDLE);
}

void
request_authenticated(Request *request)
{
    EdgeConnection *edge = CONTAINER_OF(request, EdgeConnection, request);

    edge->authenticated = TRUE;
    slot_authenticated(edge->slot, g_get_monotonic_time());
}

gboolean
request_take_user(Request *request, const char *user, gboolean force)
{
    EdgeConnection *edge = CONTAINER_OF(request, EdgeConnection, request);
    UserRoom room = slot_take_user(edge->slot, user, force);

    if (room != USER_HAS_ROOM)
        edge->keep_alive = FALSE;
    return force || room != USER_IS_FULL;
}

void
request_answer(Request *request, guint status, const char *fields, const char *body)
{
    EdgeConnection *edge = CONTAINER_OF(request, EdgeConnection, request);
    GString *head = g_string_new(NULL);

    http_status_line(head, status);
    http_date_append(head, g_get_real_time() / G_USEC_PER_SEC);
    if (fields)
        g_string_append(head, fields);
    if (body)
        (void)!http_header_append(head, "Content-Type", "application/json; charset=utf-8");
    http_header_append_number(head, "Content-Length", body ? strlen(body) : 0);
    if (!edge->authenticated || !edge->keep_alive)
        (void)!http_header_append(head, "Connection", "close");
    http_head_end(head);
    g_string_append(head, body ? body : "");
    edge->answer = head;
    edge->is_answered = TRUE;
    reactor_post(edge->worker->reactor, &edge->answered);
}

void
request_upgrade(Request *request, RequestUpgraded func, void *data)
{
    EdgeConnection *edge = CONTAINER_OF(request, EdgeConnection, request);

    edge->upgraded = func;
    edge->upgraded_data = data;
    edge->answer = NULL;
    edge->is_answered = TRUE;
    reactor_post(edge->worker->reactor, &edge->answered);
}
