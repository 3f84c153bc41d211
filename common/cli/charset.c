/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/charset.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A stream whose UTF-8 goes to a terminal of another character set. */
typedef struct {
    int fd;
    const char *charset;
    GString *rest; /* the beginning of a character */
} Charset;

static char *
charset_of(const char *text, gsize length, const char *charset)
{
    return g_convert(text, (gssize)length, charset, "UTF-8", NULL, NULL, NULL);
}

gboolean
charset_has(const char *charset, const char *text)
{
    g_autofree char *converted = charset_of(text, strlen(text), charset);

    return converted != NULL;
}

static void
charset_append(GString *out, gunichar c, const char *charset)
{
    char text[6];
    gsize length = (gsize)g_unichar_to_utf8(c, text);
    g_autofree char *converted = c < 0x80 ? NULL : charset_of(text, length, charset);

    if (c < 0x80)
        g_string_append_c(out, (char)c);
    else if (converted != NULL)
        g_string_append(out, converted);
    else if (!g_unichar_iszerowidth(c))
        g_string_append(out, g_unichar_iswide(c) ? "??" : "?");
}

char *
charset_convert(const char *text, const char *charset)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *out = g_string_new(NULL);

    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p))
        charset_append(out, g_utf8_get_char(p), charset);
    return g_string_free(out, FALSE);
}

/* How many of LENGTH bytes are whole characters: what is missing of the last one may still come. */
static gsize
charset_whole(const char *text, gsize length)
{
    const char *end;
    gunichar c;

    if (g_utf8_validate_len(text, length, &end))
        return length;
    c = g_utf8_get_char_validated(end, (gssize)(text + length - end));
    return c == (gunichar)-2 ? (gsize)(end - text) : length;
}

static void
charset_write_all(int fd, const char *text)
{
    gsize left = strlen(text);

    while (left > 0) {
        ssize_t n = write(fd, text, left);

        if (n < 0 && errno != EINTR)
            return;
        text += MAX(n, 0);
        left -= (gsize)MAX(n, 0);
    }
}

static ssize_t
charset_write(void *data, const char *text, size_t size)
{
    Charset *charset = data;
    g_autofree char *piece = NULL, *converted = NULL;
    gsize whole;

    g_string_append_len(charset->rest, text, (gssize)size);
    whole = charset_whole(charset->rest->str, charset->rest->len);
    piece = g_strndup(charset->rest->str, whole);
    converted = charset_convert(piece, charset->charset);
    g_string_erase(charset->rest, 0, (gssize)whole);
    charset_write_all(charset->fd, converted);
    return (ssize_t)size;
}

/* NULL: it is no terminal, or one of UTF-8. The stream lasts as long as the program. */
static FILE *
charset_stream(int fd, int buffered)
{
    const cookie_io_functions_t functions = {.write = charset_write};
    const char *name;
    Charset *charset;
    FILE *stream;

    if (g_get_charset(&name) || isatty(fd) != 1)
        return NULL;
    charset = g_new0(Charset, 1);
    *charset = (Charset){fd, name, g_string_new(NULL)};
    stream = fopencookie(charset, "w", functions);
    if (stream != NULL)
        (void)setvbuf(stream, NULL, buffered, BUFSIZ);
    return stream;
}

void
charset_begin(void)
{
    FILE *output = charset_stream(STDOUT_FILENO, _IOLBF);
    FILE *error = charset_stream(STDERR_FILENO, _IONBF);

    if (output != NULL)
        stdout = output;
    if (error != NULL)
        stderr = error;
}

const char *
charset_ellipsis(void)
{
    const char *name;

    return g_get_charset(&name) || charset_has(name, "\u2026") ? "\u2026" : "...";
}

char *
charset_for_terminal(const char *text)
{
    const char *name;

    return g_get_charset(&name) ? g_strdup(text) : charset_convert(text, name);
}
