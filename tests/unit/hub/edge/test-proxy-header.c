/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/proxy-header.h"

#include <string.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

typedef struct {
    const char *what, *peer; /* peer NULL: BAD */
    const char *bytes;
    gsize len;
} Row;

#define ROW(what, peer, bytes)                                                                     \
    {                                                                                              \
        what, peer, bytes, sizeof(bytes) - 1                                                       \
    }
#define FOUR "\xc0\x00\x02\x07\xc6\x33\x64\x01\x14\x03\x01\xbb"
#define SIX                                                                                        \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"                                                   \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"                                                   \
    "\x14\x03\x01\xbb"
#define MAPPED                                                                                     \
    "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x07"                                                 \
    "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc6\x33\x64\x01"                                                 \
    "\x14\x03\x01\xbb"

static const Row rows[] = {
    ROW("TCP4", "192.0.2.7:5123", "PROXY TCP4 192.0.2.7 198.51.100.1 5123 443\r\n"),
    ROW("TCP6", "[2001:db8::1]:5123", "PROXY TCP6 2001:db8::1 2001:db8::2 5123 443\r\n"),
    ROW("mapped", "192.0.2.7:5123", "PROXY TCP6 ::ffff:192.0.2.7 ::ffff:1.2.3.4 5123 443\r\n"),
    ROW("the longest TCP6", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
        "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
        "65535 65535\r\n"),
    ROW("UNKNOWN", "", "PROXY UNKNOWN\r\n"),
    ROW("UNKNOWN with more", "", "PROXY UNKNOWN ffff::1 whatever 1 2\r\n"),
    ROW("port 0", "192.0.2.7:0", "PROXY TCP4 192.0.2.7 198.51.100.1 0 0\r\n"),
    ROW("v2 TCP4", "192.0.2.7:5123", SIGNATURE "\x21\x11\0\x0c" FOUR),
    ROW("v2 TCP6", "[2001:db8::1]:5123", SIGNATURE "\x21\x21\0\x24" SIX),
    ROW("v2 mapped", "192.0.2.7:5123", SIGNATURE "\x21\x21\0\x24" MAPPED),
    ROW("v2 TLVs", "192.0.2.7:5123", SIGNATURE "\x21\x11\0\x13" FOUR "\x04\0\x04zzzz"),
    ROW("v2 TLVs that lie", "192.0.2.7:5123", SIGNATURE "\x21\x11\0\x10" FOUR "\x04\xff\xffz"),
    ROW("v2 LOCAL", "", SIGNATURE "\x20\0\0\0"),
    ROW("v2 LOCAL with addresses", "", SIGNATURE "\x20\x11\0\x0c" FOUR),
    ROW("v2 unspecified", "", SIGNATURE "\x21\0\0\x03zzz"),

    ROW("TLS", NULL, "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"),
    ROW("HTTP", NULL, "GET / HTTP/1.1\r\n"),
    ROW("PUT, which begins as PROXY", NULL, "PUT / HTTP/1.1\r\n"),
    ROW("small letters", NULL, "proxy TCP4 192.0.2.7 198.51.100.1 5123 443\r\n"),
    ROW("no protocol", NULL, "PROXY \r\n"),
    ROW("UDP4", NULL, "PROXY UDP4 192.0.2.7 198.51.100.1 5123 443\r\n"),
    ROW("UNKNOWNS", NULL, "PROXY UNKNOWNS\r\n"),
    ROW("LF alone", NULL, "PROXY TCP4 192.0.2.7 198.51.100.1 5123 443\n"),
    ROW("a NUL", NULL, "PROXY TCP4 192.0.2.7\0 198.51.100.1 5123 443\r\n"),
    ROW("two spaces", NULL, "PROXY TCP4  192.0.2.7 198.51.100.1 5123 443\r\n"),
    ROW("a space behind", NULL, "PROXY TCP4 192.0.2.7 198.51.100.1 5123 443 \r\n"),
    ROW("three words", NULL, "PROXY TCP4 192.0.2.7 198.51.100.1 5123\r\n"),
    ROW("five words", NULL, "PROXY TCP4 192.0.2.7 198.51.100.1 5123 443 1\r\n"),
    ROW("wrong family", NULL, "PROXY TCP4 2001:db8::1 2001:db8::2 5123 443\r\n"),
    ROW("the other wrong", NULL, "PROXY TCP4 192.0.2.7 198.51.100 5123 443\r\n"),
    ROW("a port too high", NULL, "PROXY TCP4 192.0.2.7 198.51.100.1 65536 443\r\n"),
    ROW("a port with a sign", NULL, "PROXY TCP4 192.0.2.7 198.51.100.1 +5123 443\r\n"),
    ROW("a port with a zero", NULL, "PROXY TCP4 192.0.2.7 198.51.100.1 05123 443\r\n"),
    ROW("no port", NULL, "PROXY TCP4 192.0.2.7 198.51.100.1  443\r\n"),
    ROW("v2 version 1", NULL, SIGNATURE "\x11\x11\0\x0c" FOUR),
    ROW("v2 another command", NULL, SIGNATURE "\x22\x11\0\x0c" FOUR),
    ROW("v2 UDP", NULL, SIGNATURE "\x21\x12\0\x0c" FOUR),
    ROW("v2 another family", NULL, SIGNATURE "\x21\x41\0\x0c" FOUR),
    ROW("v2 too short for TCP4", NULL, SIGNATURE "\x21\x11\0\x0b" FOUR),
    ROW("v2 too short for TCP6", NULL, SIGNATURE "\x21\x21\0\x23" SIX),
    ROW("v2 too short for Unix", NULL, SIGNATURE "\x21\x31\0\x0c" FOUR),
    ROW("v2 longer than may be", NULL, SIGNATURE "\x21\x11\x02\x09" FOUR),
    ROW("v2 as long as can be said", NULL, SIGNATURE "\x20\0\xff\xff"),
};

/* Whole, with the client's bytes behind it, and at each place where a packet may end. */
static void
test_rows(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Row *row = &rows[i];
        g_autofree guint8 *more = g_malloc(row->len + 600);
        ProxyHeaderResult wanted = row->peer ? PROXY_HEADER_OK : PROXY_HEADER_BAD;
        const char *fault = NULL;
        ProxyHeader header = {0};

        g_test_message("%s", row->what);
        memcpy(more, row->bytes, row->len);
        memset(more + row->len, 0x16, 600);
        g_assert_cmpint(proxy_header_parse(more, row->len + 600, &header, &fault), ==, wanted);
        g_assert_true((fault != NULL) == (row->peer == NULL));
        if (row->peer) {
            g_assert_cmpstr(header.peer, ==, row->peer);
            g_assert_cmpuint(header.len, ==, row->len);
        }
        for (gsize cut = 0; cut < row->len; cut++) {
            /* In memory of its own size, so that a byte too many is seen by the sanitizer. */
            g_autofree guint8 *part = g_memdup2(row->bytes, cut);
            ProxyHeaderResult result = proxy_header_parse(part, cut, &header, &fault);

            g_assert_cmpint(result, !=, PROXY_HEADER_OK);
            if (row->peer)
                g_assert_cmpint(result, ==, PROXY_HEADER_MORE);
        }
    }
}

/* 107 bytes of version 1 and 536 of version 2 are taken, and one more is not waited for. */
static void
test_longest(void)
{
    guint8 bytes[PROXY_HEADER_MAX + 1];
    const char *fault = NULL;
    ProxyHeader header;

    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, "PROXY UNKNOWN ", 14);
    memcpy(bytes + 105, "\r\n", 2);
    g_assert_cmpint(proxy_header_parse(bytes, 106, &header, &fault), ==, PROXY_HEADER_MORE);
    g_assert_cmpint(proxy_header_parse(bytes, 107, &header, &fault), ==, PROXY_HEADER_OK);
    memcpy(bytes + 105, "x\r\n", 3);
    g_assert_cmpint(proxy_header_parse(bytes, 107, &header, &fault), ==, PROXY_HEADER_BAD);
    g_assert_cmpint(proxy_header_parse(bytes, 108, &header, &fault), ==, PROXY_HEADER_BAD);

    memcpy(bytes, SIGNATURE "\x20\0\x02\x08", 16);
    g_assert_cmpint(proxy_header_parse(bytes, PROXY_HEADER_MAX - 1, &header, &fault), ==,
                    PROXY_HEADER_MORE);
    g_assert_cmpint(proxy_header_parse(bytes, PROXY_HEADER_MAX, &header, &fault), ==,
                    PROXY_HEADER_OK);
    g_assert_cmpuint(header.len, ==, PROXY_HEADER_MAX);
    bytes[15] = 9;
    g_assert_cmpint(proxy_header_parse(bytes, 16, &header, &fault), ==, PROXY_HEADER_BAD);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/proxy-header/rows", test_rows);
    g_test_add_func("/proxy-header/longest", test_longest);
    return g_test_run();
}
