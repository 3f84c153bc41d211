/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/error.h"
#include "daemon/net/proxy.h"

#include <string.h>

typedef struct {
    GMainLoop *loop;
    Proxy *proxy;
    ProxyRoute route;
    GError *error;
} Ask;

static void
answered(GObject *source, GAsyncResult *result, gpointer data)
{
    Ask *ask = data;

    (void)proxy_route_finish(ask->proxy, result, &ask->route, &ask->error);
    g_main_loop_quit(ask->loop);
}

/* The URI for GIO, "direct", or the error's text. Caller frees. */
static char *
route_of(Proxy *proxy, const char *host, guint16 port)
{
    Ask ask = {.loop = g_main_loop_new(NULL, FALSE), .proxy = proxy};
    char *text;

    proxy_route_async(proxy, host, port, NULL, answered, &ask);
    g_main_loop_run(ask.loop);
    text = g_strdup(ask.error ? ask.error->message : ask.route.uri ? ask.route.uri : "direct");
    g_assert_true(!ask.route.uri == !ask.route.name);
    proxy_route_clear(&ask.route);
    g_clear_error(&ask.error);
    g_main_loop_unref(ask.loop);
    return text;
}

static void
assert_route(const ProxySettings *settings, const char *host, const char *wanted)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Proxy) proxy = proxy_new(settings, &error);
    g_autofree char *route = NULL;

    g_assert_no_error(error);
    route = route_of(proxy, host, 443);
    g_assert_cmpstr(route, ==, wanted);
}

static void
test_routes(void)
{
    assert_route(&(ProxySettings){.url = "direct"}, "hub.example", "direct");
    assert_route(&(ProxySettings){.url = "http://proxy.example:3128"}, "hub.example",
                 "http://proxy.example:3128");
    assert_route(&(ProxySettings){.url = "HTTP://[::1]:3128/"}, "::1", "http://[::1]:3128");
    assert_route(&(ProxySettings){.url = "socks5h://127.0.0.1:1080"}, "hub.example",
                 "socks5://127.0.0.1:1080");
    assert_route(&(ProxySettings){.url = "socks5://p:1", .credentials = "me@site:a:b/c %d"}, "h",
                 "socks5://me%40site:a%3Ab%2Fc%20%25d@p:1");
}

static void
test_exceptions(void)
{
    static const struct {
        const char *host;
        gboolean direct;
    } rows[] = {
        {"hub.example", FALSE},
        {"office.example", TRUE},
        {"hub.office.example", TRUE},
        {"otheroffice.example", FALSE},
        {"10.1.2.3", TRUE},
        {"11.1.2.3", FALSE},
        {"fd00::1", TRUE},
        {"fe80::1", FALSE},
        {"127.0.0.1", TRUE},
    };
    const ProxySettings settings = {
        .url = "http://p:1",
        .exceptions = "office.example, 10.0.0.0/8 fd00::/8,,127.0.0.1",
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        assert_route(&settings, rows[i].host, rows[i].direct ? "direct" : "http://p:1");
    assert_route(&(ProxySettings){.url = "http://p:1", .exceptions = "*"}, "hub", "direct");
}

static void
test_refused(void)
{
    static const struct {
        ProxySettings settings;
        const char *word;
    } rows[] = {
        {{.url = "https://p:1"}, "over TLS"},
        {{.url = "HTTPS://p:1"}, "over TLS"},
        {{.url = "http://u:canary@p:1"}, "no place for a password"},
        {{.url = "ftp://p:1"}, "not supported"},
        {{.url = "socks4://p:1"}, "not supported"},
        {{.url = "socks4a://p:1"}, "not supported"},
        {{.url = ""}, "URL of a proxy"},
        {{.url = "p:1"}, "not supported"},
        {{.url = "/etc"}, "URL of a proxy"},
        {{.url = "http://p"}, "host and port"},
        {{.url = "http://:1"}, "host and port"},
        {{.url = "http://p:0"}, "host and port"},
        {{.url = "http://p:65536"}, "proxy"},
        {{.url = "http://p:1/x"}, "host and port"},
        {{.url = "http://p:1?x"}, "host and port"},
        {{.url = "http://p%0d%0ax:1"}, "proxy"},
        {{.url = "http://p%20q:1"}, "host and port"},
        {{.credentials = "u:canary"}, "none is given"},
        {{.exceptions = "a"}, "none is given"},
        {{.url = "direct", .credentials = "u:canary"}, "takes no credentials"},
        {{.url = "http://p:1", .credentials = "canary"}, "USER:PASSWORD"},
        {{.url = "http://p:1", .credentials = ":canary"}, "USER:PASSWORD"},
        {{.url = "http://p:1", .credentials = "u:can\nary"}, "USER:PASSWORD"},
        {{.url = "http://p:1", .credentials = "u:\xff"}, "USER:PASSWORD"},
        {{.url = "http://p:1", .exceptions = "a\nb"}, "in one line"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(proxy_check(&rows[i].settings, &error));
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, rows[i].word));
        g_assert_null(strstr(error->message, "canary"));
    }
}

static void
test_lengths(void)
{
    g_autofree char *part = g_strnfill(PROXY_PART_MAX, 'x');
    g_autofree char *credentials = g_strdup_printf("%s:%s", part, part);
    g_autofree char *more = g_strconcat(credentials, "x", NULL);
    g_autofree char *hosts = g_strnfill(PROXY_EXCEPTIONS_LENGTH + 1, 'x');
    g_autofree char *commas = g_strnfill(4 * PROXY_EXCEPTIONS_MAX + 1, ',');

    g_assert_cmpuint(strlen(credentials), ==, PROXY_CREDENTIALS_MAX);
    g_assert_true(
        proxy_check(&(ProxySettings){.url = "http://p:1", .credentials = credentials}, NULL));
    g_assert_false(proxy_check(&(ProxySettings){.url = "http://p:1", .credentials = more}, NULL));
    g_assert_false(proxy_check(&(ProxySettings){.url = "http://p:1", .exceptions = hosts}, NULL));
    g_assert_false(proxy_check(&(ProxySettings){.url = "http://p:1", .exceptions = commas}, NULL));
}

static void
test_equal(void)
{
    ProxySettings a = {.url = "http://p:1", .credentials = "u:p", .exceptions = "x"};
    ProxySettings b = proxy_settings_copy(&a);

    g_assert_true(proxy_is_set(&a));
    g_assert_true(proxy_settings_equal(&a, &b));
    a.credentials = "u:q";
    g_assert_false(proxy_settings_equal(&a, &b));
    a.credentials = NULL;
    g_assert_false(proxy_settings_equal(&a, &b));
    proxy_settings_clear(&b);
    g_assert_false(proxy_is_set(&b));
}

static void
clear_environment(void)
{
    static const char *const names[] = {"https_proxy",        "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY",          "no_proxy",    "NO_PROXY",
                                        "XDG_CURRENT_DESKTOP"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        g_unsetenv(names[i]);
}

static void
assert_session(const char *name, const char *value, const char *wanted)
{
    g_autoptr(Proxy) proxy = NULL;
    g_autofree char *route = NULL;

    clear_environment();
    if (name)
        g_setenv(name, value, TRUE);
    g_setenv("no_proxy", "localhost,.lan", TRUE);
    proxy = proxy_new_session();
    route = route_of(proxy, "hub.example", 443);
    g_assert_nonnull(strstr(route, wanted));
    g_assert_null(strstr(route, "canary"));
    g_free(route);
    route = route_of(proxy, "hub.lan", 443);
    g_assert_true(strstr(wanted, "://") == NULL || g_str_equal(route, "direct"));
    clear_environment();
}

static void
test_session(void)
{
    assert_session(NULL, NULL, "direct");
    assert_session("http_proxy", "http://p:1", "direct"); /* not for https, as everywhere */
    assert_session("https_proxy", "http://p:1", "http://p:1");
    assert_session("HTTPS_PROXY", "p:1", "http://p:1");
    assert_session("all_proxy", "socks5h://p:1", "socks5://p:1");
    assert_session("https_proxy", "http://me:a%3Ab@p:1", "http://me:a%3Ab@p:1");
    assert_session("https_proxy", "https://me:canary@p:1", "(https_proxy) cannot be used");
    assert_session("https_proxy", "http://canary@p:1", "USER:PASSWORD");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/proxy/routes", test_routes);
    g_test_add_func("/proxy/exceptions", test_exceptions);
    g_test_add_func("/proxy/refused", test_refused);
    g_test_add_func("/proxy/lengths", test_lengths);
    g_test_add_func("/proxy/equal", test_equal);
    g_test_add_func("/proxy/session", test_session);
    return g_test_run();
}
