/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/rest/words.h"

#include <string.h>

#define WORD_MAX 300 /* bytes */

gboolean
words_fail(Words *words, const char *wanted)
{
    if (!words->why)
        words->why = g_strdup_printf("The query at character %zu: want %s.", words->place, wanted);
    return FALSE;
}

/* In single or double quotes. Two of them in a value stand for one: 'it''s'. */
static void
take_value(Words *words)
{
    char quote = *words->at++;
    GString *value = g_string_new(NULL);

    words->quoted = TRUE;
    for (; *words->at; words->at++) {
        if (*words->at == quote && words->at[1] != quote)
            break;
        if (*words->at == quote)
            words->at++;
        g_string_append_c(value, *words->at);
    }
    if (*words->at == quote)
        words->at++;
    else
        (void)words_fail(words, "a quote at the end of this value");
    words->word = g_string_free(value, FALSE);
}

static gsize
word_length(const char *text)
{
    gsize len = 0;

    while (g_ascii_isalnum(text[len]) || (text[len] && strchr("._-", text[len])))
        len++;
    if (len > 0)
        return len;
    if (g_str_has_prefix(text, "!=") || g_str_has_prefix(text, "<>"))
        return 2;
    return *text ? 1 : 0;
}

void
words_next(Words *words)
{
    gsize len;

    g_clear_pointer(&words->word, g_free);
    words->quoted = FALSE;
    while (g_ascii_isspace(*words->at))
        words->at++;
    words->place = (gsize)(words->at - words->start) + 1;
    if (*words->at == '\'' || *words->at == '"') {
        take_value(words);
        return;
    }
    len = word_length(words->at);
    if (len > WORD_MAX)
        (void)words_fail(words, "a shorter word");
    else if (len > 0)
        words->word = g_strndup(words->at, len);
    words->at += len;
}

void
words_begin(Words *words, const char *text)
{
    *words = (Words){.start = text, .at = text};
    words_next(words);
}

void
words_clear(Words *words)
{
    g_clear_pointer(&words->word, g_free);
}

gboolean
words_are(const Words *words, const char *word)
{
    return words->word && !words->quoted && g_ascii_strcasecmp(words->word, word) == 0;
}

gboolean
words_take(Words *words, const char *word)
{
    if (!words_are(words, word))
        return FALSE;
    words_next(words);
    return TRUE;
}

gboolean
words_want(Words *words, const char *word)
{
    return words_take(words, word) || words_fail(words, word);
}

char *
words_value(Words *words)
{
    char *value;

    if (!words->word || !words->quoted || words->why) {
        (void)words_fail(words, "a value in quotes");
        return NULL;
    }
    value = g_steal_pointer(&words->word);
    words_next(words);
    return value;
}
