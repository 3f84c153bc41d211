/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way to the hub: name, proxy, TCP, TLS, and what the hub's clock says. */
#include "daemon/diagnosis/private.h"

#include "common/codec/http-build.h"
#include "common/codec/http-date.h"

#define ADDRESSES_SHOWN 4

static gboolean
diagnosis_name_late(gpointer data)
{
    Diagnosis *diagnosis = data;

    diagnosis->limit = 0;
    diagnosis_fail_text(diagnosis, "name-timeout", STREAMD_ERROR_UNREACHABLE,
                        "the name was not resolved in time");
    return G_SOURCE_REMOVE;
}

static void
diagnosis_note_addresses(Diagnosis *diagnosis, GList *addresses)
{
    g_autoptr(GString) text = g_string_new(NULL);
    guint count = 0;

    for (GList *one = addresses; one && count < ADDRESSES_SHOWN; one = one->next, count++) {
        g_autofree char *address = g_inet_address_to_string(one->data);

        g_string_append_printf(text, "%s%s", count > 0 ? ", " : "", address);
    }
    diagnosis_note(diagnosis, "addresses", text->str);
}

/* A look-up that was cancelled still ends later: then DIAGNOSIS must not be touched. */
static void
diagnosis_name_found(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    GList *addresses = g_resolver_lookup_by_name_finish(G_RESOLVER(source), result, &error);
    Diagnosis *diagnosis = data;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    if (addresses) {
        diagnosis_note_addresses(diagnosis, addresses);
        g_resolver_free_addresses(addresses);
        diagnosis_ok(diagnosis);
        return;
    }
    diagnosis_fail(diagnosis, "name-unknown", error);
}

static void
diagnosis_look_up(Diagnosis *diagnosis)
{
    const char *host = diagnosis->route.host ? diagnosis->route.host : diagnosis->host;
    g_autoptr(GResolver) resolver = g_resolver_get_default();

    diagnosis_note(diagnosis, "host", host);
    if (g_hostname_is_ip_address(host)) {
        diagnosis_skip(diagnosis, "address");
        return;
    }
    g_clear_object(&diagnosis->cancellable);
    diagnosis->cancellable = g_cancellable_new();
    diagnosis->limit = g_timeout_add((guint)(DIAGNOSIS_NAME_LIMIT / G_TIME_SPAN_MILLISECOND),
                                     diagnosis_name_late, diagnosis);
    g_resolver_lookup_by_name_async(resolver, host, diagnosis->cancellable, diagnosis_name_found,
                                    diagnosis);
}

typedef struct {
    Diagnosis *diagnosis;
    Proxy *proxy;
    GCancellable *cancellable;
} RouteAsk;

static void
diagnosis_routed(GObject *source, GAsyncResult *result, gpointer data)
{
    RouteAsk *ask = data;
    Diagnosis *diagnosis = ask->diagnosis;
    g_auto(ProxyRoute) route = {0};
    g_autoptr(GError) error = NULL;

    (void)proxy_route_finish(ask->proxy, result, &route, &error);
    if (!g_cancellable_is_cancelled(ask->cancellable)) {
        diagnosis->route = route;
        route = (ProxyRoute){0};
        diagnosis->route_error = g_steal_pointer(&error);
        if (diagnosis->route_error)
            diagnosis_skip(diagnosis, "proxy");
        else
            diagnosis_look_up(diagnosis);
    }
    g_object_unref(ask->cancellable);
    proxy_unref(ask->proxy);
    g_free(ask);
}

/* If there is a proxy, its name is looked up: the proxy resolves the hub's. */
void
diagnose_dns(Diagnosis *diagnosis)
{
    RouteAsk *ask;

    if (!diagnosis->proxy) {
        diagnosis_look_up(diagnosis);
        return;
    }
    diagnosis->cancellable = g_cancellable_new();
    ask = g_new0(RouteAsk, 1);
    *ask = (RouteAsk){diagnosis, proxy_ref(diagnosis->proxy), g_object_ref(diagnosis->cancellable)};
    proxy_route_async(diagnosis->proxy, diagnosis->host, diagnosis->port, diagnosis->cancellable,
                      diagnosis_routed, ask);
}

static void
diagnosis_socket_done(int fd, const GError *error, void *data)
{
    Diagnosis *diagnosis = data;
    const char *cause = fd < 0 ? socket_dial_cause(diagnosis->socket) : NULL;

    diagnosis->socket = NULL;
    diagnosis->fd = fd;
    if (fd < 0)
        diagnosis_fail(diagnosis, cause, error);
    else
        diagnosis_ok(diagnosis);
}

void
diagnose_proxy(Diagnosis *diagnosis)
{
    if (diagnosis->route_error) {
        diagnosis_fail_text(diagnosis, "proxy-unusable", STREAMD_ERROR_PROXY_REFUSED,
                            diagnosis->route_error->message);
        return;
    }
    if (!diagnosis->route.name) {
        diagnosis_skip(diagnosis, "none");
        return;
    }
    diagnosis_note(diagnosis, "proxy", diagnosis->route.name);
    diagnosis->socket =
        socket_dial_new_to(diagnosis->runtime, diagnosis->host, diagnosis->port, diagnosis->proxy,
                           DIAGNOSIS_STEP_LIMIT, diagnosis_socket_done, diagnosis);
}

void
diagnose_tcp(Diagnosis *diagnosis)
{
    g_autoptr(GSocketConnectable) to = g_network_address_new(diagnosis->host, diagnosis->port);

    if (diagnosis->fd >= 0) {
        diagnosis_skip(diagnosis, "proxied");
        return;
    }
    diagnosis_note(diagnosis, "host", diagnosis->host);
    diagnosis_note_number(diagnosis, "port", 'u', diagnosis->port);
    diagnosis->socket = socket_dial_new(diagnosis->runtime, to, DIAGNOSIS_STEP_LIMIT,
                                        diagnosis_socket_done, diagnosis);
}

static const char *
diagnosis_tls_cause(const TlsPeer *peer, const GError *error)
{
    static const char *const causes[] = {
        [TLS_FAULT_NONE] = NULL,
        [TLS_FAULT_NOT_YET] = "certificate-not-yet-valid",
        [TLS_FAULT_EXPIRED] = "certificate-expired",
        [TLS_FAULT_ISSUER] = "certificate-issuer",
        [TLS_FAULT_NAME] = "certificate-name",
        [TLS_FAULT_OTHER] = "certificate",
    };

    if (error->code == STREAMD_ERROR_UNTRUSTED)
        return causes[peer->fault] ? causes[peer->fault] : "certificate";
    return error->code == STREAMD_ERROR_PROTOCOL ? "no-tls" : "tls-cut";
}

static void
diagnosis_shaken(Connection *connection, const GError *error, void *data)
{
    Diagnosis *diagnosis = data;
    const TlsPeer peer = dial_peer(diagnosis->dial);

    diagnosis->dial = NULL;
    diagnosis->connection = connection;
    if (peer.not_after != 0) {
        diagnosis_note_number(diagnosis, "not-before", 't', peer.not_before * G_USEC_PER_SEC);
        diagnosis_note_number(diagnosis, "not-after", 't', peer.not_after * G_USEC_PER_SEC);
    }
    if (error)
        diagnosis_fail(diagnosis, diagnosis_tls_cause(&peer, error), error);
    else
        diagnosis_ok(diagnosis);
}

/* Uses its own TLS context: with a session ticket the hub would not have to show its certificate,
 * and the CA file may have changed. */
void
diagnose_tls(Diagnosis *diagnosis)
{
    int fd = diagnosis->fd;

    if (!diagnosis->tls) {
        diagnosis_fail_text(diagnosis, "ca-file", STREAMD_ERROR_UNTRUSTED,
                            diagnosis->tls_error->message);
        return;
    }
    diagnosis->fd = -1;
    diagnosis->dial =
        dial_new_on(diagnosis->runtime, diagnosis->reactor, fd, diagnosis->route.name,
                    diagnosis->host, diagnosis->port, diagnosis->tls, diagnosis_shaken, diagnosis);
}

static void
diagnosis_compare_clocks(Diagnosis *diagnosis, const HttpResponse *head)
{
    gint64 now = g_get_real_time(), hub = 0, skew;
    Slice date = {0};

    if (!http_headers_get(&head->headers, "Date", &date) || !http_date_parse(date, &hub)) {
        diagnosis_skip(diagnosis, "no-date");
        return;
    }
    skew = now - hub * G_USEC_PER_SEC;
    if (ABS(skew) < G_USEC_PER_SEC)
        skew = 0; /* the date has only whole seconds */
    diagnosis_note_number(diagnosis, "skew", 'x', skew);
    if (ABS(skew) > DIAGNOSIS_CLOCK_SKEW)
        diagnosis_fail_text(diagnosis, "clock", STREAMD_ERROR_UNAUTHORIZED,
                            skew > 0 ? "our clock is ahead of the hub's"
                                     : "our clock is behind the hub's");
    else
        diagnosis_ok(diagnosis);
}

static void
diagnosis_clock_answered(Connection *connection, const HttpAnswer *answer, const GError *error,
                         void *data)
{
    Diagnosis *diagnosis = data;

    diagnosis->exchange = NULL;
    if (error) {
        diagnosis_fail(diagnosis, "hub-answer", error);
        return;
    }
    if (answer->reusable)
        diagnosis->connection = connection;
    else
        connection_free(connection);
    diagnosis_compare_clocks(diagnosis, &answer->head);
}

/* Sends a request without credentials; its answer does not matter. */
void
diagnose_clock(Diagnosis *diagnosis)
{
    g_autofree char *authority =
        http_authority(diagnosis->identity->host, diagnosis->identity->port);
    GString *request = g_string_new(NULL);

    if (!http_request_line(request, "GET", "/") ||
        !http_header_append(request, "Host", authority) ||
        !http_header_append(request, "User-Agent", "streamd/" STREAMD_VERSION)) {
        g_string_free(request, TRUE);
        diagnosis_skip(diagnosis, "no-date");
        return;
    }
    http_head_end(request);
    diagnosis->exchange = http_exchange_new(
        diagnosis->runtime, diagnosis->reactor, g_steal_pointer(&diagnosis->connection), request,
        DIAGNOSIS_STEP_LIMIT, diagnosis_clock_answered, diagnosis);
}
