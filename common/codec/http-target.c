/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/http-target.h"

#include "common/codec/percent.h"

/* Whether the character here, or the escape that begins here, may stand in a path or query. */
static gboolean
is_allowed(Slice text, gsize i, gboolean in_query)
{
    char c = text.ptr[i];

    if (c == '%')
        return text.len - i > 2 && g_ascii_isxdigit(text.ptr[i + 1]) &&
               g_ascii_isxdigit(text.ptr[i + 2]);
    if (c == '?')
        return in_query;
    return g_ascii_isalnum(c) || (c != '\0' && strchr("/-._~!$&'()*+,;=:@", c));
}

gboolean
http_target_is_valid(Slice target)
{
    gboolean in_query = FALSE;

    if (target.len == 0 || target.ptr[0] != '/')
        return FALSE;
    for (gsize i = 0; i < target.len; i++) {
        in_query = in_query || target.ptr[i] == '?';
        if (!is_allowed(target, i, in_query))
            return FALSE;
    }
    return TRUE;
}

gboolean
http_path_split(Slice path, HttpPath *ret)
{
    HttpPath out = {.count = 0};
    gsize start = 1;

    if (path.len == 0 || path.ptr[0] != '/')
        return FALSE;
    for (gsize i = 1; i <= path.len; i++) {
        if (i < path.len && path.ptr[i] != '/')
            continue;
        if (out.count == HTTP_SEGMENTS_MAX)
            return FALSE;
        out.items[out.count++] = (Slice){path.ptr + start, i - start};
        start = i + 1;
    }
    *ret = out;
    return TRUE;
}

gboolean
http_path_is_valid(Slice path)
{
    g_autofree char *text = percent_decode_text(path.ptr, path.len);

    return text != NULL;
}

/* Nearly every segment is sent as it is, and needs no copy. */
gboolean
http_path_is(const HttpPath *path, guint index, Slice name)
{
    g_autofree char *text = NULL;
    Slice segment;

    if (index >= path->count)
        return FALSE;
    segment = path->items[index];
    if (segment.len > 0 && memchr(segment.ptr, '%', segment.len)) {
        text = percent_decode_text(segment.ptr, segment.len);
        segment = slice_of(text);
    }
    return segment.len == name.len &&
           (name.len == 0 || memcmp(segment.ptr, name.ptr, name.len) == 0);
}

char *
http_path_decode(const HttpPath *path, guint index)
{
    if (index >= path->count || path->items[index].len == 0)
        return NULL;
    return percent_decode_text(path->items[index].ptr, path->items[index].len);
}

/* The next `name=value` or `name`; FALSE at the end. */
static gboolean
query_next(Slice *rest, Slice *ret_name, Slice *ret_value)
{
    const char *end;
    const char *equals;
    Slice pair;

    if (rest->len == 0)
        return FALSE;
    end = memchr(rest->ptr, '&', rest->len);
    pair = (Slice){rest->ptr, end ? (gsize)(end - rest->ptr) : rest->len};
    equals = pair.len > 0 ? memchr(pair.ptr, '=', pair.len) : NULL;
    *ret_name = (Slice){pair.ptr, equals ? (gsize)(equals - pair.ptr) : pair.len};
    *ret_value = equals ? (Slice){equals + 1, pair.len - ret_name->len - 1} : (Slice){NULL, 0};
    *rest = end ? (Slice){end + 1, rest->len - pair.len - 1} : (Slice){NULL, 0};
    return TRUE;
}

gboolean
http_query_get(Slice query, const char *name, Slice *ret)
{
    Slice key;
    Slice value;
    Slice found = {NULL, 0};
    guint count = 0;

    while (query_next(&query, &key, &value)) {
        if (!slice_equal(key, name))
            continue;
        found = value;
        count++;
    }
    if (count != 1)
        return FALSE;
    *ret = found;
    return TRUE;
}
