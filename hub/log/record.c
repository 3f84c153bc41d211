/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/log/record.h"

#define TIME_LEN (sizeof "2026-11-30T18:42:28.123Z" - 1)
#define BEFORE_HASH ",\"hash\":\""
#define AFTER_HASH "\"}"
#define TAIL_LEN (sizeof BEFORE_HASH - 1 + LOG_HASH_LEN + sizeof AFTER_HASH - 1)

/* What is left of the line. */
typedef struct {
    const char *at;
    const char *end;
} Rest;

static gboolean
take(Rest *rest, const char *text)
{
    gsize len = strlen(text);

    if ((gsize)(rest->end - rest->at) < len || memcmp(rest->at, text, len) != 0)
        return FALSE;
    rest->at += len;
    return TRUE;
}

static gboolean
take_name(Rest *rest, Slice *ret)
{
    const char *begin = rest->at;

    while (rest->at < rest->end && (g_ascii_isalnum(*rest->at) || strchr(".-_", *rest->at)) &&
           *rest->at)
        rest->at++;
    *ret = (Slice){begin, (gsize)(rest->at - begin)};
    return ret->len > 0;
}

static gboolean
take_time(Rest *rest, Slice *ret)
{
    static const char shape[] = "0000-00-00T00:00:00.000Z";

    if ((gsize)(rest->end - rest->at) < TIME_LEN)
        return FALSE;
    for (gsize i = 0; i < TIME_LEN; i++)
        if (shape[i] == '0' ? !g_ascii_isdigit(rest->at[i]) : rest->at[i] != shape[i])
            return FALSE;
    *ret = (Slice){rest->at, TIME_LEN};
    rest->at += TIME_LEN;
    return TRUE;
}

gboolean
log_hash_is_valid(const char *text, gsize len)
{
    for (gsize i = 0; i < len; i++)
        if (!g_ascii_isdigit(text[i]) && (text[i] < 'a' || text[i] > 'f'))
            return FALSE;
    return len == LOG_HASH_LEN;
}

/* AT: where `,"hash":"` should begin. */
static gboolean
is_tail(const char *at)
{
    const char *hash = at + sizeof BEFORE_HASH - 1;

    return memcmp(at, BEFORE_HASH, sizeof BEFORE_HASH - 1) == 0 &&
           memcmp(hash + LOG_HASH_LEN, AFTER_HASH, sizeof AFTER_HASH - 1) == 0 &&
           log_hash_is_valid(hash, LOG_HASH_LEN);
}

gboolean
log_record_parse(const char *line, gsize len, LogRecord *ret)
{
    Rest rest = {line, line + len};
    const char *tail = line + len - TAIL_LEN;

    if (len < TAIL_LEN || len >= LOG_LINE_MAX || !is_tail(tail))
        return FALSE;
    rest.end = tail;
    if (!take(&rest, "{\"time\":\"") || !take_time(&rest, &ret->time) ||
        !take(&rest, "\",\"operationName\":\"") || !take_name(&rest, &ret->operation) ||
        !take(&rest, "\",\"category\":\"") || !take_name(&rest, &ret->category) ||
        !take(&rest, "\""))
        return FALSE;
    ret->hashed = (Slice){line, (gsize)(tail - line)};
    memcpy(ret->hash, tail + sizeof BEFORE_HASH - 1, LOG_HASH_LEN);
    ret->hash[LOG_HASH_LEN] = '\0';
    return TRUE;
}

gboolean
log_record_within(const char *line, gsize len)
{
    const char *at = line;

    while (len >= TAIL_LEN && (at = memmem(at, (gsize)(line + len - at), BEFORE_HASH,
                                           sizeof BEFORE_HASH - 1)) != NULL) {
        if ((gsize)(line + len - at) <= TAIL_LEN)
            return FALSE;
        if (is_tail(at))
            return TRUE;
        at++;
    }
    return FALSE;
}

void
log_record_hash(const LogRecord *record, const char *before, char ret[LOG_HASH_LEN + 1])
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    g_checksum_update(sum, (const guchar *)before, LOG_HASH_LEN);
    g_checksum_update(sum, (const guchar *)record->hashed.ptr, (gssize)record->hashed.len);
    (void)g_strlcpy(ret, g_checksum_get_string(sum), LOG_HASH_LEN + 1);
}

static gboolean
is_of_hub(const LogRecord *record, const char *operation)
{
    return slice_equal(record->category, "Hub") && slice_equal(record->operation, operation);
}

gboolean
log_record_is_start(const LogRecord *record)
{
    return is_of_hub(record, "start");
}

gboolean
log_record_is_file(const LogRecord *record)
{
    return is_of_hub(record, "file");
}

gboolean
log_record_is_lost(const LogRecord *record)
{
    return is_of_hub(record, "lost");
}

/* Behind `,"MEMBER":`. In a text a quote has a backslash before it, so this cannot be inside of
 * one. */
static Rest
find_member(const LogRecord *record, const char *member)
{
    g_autofree char *name = g_strconcat(",\"", member, "\":", NULL);
    const char *end = record->hashed.ptr + record->hashed.len;
    const char *at = memmem(record->hashed.ptr, record->hashed.len, name, strlen(name));

    return (Rest){at ? at + strlen(name) : end, end};
}

gboolean
log_record_previous(const LogRecord *record, char ret[LOG_HASH_LEN + 1])
{
    Rest rest = find_member(record, "previous");

    if (!take(&rest, "\"") || rest.end - rest.at < LOG_HASH_LEN ||
        !log_hash_is_valid(rest.at, LOG_HASH_LEN))
        return FALSE;
    memcpy(ret, rest.at, LOG_HASH_LEN);
    ret[LOG_HASH_LEN] = '\0';
    return TRUE;
}

gboolean
log_record_number(const LogRecord *record, const char *member, guint64 *ret)
{
    Rest rest = find_member(record, member);
    guint64 number = 0;
    const char *begin = rest.at;

    for (; rest.at < rest.end && g_ascii_isdigit(*rest.at); rest.at++)
        if (!g_uint64_checked_mul(&number, number, 10) ||
            !g_uint64_checked_add(&number, number, (guint64)(*rest.at - '0')))
            return FALSE;
    *ret = number;
    return rest.at > begin;
}

gboolean
log_record_is_torn(const LogRecord *record)
{
    Rest rest = find_member(record, "torn");

    return take(&rest, "true");
}
