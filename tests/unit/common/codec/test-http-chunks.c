/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bodies in chunks: what is read, what is refused, and that it does not matter how the input is
 * cut. */
#include "common/codec/http-chunks.h"

#define BODY_MAX 20

typedef struct {
    const char *text;
    guint status;     /* 0: complete; 1: goes on; otherwise the refusal's */
    const char *body; /* what came before */
    const char *rest; /* behind the body */
} Row;

static const Row rows[] = {
    {"0\r\n\r\n", 0, "", ""},
    {"00000000\r\n\r\n", 0, "", ""},
    {"3\r\nabc\r\n0\r\n\r\n", 0, "abc", ""},
    {"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET /", 0, "abcde", "GET /"},
    {"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", 0, "01234567890123456789", ""},
    {"00000003\r\n\r\n\r\r\n0\r\n\r\n0\r\n", 0, "\r\n\r", "0\r\n"},
    {"", 1, "", ""},
    {"1", 1, "", ""},
    {"3\r\nab", 1, "ab", ""},
    {"3\r\nabc\r\n", 1, "abc", ""},
    {"0\r\n", 1, "", ""},
    {"0\r\n\r", 1, "", ""},
    /* the size */
    {"\r\n", 400, "", NULL},
    {"\n", 400, "", NULL},
    {" 3\r\nabc", 400, "", NULL},
    {"3 \r\nabc", 400, "", NULL},
    {"+3\r\nabc", 400, "", NULL},
    {"-3\r\nabc", 400, "", NULL},
    {"0x3\r\nabc", 400, "", NULL},
    {"g\r\n", 400, "", NULL},
    {"3_\r\nabc", 400, "", NULL},
    {"000000003\r\nabc", 400, "", NULL},
    {"100000003\r\nabc", 400, "", NULL},
    {"3\nabc", 400, "", NULL},
    {"3\rabc", 400, "", NULL},
    {"3\r\r\nabc", 400, "", NULL},
    {"\xb3\r\nabc", 400, "", NULL},
    /* extensions, and what follows a chunk */
    {"3;x=y\r\nabc", 400, "", NULL},
    {"3 ;x\r\nabc", 400, "", NULL},
    {"0;x\r\n\r\n", 400, "", NULL},
    {"3\r\nabcd\r\n0\r\n\r\n", 400, "abc", NULL},
    {"3\r\nabc\n0\r\n\r\n", 400, "abc", NULL},
    {"3\r\nabc0\r\n\r\n", 400, "abc", NULL},
    {"3\r\nabc\r0\r\n\r\n", 400, "abc", NULL},
    /* trailers */
    {"0\r\nX: y\r\n\r\n", 400, "", NULL},
    {"0\r\nContent-Length: 5\r\n\r\n", 400, "", NULL},
    {"0\r\n\n", 400, "", NULL},
    {"0\r\n\rX", 400, "", NULL},
    {"0\r\n0\r\n\r\n", 400, "", NULL},
    /* the bound, at it and one past it */
    {"14\r\n01234567890123456789\r\n0\r\n\r\n", 0, "01234567890123456789", ""},
    {"15\r\n", 413, "", NULL},
    {"13\r\n0123456789012345678\r\n1\r\n9\r\n0\r\n\r\n", 0, "01234567890123456789", ""},
    {"13\r\n0123456789012345678\r\n2\r\n", 413, "0123456789012345678", NULL},
    {"ffffffff\r\n", 413, "", NULL},
    {"7fffffff\r\n", 413, "", NULL},
};

/* Reads a piece, copied to the heap so that a byte too far is seen. */
static HttpChunksResult
feed(HttpChunks *chunks, const char *piece, gsize len, GString *body, gsize *ret_left,
     HttpRefusal *ret_refusal)
{
    g_autofree char *exact = g_memdup2(piece, len);
    Slice input = {exact, len}, data;
    HttpChunksResult result;

    while ((result = http_chunks_read(chunks, &input, &data, ret_refusal)) == HTTP_CHUNKS_DATA)
        g_string_append_len(body, data.ptr, (gssize)data.len);
    *ret_left = input.len;
    return result;
}

/* The same row in two pieces, cut at CUT, or with CUT above the end byte by byte. */
static void
check_row(const Row *row, gsize cut)
{
    g_autoptr(GString) body = g_string_new(NULL);
    gsize len = strlen(row->text), at = 0, left = 0;
    gsize step = cut > len ? 1 : MAX(cut, 1);
    HttpChunks chunks = {.max = BODY_MAX};
    HttpRefusal refusal = {0};
    HttpChunksResult result = HTTP_CHUNKS_MORE;

    while (at < len && result == HTTP_CHUNKS_MORE) {
        gsize piece = MIN(step, len - at);

        result = feed(&chunks, row->text + at, piece, body, &left, &refusal);
        at += piece - left;
        step = cut > len ? 1 : len;
    }
    g_assert_cmpstr(body->str, ==, row->body);
    if (row->status == 1) {
        g_assert_cmpint(result, ==, HTTP_CHUNKS_MORE);
    } else if (row->status == 0) {
        g_assert_cmpint(result, ==, HTTP_CHUNKS_END);
        g_assert_cmpstr(row->text + at, ==, row->rest);
    } else {
        g_assert_cmpint(result, ==, HTTP_CHUNKS_REFUSED);
        g_assert_cmpuint(refusal.status, ==, row->status);
        g_assert_nonnull(refusal.text);
    }
}

static void
test_every_split(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        for (gsize cut = 0; cut <= strlen(rows[i].text) + 1; cut++)
            check_row(&rows[i], cut);
}

/* After its end nothing more is read. */
static void
test_over(void)
{
    HttpChunks chunks = {.max = BODY_MAX};
    HttpRefusal refusal = {0};
    Slice input = slice_of("0\r\n\r\nrest"), data;

    for (guint i = 0; i < 2; i++) {
        g_assert_cmpint(http_chunks_read(&chunks, &input, &data, &refusal), ==, HTTP_CHUNKS_END);
        g_assert_true(slice_equal(input, "rest"));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http-chunks/every-split", test_every_split);
    g_test_add_func("/http-chunks/over", test_over);
    return g_test_run();
}
