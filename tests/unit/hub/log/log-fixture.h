/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records made by hand, as their document says. */
#pragma once

#include "hub/log/record.h"

#define FIXTURE_TIME "2026-11-30T18:42:28.123Z"

/* Appends a line whose members behind time, operation and category are MORE (",\"by\":\"x\"", or
 * ""), chained to *HEAD, which becomes its hash. */
static inline void
fixture_add(GString *out, char head[LOG_HASH_LEN + 1], const char *operation, const char *category,
            const char *more)
{
    g_autofree char *body = g_strdup_printf("{\"time\":\"" FIXTURE_TIME
                                            "\",\"operationName\":\"%s\",\"category\":\"%s\"%s",
                                            operation, category, more);
    const LogRecord record = {.hashed = slice_of(body)};
    char hash[LOG_HASH_LEN + 1];

    log_record_hash(&record, head, hash);
    g_string_append_printf(out, "%s,\"hash\":\"%s\"}\n", body, hash);
    memcpy(head, hash, sizeof hash);
}

static inline void
fixture_start(GString *out, char head[LOG_HASH_LEN + 1], gboolean torn)
{
    g_autofree char *more = g_strdup_printf(
        ",\"version\":\"0.2.0\",\"previous\":\"%s\",\"torn\":%s", head, torn ? "true" : "false");

    fixture_add(out, head, "start", "Hub", more);
}

/* A start that a file begins with, after file NUMBER. */
static inline void
fixture_start_file(GString *out, char head[LOG_HASH_LEN + 1], gboolean torn, guint number)
{
    g_autofree char *more =
        g_strdup_printf(",\"version\":\"0.2.0\",\"previous\":\"%s\",\"torn\":%s,\"number\":%u",
                        head, torn ? "true" : "false", number);

    fixture_add(out, head, "start", "Hub", more);
}

static inline void
fixture_file(GString *out, char head[LOG_HASH_LEN + 1], guint number)
{
    g_autofree char *more = g_strdup_printf(",\"previous\":\"%s\",\"number\":%u", head, number);

    fixture_add(out, head, "file", "Hub", more);
}
