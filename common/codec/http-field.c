/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/http-field.h"

#define DECIMAL_DIGITS_MAX 18
#define SECONDS_DIGITS_MAX 7
#define FRACTION_DIGITS_MAX 20

/* Fields that decide what is done. Two readers could each use another copy of one, so only one copy
 * is allowed. */
static const char *const single_names[] = {
    "Authorization",     "Content-Encoding", "Content-Length",
    "Content-Type",      "Expect",           "Host",
    "Location",          "Origin",           "Range",
    "Retry-After",       "Upgrade",          "Proxy-Authorization",
    "Transfer-Encoding",
};
static const char *const single_prefixes[] = {"If-", "Iothub-", "Sec-WebSocket-", "Streamd-"};

gboolean
http_refuse(HttpRefusal *ret_refusal, guint status, const char *text)
{
    *ret_refusal = (HttpRefusal){status, text};
    return FALSE;
}

static gboolean
is_token_char(char c)
{
    return g_ascii_isalnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

gboolean
http_is_token(Slice text)
{
    for (gsize i = 0; i < text.len; i++)
        if (!is_token_char(text.ptr[i]))
            return FALSE;
    return text.len > 0;
}

static gboolean
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static Slice
trim(Slice text)
{
    while (text.len > 0 && is_blank(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

static gboolean
value_is_valid(Slice value)
{
    for (gsize i = 0; i < value.len; i++) {
        guint8 byte = (guint8)value.ptr[i];

        if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
            return FALSE;
    }
    return TRUE;
}

static gboolean
name_is_single(Slice name)
{
    for (guint i = 0; i < G_N_ELEMENTS(single_names); i++)
        if (slice_equal_nocase(name, single_names[i]))
            return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(single_prefixes); i++) {
        gsize len = strlen(single_prefixes[i]);

        if (name.len > len && g_ascii_strncasecmp(name.ptr, single_prefixes[i], len) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean
is_repeated(const HttpHeaders *headers, Slice name)
{
    for (guint i = 0; i < headers->count; i++) {
        Slice other = headers->items[i].name;

        if (other.len == name.len && g_ascii_strncasecmp(other.ptr, name.ptr, name.len) == 0)
            return TRUE;
    }
    return FALSE;
}

/* `line` has no CRLF. */
static gboolean
header_add(HttpHeaders *headers, Slice line, HttpRefusal *ret_refusal)
{
    const char *colon = line.len > 0 ? memchr(line.ptr, ':', line.len) : NULL;
    gsize name_len = colon ? (gsize)(colon - line.ptr) : 0;
    Slice name = {line.ptr, name_len};
    Slice value;

    if (!colon || !http_is_token(name))
        return http_refuse(ret_refusal, 400, "a header line is not name, colon, value");
    value = trim((Slice){colon + 1, line.len - name_len - 1});
    if (!value_is_valid(value))
        return http_refuse(ret_refusal, 400, "a control character in a header's value");
    if (name_is_single(name) && is_repeated(headers, name))
        return http_refuse(ret_refusal, 400, "a header that may occur once occurs twice");
    if (headers->count == HTTP_HEADERS_MAX)
        return http_refuse(ret_refusal, 431, "too many headers");
    headers->items[headers->count++] = (HttpHeader){name, value};
    return TRUE;
}

gboolean
http_headers_parse(Slice lines, HttpHeaders *ret, HttpRefusal *ret_refusal)
{
    ret->count = 0;
    while (lines.len > 0) {
        const char *end = memchr(lines.ptr, '\n', lines.len);
        gsize len = end ? (gsize)(end - lines.ptr) : 0;

        if (len == 0 || end[-1] != '\r')
            return http_refuse(ret_refusal, 400, "a line does not end in CR LF");
        if (!header_add(ret, (Slice){lines.ptr, len - 1}, ret_refusal))
            return FALSE;
        lines = (Slice){end + 1, lines.len - len - 1};
    }
    return TRUE;
}

const HttpHeader *
http_headers_find(const HttpHeaders *headers, const char *name)
{
    for (guint i = 0; i < headers->count; i++)
        if (slice_equal_nocase(headers->items[i].name, name))
            return &headers->items[i];
    return NULL;
}

gboolean
http_headers_get(const HttpHeaders *headers, const char *name, Slice *ret)
{
    const HttpHeader *header = http_headers_find(headers, name);

    if (!header)
        return FALSE;
    *ret = header->value;
    return TRUE;
}

gboolean
http_headers_have_token(const HttpHeaders *headers, const char *name, const char *token)
{
    for (guint i = 0; i < headers->count; i++) {
        Slice list = headers->items[i].value;
        Slice element;

        if (!slice_equal_nocase(headers->items[i].name, name))
            continue;
        while (http_list_next(&list, &element))
            if (slice_equal_nocase(element, token))
                return TRUE;
    }
    return FALSE;
}

gboolean
http_list_next(Slice *list, Slice *ret_token)
{
    const char *comma;
    Slice element;

    while (list->len > 0 && (is_blank(list->ptr[0]) || list->ptr[0] == ',')) {
        list->ptr++;
        list->len--;
    }
    if (list->len == 0)
        return FALSE;
    comma = memchr(list->ptr, ',', list->len);
    element = (Slice){list->ptr, comma ? (gsize)(comma - list->ptr) : list->len};
    if (!http_is_token(trim(element)))
        return FALSE;
    *ret_token = trim(element);
    list->ptr += element.len;
    list->len -= element.len;
    return TRUE;
}

static gboolean
is_digits(Slice text, gsize max)
{
    for (gsize i = 0; i < text.len; i++)
        if (!g_ascii_isdigit(text.ptr[i]))
            return FALSE;
    return text.len > 0 && text.len <= max;
}

static guint64
digits_value(Slice text)
{
    guint64 value = 0;

    for (gsize i = 0; i < text.len; i++)
        value = value * 10 + (guint64)(text.ptr[i] - '0');
    return value;
}

gboolean
http_decimal_parse(Slice text, guint64 max, guint64 *ret)
{
    if (!is_digits(text, DECIMAL_DIGITS_MAX) || (text.len > 1 && text.ptr[0] == '0'))
        return FALSE;
    if (digits_value(text) > max)
        return FALSE;
    *ret = digits_value(text);
    return TRUE;
}

gboolean
http_seconds_parse(Slice text, gint64 *ret_usec)
{
    const char *dot = text.len > 0 ? memchr(text.ptr, '.', text.len) : NULL;
    Slice whole = {text.ptr, dot ? (gsize)(dot - text.ptr) : text.len};
    Slice part = dot ? (Slice){dot + 1, text.len - whole.len - 1} : slice_of("0");
    guint64 usec;

    if (!is_digits(whole, SECONDS_DIGITS_MAX) || !is_digits(part, FRACTION_DIGITS_MAX))
        return FALSE;
    usec = digits_value(whole);
    for (gsize i = 0; i < 6; i++)
        usec = usec * 10 + (i < part.len ? (guint64)(part.ptr[i] - '0') : 0);
    *ret_usec = (gint64)usec;
    return TRUE;
}
