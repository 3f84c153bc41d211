/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/http-head.h"

#include "common/codec/http-target.h"

#define LINES_MAX (HTTP_HEADERS_MAX + 2) /* the first line, the fields, the empty line */
#define HOST_MAX 261                     /* a DNS name of 253 bytes, a colon, a port */

/* The parts of a complete head. */
typedef struct {
    Slice first_line; /* without its CRLF */
    Slice fields;     /* with theirs */
    gsize len;        /* with the empty line */
} Head;

static gboolean
line_is_too_long(gboolean first, HttpRefusal *ret_refusal)
{
    if (first)
        return http_refuse(ret_refusal, 414, "the first line is too long");
    return http_refuse(ret_refusal, 431, "a header line is too long");
}

/* Measures the line at `pos`. *ret_end stays NULL until the end of the line has come. */
static gboolean
line_find(const char *buf, gsize len, gsize pos, const char **ret_end, HttpRefusal *ret_refusal)
{
    const char *start = buf + pos;
    const char *end = memchr(start, '\n', len - pos);
    gsize count = end ? (gsize)(end - start) : len - pos;

    /* One more for the CR, which is there or may still come. */
    if (count > HTTP_LINE_MAX + 1)
        return line_is_too_long(pos == 0, ret_refusal);
    if (end && (count == 0 || end[-1] != '\r'))
        return http_refuse(ret_refusal, 400, "a line does not end in CR LF");
    *ret_end = end;
    return TRUE;
}

/* Looks for the empty line. Refuses what is wrong already before the rest has come. A head that
 * arrives byte by byte is read again with each byte, so it must not collect many short lines. */
static HttpHeadResult
head_find(const char *buf, gsize len, Head *ret, HttpRefusal *ret_refusal)
{
    gsize window = MIN(len, HTTP_HEAD_MAX);
    gsize first_len = 0;
    guint lines = 0;
    gsize next;

    if (len > 0 && !http_is_token((Slice){buf, 1})) {
        (void)http_refuse(ret_refusal, 400, "this is not HTTP");
        return HTTP_HEAD_REFUSED;
    }
    for (gsize pos = 0; pos < window && lines < LINES_MAX; pos = next, lines++) {
        const char *end = NULL;

        if (!line_find(buf, window, pos, &end, ret_refusal))
            return HTTP_HEAD_REFUSED;
        if (!end)
            break;
        next = (gsize)(end - buf) + 1;
        if (pos == 0)
            first_len = next;
        if (pos == 0 || next - pos > 2)
            continue;
        *ret = (Head){{buf, first_len - 2}, {buf + first_len, pos - first_len}, next};
        return HTTP_HEAD_OK;
    }
    if (len < HTTP_HEAD_MAX && lines < LINES_MAX)
        return HTTP_HEAD_MORE;
    (void)http_refuse(ret_refusal, 431, "the head is too long or has too many lines");
    return HTTP_HEAD_REFUSED;
}

/* "HTTP/1.1". A well-formed version other than 1.0 or 1.1 gets 505. */
static gboolean
version_parse(Slice text, guint *ret_minor, HttpRefusal *ret_refusal)
{
    if (text.len != 8 || memcmp(text.ptr, "HTTP/", 5) != 0 || !g_ascii_isdigit(text.ptr[5]) ||
        text.ptr[6] != '.' || !g_ascii_isdigit(text.ptr[7]))
        return http_refuse(ret_refusal, 400, "the first line has no HTTP version");
    if (text.ptr[5] != '1' || text.ptr[7] > '1')
        return http_refuse(ret_refusal, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    *ret_minor = (guint)(text.ptr[7] - '0');
    return TRUE;
}

/* Splits at the first space. The rest begins behind it; it is empty when there is no space. */
static Slice
word_take(Slice *rest)
{
    const char *blank = rest->len > 0 ? memchr(rest->ptr, ' ', rest->len) : NULL;
    gsize len = blank ? (gsize)(blank - rest->ptr) : rest->len;
    Slice word = {rest->ptr, len};

    *rest = blank ? (Slice){blank + 1, rest->len - len - 1} : (Slice){NULL, 0};
    return word;
}

static gboolean
request_line_parse(Slice line, HttpRequest *request, HttpRefusal *ret_refusal)
{
    Slice version = line;
    const char *mark;

    request->method = word_take(&version);
    request->target = word_take(&version);
    if (!http_is_token(request->method))
        return http_refuse(ret_refusal, 400, "the method is not a token");
    if (!http_target_is_valid(request->target))
        return http_refuse(ret_refusal, 400, "the target is not a path");
    if (!version_parse(version, &request->minor_version, ret_refusal))
        return FALSE;
    request->path = request->target;
    mark = memchr(request->target.ptr, '?', request->target.len);
    if (mark) {
        request->path.len = (gsize)(mark - request->target.ptr);
        request->query = (Slice){mark + 1, request->target.len - request->path.len - 1};
    }
    if (!http_path_is_valid(request->path))
        return http_refuse(ret_refusal, 400, "the path does not decode to UTF-8 without NUL");
    return TRUE;
}

/* A name or address, with an optional port and no user: RFC 9110 section 7.2. */
static gboolean
host_is_valid(Slice host)
{
    gboolean literal = host.len > 0 && host.ptr[0] == '[';
    const char *marks = literal ? "[:." : "-._";
    gsize i = 0;

    while (i < host.len && host.ptr[i] != '\0' &&
           (g_ascii_isalnum(host.ptr[i]) || strchr(marks, host.ptr[i])))
        i++;
    if (literal && (i == host.len || host.ptr[i++] != ']'))
        return FALSE;
    if (i == 0 || host.len > HOST_MAX)
        return FALSE;
    if (i == host.len)
        return TRUE;
    return host.ptr[i] == ':' && http_decimal_parse((Slice){host.ptr + i + 1, host.len - i - 1},
                                                    G_MAXUINT16, &(guint64){0});
}

static gboolean
host_find(HttpRequest *request, HttpRefusal *ret_refusal)
{
    if (!http_headers_get(&request->headers, "Host", &request->host))
        return http_refuse(ret_refusal, 400, "there is no Host header");
    if (!host_is_valid(request->host))
        return http_refuse(ret_refusal, 400, "the Host header is malformed");
    return TRUE;
}

/* FALSE when a Connection field is not a list of tokens. */
static gboolean
connection_parse(const HttpHeaders *headers, guint minor_version, gboolean *ret_keep_alive,
                 HttpRefusal *ret_refusal)
{
    for (guint i = 0; i < headers->count; i++) {
        Slice list = headers->items[i].value;
        Slice token;

        if (!slice_equal_nocase(headers->items[i].name, "Connection"))
            continue;
        while (http_list_next(&list, &token))
            ;
        if (list.len > 0)
            return http_refuse(ret_refusal, 400, "the Connection header is malformed");
    }
    *ret_keep_alive =
        minor_version == 1 && !http_headers_have_token(headers, "Connection", "close");
    return TRUE;
}

static gboolean
request_length_parse(HttpRequest *request, HttpRefusal *ret_refusal)
{
    Slice text;

    if (!http_headers_get(&request->headers, "Content-Length", &text))
        return TRUE;
    if (!http_decimal_parse(text, G_MAXUINT64, &request->content_length))
        return http_refuse(ret_refusal, 400, "the Content-Length is not a plain number");
    if (request->content_length > HTTP_REQUEST_BODY_MAX)
        return http_refuse(ret_refusal, 413, "the body is too large");
    return TRUE;
}

static gboolean
request_coding_parse(HttpRequest *request, HttpRefusal *ret_refusal)
{
    Slice coding;

    if (!http_headers_get(&request->headers, "Transfer-Encoding", &coding))
        return TRUE;
    if (http_headers_find(&request->headers, "Content-Length"))
        return http_refuse(ret_refusal, 400, "both Content-Length and Transfer-Encoding");
    if (request->minor_version == 0)
        return http_refuse(ret_refusal, 400, "a Transfer-Encoding in HTTP/1.0");
    if (!slice_equal_nocase(coding, "chunked"))
        return http_refuse(ret_refusal, 501, "a Transfer-Encoding other than chunked");
    request->chunked = TRUE;
    return TRUE;
}

static gboolean
request_framing_parse(HttpRequest *request, HttpRefusal *ret_refusal)
{
    Slice expect;

    if (!request_coding_parse(request, ret_refusal) || !request_length_parse(request, ret_refusal))
        return FALSE;
    if (!http_headers_get(&request->headers, "Expect", &expect))
        return TRUE;
    if (!slice_equal_nocase(expect, "100-continue"))
        return http_refuse(ret_refusal, 417, "an Expect other than 100-continue");
    request->expect_continue = request->minor_version == 1;
    return TRUE;
}

static gboolean
request_fill(const Head *head, HttpRequest *request, HttpRefusal *ret_refusal)
{
    return request_line_parse(head->first_line, request, ret_refusal) &&
           http_headers_parse(head->fields, &request->headers, ret_refusal) &&
           host_find(request, ret_refusal) &&
           connection_parse(&request->headers, request->minor_version, &request->keep_alive,
                            ret_refusal) &&
           request_framing_parse(request, ret_refusal);
}

HttpHeadResult
http_request_parse(const char *buf, gsize len, HttpRequest *ret, HttpRefusal *ret_refusal)
{
    HttpRequest request = {0};
    HttpRefusal refusal = {0};
    Head head = {0};
    HttpHeadResult result = head_find(buf, len, &head, &refusal);

    if (result == HTTP_HEAD_OK && !request_fill(&head, &request, &refusal))
        result = HTTP_HEAD_REFUSED;
    if (result == HTTP_HEAD_REFUSED)
        *ret_refusal = refusal;
    if (result != HTTP_HEAD_OK)
        return result;
    request.head_len = head.len;
    *ret = request;
    return HTTP_HEAD_OK;
}

static gboolean
status_line_parse(Slice line, HttpResponse *response, HttpRefusal *ret_refusal)
{
    Slice rest = line;
    Slice version = word_take(&rest);
    Slice code = word_take(&rest);
    guint64 status = 0;

    if (!version_parse(version, &response->minor_version, ret_refusal))
        return FALSE;
    if (code.len != 3 || !http_decimal_parse(code, 599, &status) || status < 100)
        return http_refuse(ret_refusal, 400, "the status is not a number from 100 to 599");
    for (gsize i = 0; i < rest.len; i++)
        if (g_ascii_iscntrl(rest.ptr[i]) && rest.ptr[i] != '\t')
            return http_refuse(ret_refusal, 400, "a control character in the reason phrase");
    response->status = (guint)status;
    response->reason = rest;
    return TRUE;
}

static gboolean
response_framing_parse(HttpResponse *response, HttpRefusal *ret_refusal)
{
    const HttpHeaders *headers = &response->headers;
    Slice coding;
    Slice length;

    response->chunked = http_headers_get(headers, "Transfer-Encoding", &coding);
    response->has_content_length = http_headers_get(headers, "Content-Length", &length);
    if (response->chunked && response->has_content_length)
        return http_refuse(ret_refusal, 400, "both Content-Length and Transfer-Encoding");
    if (response->chunked && !slice_equal_nocase(coding, "chunked"))
        return http_refuse(ret_refusal, 400, "a Transfer-Encoding other than chunked");
    if (response->has_content_length &&
        !http_decimal_parse(length, HTTP_RESPONSE_BODY_MAX, &response->content_length))
        return http_refuse(ret_refusal, 400, "the Content-Length is not a plain number");
    return TRUE;
}

static gboolean
response_fill(const Head *head, HttpResponse *response, HttpRefusal *ret_refusal)
{
    return status_line_parse(head->first_line, response, ret_refusal) &&
           http_headers_parse(head->fields, &response->headers, ret_refusal) &&
           connection_parse(&response->headers, response->minor_version, &response->keep_alive,
                            ret_refusal) &&
           response_framing_parse(response, ret_refusal);
}

HttpHeadResult
http_response_parse(const char *buf, gsize len, HttpResponse *ret, HttpRefusal *ret_refusal)
{
    HttpResponse response = {0};
    HttpRefusal refusal = {0};
    Head head = {0};
    HttpHeadResult result = head_find(buf, len, &head, &refusal);

    if (result == HTTP_HEAD_OK && !response_fill(&head, &response, &refusal))
        result = HTTP_HEAD_REFUSED;
    if (result == HTTP_HEAD_REFUSED)
        *ret_refusal = (HttpRefusal){502, refusal.text};
    if (result != HTTP_HEAD_OK)
        return result;
    response.head_len = head.len;
    *ret = response;
    return HTTP_HEAD_OK;
}
