/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/metrics/port.h"

#include "common/base/error.h"
#include "common/base/secret-file.h"
#include "common/base/secret.h"
#include "common/log/events.h"
#include "common/metrics/text.h"
#include "hub/edge/answer.h"
#include "hub/edge/edge.h"
#include "hub/edge/auth.h"

#include <string.h>

#define BEARER "Bearer "

struct MetricsPort {
    Settings settings; /* its own limits; no texts */
    Admission *admission;
    Penalties *penalties;
    RefusalLog *refusals; /* NULL: it stops */
    Edge *edge;
    char *token;
    char *(*text)(void *data); /* NULL: it stops */
    void *data;
    gboolean started;
    void (*done)(void *data);
    void *done_data;
};

char *
metrics_token_read(const char *file, GError **error)
{
    g_auto(SecretText) token = secret_file_read(file, METRICS_TOKEN_MAX, error);

    if (!token)
        return NULL;
    for (const char *c = token; *c; c++)
        if (!g_ascii_isgraph(*c)) {
            g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                        "%s: a token has visible ASCII characters only", file);
            return NULL;
        }
    if (strlen(token) >= METRICS_TOKEN_MIN)
        return g_steal_pointer(&token);
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "%s: a token has at least %d characters; make one with: openssl rand -hex 32", file,
                METRICS_TOKEN_MIN);
    return NULL;
}

static gboolean
token_is_right(const MetricsPort *port, const Request *request)
{
    const char *field = request->authorization;

    return field && g_ascii_strncasecmp(field, BEARER, strlen(BEARER)) == 0 &&
           secret_equals(field + strlen(BEARER), port->token);
}

static void
port_refused(const Refused *refused, void *data)
{
    refusal_log_note(((MetricsPort *)data)->refusals, refused);
}

static void
port_refuse(MetricsPort *port, Request *request)
{
    const Source source = source_of_peer(request->peer);
    const char *token = request->authorization;
    guint seconds = auth_penalize(&port->settings, port->penalties, port->admission, &source,
                                  token ? token : "none", g_get_monotonic_time());
    g_autofree char *wait = NULL;

    port_refused(
        &(Refused){.kind = EVENT_SERVICE_REFUSED,
                   .peer = request->peer,
                   .why = token ? "wrong token for the metrics" : "no token for the metrics"},
        port);
    if (seconds == 0) {
        request_answer(request, 401, "WWW-Authenticate: Bearer\r\n", NULL);
        return;
    }
    wait = g_strdup_printf("Retry-After: %u\r\n", seconds);
    request_answer(request, 429, wait, NULL);
}

static void
port_request(Request *request, void *data)
{
    MetricsPort *port = data;
    g_autofree char *text = NULL;

    if (!token_is_right(port, request)) {
        port_refuse(port, request);
        return;
    }
    request_authenticated(request);
    if (!port->text) {
        request_answer(request, 503, NULL, NULL);
        return;
    }
    text = port->text(port->data);
    request->content_type = METRICS_CONTENT_TYPE;
    request_answer(request, 200, NULL, text);
}

static const EdgeEvents port_events = {
    .routes = &route_metrics, .request = port_request, .refused = port_refused};

/* The hub's own limits of time and pace, and few connections. */
static Settings
port_settings(const Settings *settings)
{
    Settings own = settings_without_texts(settings);

    own.connections_max = MIN(own.connections_max, METRICS_CONNECTIONS);
    own.unauthenticated_max = MIN(own.unauthenticated_max, METRICS_CONNECTIONS);
    own.unauthenticated_per_source = MIN(own.unauthenticated_per_source, METRICS_PER_SOURCE);
    own.known_source_factor = 1;
    return own;
}

static void
port_free(MetricsPort *port)
{
    edge_free(port->edge);
    admission_free(port->admission);
    penalties_free(port->penalties);
    secret_free(port->token);
    g_free(port);
}

/* The former listener goes on: whatever else fails, it is still there. */
static gboolean
port_listen(const MetricsPort *port, const MetricsPort *former, const char *address,
            char **ret_bound, GError **error)
{
    gboolean done;

    if (!former)
        return edge_listen(port->edge, address, TRUE, ret_bound, error);
    edge_share_addresses(former->edge, TRUE);
    edge_share_addresses(port->edge, TRUE);
    done = edge_listen(port->edge, address, TRUE, ret_bound, error);
    edge_share_addresses(port->edge, FALSE);
    edge_share_addresses(former->edge, FALSE);
    return done;
}

MetricsPort *
metrics_port_new(const MetricsPortOptions *options, const char *address, const char *token,
                 char **ret_bound, GError **error)
{
    MetricsPort *port = g_new0(MetricsPort, 1);

    port->settings = port_settings(options->settings);
    port->admission = admission_new(&port->settings);
    port->penalties = penalties_new(&port->settings);
    port->refusals = options->refusals;
    port->token = g_strdup(token);
    port->text = options->text;
    port->data = options->data;
    port->edge = edge_new(&port->settings, options->reactors, options->queue, options->tls,
                          port->admission, &port_events, port);
    if (port_listen(port, options->former, address, ret_bound, error))
        return port;
    port_free(port);
    return NULL;
}

void
metrics_port_start(MetricsPort *port)
{
    port->started = edge_start(port->edge, NULL); /* it listens, which is all that is needed */
}

void
metrics_port_set_token(MetricsPort *port, const char *token)
{
    secret_free(port->token);
    port->token = g_strdup(token);
}

void
metrics_port_set_tls(MetricsPort *port, TlsContext *tls)
{
    edge_set_tls(port->edge, tls);
}

static void
port_stopped(void *data)
{
    MetricsPort *port = data;
    void (*done)(void *data) = port->done;
    void *done_data = port->done_data;

    port_free(port);
    if (done)
        done(done_data);
}

void
metrics_port_stop(MetricsPort *port, void (*done)(void *data), void *data)
{
    port->done = done;
    port->done_data = data;
    port->text = NULL;
    port->refusals = NULL;
    if (port->started)
        edge_stop(port->edge, port_stopped, port);
    else
        port_stopped(port);
}
