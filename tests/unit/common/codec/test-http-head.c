/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/http-head.h"

/* 0: accepted; 1: more is needed; otherwise the status of the refusal. */
typedef struct {
    const char *text;
    guint status;
} Row;

static const Row request_rows[] = {
    /* the first line */
    {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 0},
    {"GET /a/b?c=d&e HTTP/1.1\r\nHost: h\r\n\r\n", 0},
    {"get / HTTP/1.1\r\nHost: h\r\n\r\n", 0},
    {"GET / HTTP/1.0\r\nHost: h\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /smuggled HTTP/1.1\r\n", 0},
    {"GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505},
    {"GET / HTTP/0.9\r\nHost: h\r\n\r\n", 505},
    {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
    {"GET / HTTP/3.1\r\nHost: h\r\n\r\n", 505},
    {"GET / HTTP/11\r\nHost: h\r\n\r\n", 400},
    {"GET / HTTP/1.10\r\nHost: h\r\n\r\n", 400},
    {"GET / http/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET / HTTP/1,1\r\nHost: h\r\n\r\n", 400},
    {"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400},
    {"GET /\r\nHost: h\r\n\r\n", 400},
    {"GET\r\nHost: h\r\n\r\n", 400},
    {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /  HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /\x7f HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"G@T / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
    {"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {" GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"\x16\x03\x01\x02", 400},
    {"\x10\x1f", 400},
    /* line ends */
    {"GET / HTTP/1.1\nHost: h\n\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\n\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nA: b\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nA: b\rC: d\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\r\nHost: h\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\n", 1},
    {"GET / HTTP/1.1\r\nHost: h\r\n\r", 1},
    {"GET / HTTP/1.1\r\n", 1},
    {"", 1},
    /* Host */
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.0\r\n\r\n", 400},
    {"PUT / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /a%ff HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /%c3%a4?%ff HTTP/1.1\r\nHost: h\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h/a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h:\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h:x\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h:1:2\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h:65536\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: :443\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: hub_1.example-a:8443\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n", 0},
};

/* Each stands behind a good first line and Host. */
static const Row field_rows[] = {
    {"", 0},
    {"A:b\r\n", 0},
    {"A: \t b \t \r\n", 0},
    {"A:\r\n", 0},
    {"A: caf\xe9\r\n", 0},
    {"A: b\tc\r\n", 0},
    {"!#$%&'*+-.^_`|~09: x\r\n", 0},
    {"A : b\r\n", 400},
    {"A\t: b\r\n", 400},
    {" A: b\r\n", 400},
    {"A: b\r\n c\r\n", 400},
    {"A: b\r\n\tc\r\n", 400},
    {": b\r\n", 400},
    {"A\r\n", 400},
    {"A B: c\r\n", 400},
    {"A(): c\r\n", 400},
    {"A\xc3: c\r\n", 400},
    {"A: b\x01\r\n", 400},
    {"A: b\x7f\r\n", 400},
    {"A: b\x1b[2J\r\n", 400},
    /* Content-Length */
    {"Content-Length: 0\r\n", 0},
    {"Content-Length: 5\r\n", 0},
    {"content-LENGTH:262144\r\n", 0},
    {"Content-Length: 262145\r\n", 413},
    {"Content-Length: 999999999999999999\r\n", 413},
    {"Content-Length: 99999999999999999999\r\n", 400},
    {"Content-Length: 18446744073709551616\r\n", 400},
    {"Content-Length: +5\r\n", 400},
    {"Content-Length: -1\r\n", 400},
    {"Content-Length: 05\r\n", 400},
    {"Content-Length: 5,5\r\n", 400},
    {"Content-Length: 5, 5\r\n", 400},
    {"Content-Length: 5 5\r\n", 400},
    {"Content-Length: 0x5\r\n", 400},
    {"Content-Length: 5.0\r\n", 400},
    {"Content-Length: 1e1\r\n", 400},
    {"Content-Length: five\r\n", 400},
    {"Content-Length:\r\n", 400},
    {"Content-Length: 5\r\nContent-Length: 5\r\n", 400},
    {"Content-Length: 5\r\nContent-Length: 0\r\n", 400},
    {"Content-Length: 5\r\nContent-length: 5\r\n", 400},
    /* Transfer-Encoding */
    {"Transfer-Encoding: chunked\r\n", 0},
    {"Transfer-Encoding: Chunked\r\n", 0},
    {"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n", 0},
    {"Transfer-Encoding: chunked, chunked\r\n", 501},
    {"Transfer-Encoding: gzip, chunked\r\n", 501},
    {"Transfer-Encoding: chunked;x=y\r\n", 501},
    {"Transfer-Encoding: \"chunked\"\r\n", 501},
    {"transfer-encoding: identity\r\n", 501},
    {"Transfer-Encoding: xchunked\r\n", 501},
    {"Transfer-Encoding:\r\n", 501},
    {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400},
    {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400},
    {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
    {"Transfer-Encoding : chunked\r\n", 400},
    {"TE: trailers\r\n", 0},
    /* Expect and Connection */
    {"Expect: 100-continue\r\n", 0},
    {"Expect: 100-Continue\r\n", 0},
    {"Expect: 200-ok\r\n", 417},
    {"Expect: 100-continue, x\r\n", 417},
    {"Expect:\r\n", 417},
    {"Expect: 100-continue\r\nExpect: 100-continue\r\n", 400},
    {"Connection: close\r\n", 0},
    {"Connection: keep-alive, Upgrade\r\n", 0},
    {"Connection: a\r\nConnection: b\r\n", 0},
    {"Connection: a b\r\n", 400},
    {"Connection: close;x\r\n", 400},
    {"Connection: a, \"b\"\r\n", 400},
    /* second copies */
    {"Authorization: a\r\nAuthorization: a\r\n", 400},
    {"Authorization: a\r\nauthorization: b\r\n", 400},
    {"Upgrade: websocket\r\nUpgrade: websocket\r\n", 400},
    {"Sec-WebSocket-Key: a\r\nSec-WebSocket-Key: a\r\n", 400},
    {"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8\r\n", 400},
    {"sec-websocket-protocol: a\r\nSec-WebSocket-Protocol: b\r\n", 400},
    {"Origin: a\r\nOrigin: a\r\n", 400},
    {"If-Match: a\r\nIf-Match: b\r\n", 400},
    {"iothub-streaming-connect-timeout-in-seconds: 1\r\n"
     "iothub-streaming-connect-timeout-in-seconds: 2\r\n",
     400},
    {"streamd-caps: reason\r\nStreamd-Caps: half-close\r\n", 400},
    {"Content-Type: a\r\nContent-Type: b\r\n", 400},
    {"Accept: a\r\nAccept: b\r\n", 0},
    {"X: a\r\nX: b\r\n", 0},
};

static const Row response_rows[] = {
    {"HTTP/1.1 200 OK\r\n\r\n", 0},
    {"HTTP/1.0 404 Not Found\r\n\r\n", 0},
    {"HTTP/1.1 200 \r\n\r\n", 0},
    {"HTTP/1.1 200\r\n\r\n", 0},
    {"HTTP/1.1 200 Tr\xe8s bien \xc3\r\n\r\n", 0},
    {"HTTP/1.1 599 x\r\nA: b\r\nA: c\r\n\r\n", 0},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 0},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", 0},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n", 0},
    {"HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n", 0},
    {"HTTP/1.1 200 OK\r\n", 1},
    {"HTTP/1.1 2", 1},
    {"HTTP/1.1 099 x\r\n\r\n", 502},
    {"HTTP/1.1 600 x\r\n\r\n", 502},
    {"HTTP/1.1 20 x\r\n\r\n", 502},
    {"HTTP/1.1 2000 x\r\n\r\n", 502},
    {"HTTP/1.1  200 x\r\n\r\n", 502},
    {"HTTP/1.1 abc x\r\n\r\n", 502},
    {"HTTP/1.1\r\n\r\n", 502},
    {"HTTP/2.0 200 x\r\n\r\n", 502},
    {"HTTP/1.1 200 a\x01\r\n\r\n", 502},
    {"ICY 200 OK\r\n\r\n", 502},
    {"HTTP/1.1 200 OK\n\n", 502},
    {"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", 502},
    {"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", 502},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", 502},
    {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 502},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1099511627777\r\n\r\n", 502},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 502},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 502},
    {"HTTP/1.1 200 OK\r\niothub-streaming-url: a\r\niothub-streaming-url: b\r\n\r\n", 502},
    {"HTTP/1.1 200 OK\r\nConnection: a b\r\n\r\n", 502},
};

/* The status as in a Row. `text` is copied to the heap so that a byte too far is seen. */
static guint
request_status(const char *text, gsize len)
{
    g_autofree char *exact = g_memdup2(text, len);
    HttpRequest request = {0};
    HttpRefusal refusal = {0};
    HttpHeadResult result = http_request_parse(exact, len, &request, &refusal);

    g_assert_cmpint(result == HTTP_HEAD_REFUSED, ==, refusal.status != 0);
    g_assert_cmpint(result == HTTP_HEAD_OK, ==, request.head_len != 0);
    if (result == HTTP_HEAD_REFUSED)
        g_assert_nonnull(refusal.text);
    return result == HTTP_HEAD_MORE ? 1 : refusal.status;
}

static void
check_request(const char *text, gsize len, guint status)
{
    g_autofree char *shown = g_strescape(text, NULL);

    g_test_message("%s", shown);
    g_assert_cmpuint(request_status(text, len), ==, status);
}

static void
test_requests(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(request_rows); i++)
        check_request(request_rows[i].text, strlen(request_rows[i].text), request_rows[i].status);
}

static void
test_fields(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(field_rows); i++) {
        g_autofree char *text =
            g_strconcat("POST /x HTTP/1.1\r\nHost: h\r\n", field_rows[i].text, "\r\n", NULL);

        check_request(text, strlen(text), field_rows[i].status);
    }
}

static void
test_nul_bytes(void)
{
    static const char target[] = "GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n";
    static const char name[] = "GET / HTTP/1.1\r\nHost: h\r\nA\0: b\r\n\r\n";
    static const char value[] = "GET / HTTP/1.1\r\nHost: h\r\nA: b\0c\r\n\r\n";
    static const char host[] = "GET / HTTP/1.1\r\nHost: h\0h\r\n\r\n";

    g_assert_cmpuint(request_status(target, sizeof(target) - 1), ==, 400);
    g_assert_cmpuint(request_status(name, sizeof(name) - 1), ==, 400);
    g_assert_cmpuint(request_status(value, sizeof(value) - 1), ==, 400);
    g_assert_cmpuint(request_status(host, sizeof(host) - 1), ==, 400);
}

static void
test_what_a_request_gives(void)
{
    static const char text[] = "POST /twins/d/streams/s?api-version=1 HTTP/1.1\r\n"
                               "Host: hub.example:8443\r\nContent-Length: 3\r\n"
                               "Expect: 100-continue\r\n\r\nabcNEXT";
    HttpRequest request = {0};
    HttpRefusal refusal = {0};

    g_assert_cmpint(http_request_parse(text, strlen(text), &request, &refusal), ==, HTTP_HEAD_OK);
    g_assert_true(slice_equal(request.method, "POST"));
    g_assert_true(slice_equal(request.target, "/twins/d/streams/s?api-version=1"));
    g_assert_true(slice_equal(request.path, "/twins/d/streams/s"));
    g_assert_true(slice_equal(request.query, "api-version=1"));
    g_assert_true(slice_equal(request.host, "hub.example:8443"));
    g_assert_true(request.keep_alive);
    g_assert_true(request.expect_continue);
    g_assert_cmpuint(request.content_length, ==, 3);
    g_assert_cmpuint(request.headers.count, ==, 3);
    g_assert_cmpstr(text + request.head_len, ==, "abcNEXT");
}

static gboolean
keeps_alive(const char *first_line, const char *connection)
{
    g_autofree char *text =
        g_strconcat(first_line, "\r\nHost: h\r\nConnection: ", connection, "\r\n\r\n", NULL);
    HttpRequest request = {0};
    HttpRefusal refusal = {0};

    g_assert_cmpint(http_request_parse(text, strlen(text), &request, &refusal), ==, HTTP_HEAD_OK);
    return request.keep_alive;
}

static void
test_keep_alive(void)
{
    g_assert_true(keeps_alive("GET / HTTP/1.1", "keep-alive"));
    g_assert_true(keeps_alive("GET / HTTP/1.1", "Upgrade"));
    g_assert_false(keeps_alive("GET / HTTP/1.1", "close"));
    g_assert_false(keeps_alive("GET / HTTP/1.1", "x, CLOSE"));
    g_assert_false(keeps_alive("GET / HTTP/1.0", "keep-alive"));
}

/* As slow peers send it: nothing is decided before the last byte. */
static void
test_byte_by_byte(void)
{
    static const char text[] = "POST /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                               "Connection: x, y\r\n\r\n";

    for (gsize len = 0; len < sizeof(text) - 1; len++)
        g_assert_cmpuint(request_status(text, len), ==, 1);
    g_assert_cmpuint(request_status(text, sizeof(text) - 1), ==, 0);
}

static guint
status_with(const char *before, gsize fill, const char *after)
{
    g_autofree char *middle = g_strnfill(fill, 'x');
    g_autofree char *text = g_strconcat(before, middle, after, NULL);

    return request_status(text, strlen(text));
}

static void
test_line_limits(void)
{
    const gsize start = strlen("GET / HTTP/1.1");
    const gsize field = strlen("A: ");

    g_assert_cmpuint(status_with("GET /", HTTP_LINE_MAX - start, " HTTP/1.1\r\nHost: h\r\n\r\n"),
                     ==, 0);
    g_assert_cmpuint(
        status_with("GET /", HTTP_LINE_MAX - start + 1, " HTTP/1.1\r\nHost: h\r\n\r\n"), ==, 414);
    g_assert_cmpuint(status_with("GET /", HTTP_LINE_MAX, ""), ==, 414);
    g_assert_cmpuint(
        status_with("GET / HTTP/1.1\r\nHost: h\r\nA: ", HTTP_LINE_MAX - field, "\r\n\r\n"), ==, 0);
    g_assert_cmpuint(
        status_with("GET / HTTP/1.1\r\nHost: h\r\nA: ", HTTP_LINE_MAX - field + 1, "\r\n\r\n"), ==,
        431);
    g_assert_cmpuint(status_with("GET / HTTP/1.1\r\nHost: h\r\nA: ", HTTP_LINE_MAX, ""), ==, 431);
}

static void
test_head_limit(void)
{
    g_autofree char *fill = g_strnfill(8000, 'x');
    g_autofree char *before =
        g_strconcat("GET / HTTP/1.1\r\nHost: h\r\nA: ", fill, "\r\nB: ", NULL);
    gsize rest = HTTP_HEAD_MAX - strlen(before) - 4;

    g_assert_cmpuint(status_with(before, rest, "\r\n\r\n"), ==, 431);
    fill[7900] = '\0';
    g_free(before);
    before =
        g_strconcat("GET / HTTP/1.1\r\nHost: h\r\nA: ", fill, "\r\nB: ", fill, "\r\nC: ", NULL);
    rest = HTTP_HEAD_MAX - strlen(before) - 4;
    g_assert_cmpuint(status_with(before, rest, "\r\n\r\n"), ==, 0);
    g_assert_cmpuint(status_with(before, rest, "\r\n\r\nbody"), ==, 0);
    g_assert_cmpuint(status_with(before, rest + 1, "\r\n\r\n"), ==, 431);
    g_assert_cmpuint(status_with(before, rest + 3, ""), ==, 1);
    g_assert_cmpuint(status_with(before, rest + 4, ""), ==, 431);
}

static void
test_count_limit(void)
{
    g_autoptr(GString) text = g_string_new("GET / HTTP/1.1\r\nHost: h\r\n");

    for (guint i = 1; i < HTTP_HEADERS_MAX; i++)
        g_string_append(text, "A: b\r\n");
    g_string_append(text, "\r\n");
    g_assert_cmpuint(request_status(text->str, text->len), ==, 0);
    g_string_insert(text, (gssize)text->len - 2, "A: b\r\n");
    g_assert_cmpuint(request_status(text->str, text->len), ==, 431);
    /* One less is not complete, and one more need not be: it is refused at once. */
    g_string_truncate(text, text->len - 2);
    g_assert_cmpuint(request_status(text->str, text->len), ==, 431);
    g_string_truncate(text, text->len - 6);
    g_assert_cmpuint(request_status(text->str, text->len), ==, 1);
}

/* What stands behind too many lines is not looked at. */
static void
test_lines_limit(void)
{
    g_autoptr(GString) text = g_string_new("GET / HTTP/1.1\r\nHost: h\r\n");

    for (guint i = 0; i < HTTP_HEADERS_MAX; i++)
        g_string_append(text, "A: b\r\n");
    g_string_append(text, "no line end\n\r\n");
    g_assert_cmpuint(request_status(text->str, text->len), ==, 431);
}

/* The longest name in the DNS with the longest port. */
static void
test_host_limit(void)
{
    const gsize longest = 253 + strlen(":65535") + 2;

    g_assert_cmpuint(status_with("GET / HTTP/1.1\r\nHost: ", longest, "\r\n\r\n"), ==, 0);
    g_assert_cmpuint(status_with("GET / HTTP/1.1\r\nHost: ", longest + 1, "\r\n\r\n"), ==, 400);
}

/* RFC 9110, section 10.1.1: a 100-continue of HTTP/1.0 is ignored. */
static void
test_expect_by_version(void)
{
    for (guint minor = 0; minor < 2; minor++) {
        g_autofree char *text = g_strdup_printf(
            "POST / HTTP/1.%u\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n",
            minor);
        HttpRequest request = {0};
        HttpRefusal refusal = {0};

        g_assert_cmpint(http_request_parse(text, strlen(text), &request, &refusal), ==,
                        HTTP_HEAD_OK);
        g_assert_cmpint(request.expect_continue, ==, minor == 1);
    }
}

static void
test_responses(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(response_rows); i++) {
        gsize len = strlen(response_rows[i].text);
        g_autofree char *exact = g_memdup2(response_rows[i].text, len);
        g_autofree char *shown = g_strescape(response_rows[i].text, NULL);
        HttpResponse response = {0};
        HttpRefusal refusal = {0};
        HttpHeadResult result = http_response_parse(exact, len, &response, &refusal);

        g_test_message("%s", shown);
        g_assert_cmpuint(result == HTTP_HEAD_MORE ? 1 : refusal.status, ==,
                         response_rows[i].status);
        g_assert_cmpint(result == HTTP_HEAD_OK, ==, response.head_len != 0);
    }
}

static void
test_what_a_response_gives(void)
{
    static const char text[] = "HTTP/1.1 200 All is well\r\nContent-Length: 2\r\n"
                               "Connection: close\r\n\r\n{}";
    static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    HttpResponse response = {0};
    HttpRefusal refusal = {0};

    g_assert_cmpint(http_response_parse(text, strlen(text), &response, &refusal), ==, HTTP_HEAD_OK);
    g_assert_cmpuint(response.status, ==, 200);
    g_assert_true(slice_equal(response.reason, "All is well"));
    g_assert_true(response.has_content_length && response.content_length == 2);
    g_assert_false(response.keep_alive);
    g_assert_false(response.chunked);
    g_assert_cmpstr(text + response.head_len, ==, "{}");
    g_assert_cmpint(http_response_parse(chunked, strlen(chunked), &response, &refusal), ==,
                    HTTP_HEAD_OK);
    g_assert_true(response.chunked && response.keep_alive);
    g_assert_false(response.has_content_length);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http-head/requests", test_requests);
    g_test_add_func("/http-head/fields", test_fields);
    g_test_add_func("/http-head/nul", test_nul_bytes);
    g_test_add_func("/http-head/request", test_what_a_request_gives);
    g_test_add_func("/http-head/keep-alive", test_keep_alive);
    g_test_add_func("/http-head/byte-by-byte", test_byte_by_byte);
    g_test_add_func("/http-head/line-limits", test_line_limits);
    g_test_add_func("/http-head/head-limit", test_head_limit);
    g_test_add_func("/http-head/count-limit", test_count_limit);
    g_test_add_func("/http-head/lines-limit", test_lines_limit);
    g_test_add_func("/http-head/host-limit", test_host_limit);
    g_test_add_func("/http-head/expect", test_expect_by_version);
    g_test_add_func("/http-head/responses", test_responses);
    g_test_add_func("/http-head/response", test_what_a_response_gives);
    return g_test_run();
}
