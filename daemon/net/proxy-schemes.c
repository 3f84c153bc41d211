/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net/proxy-schemes.h"

#include "daemon/net/http-exchange.h"
#include "daemon/net/socket-dial.h"

#define SCHEME_MAX 16
#define SCHEMES_SHOWN 4

struct ProxySchemes {
    Runtime *runtime;
    char *authority;
    SocketDial *socket;
    HttpExchange *exchange;
    ProxySchemesDone done;
    void *data;
};

/* The next part of a list, of which a quoted text may hold commas. FALSE at the end. */
static gboolean
challenge_next(Slice *list, Slice *ret)
{
    gboolean quoted = FALSE;
    gsize len = 0;

    while (list->len > 0 && (list->ptr[0] == ',' || list->ptr[0] == ' ' || list->ptr[0] == '\t'))
        *list = (Slice){list->ptr + 1, list->len - 1};
    for (; len < list->len && (quoted || list->ptr[len] != ','); len++) {
        if (quoted && list->ptr[len] == '\\' && len + 1 < list->len)
            len++;
        else if (list->ptr[len] == '"')
            quoted = !quoted;
    }
    *ret = (Slice){list->ptr, len};
    *list = (Slice){list->ptr + len, list->len - len};
    return len > 0;
}

/* A part that begins with a word and no "=" behind it begins a challenge. */
static gboolean
challenge_scheme(Slice part, Slice *ret)
{
    gsize len = 0;

    while (len < part.len && (g_ascii_isalnum(part.ptr[len]) || part.ptr[len] == '-'))
        len++;
    *ret = (Slice){part.ptr, len};
    while (len < part.len && part.ptr[len] == ' ')
        len++;
    return ret->len > 0 && ret->len <= SCHEME_MAX &&
           (len == part.len || (len > ret->len && part.ptr[len] != '='));
}

/* FALSE: it offers Basic. */
static gboolean
schemes_add(GPtrArray *schemes, Slice list)
{
    Slice part, scheme;

    while (challenge_next(&list, &part)) {
        g_autofree char *name = NULL;

        if (!challenge_scheme(part, &scheme))
            continue;
        if (slice_equal_nocase(scheme, "Basic"))
            return FALSE;
        name = slice_dup(scheme);
        if (schemes->len < SCHEMES_SHOWN &&
            !g_ptr_array_find_with_equal_func(schemes, name, g_str_equal, NULL))
            g_ptr_array_add(schemes, g_steal_pointer(&name));
    }
    return TRUE;
}

char *
proxy_schemes_foreign(const HttpHeaders *headers)
{
    g_autoptr(GPtrArray) schemes = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < headers->count; i++)
        if (slice_equal_nocase(headers->items[i].name, "Proxy-Authenticate") &&
            !schemes_add(schemes, headers->items[i].value))
            return NULL;
    if (schemes->len == 0)
        return NULL;
    g_ptr_array_add(schemes, NULL);
    return g_strjoinv(" or ", (char **)schemes->pdata);
}

static void
schemes_free(ProxySchemes *schemes)
{
    g_free(schemes->authority);
    g_free(schemes);
}

static void
schemes_finish(ProxySchemes *schemes, const char *foreign)
{
    schemes->done(foreign, schemes->data);
    schemes_free(schemes);
}

static void
schemes_answered(Connection *connection, const HttpAnswer *answer,
                 const GError *error G_GNUC_UNUSED, void *data)
{
    g_autofree char *foreign = NULL;

    if (answer && answer->head.status == 407)
        foreign = proxy_schemes_foreign(&answer->head.headers);
    if (connection)
        connection_free(connection);
    schemes_finish(data, foreign);
}

static void
schemes_connected(int fd, const GError *error G_GNUC_UNUSED, void *data)
{
    ProxySchemes *schemes = data;
    GString *request;

    schemes->socket = NULL;
    if (fd < 0) {
        schemes_finish(schemes, NULL);
        return;
    }
    request = g_string_new(NULL);
    g_string_printf(request, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", schemes->authority,
                    schemes->authority);
    schemes->exchange =
        http_exchange_new(schemes->runtime, runtime_pick(schemes->runtime), connection_new(fd),
                          request, PROXY_SCHEMES_LIMIT, schemes_answered, schemes);
}

ProxySchemes *
proxy_schemes_new(Runtime *runtime, const char *host, guint16 port, const char *authority,
                  ProxySchemesDone done, void *data)
{
    ProxySchemes *schemes = g_new0(ProxySchemes, 1);
    g_autoptr(GSocketConnectable) to = g_network_address_new(host, port);

    schemes->runtime = runtime;
    schemes->authority = g_strdup(authority);
    schemes->done = done;
    schemes->data = data;
    schemes->socket = socket_dial_new(runtime, to, PROXY_SCHEMES_LIMIT, schemes_connected, schemes);
    return schemes;
}

void
proxy_schemes_cancel(ProxySchemes *schemes)
{
    if (!schemes)
        return;
    socket_dial_cancel(schemes->socket);
    http_exchange_cancel(schemes->exchange);
    schemes_free(schemes);
}
