/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net/proxy.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "common/codec/percent.h"
#include "daemon/net/http-exchange.h"

#include <string.h>

#define DIRECT "direct"
#define FORM "it is http://HOST:PORT, socks5://HOST:PORT or direct"

/* The parts of a proxy's URL. */
typedef struct {
    const char *scheme; /* GIO's name; NULL: no proxy */
    char *host;         /* without brackets */
    guint16 port;
    char *user, *password; /* NULL: none */
} ProxyAddress;

struct Proxy {
    guint references;
    char *url;
    ProxyAddress address;     /* not used for a desktop's proxy */
    GProxyResolver *resolver; /* NULL: no proxy for any host */
    gboolean desktop;         /* RESOLVER also chooses the proxy */
    char *broken;             /* why the proxy of the environment cannot be used */
};

static void
proxy_address_clear(ProxyAddress *address)
{
    g_clear_pointer(&address->host, g_free);
    g_clear_pointer(&address->user, secret_free);
    g_clear_pointer(&address->password, secret_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProxyAddress, proxy_address_clear)

gboolean
proxy_is_set(const ProxySettings *settings)
{
    return settings->url || settings->credentials || settings->exceptions;
}

ProxySettings
proxy_settings_copy(const ProxySettings *settings)
{
    return (ProxySettings){
        .url = g_strdup(settings->url),
        .credentials = g_strdup(settings->credentials),
        .exceptions = g_strdup(settings->exceptions),
    };
}

void
proxy_settings_clear(ProxySettings *settings)
{
    g_free((char *)settings->url);
    secret_free((char *)settings->credentials);
    g_free((char *)settings->exceptions);
    *settings = (ProxySettings){0};
}

gboolean
proxy_settings_equal(const ProxySettings *a, const ProxySettings *b)
{
    return g_strcmp0(a->url, b->url) == 0 && g_strcmp0(a->exceptions, b->exceptions) == 0 &&
           !a->credentials == !b->credentials &&
           (!a->credentials || secret_equals(a->credentials, b->credentials));
}

static gboolean
proxy_fail(GError **error, const char *text)
{
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, text);
    return FALSE;
}

/* GIO's name for a scheme. GIO always lets the proxy resolve names, as socks5h asks for. */
static gboolean
proxy_scheme(const char *scheme, const char **ret, GError **error)
{
    if (g_ascii_strcasecmp(scheme, "http") == 0)
        *ret = "http";
    else if (g_ascii_strcasecmp(scheme, "socks5") == 0 ||
             g_ascii_strcasecmp(scheme, "socks5h") == 0 || g_ascii_strcasecmp(scheme, "socks") == 0)
        *ret = "socks5";
    else if (g_ascii_strcasecmp(scheme, "https") == 0)
        return proxy_fail(error, "a proxy that is itself spoken to over TLS (https://) is not "
                                 "supported; the way to the hub is protected by TLS all the same: "
                                 "use its http:// port");
    else
        return proxy_fail(error, "this kind of proxy is not supported: " FORM);
    return TRUE;
}

static gboolean
text_is_clean(const char *text)
{
    for (const char *c = text; *c; c++)
        if ((guchar)*c < 0x20 || *c == 0x7f)
            return FALSE;
    return g_utf8_validate(text, -1, NULL);
}

static gboolean
proxy_take_credentials(ProxyAddress *address, const char *credentials, GError **error)
{
    const char *colon = strchr(credentials, ':');
    gsize user = colon ? (gsize)(colon - credentials) : 0;

    if (!colon || user == 0 || user > PROXY_PART_MAX || strlen(colon + 1) > PROXY_PART_MAX ||
        !text_is_clean(credentials))
        return proxy_fail(error, "the proxy's credentials are USER:PASSWORD in one line, each part "
                                 "at most 255 bytes");
    address->user = g_strndup(credentials, user);
    address->password = g_strdup(colon + 1);
    return TRUE;
}

/* A host that can be connected to and shown: nothing in it can break a line. */
static gboolean
proxy_host_is_good(const char *host)
{
    return host && *host && strlen(host) <= PROXY_PART_MAX && text_is_clean(host) &&
           !strpbrk(host, " /@\"%");
}

static gboolean
proxy_split(const char *url, ProxyAddress *address, char **ret_userinfo, GError **error)
{
    g_autofree char *scheme = NULL, *path = NULL, *query = NULL, *fragment = NULL;
    int port = -1;

    if (strlen(url) > PROXY_URL_MAX ||
        !g_uri_split(url, G_URI_FLAGS_NONE, &scheme, ret_userinfo, &address->host, &port, &path,
                     &query, &fragment, NULL) ||
        !scheme)
        return proxy_fail(error, "this is not the URL of a proxy: " FORM);
    if (!proxy_scheme(scheme, &address->scheme, error))
        return FALSE;
    if (!proxy_host_is_good(address->host) || port < 1 || port > G_MAXUINT16 || query || fragment ||
        (*path && strcmp(path, "/") != 0))
        return proxy_fail(error, "the proxy's host and port are not in its URL: " FORM);
    address->port = (guint16)port;
    return TRUE;
}

/* The URL of a setting has no credentials: there is another setting for them. */
static gboolean
proxy_address_parse(const char *url, ProxyAddress *address, GError **error)
{
    g_auto(SecretText) userinfo = NULL;

    if (!proxy_split(url, address, &userinfo, error))
        return FALSE;
    if (userinfo)
        return proxy_fail(error, "a URL is no place for a password: the proxy's credentials are "
                                 "given apart from it");
    return TRUE;
}

static gboolean
proxy_exceptions_check(const char *text, GError **error)
{
    g_auto(GStrv) words = NULL;

    if (strlen(text) > PROXY_EXCEPTIONS_LENGTH || !text_is_clean(text))
        return proxy_fail(error, "the hosts without a proxy are at most 4096 bytes of names, "
                                 "addresses and networks in one line");
    words = g_strsplit_set(text, " ,", -1);
    if (g_strv_length(words) > 4 * PROXY_EXCEPTIONS_MAX)
        return proxy_fail(error, "there are too many hosts without a proxy");
    return TRUE;
}

static gboolean
proxy_parse(const ProxySettings *settings, ProxyAddress *address, GError **error)
{
    gboolean direct = g_strcmp0(settings->url, DIRECT) == 0;

    if (!settings->url && (settings->credentials || settings->exceptions))
        return proxy_fail(error, "credentials and exceptions need a proxy, and none is given");
    if (direct && settings->credentials)
        return proxy_fail(error, "\"direct\" takes no credentials");
    if (settings->url && !direct && !proxy_address_parse(settings->url, address, error))
        return FALSE;
    if (settings->credentials && !proxy_take_credentials(address, settings->credentials, error))
        return FALSE;
    return !settings->exceptions || proxy_exceptions_check(settings->exceptions, error);
}

gboolean
proxy_check(const ProxySettings *settings, GError **error)
{
    g_auto(ProxyAddress) address = {0};

    return proxy_parse(settings, &address, error);
}

/* GIO takes a list of hosts, but not "*". NULL: no host uses the proxy. */
static GProxyResolver *
proxy_simple_resolver(const ProxyAddress *address, const char *exceptions)
{
    g_autofree char *authority = http_authority_with_port(address->host, address->port);
    g_autofree char *uri = g_strdup_printf("%s://%s", address->scheme, authority);
    g_auto(GStrv) words = g_strsplit_set(exceptions ? exceptions : "", " ,", -1);
    g_autoptr(GStrvBuilder) hosts = g_strv_builder_new();
    g_auto(GStrv) list = NULL;

    for (guint i = 0; words[i]; i++) {
        if (strcmp(words[i], "*") == 0)
            return NULL;
        if (*words[i])
            g_strv_builder_add(hosts, words[i]);
    }
    list = g_strv_builder_end(hosts);
    return g_simple_proxy_resolver_new(uri, list);
}

static Proxy *
proxy_alloc(void)
{
    Proxy *proxy = g_new0(Proxy, 1);

    proxy->references = 1;
    return proxy;
}

Proxy *
proxy_new(const ProxySettings *settings, GError **error)
{
    g_autoptr(Proxy) proxy = proxy_alloc();

    if (!proxy_parse(settings, &proxy->address, error))
        return NULL;
    proxy->url = g_strdup(settings->url);
    if (proxy->address.scheme)
        proxy->resolver = proxy_simple_resolver(&proxy->address, settings->exceptions);
    return g_steal_pointer(&proxy);
}

static const char *
environment(const char *name)
{
    g_autofree char *upper = g_ascii_strup(name, -1);
    const char *value = g_getenv(name);

    if (!value)
        value = g_getenv(upper);
    return value && *value ? value : NULL;
}

/* In the environment, the URL usually has the credentials, and its scheme may be missing. */
static gboolean
proxy_take_environment(Proxy *proxy, const char *value, const char *exceptions, GError **error)
{
    g_autofree char *url =
        strstr(value, "://") ? g_strdup(value) : g_strconcat("http://", value, NULL);
    g_auto(SecretText) userinfo = NULL;
    gboolean ok = proxy_split(url, &proxy->address, &userinfo, error);

    explicit_bzero(url, strlen(url));
    if (!ok)
        return FALSE;
    if (userinfo && !proxy_take_credentials(&proxy->address, userinfo, error))
        return FALSE;
    if (exceptions && !proxy_exceptions_check(exceptions, error))
        return FALSE;
    proxy->resolver = proxy_simple_resolver(&proxy->address, exceptions);
    return TRUE;
}

Proxy *
proxy_new_session(void)
{
    static const char *const names[] = {"https_proxy", "all_proxy"};
    Proxy *proxy = proxy_alloc();
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *value = environment(names[i]);

        if (!value)
            continue;
        if (!proxy_take_environment(proxy, value, environment("no_proxy"), &error))
            proxy->broken = g_strdup_printf("the proxy of the environment (%s) cannot be used: %s",
                                            names[i], error->message);
        return proxy;
    }
    /* Without a desktop session, GIO's modules would search the network for a proxy (WPAD). */
    if (environment("xdg_current_desktop")) {
        proxy->resolver = g_object_ref(g_proxy_resolver_get_default());
        proxy->desktop = TRUE;
    }
    return proxy;
}

const char *
proxy_url(const Proxy *proxy)
{
    return proxy->url ? proxy->url : "";
}

Proxy *
proxy_ref(Proxy *proxy)
{
    proxy->references++;
    return proxy;
}

void
proxy_unref(Proxy *proxy)
{
    if (!proxy || --proxy->references > 0)
        return;
    proxy_address_clear(&proxy->address);
    g_free(proxy->url);
    g_clear_object(&proxy->resolver);
    g_free(proxy->broken);
    g_free(proxy);
}

void
proxy_route_clear(ProxyRoute *route)
{
    g_clear_pointer(&route->uri, secret_free);
    g_clear_pointer(&route->name, g_free);
    g_clear_pointer(&route->host, g_free);
}

static void
proxy_route_set(ProxyRoute *route, const ProxyAddress *address)
{
    GString *uri = g_string_new(address->scheme);

    route->name = http_authority_with_port(address->host, address->port);
    route->host = g_strdup(address->host);
    route->port = address->port;
    g_string_append(uri, "://");
    if (address->user) {
        percent_append(uri, PERCENT_SEGMENT, address->user, -1);
        g_string_append_c(uri, ':');
        percent_append(uri, PERCENT_SEGMENT, address->password, -1);
        g_string_append_c(uri, '@');
    }
    g_string_append(uri, route->name);
    route->uri = g_string_free(uri, FALSE);
}

void
proxy_route_async(Proxy *proxy, const char *host, guint16 port, GCancellable *cancellable,
                  GAsyncReadyCallback done, gpointer data)
{
    g_autofree char *authority = http_authority_with_port(host, port);
    g_autofree char *uri = g_strconcat("https://", authority, NULL);
    GTask *task;

    if (proxy->resolver) {
        g_proxy_resolver_lookup_async(proxy->resolver, uri, cancellable, done, data);
        return;
    }
    task = g_task_new(NULL, cancellable, done, data);
    if (proxy->broken)
        g_task_return_new_error(task, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s", proxy->broken);
    else
        g_task_return_pointer(task, NULL, NULL);
    g_object_unref(task);
}

/* Takes the first answer of the resolver; a desktop's URLs have their credentials in them. */
static gboolean
proxy_route_take(const Proxy *proxy, const char *first, ProxyRoute *ret, GError **error)
{
    g_auto(ProxyAddress) address = {0};
    g_auto(SecretText) userinfo = NULL;

    if (!first || g_str_has_prefix(first, "direct:"))
        return TRUE;
    if (!proxy->desktop) {
        proxy_route_set(ret, &proxy->address);
        return TRUE;
    }
    if (!proxy_split(first, &address, &userinfo, error)) {
        g_prefix_error(error, "the proxy of the desktop cannot be used: ");
        return FALSE;
    }
    if (userinfo && !proxy_take_credentials(&address, userinfo, error))
        return FALSE;
    proxy_route_set(ret, &address);
    return TRUE;
}

gboolean
proxy_route_finish(Proxy *proxy, GAsyncResult *result, ProxyRoute *ret, GError **error)
{
    g_auto(GStrv) list = NULL;

    if (!proxy->resolver) {
        g_autoptr(GError) broken = NULL;

        (void)g_task_propagate_pointer(G_TASK(result), &broken);
        if (!broken)
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&broken));
        return FALSE;
    }
    list = g_proxy_resolver_lookup_finish(proxy->resolver, result, error);
    return list && proxy_route_take(proxy, list[0], ret, error);
}
