/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/link/service-open.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "common/codec/http-field.h"
#include "common/codec/stream-url.h"
#include "daemon/link/pair-wait.h"
#include "daemon/net/dial.h"
#include "daemon/net/http-exchange.h"
#include "daemon/net/ws-dial.h"

struct ServiceOpen {
    Runtime *runtime;
    Reactor *reactor;
    TlsContext *tls;
    Proxy *proxy;
    StreamHosts *stream_hosts;
    char *host;
    guint16 port;
    gboolean reached;     /* the hub was reachable at the last try */
    gint64 wait, timeout; /* how long this opening may take, in µs, */
    gint64 started;       /* counted from here */
    Stream *stream;       /* NULL: given up, see service_open_abandon */
    GString *request;     /* up to the time-outs, which are set to the time that is left */
    Dial *dial;
    HttpExchange *post;
    WsDial *leg;
    PairWait *pair;
    Caps caps;
    guint deadline;
    guint retry;
    Connection *kept;  /* for the retry */
    GError *refusal;   /* why it was refused, */
    Reason reason;     /* and the reason, when it was not */
    guint reopened;    /* how often it was started again after the device had accepted */
    gint64 away_since; /* no connection was made since then; 0: one was */
    ServiceOpenDone done;
    void *data;
    void (*told)(Stream *stream, Slice text, void *data);
    void *told_data;
};

static void
service_open_free(ServiceOpen *open)
{
    if (open->deadline)
        g_source_remove(open->deadline);
    if (open->retry)
        g_source_remove(open->retry);
    connection_free(open->kept);
    g_clear_error(&open->refusal);
    dial_cancel(open->dial);
    http_exchange_cancel(open->post);
    ws_dial_cancel(open->leg);
    pair_wait_cancel(open->pair);
    http_request_wipe(open->request);
    tls_context_unref(open->tls);
    proxy_unref(open->proxy);
    stream_hosts_unref(open->stream_hosts);
    g_free(open->host);
    g_free(open);
}

static void
service_open_fail(ServiceOpen *open, Reason reason, const GError *error)
{
    if (!open->stream) {
        service_open_free(open);
        return;
    }
    stream_set_handshake(open->stream, NULL, NULL);
    stream_fail(open->stream, reason, error->message);
    open->done(open->stream, error, open->data);
    service_open_free(open);
}

static gboolean
service_open_abandoned(gpointer data)
{
    ServiceOpen *open = data;

    open->deadline = 0;
    service_open_free(open);
    return G_SOURCE_REMOVE;
}

/* The stream is given up while the hub's answer may be on its way. If the device has accepted, the
 * hub would wait for our leg until its deadline. So the opening is completed, if that is soon, and
 * then closed. */
static void
service_open_abandon(ServiceOpen *open)
{
    if ((!open->post && !open->leg) || open->runtime->away >= SERVICE_ABANDONED_MAX) {
        service_open_free(open);
        return;
    }
    open->stream = NULL;
    if (open->deadline)
        g_source_remove(open->deadline);
    open->deadline = g_timeout_add(SERVICE_ABANDON, service_open_abandoned, open);
}

/* stream_close: the stream has already ended itself. */
static void
service_open_cancelled(void *data)
{
    ServiceOpen *open = data;
    g_autoptr(GError) error = g_error_new_literal(STREAMD_ERROR, STREAMD_ERROR_CANCELLED,
                                                  "the stream was closed before it was open");

    open->done(open->stream, error, open->data);
    service_open_abandon(open);
}

static gboolean
service_open_deadline(gpointer data)
{
    ServiceOpen *open = data;
    gboolean accepted = open->leg || open->pair;
    gboolean reached = !open->dial;
    g_autoptr(GError) error = g_error_new(
        STREAMD_ERROR, STREAMD_ERROR_TIMED_OUT,
        accepted  ? "%s port %u: the device accepted, but did not connect to the hub in time"
        : reached ? "%s port %u: the hub did not answer in time"
                  : "%s port %u: no connection to the hub in time",
        open->host, open->port);

    open->deadline = 0;
    if (accepted)
        service_open_fail(open, REASON_NOT_PAIRED, error);
    else if (open->refusal)
        service_open_fail(open, open->reason, open->refusal);
    else
        service_open_fail(open, reached ? REASON_TIMED_OUT : REASON_HUB_UNREACHABLE, error);
    return G_SOURCE_REMOVE;
}

static gint64
service_open_left(const ServiceOpen *open)
{
    return open->started + open->wait + open->timeout - g_get_monotonic_time();
}

static void service_open_connected(Connection *connection, const GError *error, void *data);

static void
service_open_dial(ServiceOpen *open)
{
    open->dial = dial_new(open->runtime, open->reactor, open->host, open->port, open->tls,
                          open->proxy, service_open_connected, open);
}

static gboolean
service_open_retry(gpointer data)
{
    ServiceOpen *open = data;
    Connection *kept = g_steal_pointer(&open->kept);

    open->retry = 0;
    if (kept)
        service_open_connected(kept, NULL, open);
    else
        service_open_dial(open);
    return G_SOURCE_REMOVE;
}

/* Retries after a little more than PAUSE; FALSE when the time is over by then. REASON and REFUSAL
 * describe this failure. No data was sent on the stream yet, so none can be sent twice. If the
 * device knows of the first attempt, that one ends by itself. */
static gboolean
service_open_again(ServiceOpen *open, gint64 pause, Reason reason, const GError *refusal)
{
    gint64 spread = g_random_int_range(SERVICE_RETRY_MIN, SERVICE_RETRY_MAX);

    pause += spread * G_TIME_SPAN_MILLISECOND;
    if (!open->stream || pause >= service_open_left(open))
        return FALSE;
    g_clear_error(&open->refusal);
    open->refusal = g_error_copy(refusal);
    open->reason = reason;
    open->retry = g_timeout_add((guint)(pause / 1000), service_open_retry, open);
    return TRUE;
}

/* The device had accepted, and its target was connected for nothing: retried less often. */
static gboolean
service_open_reopen(ServiceOpen *open, Reason reason, const GError *refusal)
{
    if (open->reopened >= SERVICE_REOPENS || !service_open_again(open, 0, reason, refusal))
        return FALSE;
    open->reopened++;
    stream_set_state(open->stream, STREAM_INITIATING);
    return TRUE;
}

static Reason
service_open_reason(const GError *error)
{
    switch (error->code) {
    case STREAMD_ERROR_UNTRUSTED:
        return REASON_HUB_UNTRUSTED;
    case STREAMD_ERROR_UNREACHABLE:
    case STREAMD_ERROR_TIMED_OUT:
        return REASON_HUB_UNREACHABLE;
    case STREAMD_ERROR_PROXY_REFUSED:
        return REASON_PROXY_REFUSED;
    case STREAMD_ERROR_PROTOCOL:
        return REASON_PROTOCOL;
    default:
        return REASON_HUB_ERROR;
    }
}

/* The hub made the leg's token, so a refusal does not mean that our identity is wrong: a restarted
 * hub does not know the token. */
static void
service_open_leg_failed(ServiceOpen *open, const GError *error)
{
    gboolean other_hub = error->code == STREAMD_ERROR_UNAUTHORIZED ||
                         error->code == STREAMD_ERROR_UNREACHABLE ||
                         error->code == STREAMD_ERROR_FAILED;
    g_autoptr(GError) own = g_error_copy(error);

    if (own->code == STREAMD_ERROR_UNAUTHORIZED)
        own->code = STREAMD_ERROR_FAILED;
    if (!other_hub || !service_open_reopen(open, service_open_reason(own), own))
        service_open_fail(open, service_open_reason(own), own);
}

static void
service_open_attach(ServiceOpen *open, Connection *connection)
{
    stream_set_handshake(open->stream, NULL, NULL);
    stream_attach_leg(open->stream, connection, open->reactor, open->caps);
    open->done(open->stream, NULL, open->data);
    service_open_free(open);
}

static void
service_open_paired(Connection *connection, Reason reason, void *data)
{
    ServiceOpen *open = data;
    g_autoptr(GError) error = NULL;

    open->pair = NULL;
    if (connection) {
        service_open_attach(open, connection);
        return;
    }
    error = service_pair_error(reason);
    g_prefix_error(&error, "%s: ", stream_device(open->stream));
    /* A connection that ends without a close frame comes from a hub that was killed. */
    if ((reason == REASON_HUB_STOPPING || reason == REASON_CUT) &&
        service_open_reopen(open, reason, error))
        return;
    service_open_fail(open, reason, error);
}

static void
service_open_leg_done(Connection *connection, const GError *error, void *data)
{
    ServiceOpen *open = data;

    open->leg = NULL;
    if (error) {
        service_open_leg_failed(open, error);
    } else if (!open->stream) {
        connection_free(connection);
        service_open_free(open);
    } else if (open->caps & CAP_REASON) {
        open->pair = pair_wait_new(open->runtime, open->reactor, connection,
                                   MAX(service_open_left(open), 0) + SERVICE_PAIR_GRACE,
                                   service_open_paired, open);
    } else {
        service_open_attach(open, connection);
    }
}

/* What the hub calls the stream: said in its answer, and a part of the path (docs/wire-protocol.md,
 * sections 4 and 8). It helps to compare the two ends in logs; nothing depends on it. */
static void
service_open_note_id(ServiceOpen *open, const char *text, gsize len)
{
    static const char valid[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._";
    g_autofree char *id = NULL;

    if (len == 0 || len > STREAM_SID_MAX)
        return;
    id = g_strndup(text, len);
    if (strspn(id, valid) == len)
        stream_set_request(open->stream, NULL, id);
}

static void
service_open_note_path(ServiceOpen *open, const char *path)
{
    const char *at = strstr(path, "/sid/");

    if (at && !stream_hub_id(open->stream))
        service_open_note_id(open, at + 5, strcspn(at + 5, "/"));
}

static void
service_open_note_answer(ServiceOpen *open, const HttpAnswer *answer)
{
    Slice id;

    if (open->stream && http_headers_get(&answer->head.headers, "streamd-stream-id", &id))
        service_open_note_id(open, (const char *)id.ptr, id.len);
}

/* CONNECTION: that of the POST, if it can be used again; or NULL. */
static void
service_open_leg(ServiceOpen *open, const StreamUrl *url, const char *token, Connection *connection)
{
    g_autofree char *host = slice_dup(url->host), *target = slice_dup(url->target);
    const WsDialTo to = {
        .host = host, .port = url->port, .target = target, .proxy = open->proxy, .bearer = token};
    gboolean same = url->port == open->port && g_ascii_strcasecmp(host, open->host) == 0;

    if (!same)
        g_clear_pointer(&connection, connection_free);
    if (open->stream) {
        stream_set_endpoint(open->stream, host, url->port);
        service_open_note_path(open, target);
        stream_set_state(open->stream, STREAM_CONNECTING);
    }
    open->leg = ws_dial_new(open->runtime, open->reactor, open->tls, &to, connection,
                            service_open_leg_done, open);
}

static gboolean
service_open_may_go(const ServiceOpen *open, const StreamUrl *url, GError **error)
{
    g_autofree char *host = slice_dup(url->host), *text = NULL;

    if (stream_hosts_allow(open->stream_hosts, host, url->port))
        return TRUE;
    text = stream_hosts_refusal(host, url->port);
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_PROTOCOL, text);
    return FALSE;
}

static void
service_open_accepted(ServiceOpen *open, const HttpAnswer *answer, Connection *connection)
{
    const HttpHeaders *headers = &answer->head.headers;
    g_auto(SecretText) token = NULL;
    g_autoptr(GError) error = NULL;
    Slice url_text = {0}, token_text = {0}, caps = {0};
    StreamUrl url;

    if (!answer->reusable)
        g_clear_pointer(&connection, connection_free);
    if (!http_headers_get(headers, "iothub-streaming-url", &url_text) ||
        !http_headers_get(headers, "iothub-streaming-auth-token", &token_text) ||
        !stream_url_parse(url_text, &url)) {
        connection_free(connection);
        g_set_error_literal(&error, STREAMD_ERROR, STREAMD_ERROR_PROTOCOL,
                            "the hub's answer lacks a valid stream URL or token");
        service_open_fail(open, REASON_PROTOCOL, error);
        return;
    }
    if (!service_open_may_go(open, &url, &error)) {
        connection_free(connection);
        service_open_fail(open, REASON_BAD_URL, error);
        return;
    }
    if (http_headers_get(headers, "streamd-caps", &caps))
        open->caps = caps_parse(caps.ptr, caps.len) & (CAP_HALF_CLOSE | CAP_REASON);
    token = slice_dup(token_text);
    if (open->stream)
        stream_set_state(open->stream, STREAM_ACCEPTED);
    service_open_leg(open, &url, token, connection);
}

/* How long a hub wants no requests (503). */
static gint64
retry_after(const HttpResponse *response)
{
    Slice text = {0};
    gint64 pause = 0;

    if (!http_headers_get(&response->headers, "retry-after", &text) ||
        !http_seconds_parse(text, &pause))
        return 0;
    return MIN(pause, SERVICE_RETRY_AFTER_MAX);
}

/* A hub that is at a limit (429) accepts more in a moment, so a burst of connections does not fail
 * while there is time. A hub that is stopping (503) will be restarted. */
static gboolean
service_open_refused(ServiceOpen *open, Connection *connection, const HttpAnswer *answer,
                     Reason reason, const GError *refusal)
{
    guint status = answer->head.status;

    if ((status != 429 && status != 503) ||
        !service_open_again(open, status == 503 ? retry_after(&answer->head) : 0, reason, refusal))
        return FALSE;
    if (status == 429 && answer->reusable)
        open->kept = connection;
    else
        connection_free(connection);
    return TRUE;
}

/* The POST has no answer. If no byte of one has come, the hub was stopped before, or closed a
 * connection that had been idle. */
static void
service_open_unanswered(ServiceOpen *open, const GError *error, gboolean answered)
{
    Reason reason = service_open_reason(error);
    g_autoptr(GError) own = g_error_new(error->domain, error->code, "%s port %u: %s", open->host,
                                        open->port, error->message);

    if (answered || error->code != STREAMD_ERROR_UNREACHABLE ||
        !service_open_again(open, 0, reason, own))
        service_open_fail(open, reason, own);
}

static void
service_open_tell(const ServiceOpen *open, const HttpAnswer *answer)
{
    Slice text;

    if (open->told && open->stream &&
        http_headers_get(&answer->head.headers, "streamd-statement", &text))
        open->told(open->stream, text, open->told_data);
}

static void
service_open_posted(Connection *connection, const HttpAnswer *answer, const GError *error,
                    void *data)
{
    ServiceOpen *open = data;
    HttpExchange *post = g_steal_pointer(&open->post);
    g_autoptr(GError) refusal = NULL;
    Reason reason;

    if (!error) {
        service_open_tell(open, answer);
        service_open_note_answer(open, answer);
    }
    if (error) {
        service_open_unanswered(open, error, http_exchange_was_answered(post));
    } else if (service_answer_check(&answer->head, &reason, &refusal)) {
        service_open_accepted(open, answer, connection);
    } else if (!service_open_refused(open, connection, answer, reason, refusal)) {
        connection_free(connection);
        if (open->stream)
            g_prefix_error(&refusal, "%s: ", stream_device(open->stream));
        service_open_fail(open, reason, refusal);
    }
}

/* A hub that is being restarted is away for a moment: it drops connections that it had accepted,
 * and refuses new ones unless a service manager holds its sockets. If the hub refuses connections
 * and could not be reached the last time either, the opening fails at once. */
static gboolean
service_open_is_back_soon(ServiceOpen *open, DialFailure failure)
{
    gint64 now = g_get_monotonic_time();

    if (failure != DIAL_CUT && !(failure == DIAL_REFUSED && open->reached))
        return FALSE;
    if (open->away_since == 0)
        open->away_since = now;
    return now - open->away_since < SERVICE_AWAY_MAX;
}

static void
service_open_undialed(ServiceOpen *open, const GError *error, DialFailure failure)
{
    Reason reason = service_open_reason(error);

    if (!service_open_is_back_soon(open, failure) || !service_open_again(open, 0, reason, error))
        service_open_fail(open, reason, error);
}

static void
service_open_connected(Connection *connection, const GError *error, void *data)
{
    ServiceOpen *open = data;
    Dial *dial = g_steal_pointer(&open->dial);
    gint64 left = MAX(service_open_left(open), G_TIME_SPAN_SECOND);
    gint64 wait;
    GString *request;

    if (error) {
        service_open_undialed(open, error, dial_failure(dial));
        return;
    }
    open->away_since = 0;
    wait = CLAMP(left - open->timeout, 0, open->wait);
    request = g_string_new_len(open->request->str, (gssize)open->request->len);
    service_request_end(request, wait, MIN(open->timeout, left));
    open->post = http_exchange_new(open->runtime, open->reactor, connection, request,
                                   left + SERVICE_GRACE, service_open_posted, open);
}

/* The error is reported later, like every other one. */
static gboolean
service_open_unbuildable(gpointer data)
{
    ServiceOpen *open = data;
    g_autoptr(GError) error =
        g_error_new_literal(STREAMD_ERROR, STREAMD_ERROR_INVALID,
                            "cannot make a request from this identity and these names");

    open->deadline = 0;
    service_open_fail(open, REASON_HUB_ERROR, error);
    return G_SOURCE_REMOVE;
}

void
service_open_start(const ServiceOpenOptions *options, Stream *stream, ServiceOpenDone done,
                   void *data)
{
    ServiceOpen *open = g_new0(ServiceOpen, 1);

    open->runtime = options->runtime;
    open->reactor = runtime_pick(options->runtime);
    open->tls = tls_context_ref(options->tls);
    open->proxy = options->proxy ? proxy_ref(options->proxy) : NULL;
    open->stream_hosts = stream_hosts_ref(options->stream_hosts);
    open->host = g_strdup(options->host);
    open->port = options->port;
    open->reached = options->reached;
    open->wait = options->wait;
    open->timeout = options->timeout;
    open->started = g_get_monotonic_time();
    open->stream = stream;
    open->done = done;
    open->data = data;
    open->told = options->told;
    open->told_data = options->told_data;
    stream_set_leg_times(stream, &options->times);
    stream_set_handshake(stream, service_open_cancelled, open);
    open->request = service_request_begin(options);
    if (!open->request) {
        open->deadline = g_idle_add(service_open_unbuildable, open);
        return;
    }
    open->deadline = g_timeout_add((guint)((open->wait + open->timeout + SERVICE_GRACE) / 1000),
                                   service_open_deadline, open);
    service_open_dial(open);
}
