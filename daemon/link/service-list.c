/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/link/service-list.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "common/codec/http-build.h"
#include "common/codec/percent.h"
#include "daemon/net/dial.h"
#include "daemon/net/http-exchange.h"

#include <string.h>

#define SERVICE_LIST_PAGE 200 /* devices */

struct ServiceList {
    Runtime *runtime;
    Reactor *reactor;
    TlsContext *tls; /* own reference: the hub may be removed meanwhile */
    Proxy *proxy;    /* or NULL */
    char *host;
    guint16 port;
    char *asked;      /* the page that was asked for; NULL: the first */
    GString *request; /* NULL once it is sent */
    GString *older;   /* for a hub that does not know that one; NULL once it is sent */
    Dial *dial;
    HttpExchange *get;
    ServiceListDone done;
    void *data;
};

static void
list_free(ServiceList *list)
{
    dial_cancel(list->dial);
    http_exchange_cancel(list->get);
    http_request_wipe(list->request);
    http_request_wipe(list->older);
    tls_context_unref(list->tls);
    proxy_unref(list->proxy);
    g_free(list->host);
    g_free(list->asked);
    g_free(list);
}

void
service_list_cancel(ServiceList *list)
{
    if (list)
        list_free(list);
}

static void
list_end(ServiceList *list, GPtrArray *devices, const char *after, const GError *error)
{
    list->done(devices, after, error, list->data);
    list_free(list);
}

static gboolean
list_check_status(guint status, GError **error)
{
    const struct {
        guint status;
        StreamdError code;
        const char *text;
    } rows[] = {
        {401, STREAMD_ERROR_UNAUTHORIZED, "the hub refused the identity"},
        {403, STREAMD_ERROR_DENIED, "this user may not list the devices of the hub"},
        {404, STREAMD_ERROR_DENIED, "the hub does not offer a list of its devices"},
        {429, STREAMD_ERROR_BUSY,
         "the hub asks to wait: it is busy, or wrong credentials came from this address recently"},
    };

    if (status == 200)
        return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].status == status) {
            g_set_error_literal(error, STREAMD_ERROR, (int)rows[i].code, rows[i].text);
            return FALSE;
        }
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_FAILED, "the hub answered with status %u",
                status);
    return FALSE;
}

static void list_connected(Connection *connection, const GError *error, void *data);

/* A hub before 0.2 has no POST /devices/query. */
static gboolean
list_is_older(const ServiceList *list, guint status)
{
    return list->older && (status == 404 || status == 405 || status == 501);
}

static void
list_dial(ServiceList *list)
{
    list->dial = dial_new(list->runtime, list->reactor, list->host, list->port, list->tls,
                          list->proxy, list_connected, list);
}

/* Where the next page begins, or NULL. FALSE with ERROR set: the hub's answer is invalid. */
static gboolean
list_after(const ServiceList *list, const HttpAnswer *answer, char **ret_after, GError **error)
{
    const HttpHeaders *headers = &answer->head.headers;
    Slice field;

    if (http_headers_get(headers, "x-ms-continuation", &field) && field.len > 0)
        *ret_after = device_list_next_opaque(field, list->asked, error);
    else if (http_headers_get(headers, "streamd-after", &field))
        *ret_after = device_list_next(field, list->asked, error);
    else
        return TRUE;
    return *ret_after != NULL;
}

static void
list_answered(Connection *connection, const HttpAnswer *answer, const GError *error, void *data)
{
    ServiceList *list = data;
    g_autoptr(GPtrArray) devices = NULL;
    g_autoptr(GError) failure = NULL;
    g_autofree char *after = NULL;

    list->get = NULL;
    connection_free(connection);
    if (error) {
        list_end(list, NULL, NULL, error);
        return;
    }
    if (list_is_older(list, answer->head.status)) {
        list->request = g_steal_pointer(&list->older);
        list_dial(list);
        return;
    }
    if (list_check_status(answer->head.status, &failure))
        devices = device_list_parse(answer->body.ptr, answer->body.len, &failure);
    if (devices)
        (void)list_after(list, answer, &after, &failure);
    list_end(list, failure ? NULL : devices, after, failure);
}

static void
list_connected(Connection *connection, const GError *error, void *data)
{
    ServiceList *list = data;

    list->dial = NULL;
    if (error) {
        list_end(list, NULL, NULL, error);
        return;
    }
    list->get =
        http_exchange_new(list->runtime, list->reactor, connection, g_steal_pointer(&list->request),
                          SERVICE_LIST_TIME, list_answered, list);
}

static gboolean
list_head(GString *out, const ConnectionString *identity, const char *method, const char *target)
{
    g_auto(SecretText) token = service_token(identity);
    g_autofree char *authority = http_authority(identity->host, identity->port);

    return token && http_request_line(out, method, target) &&
           http_header_append(out, "Host", authority) &&
           http_header_append(out, "Authorization", token) &&
           http_header_append(out, "User-Agent", "streamd/" STREAMD_VERSION);
}

/* What a device can be called has nothing that would have to be quoted. */
static char *
list_question(const char *device)
{
    if (!device)
        return g_strdup("{\"query\":\"SELECT * FROM devices\"}");
    return g_strdup_printf("{\"query\":\"SELECT * FROM devices WHERE deviceId = '%s'\"}", device);
}

/* The devices that this user reaches; docs/wire-protocol.md, section 6. */
static GString *
list_request(const ConnectionString *identity, const char *device, const char *after)
{
    g_autofree char *question = list_question(device);
    GString *out = g_string_new(NULL);

    if (!list_head(out, identity, "POST", "/devices/query?api-version=" SERVICE_API_VERSION) ||
        (after && !http_header_append(out, "x-ms-continuation", after))) {
        http_request_wipe(out);
        return NULL;
    }
    http_header_append_number(out, "x-ms-max-item-count", SERVICE_LIST_PAGE);
    (void)!http_header_append(out, "Content-Type", "application/json");
    http_header_append_number(out, "Content-Length", strlen(question));
    http_head_end(out);
    g_string_append(out, question);
    return out;
}

static GString *
list_older_request(const ConnectionString *identity, const char *after)
{
    g_autofree char *from = after ? percent_encode(PERCENT_SEGMENT, after, -1) : NULL;
    g_autofree char *target =
        g_strconcat("/devices?api-version=" SERVICE_API_VERSION, from ? "&after=" : "", from, NULL);
    GString *out = g_string_new(NULL);

    if (list_head(out, identity, "GET", target)) {
        http_head_end(out);
        return out;
    }
    http_request_wipe(out);
    return NULL;
}

ServiceList *
service_list_new(const ServiceOpenOptions *options, const char *after, ServiceListDone done,
                 void *data, GError **error)
{
    GString *request = list_request(options->identity, options->device, after);
    ServiceList *list;

    if (!request) {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                            "cannot make a request from this identity");
        return NULL;
    }
    list = g_new0(ServiceList, 1);
    list->runtime = options->runtime;
    list->reactor = runtime_pick(options->runtime);
    list->tls = tls_context_ref(options->tls);
    list->proxy = options->proxy ? proxy_ref(options->proxy) : NULL;
    list->host = g_strdup(options->host);
    list->asked = g_strdup(after);
    list->port = options->port;
    list->request = request;
    list->older = list_older_request(options->identity, after);
    list->done = done;
    list->data = data;
    list_dial(list);
    return list;
}
