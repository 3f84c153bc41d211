/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/link/service-attempt.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "daemon/link/service-open.h"
#include "daemon/net/http-exchange.h"
#include "daemon/net/pair-wait.h"
#include "daemon/net/ws-dial.h"

struct ServiceAttempt {
    Runtime *runtime;
    Reactor *reactor;
    TlsContext *tls;
    Proxy *proxy;
    StreamHosts *stream_hosts;
    char *host;
    guint16 port;
    Caps caps;       /* that may be used; then those of the leg */
    gint64 until;    /* monotonic: by then the leg is paired */
    gboolean leaves; /* the leg need not be paired */
    ServiceStage stage;
    guint begin; /* source */
    Connection *reuse;
    Dial *dial;
    HttpExchange *post;
    WsDial *leg;
    PairWait *pair;
    const ServiceAttemptEvents *events;
    void *data;
};

static void
service_attempt_free(ServiceAttempt *attempt)
{
    if (attempt->begin)
        g_source_remove(attempt->begin);
    connection_free(attempt->reuse);
    dial_cancel(attempt->dial);
    http_exchange_cancel(attempt->post);
    ws_dial_cancel(attempt->leg);
    pair_wait_cancel(attempt->pair);
    tls_context_unref(attempt->tls);
    proxy_unref(attempt->proxy);
    stream_hosts_unref(attempt->stream_hosts);
    g_free(attempt->host);
    g_free(attempt);
}

/* The last thing that is done with it. */
static void
service_attempt_end(ServiceAttempt *attempt, ServiceOutcome *outcome)
{
    outcome->stage = attempt->stage;
    outcome->caps = attempt->caps;
    attempt->events->done(outcome, attempt->data);
    service_attempt_free(attempt);
}

static void
service_attempt_fail(ServiceAttempt *attempt, Reason reason, const GError *error)
{
    service_attempt_end(attempt, &(ServiceOutcome){.reason = reason, .error = error});
}

Reason
service_attempt_reason(const GError *error)
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

static void
service_attempt_paired(Connection *connection, Reason reason, void *data)
{
    ServiceAttempt *attempt = data;
    g_autoptr(GError) error = NULL;

    attempt->pair = NULL;
    if (!connection)
        error = service_pair_error(reason);
    service_attempt_end(attempt,
                        &(ServiceOutcome){.leg = connection, .reason = reason, .error = error});
}

static void
service_attempt_leg_done(Connection *connection, const GError *error, void *data)
{
    ServiceAttempt *attempt = data;
    gint64 left = MAX(attempt->until - g_get_monotonic_time(), 0);

    attempt->leg = NULL;
    if (error) {
        service_attempt_fail(attempt, service_attempt_reason(error), error);
    } else if (attempt->leaves || !(attempt->caps & CAP_REASON)) {
        service_attempt_end(attempt, &(ServiceOutcome){.leg = connection});
    } else {
        attempt->stage = SERVICE_PAIRS;
        attempt->pair = pair_wait_new(attempt->runtime, attempt->reactor, connection,
                                      left + SERVICE_PAIR_GRACE, service_attempt_paired, attempt);
    }
}

/* CONNECTION: that of the POST, if it can be used again; or NULL. */
static void
service_attempt_go(ServiceAttempt *attempt, const StreamUrl *url, const char *token,
                   Connection *connection)
{
    g_autofree char *host = slice_dup(url->host), *target = slice_dup(url->target);
    const WsDialTo to = {.host = host,
                         .port = url->port,
                         .target = target,
                         .proxy = attempt->proxy,
                         .bearer = token};
    gboolean same = url->port == attempt->port && g_ascii_strcasecmp(host, attempt->host) == 0;

    if (!same)
        g_clear_pointer(&connection, connection_free);
    attempt->events->leads_to(host, url->port, target, attempt->data);
    attempt->stage = SERVICE_CONNECTS;
    attempt->leg = ws_dial_new(attempt->runtime, attempt->reactor, attempt->tls, &to, connection,
                               service_attempt_leg_done, attempt);
}

static gboolean
service_attempt_may_go(const ServiceAttempt *attempt, const StreamUrl *url, GError **error)
{
    g_autofree char *host = slice_dup(url->host), *text = NULL;

    if (stream_hosts_allow(attempt->stream_hosts, host, url->port))
        return TRUE;
    text = stream_hosts_refusal(host, url->port);
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_PROTOCOL, text);
    return FALSE;
}

static void
service_attempt_accepted(ServiceAttempt *attempt, const HttpAnswer *answer, Connection *connection)
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
        service_attempt_fail(attempt, REASON_PROTOCOL, error);
        return;
    }
    if (!service_attempt_may_go(attempt, &url, &error)) {
        connection_free(connection);
        service_attempt_fail(attempt, REASON_BAD_URL, error);
        return;
    }
    if (http_headers_get(headers, "streamd-caps", &caps))
        attempt->caps &= caps_parse(caps.ptr, caps.len);
    else
        attempt->caps = 0;
    token = slice_dup(token_text);
    attempt->events->accepted(attempt->data);
    service_attempt_go(attempt, &url, token, connection);
}

static void
service_attempt_posted(Connection *connection, const HttpAnswer *answer, const GError *error,
                       void *data)
{
    ServiceAttempt *attempt = data;
    HttpExchange *post = g_steal_pointer(&attempt->post);
    g_autoptr(GError) refusal = NULL, own = NULL;
    Reason reason;

    if (error) {
        own = g_error_new(error->domain, error->code, "%s port %u: %s", attempt->host,
                          attempt->port, error->message);
        service_attempt_end(attempt,
                            &(ServiceOutcome){.reason = service_attempt_reason(error),
                                              .error = own,
                                              .answered = http_exchange_was_answered(post)});
        return;
    }
    attempt->events->answered(&answer->head, attempt->data);
    if (service_answer_check(&answer->head, &reason, &refusal)) {
        service_attempt_accepted(attempt, answer, connection);
        return;
    }
    if (!answer->reusable)
        g_clear_pointer(&connection, connection_free);
    service_attempt_end(attempt, &(ServiceOutcome){.reason = reason,
                                                   .error = refusal,
                                                   .answered = TRUE,
                                                   .response = &answer->head,
                                                   .kept = connection});
}

static void
service_attempt_connected(Connection *connection, const GError *error, void *data)
{
    ServiceAttempt *attempt = data;
    Dial *dial = g_steal_pointer(&attempt->dial);
    gint64 left = 0;
    GString *request;

    if (error) {
        service_attempt_end(attempt, &(ServiceOutcome){.reason = service_attempt_reason(error),
                                                       .error = error,
                                                       .dial = dial_failure(dial)});
        return;
    }
    request = attempt->events->request(&left, attempt->data);
    attempt->until = g_get_monotonic_time() + left;
    attempt->stage = SERVICE_ASKS;
    attempt->post = http_exchange_new(attempt->runtime, attempt->reactor, connection, request,
                                      left + SERVICE_GRACE, service_attempt_posted, attempt);
}

/* The connection of the attempt before is used later, as one that is dialled is. */
static gboolean
service_attempt_reuse(gpointer data)
{
    ServiceAttempt *attempt = data;

    attempt->begin = 0;
    service_attempt_connected(g_steal_pointer(&attempt->reuse), NULL, attempt);
    return G_SOURCE_REMOVE;
}

ServiceAttempt *
service_attempt_new(const ServiceAttemptOptions *options, const ServiceAttemptEvents *events,
                    void *data)
{
    ServiceAttempt *attempt = g_new0(ServiceAttempt, 1);

    attempt->runtime = options->runtime;
    attempt->reactor = options->reactor;
    attempt->tls = tls_context_ref(options->tls);
    attempt->proxy = options->proxy ? proxy_ref(options->proxy) : NULL;
    attempt->stream_hosts = stream_hosts_ref(options->stream_hosts);
    attempt->host = g_strdup(options->host);
    attempt->port = options->port;
    attempt->caps = options->caps;
    attempt->reuse = options->reuse;
    attempt->events = events;
    attempt->data = data;
    if (attempt->reuse)
        attempt->begin = g_idle_add(service_attempt_reuse, attempt);
    else
        attempt->dial = dial_new(attempt->runtime, attempt->reactor, attempt->host, attempt->port,
                                 attempt->tls, attempt->proxy, service_attempt_connected, attempt);
    return attempt;
}

ServiceStage
service_attempt_stage(const ServiceAttempt *attempt)
{
    return attempt->stage;
}

const char *
service_attempt_host(const ServiceAttempt *attempt)
{
    return attempt->host;
}

guint16
service_attempt_port(const ServiceAttempt *attempt)
{
    return attempt->port;
}

void
service_attempt_forget_pair(ServiceAttempt *attempt)
{
    attempt->leaves = TRUE;
}

void
service_attempt_cancel(ServiceAttempt *attempt)
{
    if (attempt)
        service_attempt_free(attempt);
}
