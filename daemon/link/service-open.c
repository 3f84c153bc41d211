/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/link/service-open.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "daemon/link/service-attempt.h"
#include "daemon/net/http-exchange.h"

#include <string.h>
#include <sys/random.h>

struct ServiceOpen {
    Runtime *runtime;
    Reactor *reactor;
    TlsContext *tls;
    Proxy *proxy;
    StreamHosts *stream_hosts;
    char *host;
    guint16 port;
    gboolean reached;        /* the hub was reachable at the last try */
    gint64 wait, timeout;    /* how long this opening may take, in µs, */
    gint64 started;          /* counted from here */
    Stream *stream;          /* NULL: given up, see service_open_abandon */
    GString *request;        /* up to the time-outs, which are set to the time that is left */
    ServiceAttempt *attempt; /* NULL: it waits for the next one */
    guint deadline;
    guint retry;
    Connection *kept;   /* for the retry */
    GError *refusal;    /* why it was refused, */
    Reason reason;      /* and the reason, when it was not */
    guint reopened;     /* how often it was started again after the device had accepted */
    gint64 away_since;  /* no connection was made since then; 0: one was */
    gint64 resume_time; /* as in the options, */
    guint8 resume_key[RESUME_KEY_LEN]; /* and the key of the stream that may be led back */
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
    service_attempt_cancel(open->attempt);
    http_request_wipe(open->request);
    explicit_bzero(open->resume_key, sizeof open->resume_key);
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
    ServiceStage stage = open->attempt ? service_attempt_stage(open->attempt) : SERVICE_DIALS;

    if ((stage != SERVICE_ASKS && stage != SERVICE_CONNECTS) ||
        open->runtime->away >= SERVICE_ABANDONED_MAX) {
        service_open_free(open);
        return;
    }
    open->stream = NULL;
    service_attempt_forget_pair(open->attempt);
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
    gboolean accepted = open->attempt && service_attempt_stage(open->attempt) >= SERVICE_CONNECTS;
    gboolean reached = !open->attempt || service_attempt_stage(open->attempt) != SERVICE_DIALS;
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

static void service_open_try(ServiceOpen *open);

static gboolean
service_open_retry(gpointer data)
{
    ServiceOpen *open = data;

    open->retry = 0;
    service_open_try(open);
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
    if (!other_hub || !service_open_reopen(open, service_attempt_reason(own), own))
        service_open_fail(open, service_attempt_reason(own), own);
}

static void
service_open_attach(ServiceOpen *open, const ServiceOutcome *outcome)
{
    /* A hub that told no id speaks for ends that use words, but nobody can lead the stream back. */
    const gint64 time = stream_hub_id(open->stream) ? open->resume_time : 0;

    stream_set_handshake(open->stream, NULL, NULL);
    if (outcome->caps & CAP_RESUME)
        stream_set_resume(open->stream, open->resume_key, time);
    stream_attach_leg(open->stream, outcome->leg, open->reactor, outcome->caps);
    open->done(open->stream, NULL, open->data);
    service_open_free(open);
}

static void
service_open_unpaired(ServiceOpen *open, const ServiceOutcome *outcome)
{
    g_autoptr(GError) error = g_error_copy(outcome->error);

    g_prefix_error(&error, "%s: ", stream_device(open->stream));
    /* A connection that ends without a close frame comes from a hub that was killed. */
    if ((outcome->reason == REASON_HUB_STOPPING || outcome->reason == REASON_CUT) &&
        service_open_reopen(open, outcome->reason, error))
        return;
    service_open_fail(open, outcome->reason, error);
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
service_open_tell(const ServiceOpen *open, const HttpResponse *response)
{
    Slice text;

    if (open->told && http_headers_get(&response->headers, "streamd-statement", &text))
        open->told(open->stream, text, open->told_data);
}

static void
service_open_answered(const HttpResponse *response, void *data)
{
    ServiceOpen *open = data;
    Slice id;

    if (!open->stream)
        return;
    service_open_tell(open, response);
    if (http_headers_get(&response->headers, "streamd-stream-id", &id))
        service_open_note_id(open, (const char *)id.ptr, id.len);
}

static void
service_open_accepted(void *data)
{
    ServiceOpen *open = data;

    if (open->stream)
        stream_set_state(open->stream, STREAM_ACCEPTED);
}

static void
service_open_leads_to(const char *host, guint16 port, const char *target, void *data)
{
    ServiceOpen *open = data;

    if (!open->stream)
        return;
    stream_set_endpoint(open->stream, host, port);
    service_open_note_path(open, target);
    stream_set_state(open->stream, STREAM_CONNECTING);
}

/* A hub that is at a limit (429) accepts more in a moment, so a burst of connections does not fail
 * while there is time. A hub that is stopping (503) will be restarted. */
static gboolean
service_open_refused(ServiceOpen *open, const ServiceOutcome *outcome, const GError *refusal)
{
    guint status = outcome->response->status;

    if ((status != 429 && status != 503) ||
        !service_open_again(open, status == 503 ? service_answer_pause(outcome->response) : 0,
                            outcome->reason, refusal))
        return FALSE;
    if (status == 429)
        open->kept = outcome->kept;
    else
        connection_free(outcome->kept);
    return TRUE;
}

/* The POST was not accepted, or has no answer. If no byte of one has come, the hub was stopped
 * before, or closed a connection that had been idle. */
static void
service_open_unanswered(ServiceOpen *open, const ServiceOutcome *outcome)
{
    g_autoptr(GError) error = g_error_copy(outcome->error);

    if (outcome->response && !service_open_refused(open, outcome, error)) {
        connection_free(outcome->kept);
        if (open->stream)
            g_prefix_error(&error, "%s: ", stream_device(open->stream));
        service_open_fail(open, outcome->reason, error);
    } else if (!outcome->response &&
               (outcome->answered || error->code != STREAMD_ERROR_UNREACHABLE ||
                !service_open_again(open, 0, outcome->reason, error))) {
        service_open_fail(open, outcome->reason, error);
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
service_open_undialed(ServiceOpen *open, const ServiceOutcome *outcome)
{
    if (!service_open_is_back_soon(open, outcome->dial) ||
        !service_open_again(open, 0, outcome->reason, outcome->error))
        service_open_fail(open, outcome->reason, outcome->error);
}

static GString *
service_open_request(gint64 *ret_left, void *data)
{
    ServiceOpen *open = data;
    gint64 left = MAX(service_open_left(open), G_TIME_SPAN_SECOND);
    gint64 wait = CLAMP(left - open->timeout, 0, open->wait);
    GString *request = g_string_new_len(open->request->str, (gssize)open->request->len);

    open->away_since = 0;
    service_request_end(request, wait, MIN(open->timeout, left));
    *ret_left = left;
    return request;
}

static void
service_open_failed(ServiceOpen *open, const ServiceOutcome *outcome)
{
    switch (outcome->stage) {
    case SERVICE_DIALS:
        service_open_undialed(open, outcome);
        break;
    case SERVICE_ASKS:
        service_open_unanswered(open, outcome);
        break;
    case SERVICE_CONNECTS:
        service_open_leg_failed(open, outcome->error);
        break;
    case SERVICE_PAIRS:
        service_open_unpaired(open, outcome);
        break;
    }
}

static void
service_open_tried(const ServiceOutcome *outcome, void *data)
{
    ServiceOpen *open = data;

    open->attempt = NULL;
    if (!outcome->leg) {
        service_open_failed(open, outcome);
    } else if (open->stream) {
        service_open_attach(open, outcome);
    } else {
        connection_free(outcome->leg);
        service_open_free(open);
    }
}

static const ServiceAttemptEvents attempt_events = {
    .request = service_open_request,
    .answered = service_open_answered,
    .accepted = service_open_accepted,
    .leads_to = service_open_leads_to,
    .done = service_open_tried,
};

static void
service_open_try(ServiceOpen *open)
{
    const ServiceAttemptOptions options = {
        .runtime = open->runtime,
        .reactor = open->reactor,
        .tls = open->tls,
        .proxy = open->proxy,
        .host = open->host,
        .port = open->port,
        .stream_hosts = open->stream_hosts,
        .reuse = g_steal_pointer(&open->kept),
        .caps = CAP_HALF_CLOSE | CAP_REASON | (open->resume_time > 0 ? CAP_RESUME : 0),
    };

    open->attempt = service_attempt_new(&options, &attempt_events, open);
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

static GString *
service_open_first_request(ServiceOpen *open, const ServiceOpenOptions *options)
{
    ServiceOpenOptions own = *options;

    if (options->resume_time > 0) {
        /* Up to 256 bytes are never cut short (getrandom(2)). */
        if (getrandom(open->resume_key, RESUME_KEY_LEN, 0) != RESUME_KEY_LEN)
            g_error("getrandom failed");
        own.resume_key = open->resume_key;
    }
    return service_request_begin(&own);
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
    open->resume_time = options->resume_time;
    stream_set_leg_times(stream, &options->times);
    stream_set_handshake(stream, service_open_cancelled, open);
    open->request = service_open_first_request(open, options);
    if (!open->request) {
        open->deadline = g_idle_add(service_open_unbuildable, open);
        return;
    }
    open->deadline = g_timeout_add((guint)((open->wait + open->timeout + SERVICE_GRACE) / 1000),
                                   service_open_deadline, open);
    service_open_try(open);
}
