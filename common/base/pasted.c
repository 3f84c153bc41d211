/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/pasted.h"

#include "common/base/slice.h"

/* Quotes in pairs, as keyboards and word processors have them. */
static const struct {
    const char *open, *close;
} quotes[] = {
    {"\"", "\""},
    {"'", "'"},
    {"`", "`"},
    {"\xe2\x80\x9c", "\xe2\x80\x9d"}, /* “ ” */
    {"\xe2\x80\x9e", "\xe2\x80\x9c"}, /* „ “ */
    {"\xe2\x80\x98", "\xe2\x80\x99"}, /* ‘ ’ */
    {"\xc2\xab", "\xc2\xbb"},         /* « » */
};

static gboolean
starts(Slice text, const char *with)
{
    gsize len = strlen(with);

    return text.len >= len && memcmp(text.ptr, with, len) == 0;
}

static gboolean
is_utf16(Slice text)
{
    return starts(text, "\xff\xfe") || starts(text, "\xfe\xff") ||
           (text.len >= 2 && (text.ptr[0] == '\0') != (text.ptr[1] == '\0'));
}

static Slice
trim(Slice text)
{
    while (text.len > 0 && g_ascii_isspace(text.ptr[0]))
        text = (Slice){text.ptr + 1, text.len - 1};
    while (text.len > 0 && g_ascii_isspace(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

static Slice
without_quotes(Slice text)
{
    for (gsize i = 0; i < G_N_ELEMENTS(quotes); i++) {
        gsize open = strlen(quotes[i].open), close = strlen(quotes[i].close);

        if (text.len >= open + close && starts(text, quotes[i].open) &&
            memcmp(text.ptr + text.len - close, quotes[i].close, close) == 0)
            return trim((Slice){text.ptr + open, text.len - open - close});
    }
    return text;
}

static Slice
line_next(Slice *text)
{
    const char *end = memchr(text->ptr, '\n', text->len);
    Slice line = {text->ptr, end ? (gsize)(end - text->ptr) : text->len};
    gsize taken = line.len + (end ? 1 : 0);

    *text = (Slice){text->ptr + taken, text->len - taken};
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* Whether each line that is not empty begins with ">", as a mail program quotes. */
static gboolean
is_quoted_mail(Slice text)
{
    while (text.len > 0) {
        Slice line = trim(line_next(&text));

        if (line.len > 0 && line.ptr[0] != '>')
            return FALSE;
    }
    return TRUE;
}

/* The lines, perhaps without the mark of a mail program. OUT has the size already, so that no copy
 * of a key is left in memory. */
static void
append_lines(GString *out, Slice text, gboolean quoted)
{
    while (text.len > 0) {
        Slice line = line_next(&text);

        if (quoted)
            line = trim(line);
        while (quoted && line.len > 0 && (line.ptr[0] == '>' || line.ptr[0] == ' '))
            line = (Slice){line.ptr + 1, line.len - 1};
        g_string_append_len(out, line.ptr, (gssize)line.len);
        if (text.len > 0)
            g_string_append_c(out, '\n');
    }
}

char *
pasted_clean(const char *text, gsize len, const char *what, GError **error)
{
    Slice rest = {text, len};
    GString *out;

    if (is_utf16(rest)) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "%s is in UTF-16; save it as plain text, in UTF-8 or ASCII", what);
        return NULL;
    }
    if (len > 0 && memchr(text, '\0', len)) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "%s holds a NUL; what was copied is not text", what);
        return NULL;
    }
    if (starts(rest, "\xef\xbb\xbf"))
        rest = (Slice){rest.ptr + 3, rest.len - 3};
    rest = without_quotes(trim(rest));
    out = g_string_sized_new(rest.len);
    append_lines(out, rest, rest.len > 0 && is_quoted_mail(rest));
    return g_string_free(out, FALSE);
}
