/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/link/service-open.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "common/codec/http-build.h"
#include "common/codec/sas-token.h"
#include "common/codec/stream-url.h"
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
    gint64 limit;
    Stream *stream; /* NULL: given up, see service_open_abandon */
    GString *request;
    Dial *dial;
    HttpExchange *post;
    WsDial *leg;
    Caps caps;
    guint deadline;
    guint retry;
    Connection *kept;  /* for the retry */
    GError *throttled; /* why there is one */
    ServiceOpenDone done;
    void *data;
};

static void
service_open_free(ServiceOpen *open)
{
    if (open->deadline)
        g_source_remove(open->deadline);
    if (open->retry)
        g_source_remove(open->retry);
    connection_free(open->kept);
    g_clear_error(&open->throttled);
    dial_cancel(open->dial);
    http_exchange_cancel(open->post);
    ws_dial_cancel(open->leg);
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

/* The stream is given up while the hub's answer may be on its way. Once it has accepted, the hub
 * waits for our leg until its deadline: so what was begun is brought to its end, if that is soon,
 * and closed then. */
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

/* stream_close: the stream has ended itself. */
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
    gboolean reached = !open->dial;
    g_autoptr(GError) error = g_error_new(STREAMD_ERROR, STREAMD_ERROR_TIMED_OUT,
                                          reached ? "%s port %u: the hub did not answer in time"
                                                  : "%s port %u: no connection to the hub in time",
                                          open->host, open->port);

    open->deadline = 0;
    if (open->throttled)
        service_open_fail(open, REASON_LIMIT, open->throttled);
    else
        service_open_fail(open, reached ? REASON_TIMED_OUT : REASON_HUB_UNREACHABLE, error);
    return G_SOURCE_REMOVE;
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

/* A leg's token is the hub's own: when it is refused, nothing is wrong with our identity. */
static void
service_open_leg_failed(ServiceOpen *open, const GError *error)
{
    g_autoptr(GError) own = g_error_copy(error);

    if (own->code == STREAMD_ERROR_UNAUTHORIZED)
        own->code = STREAMD_ERROR_FAILED;
    service_open_fail(open, service_open_reason(own), own);
}

static void
service_open_leg_done(Connection *connection, const GError *error, void *data)
{
    ServiceOpen *open = data;

    open->leg = NULL;
    if (error) {
        service_open_leg_failed(open, error);
        return;
    }
    if (!open->stream) {
        connection_free(connection);
        service_open_free(open);
        return;
    }
    stream_set_handshake(open->stream, NULL, NULL);
    stream_attach_leg(open->stream, connection, open->reactor, open->caps);
    open->done(open->stream, NULL, open->data);
    service_open_free(open);
}

/* CONNECTION: that of the POST, free for another exchange; or NULL. */
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
                            "the hub's answer has no good stream URL and token");
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

/* A hub that takes no more just now (429) takes more in a moment: a burst of connections is no
 * fault as long as there is time. */
static void
service_open_again(ServiceOpen *open, Connection *connection, gboolean reusable, GError *refusal)
{
    g_clear_error(&open->throttled);
    open->throttled = refusal;
    open->kept = connection;
    if (!reusable)
        g_clear_pointer(&open->kept, connection_free);
    open->retry = g_timeout_add((guint)g_random_int_range(SERVICE_RETRY_MIN, SERVICE_RETRY_MAX),
                                service_open_retry, open);
}

static void
service_open_posted(Connection *connection, const HttpAnswer *answer, const GError *error,
                    void *data)
{
    ServiceOpen *open = data;
    g_autoptr(GError) refusal = NULL;
    Reason reason;

    open->post = NULL;
    if (error) {
        refusal = g_error_new(error->domain, error->code, "%s port %u: %s", open->host, open->port,
                              error->message);
        service_open_fail(open, service_open_reason(error), refusal);
    } else if (service_answer_check(&answer->head, &reason, &refusal)) {
        service_open_accepted(open, answer, connection);
    } else if (answer->head.status == 429 && open->stream) {
        service_open_again(open, connection, answer->reusable, g_steal_pointer(&refusal));
    } else {
        connection_free(connection);
        if (open->stream)
            g_prefix_error(&refusal, "%s: ", stream_device(open->stream));
        service_open_fail(open, reason, refusal);
    }
}

static void
service_open_connected(Connection *connection, const GError *error, void *data)
{
    ServiceOpen *open = data;

    open->dial = NULL;
    if (error) {
        service_open_fail(open, service_open_reason(error), error);
        return;
    }
    open->post = http_exchange_new(open->runtime, open->reactor, connection,
                                   g_string_new_len(open->request->str, (gssize)open->request->len),
                                   open->limit, service_open_posted, open);
}

char *
service_token(const ConnectionString *identity)
{
    g_auto(SasKey) key = {0};
    guint64 expiry = (guint64)(g_get_real_time() / G_USEC_PER_SEC) + SERVICE_TOKEN_LIFE;

    if (!identity->key || !sas_key_decode(&key, identity->key, strlen(identity->key)))
        return NULL;
    return sas_token_build(identity->host, key.data, key.len, expiry, identity->policy);
}

static guint64
whole_seconds(gint64 usec)
{
    return (guint64)((usec + G_TIME_SPAN_SECOND - 1) / G_TIME_SPAN_SECOND);
}

/* docs/wire-protocol.md, section 3. */
GString *
service_request_build(const ServiceOpenOptions *options)
{
    g_auto(SecretText) token = service_token(options->identity);
    g_autofree char *authority = http_authority(options->identity->host, options->identity->port);
    g_autofree char *id = g_uuid_string_random();
    g_autofree char *path =
        g_strdup_printf("/twins/%s%s%s/streams/%s?api-version=" SERVICE_API_VERSION,
                        options->device, options->module ? "/modules/" : "",
                        options->module ? options->module : "", options->stream);
    GString *out = g_string_new(NULL);

    if (!token || !http_request_line(out, "POST", path) ||
        !http_header_append(out, "Host", authority) ||
        !http_header_append(out, "Authorization", token) ||
        !http_header_append(out, "User-Agent", "streamd/" STREAMD_VERSION) ||
        !http_header_append(out, "Request-Id", id) ||
        !http_header_append(out, "streamd-caps", "half-close, reason")) {
        http_request_wipe(out);
        return NULL;
    }
    http_header_append_number(out, "iothub-streaming-connect-timeout-in-seconds",
                              whole_seconds(options->wait));
    http_header_append_number(out, "iothub-streaming-response-timeout-in-seconds",
                              whole_seconds(options->timeout));
    http_header_append_number(out, "Content-Length", 0);
    http_head_end(out);
    return out;
}

/* Told later, as every other failure. */
static gboolean
service_open_unbuildable(gpointer data)
{
    ServiceOpen *open = data;
    g_autoptr(GError) error =
        g_error_new_literal(STREAMD_ERROR, STREAMD_ERROR_INVALID,
                            "no request can be made from this identity and these names");

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
    open->limit = options->wait + options->timeout + SERVICE_GRACE;
    open->stream = stream;
    open->done = done;
    open->data = data;
    stream_set_leg_times(stream, &options->times);
    stream_set_handshake(stream, service_open_cancelled, open);
    open->request = service_request_build(options);
    if (!open->request) {
        open->deadline = g_idle_add(service_open_unbuildable, open);
        return;
    }
    open->deadline = g_timeout_add((guint)(open->limit / 1000), service_open_deadline, open);
    service_open_dial(open);
}
