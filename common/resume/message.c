/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/resume/message.h"

#include <string.h>

#define DIGITS_MAX 19 /* of RESUME_OFFSET_MAX */

/* What is left to be read of a message. */
typedef struct {
    const char *at;
    gsize left;
} Rest;

/* How many offsets a word has; -1: it is not one of those that have offsets. */
static int
word_offsets(char letter)
{
    switch (letter) {
    case RESUME_BEGIN:
    case RESUME_TOLD:
    case RESUME_GIVE:
        return 2;
    case RESUME_END:
    case RESUME_BLOCKED:
        return 1;
    default:
        return -1;
    }
}

static gboolean
take_space(Rest *rest)
{
    if (rest->left == 0 || *rest->at != ' ')
        return FALSE;
    rest->at++;
    rest->left--;
    return TRUE;
}

/* A space, and decimal digits without a leading zero, up to RESUME_OFFSET_MAX. */
static gboolean
take_offset(Rest *rest, guint64 *ret)
{
    guint64 value = 0;
    gsize n = 0;

    if (!take_space(rest))
        return FALSE;
    for (; n < rest->left && n < DIGITS_MAX && g_ascii_isdigit(rest->at[n]); n++)
        value = value * 10 + (guint64)g_ascii_digit_value(rest->at[n]);
    if (n == 0 || (n > 1 && rest->at[0] == '0') || value > RESUME_OFFSET_MAX)
        return FALSE;
    rest->at += n;
    rest->left -= n;
    *ret = value;
    return TRUE;
}

/* A space, and a reason's code to the end. */
static gboolean
take_reason(Rest *rest, Reason *ret)
{
    Reason reason;

    if (!take_space(rest) || rest->left == 0)
        return FALSE;
    for (gsize i = 0; i < rest->left; i++)
        if (!g_ascii_islower(rest->at[i]) && rest->at[i] != '-')
            return FALSE;
    reason = reason_from_code(rest->at, (gssize)rest->left);
    *ret = reason == REASON_NONE ? REASON_CUT : reason;
    rest->left = 0;
    return TRUE;
}

gboolean
resume_message_parse(const void *text, gsize len, ResumeMessage *ret)
{
    Rest rest = {text, len};
    ResumeMessage message = {0};
    int offsets;

    if (len == 0 || len > RESUME_TEXT_MAX)
        return FALSE;
    message.word = (ResumeWord)*rest.at;
    offsets = word_offsets(*rest.at);
    rest.at++;
    rest.left--;
    if (message.word == RESUME_CLOSE) {
        if (!take_reason(&rest, &message.reason))
            return FALSE;
    } else if (offsets < 0 || !take_offset(&rest, &message.first) ||
               (offsets == 2 && !take_offset(&rest, &message.second))) {
        return FALSE;
    }
    if (rest.left != 0)
        return FALSE;
    *ret = message;
    return TRUE;
}

/* Appends a space and VALUE; returns the new length. */
static gsize
put_offset(char *out, gsize at, guint64 value)
{
    char digits[DIGITS_MAX + 1];
    gsize n = 0;

    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0 && n < sizeof digits);
    out[at++] = ' ';
    while (n > 0)
        out[at++] = digits[--n];
    return at;
}

gsize
resume_message_write(char out[RESUME_TEXT_MAX], const ResumeMessage *message)
{
    int offsets = word_offsets((char)message->word);
    gsize at = 0;

    out[at++] = (char)message->word;
    if (message->word == RESUME_CLOSE) {
        const char *code = reason_code(message->reason);
        gsize len = MIN(strlen(code), RESUME_TEXT_MAX - 2);

        out[at++] = ' ';
        memcpy(out + at, code, len);
        return at + len;
    }
    if (offsets >= 1)
        at = put_offset(out, at, message->first);
    if (offsets == 2)
        at = put_offset(out, at, message->second);
    return at;
}
