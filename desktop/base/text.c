/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/base/text.h"

#include <glib/gi18n.h>
#include <stdarg.h>

/* A lower rate, per second, is shown as nothing. */
#define RATE_MIN 1.0
/* So many marks may be on one letter of text_plain(); scripts that need more are not known. */
#define MARKS_MAX 4

char *
text_size(guint64 bytes)
{
    return g_format_size(bytes);
}

char *
text_rate(double bytes_per_second)
{
    g_autofree char *size = NULL;

    if (bytes_per_second < RATE_MIN)
        return g_strdup("");
    size = text_size((guint64)bytes_per_second);
    /* TRANSLATORS: an amount of bytes in a second: 1.2 MB/s */
    return g_strdup_printf(_("%s/s"), size);
}

/* "↓ 1.2 MB/s", in which no line ends: with a space that does not break, and a joiner at the slash.
 */
static char *
text_whole(const char *arrow, const char *rate)
{
    g_autoptr(GString) whole = g_string_new(arrow);

    g_string_append_printf(whole, " %s", *rate == '\0' ? "–" : rate);
    (void)g_string_replace(whole, " ", "\u00a0", 0);
    (void)g_string_replace(whole, "/", "/\u2060", 0);
    return g_string_free(g_steal_pointer(&whole), FALSE);
}

char *
text_rates(double in, double out)
{
    g_autofree char *in_text = text_rate(in);
    g_autofree char *out_text = text_rate(out);
    g_autofree char *in_whole = text_whole("↓", in_text);
    g_autofree char *out_whole = text_whole("↑", out_text);

    if (*in_text == '\0' && *out_text == '\0')
        return g_strdup("");
    return g_strdup_printf("%s  %s", in_whole, out_whole);
}

char *
text_since(guint64 time)
{
    gint64 seconds = MAX(0, (g_get_real_time() - (gint64)time) / G_USEC_PER_SEC);

    if (time == 0)
        return g_strdup("");
    if (seconds < 60)
        return g_strdup_printf(_("for %d s"), (int)seconds);
    if (seconds < 3600)
        return g_strdup_printf(_("for %d min"), (int)(seconds / 60));
    if (seconds < 48 * 3600)
        return g_strdup_printf(_("for %d h"), (int)(seconds / 3600));
    return g_strdup_printf(ngettext("for %d day", "for %d days", (unsigned long)(seconds / 86400)),
                           (int)(seconds / 86400));
}

typedef struct {
    const char *state, *text;
} Word;

static const char *
text_word(const Word *words, const char *state)
{
    for (; words->state != NULL; words++) {
        if (g_str_equal(words->state, state))
            return _(words->text);
    }
    return state;
}

const char *
text_hub_state(const char *state)
{
    static const Word words[] = {
        {"disconnected", N_("Not connected")},
        {"connecting", N_("Connecting…")},
        {"connected", N_("Connected")},
        {"refused", N_("Identity refused")},
        {NULL, NULL},
    };

    return text_word(words, state);
}

const char *
text_stream_state(const char *state)
{
    static const Word words[] = {
        {"requested", N_("Requested")},
        {"deciding", N_("Deciding…")},
        {"connecting", N_("Connecting…")},
        {"open", N_("Open")},
        {"suspended", N_("Suspended")},
        {"closing", N_("Closing…")},
        {"initiating", N_("Asking the device…")},
        {"accepted", N_("Accepted")},
        {"closed", N_("Closed")},
        {"rejected", N_("Rejected")},
        {"timed-out", N_("Timed out")},
        {"offline", N_("Device offline")},
        {"unauthorized", N_("Not authorized")},
        {NULL, NULL},
    };

    return text_word(words, state);
}

gboolean
text_stream_ended(Item *stream)
{
    return item_number(stream, "ClosedAt") != 0;
}

char *
text_via(const char *hub)
{
    /* TRANSLATORS: %s is the name of a hub that a stream or tunnel goes through */
    return *hub == '\0' ? g_strdup("") : g_strdup_printf(_("via %s"), hub);
}

char *
text_join(const char *first, ...)
{
    g_autoptr(GString) text = g_string_new(NULL);
    va_list parts;

    va_start(parts, first);
    for (const char *part = first; part != NULL; part = va_arg(parts, const char *)) {
        if (*part != '\0' && text->len > 0)
            g_string_append(text, " · ");
        g_string_append(text, part);
    }
    va_end(parts);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Control characters, and those that set the direction of text: with them a name could hide the
 * text after it. Nor what has no width or no ink, with which two names would look the same. */
static gboolean
character_is_plain(gunichar c)
{
    static const gunichar blank[] = {0x034f, 0x115f, 0x1160, 0x17b4,
                                     0x17b5, 0x2800, 0x3164, 0xffa0};
    GUnicodeType type = g_unichar_type(c);

    for (guint i = 0; i < G_N_ELEMENTS(blank); i++) {
        if (c == blank[i])
            return FALSE;
    }
    return type != G_UNICODE_CONTROL && type != G_UNICODE_FORMAT &&
           type != G_UNICODE_LINE_SEPARATOR && type != G_UNICODE_PARAGRAPH_SEPARATOR &&
           type != G_UNICODE_PRIVATE_USE && type != G_UNICODE_UNASSIGNED;
}

/* One space in a row is enough, and marks over a letter must not pile up into the line above. */
static gboolean
character_fits(gunichar c, gunichar before, guint marks)
{
    return g_unichar_type(c) == G_UNICODE_SPACE_SEPARATOR ? before != ' ' : marks <= MARKS_MAX;
}

char *
text_plain(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autoptr(GString) plain = g_string_new(NULL);
    gunichar before = ' ';
    glong length = 0;
    guint marks = 0;

    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        marks = g_unichar_ismark(c) ? marks + 1 : 0;
        if (!character_fits(c, before, marks))
            continue;
        if (length++ == TEXT_PLAIN_MAX) {
            g_string_append(plain, "…");
            break;
        }
        if (g_unichar_type(c) == G_UNICODE_SPACE_SEPARATOR)
            c = ' ';
        before = character_is_plain(c) ? c : 0xfffd;
        g_string_append_unichar(plain, before);
    }
    return g_string_free(g_steal_pointer(&plain), FALSE);
}

char *
text_apart(const char *text)
{
    g_autofree char *plain = text_plain(text);

    if (g_str_is_ascii(plain))
        return g_steal_pointer(&plain);
    return g_strdup_printf("\u2068%s\u2069", plain);
}
