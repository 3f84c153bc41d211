/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words of a query, one by one: names, values in quotes, signs. Pure; any thread. */
#pragma once

#include <glib.h>

typedef struct {
    const char *start;
    const char *at;  /* behind the word */
    gsize place;     /* of the word, from 1 */
    char *word;      /* the present one; NULL at the end */
    gboolean quoted; /* it is a value */
    char *why;       /* not NULL: what is wrong; the first fault counts */
} Words;

/* TEXT must stay. The first word is there at once. */
void words_begin(Words *words, const char *text);
void words_clear(Words *words); /* not `why`, which is the caller's */

void words_next(Words *words);

/* Whether the present word is WORD, in any case, and no value. */
gboolean words_are(const Words *words, const char *word);

/* The same, and goes on behind it. */
gboolean words_take(Words *words, const char *word);

/* The same; when it is another, that is a fault. */
gboolean words_want(Words *words, const char *word);

/* Takes a value; NULL: there is none, which is a fault. The caller frees it. */
char *words_value(Words *words);

/* Always FALSE: at the present word there should be WANTED. */
gboolean words_fail(Words *words, const char *wanted);
