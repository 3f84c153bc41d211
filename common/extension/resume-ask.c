/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/extension/resume-ask.h"

#include "common/codec/base64.h"

#include <string.h>

#define NUMBER_TEXT 19 /* digits of 2^63 - 1 */

/* Decimal, without leading zeros. */
static gboolean
number_parse(const char *text, gsize len, guint64 most, guint64 *ret)
{
    guint64 number = 0;

    if (len == 0 || len > NUMBER_TEXT || (text[0] == '0' && len > 1))
        return FALSE;
    for (gsize i = 0; i < len; i++) {
        if (!g_ascii_isdigit(text[i]))
            return FALSE;
        number = number * 10 + (guint64)(text[i] - '0');
    }
    *ret = number;
    return number <= most;
}

static gboolean
id_is_valid(const char *text, gsize len)
{
    for (gsize i = 0; i < len; i++)
        if (!g_ascii_isalnum(text[i]) && !strchr("-._", text[i]))
            return FALSE;
    return len > 0 && len <= RESUME_ID_MAX && !memchr(text, '\0', len);
}

gboolean
resume_ask_parse(const char *text, gsize len, char separator, ResumeAsk *ret)
{
    const char *at = len > 0 ? memrchr(text, separator, len) : NULL;
    gsize id = at ? (gsize)(at - text) : 0;
    guint64 attempt;

    if (!id_is_valid(text, id) ||
        !number_parse(at + 1, len - id - 1, RESUME_ATTEMPT_MAX, &attempt) || attempt == 0)
        return FALSE;
    *ret = (ResumeAsk){.attempt = (guint32)attempt};
    memcpy(ret->id, text, id);
    return TRUE;
}

char *
resume_ask_format(const ResumeAsk *ask, char separator)
{
    return g_strdup_printf("%s%c%u", ask->id, separator, ask->attempt);
}

gboolean
resume_key_parse(const char *text, gsize len, guint8 ret[RESUME_KEY_LEN])
{
    gsize size = 0;

    return len == RESUME_KEY_TEXT && base64url_decode(text, len, ret, RESUME_KEY_LEN, &size) &&
           size == RESUME_KEY_LEN;
}

gboolean
resume_key_is_valid(const char *text, gsize len)
{
    guint8 key[RESUME_KEY_LEN];
    gboolean valid = resume_key_parse(text, len, key);

    explicit_bzero(key, sizeof key);
    return valid;
}

char *
resume_key_format(const guint8 key[RESUME_KEY_LEN])
{
    return base64url_encode(key, RESUME_KEY_LEN);
}

void
resume_key_digest(const guint8 key[RESUME_KEY_LEN], guint8 ret[RESUME_KEY_LEN])
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize len = RESUME_KEY_LEN;

    g_checksum_update(sum, key, RESUME_KEY_LEN);
    g_checksum_get_digest(sum, ret, &len);
    g_checksum_free(sum);
}

gboolean
resume_digest_equals(const guint8 a[RESUME_KEY_LEN], const guint8 b[RESUME_KEY_LEN])
{
    volatile guint8 different = 0;

    for (guint i = 0; i < RESUME_KEY_LEN; i++)
        different |= a[i] ^ b[i];
    return different == 0;
}

gboolean
resume_info_parse(const char *text, gsize len, ResumeInfo *ret)
{
    const char *at = len > 0 ? memchr(text, ' ', len) : NULL;
    gsize first = at ? (gsize)(at - text) : 0;
    ResumeInfo info;

    if (!number_parse(text, first, G_MAXINT64, &info.pause) ||
        !number_parse(at + 1, len - first - 1, G_MAXINT64, &info.replayed))
        return FALSE;
    *ret = info;
    return TRUE;
}

char *
resume_info_format(const ResumeInfo *info)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, info->pause, info->replayed);
}
