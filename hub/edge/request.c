/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The request of an edge connection: what the main thread gets of it, and what comes back. */
#include "hub/edge/private.h"

#include "common/base/secret.h"
#include "common/codec/http-build.h"
#include "common/codec/http-date.h"
#include "common/codec/percent.h"
#include "common/extension/resume-ask.h"

#include <string.h>

#define HEAD_ROOM 1024 /* bytes of a head, usually */

void
edge_request_clear(Request *request)
{
    route_match_clear(&request->match);
    if (request->authorization)
        explicit_bzero(request->authorization, strlen(request->authorization));
    g_clear_pointer(&request->authorization, g_free);
    g_clear_pointer(&request->caps, g_free);
    g_clear_pointer(&request->order, g_free);
    g_clear_pointer(&request->known, g_free);
    g_clear_pointer(&request->resume, g_free);
    g_clear_pointer(&request->resume_key, secret_free);
    g_clear_pointer(&request->resume_info, g_free);
    g_clear_pointer(&request->statement, g_free);
    g_clear_pointer(&request->connect_timeout, g_free);
    g_clear_pointer(&request->response_timeout, g_free);
    g_clear_pointer(&request->api_version, g_free);
    g_clear_pointer(&request->after, g_free);
    g_clear_pointer(&request->page_size, g_free);
    g_clear_pointer(&request->continuation, g_free);
    g_clear_pointer(&request->top, g_free);
    g_clear_pointer(&request->if_match, g_free);
    g_clear_pointer(&request->if_none_match, g_free);
    g_clear_pointer(&request->body, secret_string_free);
    g_clear_pointer(&request->user, g_free);
    request->body_len = 0;
    request->stream_id[0] = '\0';
    request->reason = REASON_NONE;
    request->error = 0;
    request->content_type = NULL;
    request->gone = NULL;
    request->data = NULL;
    request->answered = NULL;
}

typedef struct {
    Edge *edge;
    Refused refused; /* of the texts below */
    char *peer, *claimed, *why;
} RefusedMessage;

static void
refused_arrived(void *data)
{
    g_autofree RefusedMessage *message = data;
    const Edge *edge = message->edge;

    if (edge->events->refused)
        edge->events->refused(&message->refused, edge->data);
    g_free(message->peer);
    g_free(message->claimed);
    g_free(message->why);
}

void
edge_tell_refused(EdgeConnection *edge, const HttpRequest *head, const char *why)
{
    RefusedMessage *message = g_new0(RefusedMessage, 1);
    Slice field = {NULL, 0};

    if (head)
        (void)!http_headers_get(&head->headers, "Authorization", &field);
    message->edge = edge->worker->edge;
    message->peer = g_strdup(connection_peer(edge->connection));
    message->claimed = refusal_log_claimed(field.ptr, field.len);
    message->why = g_strdup(why);
    message->refused = (Refused){.kind = EVENT_SERVICE_REFUSED,
                                 .peer = message->peer,
                                 .claimed = message->claimed,
                                 .why = message->why};
    queue_call(message->edge->queue, refused_arrived, message);
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
    Slice version, after, top, agent;

    request->authorization = header_dup(head, "Authorization");
    request->caps = header_dup(head, "streamd-caps");
    request->order = header_dup(head, "streamd-order");
    request->known = header_dup(head, "streamd-statement");
    request->resume = header_dup(head, RESUME_FIELD);
    request->resume_key = header_dup(head, RESUME_FIELD_KEY);
    request->resume_info = header_dup(head, RESUME_FIELD_INFO);
    request->connect_timeout = header_dup(head, "iothub-streaming-connect-timeout-in-seconds");
    request->response_timeout = header_dup(head, "iothub-streaming-response-timeout-in-seconds");
    request->page_size = header_dup(head, "x-ms-max-item-count");
    request->continuation = header_dup(head, "x-ms-continuation");
    if (request->match.route->body_max > 0)
        request->body = g_string_new(NULL);
    if (http_query_get(head->query, "api-version", &version))
        request->api_version = slice_dup(version);
    request->if_match = header_dup(head, "If-Match");
    request->if_none_match = header_dup(head, "If-None-Match");
    request->of_streamd = http_headers_get(&head->headers, "User-Agent", &agent) &&
                          agent.len >= 8 && memcmp(agent.ptr, "streamd/", 8) == 0;
    if (http_query_get(head->query, "top", &top))
        request->top = slice_dup(top);
    if (http_query_get(head->query, "after", &after))
        request->after = percent_decode_text(after.ptr, after.len);
    request->openings = &edge->worker->edge->openings;
    g_strlcpy(request->peer, connection_peer(edge->connection), sizeof request->peer);
    connection_keep_alive(edge->connection, CONNECTION_IDLE);
}

void
edge_request_release(EdgeConnection *edge)
{
    atomic_fetch_sub(&edge->worker->edge->body_bytes, edge->body_charged);
    edge->body_charged = 0;
    edge_request_clear(&edge->request);
}

/* Bodies come before anybody has authenticated, so that all of them together are bounded. What has
 * not arrived takes nothing. */
static gboolean
body_may_grow(EdgeConnection *edge, gsize len)
{
    atomic_uint *all = &edge->worker->edge->body_bytes;
    gsize whole = edge->request.body->len + len;
    guint more = whole > EDGE_BODY_FREE ? (guint)(whole - EDGE_BODY_FREE) - edge->body_charged : 0;

    if (atomic_fetch_add(all, more) + more > EDGE_BODIES_MAX) {
        atomic_fetch_sub(all, more);
        return FALSE;
    }
    edge->body_charged += more;
    return TRUE;
}

/* Where a body has no meaning it is dropped. */
static gboolean
body_keep(EdgeConnection *edge, Slice bytes, HttpRefusal *ret_refusal)
{
    edge->request.body_len += bytes.len;
    if (!edge->request.body)
        return TRUE;
    if (!body_may_grow(edge, bytes.len))
        return http_refuse(ret_refusal, 503, "too many bodies of requests at once");
    secret_append(&edge->request.body, bytes.ptr, bytes.len);
    return TRUE;
}

/* Of announced length. */
static EdgeBody
body_take_plain(EdgeConnection *edge, Slice *input, gsize *ret_len, HttpRefusal *ret_refusal)
{
    Slice piece = {input->ptr, (gsize)MIN(edge->body_left, (guint64)input->len)};

    if (!body_keep(edge, piece, ret_refusal))
        return EDGE_BODY_REFUSED;
    input->len -= piece.len;
    edge->body_left -= piece.len;
    *ret_len = piece.len;
    return edge->body_left == 0 ? EDGE_BODY_WHOLE : EDGE_BODY_MORE;
}

static EdgeBody
body_take_chunks(EdgeConnection *edge, Slice *input, gsize *ret_len, HttpRefusal *ret_refusal)
{
    HttpChunksResult result;
    Slice piece;

    *ret_len = 0;
    while ((result = http_chunks_read(&edge->chunks, input, &piece, ret_refusal)) ==
           HTTP_CHUNKS_DATA) {
        if (!body_keep(edge, piece, ret_refusal))
            return EDGE_BODY_REFUSED;
        *ret_len += piece.len;
    }
    if (result == HTTP_CHUNKS_REFUSED)
        return EDGE_BODY_REFUSED;
    return result == HTTP_CHUNKS_END ? EDGE_BODY_WHOLE : EDGE_BODY_MORE;
}

void
edge_request_expect_body(EdgeConnection *edge, const HttpRequest *head)
{
    guint most = edge->request.match.route->body_max;

    edge->chunked = head->chunked;
    edge->chunks = (HttpChunks){.max = most > 0 ? most : HTTP_REQUEST_BODY_MAX};
    edge->body_left = head->content_length;
}

EdgeBody
edge_request_take_body(EdgeConnection *edge, gsize *ret_len, HttpRefusal *ret_refusal)
{
    Slice input = {edge->buffer->str, edge->buffer->len};
    EdgeBody body = edge->chunked ? body_take_chunks(edge, &input, ret_len, ret_refusal)
                                  : body_take_plain(edge, &input, ret_len, ret_refusal);

    if (body != EDGE_BODY_REFUSED)
        secret_erase(edge->buffer, edge->buffer->len - input.len);
    return body;
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

    g_free(request->user);
    request->user = g_strdup(user);
    if (room != USER_HAS_ROOM)
        edge->keep_alive = FALSE;
    return force || room != USER_IS_FULL;
}

void
request_answer(Request *request, guint status, const char *fields, const char *body)
{
    EdgeConnection *edge = CONTAINER_OF(request, EdgeConnection, request);
    GString *head = g_string_sized_new(HEAD_ROOM + (body ? strlen(body) : 0));

    if (request->answered)
        request->answered(request, status, body ? strlen(body) : 0, request->answered_data);
    http_status_line(head, status);
    http_date_append(head, g_get_real_time() / G_USEC_PER_SEC);
    if (fields)
        g_string_append(head, fields);
    if (body)
        (void)!http_header_append(head, "Content-Type",
                                  request->content_type ? request->content_type
                                                        : "application/json; charset=utf-8");
    if (status != 204)
        http_header_append_number(head, "Content-Length", body ? strlen(body) : 0);
    if (!edge->authenticated || !edge->keep_alive)
        (void)!http_header_append(head, "Connection", "close");
    http_head_end(head);
    if (body)
        secret_append(&head, body, strlen(body));
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
