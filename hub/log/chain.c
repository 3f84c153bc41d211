/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/log/chain.h"

const char *
log_fault_name(LogFault fault)
{
    static const char *const names[] = {
        [LOG_FAULT_CHANGED] = "changed", [LOG_FAULT_MISSING] = "missing", [LOG_FAULT_FILE] = "file",
        [LOG_FAULT_TORN] = "torn",       [LOG_FAULT_NO_RECORD] = "none",  [LOG_FAULT_HEAD] = "head",
    };

    return names[fault];
}

LogChain
log_chain_begin(void (*fault)(LogFault fault, guint64 file, guint64 line, void *data), void *data)
{
    return (LogChain){.fault = fault, .data = data, .head = {LOG_HASH_NONE}};
}

void
log_chain_next_file(LogChain *chain, guint64 before)
{
    chain->file_before = before;
}

static void
report(LogChain *chain, LogFault fault, guint64 file, guint64 line)
{
    chain->faults++;
    chain->excused = TRUE;
    chain->fault(fault, file, line, chain->data);
}

static void
report_broken(LogChain *chain)
{
    chain->broken = FALSE;
    report(chain, LOG_FAULT_TORN, chain->broken_file, chain->broken_line);
}

static void
take_broken(LogChain *chain, guint64 file, guint64 line, const char *text, gsize len)
{
    if (chain->broken)
        report_broken(chain);
    if (len >= LOG_LINE_MAX || log_record_within(text, len)) {
        report(chain, LOG_FAULT_NO_RECORD, file, line);
        return;
    }
    chain->broken = TRUE;
    chain->broken_file = file;
    chain->broken_line = line;
}

/* Whether a file begins with this record, where others were before it: that of a file, or a start
 * that names the file before. Any other start stands behind records of the same file. */
static gboolean
begins_file(const LogRecord *record, guint64 line)
{
    guint64 number = 0;
    gboolean torn = log_record_is_start(record) && log_record_is_torn(record);

    return log_record_number(record, "number", &number) && number > 0 && line == (torn ? 2 : 1);
}

/* Where the records begin: at the very first start, or where older files were kept once. */
static void
take_first(LogChain *chain, const LogRecord *record, const char *previous, guint64 file,
           guint64 line)
{
    gboolean first = strcmp(previous, LOG_HASH_NONE) == 0;

    chain->gone = begins_file(record, line);
    if (!chain->gone && !first)
        report(chain, LOG_FAULT_MISSING, file, line);
}

/* The line before was cut off: this record has to be the start that says so, and no other may. */
static void
settle_broken(LogChain *chain, const LogRecord *record, guint64 file, guint64 line)
{
    gboolean told = log_record_is_start(record) && log_record_is_torn(record);

    if (chain->broken && told) {
        chain->broken = FALSE;
        chain->torn++;
    } else if (chain->broken) {
        report_broken(chain);
    } else if (told) {
        report(chain, LOG_FAULT_MISSING, file, line);
    }
}

/* A start, or the first record of a file: it names the hash before it. */
static void
take_link(LogChain *chain, const LogRecord *record, const char *previous, guint64 file,
          guint64 line)
{
    gboolean excused = chain->excused;
    guint64 number = 0;

    if (chain->file_before > 0 && log_record_number(record, "number", &number) &&
        number != chain->file_before) {
        report(chain, LOG_FAULT_FILE, file, line);
        return;
    }
    if (strcmp(previous, chain->head) != 0 && !excused)
        report(chain, LOG_FAULT_MISSING, file, line);
}

static void
take_record(LogChain *chain, const LogRecord *record, guint64 file, guint64 line)
{
    gboolean links = log_record_is_start(record) || log_record_is_file(record);
    char previous[LOG_HASH_LEN + 1], hash[LOG_HASH_LEN + 1];
    guint64 lost = 0;

    settle_broken(chain, record, file, line);
    links = links && log_record_previous(record, previous);
    log_record_hash(record, links ? previous : chain->head, hash);
    if (chain->records == 0 && !links) {
        /* What its hash is of is gone with the records before it. */
        report(chain, LOG_FAULT_MISSING, file, line);
    } else if (strcmp(hash, record->hash) != 0) {
        if (links || !chain->excused)
            report(chain, LOG_FAULT_CHANGED, file, line);
    } else if (chain->records == 0) {
        take_first(chain, record, previous, file, line);
    } else if (links) {
        take_link(chain, record, previous, file, line);
    }
    if (log_record_is_lost(record) && log_record_number(record, "count", &lost))
        chain->lost += lost;
    chain->starts += log_record_is_start(record) ? 1 : 0;
    chain->records++;
    memcpy(chain->head, record->hash, sizeof chain->head);
}

gboolean
log_chain_take(LogChain *chain, guint64 file, guint64 line, const char *text, gsize len,
               gboolean ended)
{
    LogRecord record;

    if (!ended || !log_record_parse(text, len, &record)) {
        take_broken(chain, file, line, text, len);
        return FALSE;
    }
    take_record(chain, &record, file, line);
    chain->excused = FALSE; /* the next one has to follow from this one, right or wrong */
    return TRUE;
}

gboolean
log_chain_finish(LogChain *chain, gboolean ended)
{
    if (!chain->broken)
        return FALSE;
    if (ended)
        report_broken(chain);
    chain->broken = FALSE;
    return !ended;
}
