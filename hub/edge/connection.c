/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One connection at the edge, from accept until it is handed over or ends.
 *
 * Two threads hold it: its reactor, and the main thread while a request is under way. Each has a
 * reference; whoever drops the last one frees the memory. Only the reactor uses the socket. */
#include "hub/edge/private.h"

#include "common/base/secret.h"
#include "common/codec/http-head.h"
#include "hub/edge/balancer.h"

#include <errno.h>
#include <string.h>

#define READ_PIECE 4096
#define BODY_RATE 1024       /* bytes a second at least, after the request's time (R6) */
#define MQTT_FIRST_BYTE 0x10 /* of a CONNECT */

static void edge_ready(Connection *connection, void *data);

static EdgeConnection *
edge_ref(EdgeConnection *edge)
{
    atomic_fetch_add(&edge->references, 1);
    return edge;
}

static void
edge_unref(EdgeConnection *edge)
{
    Edge *owner = edge->worker->edge;

    if (atomic_fetch_sub(&edge->references, 1) != 1)
        return;
    edge_request_release(edge);
    secret_string_free(edge->buffer); /* heads have tokens */
    if (edge->accept)
        g_string_free(edge->accept, TRUE);
    secret_string_free(edge->answer);
    slot_unref(edge->slot);
    g_free(edge);
    edge_release(owner);
}

/* The socket is gone: no more events come from it. */
static void
edge_leave(EdgeConnection *edge)
{
    edge->phase = PHASE_GONE;
    edge->connection = NULL;
    reactor_clear_timer(edge->worker->reactor, &edge->timer);
    g_queue_unlink(&edge->worker->connections, &edge->link);
}

static void
edge_client_gone(void *data)
{
    EdgeConnection *edge = data;
    Request *request = &edge->request;

    if (!edge->is_answered && request->gone)
        request->gone(request, request->data);
    edge_unref(edge);
}

/* Ends the connection. With POLITE what is queued is sent first, and the slot is kept until then.
 */
static void
edge_end(EdgeConnection *edge, gboolean polite)
{
    gboolean asked = edge->phase == PHASE_ASKED;

    if (polite)
        connection_finish(edge->connection);
    else
        connection_free(edge->connection);
    edge_leave(edge);
    if (asked)
        queue_call(edge->worker->edge->queue, edge_client_gone, edge_ref(edge));
    edge_unref(edge);
}

static void
edge_timed_out(Timer *timer)
{
    EdgeConnection *edge = CONTAINER_OF(timer, EdgeConnection, timer);

    if (edge->phase == PHASE_GREETING)
        balancer_tell_late(edge->connection);
    if (edge->phase == PHASE_HANDSHAKE)
        meter_count(&edge->worker->edge->meter.faults[HANDSHAKE_TIMED_OUT]);
    edge_end(edge, FALSE);
}

static void
edge_set_timer(EdgeConnection *edge, gint64 delay)
{
    reactor_set_timer(edge->worker->reactor, &edge->timer, delay);
}

void
edge_refuse(EdgeConnection *edge, const HttpRequest *head, const Refusal *refusal, const char *why)
{
    g_autoptr(GString) answer = g_string_new(NULL);

    edge_tell_refused(edge, head, why);
    refusal_append(answer, refusal);
    (void)connection_queue(edge->connection, answer->str, answer->len);
    edge_end(edge, TRUE);
}

static void
edge_refuse_by(EdgeConnection *edge, const HttpRefusal *refusal)
{
    edge_refuse(edge, NULL, &(Refusal){.status = refusal->status}, refusal->text);
}

/* An MQTT connection on its way to the main thread. */
typedef struct {
    Edge *edge;
    Handover handover;
} MqttArrival;

static void
mqtt_arrived(void *data)
{
    g_autofree MqttArrival *arrival = data;

    arrival->edge->events->device(&arrival->handover, arrival->edge->data);
}

static Handover
edge_hand_over(EdgeConnection *edge, gboolean framed)
{
    Handover handover = {.connection = edge->connection,
                         .reactor = edge->worker->reactor,
                         .slot = slot_ref(edge->slot),
                         .framed = framed};

    connection_keep_alive(edge->connection, 0); /* links and legs have pings and limits */
    connection_detach(edge->connection);
    if (edge->buffer)
        connection_unread(edge->connection, edge->buffer->str, edge->buffer->len);
    edge_leave(edge);
    return handover;
}

static void
edge_become_mqtt(EdgeConnection *edge, gboolean framed)
{
    MqttArrival *arrival = g_new0(MqttArrival, 1);
    Edge *owner = edge->worker->edge;
    TlsClient *client = NULL;

    arrival->edge = owner;
    if (connection_tls(edge->connection))
        client = tls_session_client(connection_tls(edge->connection));
    arrival->handover = edge_hand_over(edge, framed);
    arrival->handover.client = client;
    queue_call(owner->queue, mqtt_arrived, arrival);
    edge_unref(edge);
}

/* The body is complete: the request goes to the main thread. For MQTT the packets begin at once. */
static void
edge_ask(EdgeConnection *edge)
{
    reactor_clear_timer(edge->worker->reactor, &edge->timer);
    if (edge->request.match.route->auth == ROUTE_AUTH_CONNECT) {
        (void)connection_queue(edge->connection, edge->accept->str, edge->accept->len);
        (void)connection_flush(edge->connection);
        edge_become_mqtt(edge, TRUE);
        return;
    }
    edge->phase = PHASE_ASKED;
    edge->authenticated = FALSE;
    edge->is_answered = FALSE;
    (void)edge_ref(edge);
    (void)queue_post(edge->worker->edge->queue, &edge->asked);
}

/* A head is complete. FALSE: the connection is gone. */
static gboolean
edge_take_head(EdgeConnection *edge, const HttpRequest *head)
{
    if (!edge_admit_head(edge, head))
        return FALSE;
    edge_request_fill(edge, head);
    edge->requests++;
    edge->keep_alive =
        head->keep_alive && edge->requests < edge->worker->edge->settings->requests_per_connection;
    edge_request_expect_body(edge, head);
    if (head->expect_continue && (head->chunked || head->content_length > 0)) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

        (void)connection_queue(edge->connection, go_on, strlen(go_on));
        (void)connection_flush(edge->connection);
    }
    return TRUE;
}

static void
edge_take_body(EdgeConnection *edge)
{
    HttpRefusal refusal = {0};
    gsize n = 0;

    switch (edge_request_take_body(edge, &n, &refusal)) {
    case EDGE_BODY_REFUSED:
        edge_refuse_by(edge, &refusal);
        return;
    case EDGE_BODY_WHOLE:
        edge_ask(edge);
        return;
    case EDGE_BODY_MORE:
        break;
    }
    /* Received bytes extend the time; announced ones do not, nor those that nobody wants. */
    if (edge->request.match.route->body_max > 0)
        edge->body_until += (gint64)n * G_TIME_SPAN_SECOND / BODY_RATE;
    edge_set_timer(edge, MAX(edge->body_until - reactor_now(edge->worker->reactor), 0));
}

/* Looks for a whole head in the buffer. */
static void
edge_parse(EdgeConnection *edge)
{
    const Settings *settings = edge->worker->edge->settings;
    HttpRequest head;
    HttpRefusal refusal = {0};

    switch (http_request_parse(edge->buffer->str, edge->buffer->len, &head, &refusal)) {
    case HTTP_HEAD_MORE:
        return;
    case HTTP_HEAD_REFUSED:
        edge_refuse_by(edge, &refusal);
        return;
    case HTTP_HEAD_OK:
        break;
    }
    if (!edge_take_head(edge, &head))
        return;
    secret_erase(edge->buffer, head.head_len);
    edge->phase = PHASE_BODY;
    edge->body_until = reactor_now(edge->worker->reactor) + settings->request_timeout;
    edge_take_body(edge);
}

/* The protocol header of AMQP 1.0: no line follows, and an answer in HTTP would mean nothing. */
static gboolean
bytes_are_amqp(const GString *buffer)
{
    return buffer->len > 4 && memcmp(buffer->str, "AMQP", 4) == 0 && (guchar)buffer->str[4] < ' ';
}

/* The parser starts at the head's first byte each time, so it is called only when a line has ended
 * or is too long. */
static void
edge_take_bytes(EdgeConnection *edge, const char *bytes, gsize len)
{
    gboolean line_ended = memchr(bytes, '\n', len) != NULL;

    if (edge->phase == PHASE_HEAD && edge->waiting_idle) {
        edge->waiting_idle = FALSE;
        edge_set_timer(edge, edge->worker->edge->settings->request_timeout);
    }
    secret_append(&edge->buffer, bytes, len);
    if (edge->phase == PHASE_BODY) {
        edge_take_body(edge);
    } else if (bytes_are_amqp(edge->buffer)) {
        edge_tell_refused(edge, NULL, "AMQP is not there yet");
        edge_end(edge, TRUE);
    } else if (line_ended || edge->buffer->len > HTTP_LINE_MAX) {
        edge_parse(edge);
    }
}

/* ALPN decides, otherwise the first byte: that of a CONNECT, or a letter of a method. */
static void
edge_sniff(EdgeConnection *edge)
{
    TlsSession *tls = connection_tls(edge->connection);
    const char *alpn = tls ? tls_session_alpn(tls) : NULL;
    guint8 first;
    ssize_t n = connection_read(edge->connection, &first, 1);

    if (n == -EAGAIN)
        return;
    if (n <= 0) {
        edge_end(edge, FALSE);
        return;
    }
    connection_unread(edge->connection, &first, 1);
    if (g_strcmp0(alpn, "mqtt") == 0 || (!alpn && first == MQTT_FIRST_BYTE)) {
        if (edge->worker->edge->events->device)
            edge_become_mqtt(edge, FALSE);
        else
            edge_end(edge, TRUE);
        return;
    }
    if (!g_ascii_isupper(first)) { /* not a method: do not wait for its line */
        edge_refuse_by(edge, &(HttpRefusal){400, "neither MQTT nor HTTP"});
        return;
    }
    edge->buffer = g_string_new(NULL);
    edge->phase = PHASE_HEAD;
}

static gboolean
edge_is_reading(const EdgeConnection *edge)
{
    return edge->phase == PHASE_HEAD || edge->phase == PHASE_BODY;
}

static void
edge_read(EdgeConnection *edge)
{
    char piece[READ_PIECE];

    while (edge_is_reading(edge)) {
        ssize_t n = connection_read(edge->connection, piece, sizeof piece);

        if (n == -EAGAIN)
            return;
        if (n <= 0) {
            edge_end(edge, n == 0);
            return;
        }
        edge_take_bytes(edge, piece, (gsize)n);
        explicit_bzero(piece, (gsize)n); /* as its copy in the buffer */
    }
}

static void
edge_expect_tls(EdgeConnection *edge)
{
    edge->phase = PHASE_HANDSHAKE;
    edge->begun = g_get_monotonic_time();
    connection_start_tls(edge->connection, edge->worker->terms->tls, NULL);
    edge_set_timer(edge, edge->worker->edge->settings->handshake_timeout);
}

static void
edge_greet(EdgeConnection *edge)
{
    int r = balancer_hear(edge->connection, edge->slot, reactor_now(edge->worker->reactor));

    if (r == 0)
        edge_expect_tls(edge);
    else if (r != -EAGAIN)
        edge_end(edge, FALSE);
}

static void
edge_shake_hands(EdgeConnection *edge)
{
    int r = connection_handshake(edge->connection);
    EdgeMeter *meter = &edge->worker->edge->meter;

    if (r == -EAGAIN)
        return;
    if (r < 0) {
        meter_count(&meter->faults[r == -EPROTO ? HANDSHAKE_REFUSED : HANDSHAKE_CLOSED]);
        edge_end(edge, r == -EPROTO); /* so that the alert arrives */
        return;
    }
    histogram_add(&meter->handshakes, g_get_monotonic_time() - edge->begun);
    edge->phase = PHASE_SNIFF;
    edge_set_timer(edge, edge->worker->edge->settings->request_timeout);
}

static void
edge_run(EdgeConnection *edge)
{
    if (edge->phase == PHASE_GREETING)
        edge_greet(edge);
    if (edge->phase == PHASE_HANDSHAKE)
        edge_shake_hands(edge);
    if (edge->phase == PHASE_SNIFF)
        edge_sniff(edge);
    if (edge_is_reading(edge))
        edge_read(edge);
}

/* TLS is up: something of ours may wait to be sent. */
static gboolean
edge_speaks(const EdgeConnection *edge)
{
    return edge->phase != PHASE_GREETING && edge->phase != PHASE_HANDSHAKE &&
           edge->phase != PHASE_GONE;
}

static void
edge_ready(Connection *connection, void *data)
{
    EdgeConnection *edge = data;
    int r;

    (void)edge_ref(edge);
    if (edge->phase == PHASE_ASKED && connection_hung_up(connection))
        edge_end(edge, FALSE);
    edge_run(edge);
    if (edge_speaks(edge)) {
        r = connection_flush(edge->connection);
        if (r < 0 && r != -EAGAIN)
            edge_end(edge, FALSE);
    }
    edge_unref(edge);
}

/* The next request may be in the buffer already. */
static void
edge_next_request(EdgeConnection *edge)
{
    edge_request_release(edge);
    connection_keep_alive(edge->connection, 0); /* not needed: the timer is short */
    edge->phase = PHASE_HEAD;
    edge->waiting_idle = edge->buffer->len == 0;
    edge_set_timer(edge, edge->waiting_idle ? edge->worker->edge->settings->keep_alive_timeout
                                            : edge->worker->edge->settings->request_timeout);
    if (!edge->waiting_idle)
        edge_parse(edge);
    edge_ready(edge->connection, edge);
}

typedef struct {
    EdgeConnection *edge;
    Handover handover;
} LegArrival;

static void
leg_arrived(void *data)
{
    g_autofree LegArrival *arrival = data;
    EdgeConnection *edge = arrival->edge;

    edge->upgraded(&arrival->handover, edge->upgraded_data);
    edge_unref(edge);
}

static void
edge_answer_upgrade(EdgeConnection *edge)
{
    LegArrival *arrival = g_new0(LegArrival, 1);

    arrival->edge = edge_ref(edge);
    if (edge->phase != PHASE_GONE) {
        (void)connection_queue(edge->connection, edge->accept->str, edge->accept->len);
        (void)connection_flush(edge->connection);
        arrival->handover = edge_hand_over(edge, TRUE);
        edge_unref(edge);
    }
    queue_call(edge->worker->edge->queue, leg_arrived, arrival);
}

static void
edge_answer(EdgeConnection *edge)
{
    gboolean sent = connection_queue(edge->connection, edge->answer->str, edge->answer->len);

    g_clear_pointer(&edge->answer, secret_string_free);
    edge->phase = PHASE_BODY; /* the main thread has let go of it */
    if (!sent || !edge->keep_alive || !edge->authenticated || edge->worker->stopping)
        edge_end(edge, sent);
    else
        edge_next_request(edge);
}

static void
edge_answered(Message *message)
{
    EdgeConnection *edge = CONTAINER_OF(message, EdgeConnection, answered);

    if (!edge->answer)
        edge_answer_upgrade(edge);
    else if (edge->phase != PHASE_GONE)
        edge_answer(edge);
    edge_unref(edge);
}

static void
edge_asked(Message *message)
{
    EdgeConnection *edge = CONTAINER_OF(message, EdgeConnection, asked);
    Edge *owner = edge->worker->edge;

    owner->events->request(&edge->request, owner->data);
}

static void
edge_socket_released(void *data)
{
    Slot *slot = data;

    slot_leave(slot, g_get_monotonic_time());
    slot_unref(slot);
}

void
edge_connection_new(EdgeWorker *worker, Connection *connection, Slot *slot, gboolean greeted)
{
    EdgeConnection *edge = g_new0(EdgeConnection, 1);

    edge->worker = worker;
    edge->connection = connection;
    edge->slot = slot;
    connection_on_release(connection, edge_socket_released, slot_ref(slot));
    edge->timer.func = edge_timed_out;
    edge->link.data = edge;
    edge->asked.func = edge_asked;
    edge->answered.func = edge_answered;
    atomic_init(&edge->references, 1);
    atomic_fetch_add(&worker->edge->live, 1);
    g_queue_push_tail_link(&worker->connections, &edge->link);
    if (greeted)
        edge_set_timer(edge, BALANCER_TIME);
    else
        edge_expect_tls(edge);
    if (connection_attach(connection, worker->reactor, edge_ready, edge) < 0)
        edge_end(edge, FALSE);
}

void
edge_connection_stop(EdgeConnection *edge)
{
    if (edge->phase != PHASE_ASKED)
        edge_end(edge, edge_speaks(edge));
}
