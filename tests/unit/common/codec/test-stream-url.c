/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Urls of streaming endpoints: what is read, and what every client can use. */
#include "common/codec/stream-url.h"

static const struct {
    const char *url;
    const char *host; /* NULL: refused */
    guint port;
    const char *target;
    gboolean suits;
} rows[] = {
    {"wss://hub.example:443/bridges/x", "hub.example", 443, "/bridges/x", TRUE},
    {"wss://127.0.0.1:18443/b/1", "127.0.0.1", 18443, "/b/1", TRUE},
    {"wss://h:1/a", "h", 1, "/a", TRUE},
    {"wss://h:65535/a", "h", 65535, "/a", TRUE},
    {"wss://h:443/a%20b", "h", 443, "/a%20b", TRUE},
    {"wss://my-hub_1.azure-devices.net:443/p", "my-hub_1.azure-devices.net", 443, "/p", TRUE},
    /* read, but not for every client (docs/wire-protocol.md, section 1.5 f) */
    {"wss://hub.example/p", "hub.example", 443, "/p", FALSE},
    {"wss://hub.example:443", "hub.example", 443, "/", FALSE},
    {"wss://hub.example:443/", "hub.example", 443, "/", FALSE},
    {"wss://h:443/p?q=1", "h", 443, "/p?q=1", FALSE},
    {"wss://h:443/?q=1", "h", 443, "/?q=1", FALSE},
    {"WSS://h:443/p", "h", 443, "/p", FALSE},
    {"wSs://h:443/p", "h", 443, "/p", FALSE},
    {"wss://[::1]:443/p", "::1", 443, "/p", FALSE},
    {"wss://[2001:db8::1]/p", "2001:db8::1", 443, "/p", FALSE},
    {"wss://[::ffff:1.2.3.4]:1/p", "::ffff:1.2.3.4", 1, "/p", FALSE},
    /* refused */
    {"", NULL, 0, NULL, FALSE},
    {"wss://", NULL, 0, NULL, FALSE},
    {"wss:///p", NULL, 0, NULL, FALSE},
    {"wss://:443/p", NULL, 0, NULL, FALSE},
    {"wss:/h:443/p", NULL, 0, NULL, FALSE},
    {"wss:h:443/p", NULL, 0, NULL, FALSE},
    {"ws://h:443/p", NULL, 0, NULL, FALSE},
    {"https://h:443/p", NULL, 0, NULL, FALSE},
    {" wss://h:443/p", NULL, 0, NULL, FALSE},
    {"wss://h:443/p ", NULL, 0, NULL, FALSE},
    {"wss://h:/p", NULL, 0, NULL, FALSE},
    {"wss://h:0/p", NULL, 0, NULL, FALSE},
    {"wss://h:65536/p", NULL, 0, NULL, FALSE},
    {"wss://h:100000/p", NULL, 0, NULL, FALSE},
    {"wss://h:4294967739/p", NULL, 0, NULL, FALSE},
    {"wss://h:+443/p", NULL, 0, NULL, FALSE},
    {"wss://h:44x/p", NULL, 0, NULL, FALSE},
    {"wss://h:443:443/p", NULL, 0, NULL, FALSE},
    {"wss://user@h:443/p", NULL, 0, NULL, FALSE},
    {"wss://user:pass@h:443/p", NULL, 0, NULL, FALSE},
    {"wss://h:443?q=1", NULL, 0, NULL, FALSE},
    {"wss://h:443/p#f", NULL, 0, NULL, FALSE},
    {"wss://h#f", NULL, 0, NULL, FALSE},
    {"wss://h:443/p\r\nX: y", NULL, 0, NULL, FALSE},
    {"wss://h\n:443/p", NULL, 0, NULL, FALSE},
    {"wss://h:443/p\xc3\xa9", NULL, 0, NULL, FALSE},
    {"wss://h\xc3\xa9:443/p", NULL, 0, NULL, FALSE},
    {"wss://h%41:443/p", NULL, 0, NULL, FALSE},
    {"wss://-h:443/p", NULL, 0, NULL, FALSE},
    {"wss://.h:443/p", NULL, 0, NULL, FALSE},
    {"wss://h\\x:443/p", NULL, 0, NULL, FALSE},
    {"wss://h:443/a\\b", NULL, 0, NULL, FALSE},
    {"wss://h:443/a%2", NULL, 0, NULL, FALSE},
    {"wss://[::1/p", NULL, 0, NULL, FALSE},
    {"wss://[]:443/p", NULL, 0, NULL, FALSE},
    {"wss://[h]:443/p", NULL, 0, NULL, FALSE},
    {"wss://[::1]x:443/p", NULL, 0, NULL, FALSE},
    {"wss://[::1%25eth0]:443/p", NULL, 0, NULL, FALSE},
    {"wss://::1:443/p", NULL, 0, NULL, FALSE},
};

static void
test_table(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gsize len = strlen(rows[i].url);
        g_autofree char *exact = g_memdup2(rows[i].url, len);
        Slice url = {exact, len};
        StreamUrl parsed = {.port = 7};

        if (stream_url_parse(url, &parsed) != (rows[i].host != NULL))
            g_error("'%s' was %s", rows[i].url, rows[i].host ? "refused" : "taken");
        if (stream_url_suits_clients(url) != rows[i].suits)
            g_error("'%s' %s for clients", rows[i].url, rows[i].suits ? "does" : "does not");
        if (!rows[i].host) {
            g_assert_cmpuint(parsed.port, ==, 7);
            continue;
        }
        g_assert_true(slice_equal(parsed.host, rows[i].host));
        g_assert_true(slice_equal(parsed.target, rows[i].target));
        g_assert_cmpuint(parsed.port, ==, rows[i].port);
        g_assert_cmpint(parsed.is_ipv6, ==, strchr(rows[i].host, ':') != NULL);
    }
}

static gboolean
suits(gsize host, gsize path)
{
    g_autofree char *name = g_strnfill(host, 'h');
    g_autofree char *rest = g_strnfill(path - 1, 'p');
    g_autofree char *url = g_strdup_printf("wss://%s:443/%s", name, rest);

    return stream_url_suits_clients(slice_of(url));
}

static void
test_sizes(void)
{
    StreamUrl parsed;
    g_autofree char *longest = g_strnfill(STREAM_URL_MAX + 1, 'p');

    g_assert_true(suits(STREAM_URL_HOST_MAX, STREAM_URL_PATH_MAX));
    g_assert_false(suits(STREAM_URL_HOST_MAX + 1, 10));
    g_assert_false(suits(10, STREAM_URL_PATH_MAX + 1));
    memcpy(longest, "wss://h:1/", 10);
    g_assert_true(stream_url_parse((Slice){longest, STREAM_URL_MAX}, &parsed));
    g_assert_false(stream_url_parse((Slice){longest, STREAM_URL_MAX + 1}, &parsed));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stream-url/table", test_table);
    g_test_add_func("/stream-url/sizes", test_sizes);
    return g_test_run();
}
