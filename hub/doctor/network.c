/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way of a client: the name, and TLS with what listens. */
#include "common/base/error.h"
#include "common/net/connection.h"
#include "hub/certificate/certificate.h"
#include "hub/base/state.h"
#include "hub/base/networks.h"
#include "hub/doctor/steps.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <poll.h>
#include <string.h>

#define STEP_LIMIT (5 * G_TIME_SPAN_SECOND)
#define ANSWER_MAX 4096

static const char earlier[] = N_("an earlier step failed");

static gboolean
on_limit(gpointer cancellable)
{
    g_cancellable_cancel(cancellable);
    return G_SOURCE_REMOVE;
}

typedef struct {
    GMainLoop *loop;
    GList *addresses;
    GError *error;
} Resolution;

static void
on_resolved(GObject *resolver, GAsyncResult *result, gpointer data)
{
    Resolution *resolution = data;

    resolution->addresses =
        g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, &resolution->error);
    g_main_loop_quit(resolution->loop);
}

/* Within STEP_LIMIT. */
static Resolution
resolve(const char *name)
{
    g_autoptr(GResolver) resolver = g_resolver_get_default();
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    Resolution resolution = {.loop = loop};
    guint limit = g_timeout_add((guint)(STEP_LIMIT / 1000), on_limit, cancellable);

    g_resolver_lookup_by_name_async(resolver, name, cancellable, on_resolved, &resolution);
    g_main_loop_run(loop);
    if (!g_cancellable_is_cancelled(cancellable))
        g_source_remove(limit);
    return resolution;
}

void
doctor_name(Doctor *doctor, DoctorCheck *check)
{
    g_autoptr(GString) text = g_string_new(doctor->name);
    Resolution resolution = {0};
    const char *before = ": ";

    if (!doctor->name) {
        doctor_skip(check, _(earlier));
        return;
    }
    resolution = resolve(doctor->name);
    for (GList *item = resolution.addresses; item; item = item->next) {
        g_autofree char *address = g_inet_address_to_string(item->data);

        g_string_append_printf(text, "%s%s", before, address);
        before = ", ";
    }
    if (resolution.addresses)
        doctor_good(check, g_string_free(g_steal_pointer(&text), FALSE));
    else if (g_error_matches(resolution.error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        doctor_fail(check, "name-timeout", g_strdup_printf(_("%s: no answer"), doctor->name));
    else
        doctor_fail(check, "name-unknown", g_strdup(resolution.error->message));
    g_resolver_free_addresses(resolution.addresses);
    g_clear_error(&resolution.error);
}

/* As a client that knows the hub by an invitation: its authority where that made the certificate,
 * otherwise those of the system. */
static TlsContext *
client_context(const Doctor *doctor, const char *alpn, GError **error)
{
    g_autofree char *ca = NULL, *server = NULL;

    if (!doctor->state_dir)
        return tls_context_new_client(NULL, alpn, error);
    ca = g_build_filename(doctor->state_dir, STATE_CA_CERT, NULL);
    server = g_build_filename(doctor->state_dir, STATE_SERVER_CERT, NULL);
    return tls_context_new_client(certificate_is_signed_by(server, ca, NULL) ? ca : NULL, alpn,
                                  error);
}

/* FALSE: the time is over. */
static gboolean
wait_for(int fd, short events, gint64 until)
{
    struct pollfd wait = {.fd = fd, .events = events};
    gint64 left = until - g_get_monotonic_time();

    return left > 0 && poll(&wait, 1, (int)(left / 1000) + 1) > 0;
}

/* If our own address is a balancer's: a header that says that it is its own connection. */
static int
say_header(const Doctor *doctor, GSocket *sock)
{
    static const char own[] = "PROXY UNKNOWN\r\n";
    g_autoptr(GSocketAddress) local = g_socket_get_local_address(sock, NULL);
    g_autoptr(Networks) balancers =
        networks_new(doctor->settings ? doctor->settings->proxy_protocol_from : NULL);
    g_autofree char *text =
        local ? g_socket_connectable_to_string(G_SOCKET_CONNECTABLE(local)) : NULL;

    if (!text || !networks_have(balancers, text))
        return 0;
    return g_socket_send(sock, own, strlen(own), NULL, NULL) > 0 ? 0 : -EPIPE;
}

static int
shake_hands(TlsSession *tls, int fd, gint64 until)
{
    int r;

    while ((r = tls_session_handshake(tls)) == -EAGAIN)
        if (!wait_for(fd, POLLIN, until))
            return -ETIMEDOUT;
    return r;
}

/* Whether a request is answered as a web server does, whatever the status. */
static gboolean
answers(TlsSession *tls, int fd, const char *name, gint64 until)
{
    g_autofree char *request = g_strdup_printf("GET / HTTP/1.1\r\nHost: %s\r\n"
                                               "Connection: close\r\n\r\n",
                                               name);
    char answer[ANSWER_MAX] = "";
    gsize len = 0;
    ssize_t n = tls_session_write(tls, request, strlen(request));

    if (n != (ssize_t)strlen(request))
        return FALSE;
    (void)tls_session_flush(tls);
    while (len < strlen("HTTP/1.1 ")) {
        n = tls_session_read(tls, answer + len, sizeof answer - 1 - len);
        if (n == -EAGAIN && wait_for(fd, POLLIN, until))
            continue;
        if (n <= 0)
            return FALSE;
        len += (gsize)n;
    }
    return g_str_has_prefix(answer, "HTTP/1.1 ");
}

/* TLS and, without MQTT, a request over SOCK. */
static void
look_behind(const Doctor *doctor, DoctorCheck *check, GSocket *sock, gboolean mqtt, char *where)
{
    gint64 until = g_get_monotonic_time() + STEP_LIMIT;
    int fd = g_socket_get_fd(sock), r = say_header(doctor, sock);
    g_autofree char *place = where;
    g_autoptr(GError) error = NULL;
    g_autoptr(TlsContext) context = client_context(doctor, mqtt ? "mqtt" : "http/1.1", &error);
    TlsSession *tls;

    if (!context) {
        doctor_fail(check, "certificate", g_strdup(error->message));
        return;
    }
    g_socket_set_blocking(sock, FALSE);
    tls = tls_session_new(context, fd, doctor->name);
    r = r < 0 ? r : shake_hands(tls, fd, until);
    if (r == -ETIMEDOUT)
        doctor_fail(check, "timeout", g_strdup_printf(_("%s: no TLS within 5 s"), place));
    else if (r < 0)
        doctor_fail(check, "tls", g_strdup_printf("%s: %s", place, tls_session_error(tls)));
    else if (!mqtt && !answers(tls, fd, doctor->name, until))
        doctor_fail(check, "answer", g_strdup_printf(_("%s: no answer to a request"), place));
    else
        doctor_good(check, g_steal_pointer(&place));
    tls_session_free(tls);
}

static void
connect_fail(DoctorCheck *check, const char *place, const GError *error)
{
    const char *cause = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED)
                            ? "refused"
                        : g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ? "timeout"
                                                                                   : "unreachable";

    doctor_fail(check, cause, g_strdup_printf("%s: %s", place, error->message));
}

static void
look_at(const Doctor *doctor, DoctorCheck *check, const char *host, guint16 port, gboolean mqtt)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocketConnection) connection = NULL;
    g_autofree char *place = g_strdup_printf(_("%s port %u"), host, port);

    g_socket_client_set_timeout(client, (guint)(STEP_LIMIT / G_TIME_SPAN_SECOND));
    g_socket_client_set_enable_proxy(client, FALSE);
    connection = g_socket_client_connect_to_host(client, host, port, NULL, &error);
    if (connection)
        look_behind(doctor, check, g_socket_connection_get_socket(connection), mqtt,
                    g_steal_pointer(&place));
    else
        connect_fail(check, place, error);
}

/* "[::]:443" of "https [::]:443": where a client of this machine connects; NULL: no such one. */
static char *
listener_of(const Doctor *doctor, const char *kind, guint16 *ret_port)
{
    JsonObject *status = json_node_get_object(doctor->status);
    JsonArray *listeners = json_object_has_member(status, "listeners")
                               ? json_object_get_array_member(status, "listeners")
                               : NULL;

    for (guint i = 0; listeners && i < json_array_get_length(listeners); i++) {
        const char *text = json_array_get_string_element(listeners, i);
        const char *colon = text ? strrchr(text, ':') : NULL;
        g_autofree char *host = NULL;

        if (!colon || !g_str_has_prefix(text, kind) || text[strlen(kind)] != ' ')
            continue;
        *ret_port = (guint16)g_ascii_strtoull(colon + 1, NULL, 10);
        text += strlen(kind) + 1;
        host = text[0] == '[' ? g_strndup(text + 1, (gsize)(colon - text) - 2)
                              : g_strndup(text, (gsize)(colon - text));
        if (strcmp(host, "::") == 0)
            return g_strdup("::1");
        return strcmp(host, "0.0.0.0") == 0 ? g_strdup("127.0.0.1") : g_steal_pointer(&host);
    }
    return NULL;
}

static void
look_at_listener(const Doctor *doctor, DoctorCheck *check, const char *kind, gboolean needed)
{
    guint16 port = 0;
    g_autofree char *host = doctor->status ? listener_of(doctor, kind, &port) : NULL;

    if (!doctor->status)
        doctor_skip(check, _(earlier));
    else if (host)
        look_at(doctor, check, host, port, !needed);
    else if (needed)
        doctor_fail(check, "no-listener", g_strdup(_("the hub listens nowhere")));
    else
        doctor_skip(check, _("there is none"));
}

void
doctor_https(Doctor *doctor, DoctorCheck *check)
{
    look_at_listener(doctor, check, "https", TRUE);
}

void
doctor_mqtts(Doctor *doctor, DoctorCheck *check)
{
    look_at_listener(doctor, check, "mqtts", FALSE);
}

void
doctor_outside(Doctor *doctor, DoctorCheck *check)
{
    if (doctor->status && doctor->name)
        look_at(doctor, check, doctor->name, doctor->port, FALSE);
    else
        doctor_skip(check, _(earlier));
}
