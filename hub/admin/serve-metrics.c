/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The listener for the metrics, as the settings have it. */
#include "hub/admin/serve-private.h"

#include "common/base/secret.h"

/* For the port, whose data this is. */
static char *
metrics_text(void *data)
{
    return admin_metrics_text(&((Serve *)data)->admin_hub);
}

/* There is such a listener, and its address stays. */
static gboolean
is_same(const Serve *serve, const Settings *settings)
{
    return serve->metrics &&
           g_strcmp0(serve->settings->metrics_listen, settings->metrics_listen) == 0;
}

static gboolean
open_port(Serve *serve, const Settings *settings, ServeMetrics *next, GError **error)
{
    TlsContext *tls = identity_tls(serve->identity);
    const MetricsPortOptions options = {.settings = serve->settings,
                                        .reactors = serve->reactors,
                                        .queue = serve->queue,
                                        .tls = tls,
                                        .text = metrics_text,
                                        .data = serve,
                                        .refusals = streamhub_refusals(serve->hub),
                                        .former = serve->metrics};

    next->port =
        metrics_port_new(&options, settings->metrics_listen, next->token, &next->bound, error);
    if (!next->port)
        g_prefix_error(error, "metrics-listen: ");
    return next->port != NULL;
}

gboolean
serve_metrics_prepare(Serve *serve, const Settings *settings, ServeMetrics *ret, GError **error)
{
    if (!settings->metrics_listen)
        return TRUE;
    ret->token = metrics_token_read(settings->metrics_token_file, error);
    if (!ret->token) {
        g_prefix_error(error, "metrics-token-file: ");
        return FALSE;
    }
    ret->same = is_same(serve, settings);
    return ret->same || open_port(serve, settings, ret, error);
}

void
serve_metrics_take(Serve *serve, ServeMetrics *next)
{
    if (next->same) {
        metrics_port_set_token(serve->metrics, next->token);
        metrics_port_set_tls(serve->metrics, identity_tls(serve->identity));
        return;
    }
    if (serve->metrics)
        metrics_port_stop(serve->metrics, NULL, NULL);
    g_free(serve->metrics_bound);
    serve->metrics = g_steal_pointer(&next->port);
    serve->metrics_bound = g_steal_pointer(&next->bound);
    serve->admin_hub.metrics = serve->metrics_bound;
    if (serve->metrics) {
        metrics_port_set_tls(serve->metrics, identity_tls(serve->identity));
        metrics_port_start(serve->metrics);
    }
}

void
serve_metrics_clear(ServeMetrics *next)
{
    if (next->port)
        metrics_port_stop(next->port, NULL, NULL);
    g_free(next->bound);
    secret_free(next->token);
    *next = (ServeMetrics){0};
}

void
serve_metrics_stop(Serve *serve, void (*done)(void *data), void *data)
{
    MetricsPort *port = g_steal_pointer(&serve->metrics);

    if (port)
        metrics_port_stop(port, done, data);
    else
        done(data);
}
