/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines of a file of records: what is taken for a record has its parts where they have to be, and
 * whatever the lines are, the verifier counts each once. */
#include "hub/log/chain.h"
#include "hub/log/filter.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
on_fault(LogFault fault, guint64 file, guint64 line, void *data)
{
    g_assert_nonnull(log_fault_name(fault));
    g_assert_cmpuint(file, ==, 1);
    g_assert_cmpuint(line, >=, 1);
    g_assert_cmpuint(line, <=, *(const guint64 *)data);
}

static void
look_at(const char *line, gsize len)
{
    const LogFilter filter = {.device = "gw-7",
                              .user = "anna",
                              .result = "ok",
                              .kinds = LOG_KINDS_ALL,
                              .until = "2026-11-30T00:00:00.000Z"};
    g_autoptr(LogEntry) entry = log_entry_parse(line, len);
    LogRecord record;

    if (!log_record_parse(line, len, &record)) {
        g_assert_null(entry);
        return;
    }
    g_assert_true(log_hash_is_valid(record.hash, strlen(record.hash)));
    g_assert_true(record.hashed.ptr == line && record.hashed.len < len);
    g_assert_true(record.time.ptr > line && record.time.len == LOG_TIME_SIZE - 1);
    if (log_filter_takes(&filter, &record, line, len))
        g_assert_nonnull(entry);
    if (entry) /* the quick look and the parser agree */
        g_assert_true(slice_equal(record.time, entry->time) &&
                      slice_equal(record.operation, entry->operation) &&
                      slice_equal(record.category, entry->category));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size;
    guint64 line = 0, records = 0;
    LogChain chain = log_chain_begin(on_fault, &line);
    gboolean ended = TRUE;

    while (at < end) {
        const char *newline = memchr(at, '\n', (gsize)(end - at));
        gsize len = (gsize)((newline ? newline : end) - at);

        line++;
        ended = newline != NULL;
        look_at(at, len);
        records += log_chain_take(&chain, 1, line, at, len, ended) ? 1 : 0;
        at = newline ? newline + 1 : end;
    }
    (void)log_chain_finish(&chain, ended);
    g_assert_cmpuint(chain.records, ==, records);
    g_assert_cmpuint(chain.starts, <=, records);
    g_assert_true(log_hash_is_valid(chain.head, strlen(chain.head)));
    return 0;
}
