/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chain: whether the records are whole, line by line through the files in their order. Each record
 * holds a hash of the one before it and of itself, so none can be changed, taken out or put in
 * without a trace; what was cut from the end shows only against a hash that is kept elsewhere. One
 * thread. */
#pragma once

#include "hub/log/files.h"
#include "hub/log/record.h"

typedef enum {
    LOG_FAULT_CHANGED,   /* it does not follow from the record before it */
    LOG_FAULT_MISSING,   /* records before it are missing */
    LOG_FAULT_FILE,      /* a file before this one is missing */
    LOG_FAULT_TORN,      /* a line was cut off, and no start of the hub says so */
    LOG_FAULT_NO_RECORD, /* this line is no record */
    LOG_FAULT_HEAD,      /* a hash that was to be found is not there (not from here) */
} LogFault;

/* "changed", for --json. */
const char *log_fault_name(LogFault fault);

typedef struct {
    /* FILE and LINE are those that log_chain_take was given: a number of hub/log/files.h. */
    void (*fault)(LogFault fault, guint64 file, guint64 line, void *data);
    void *data;

    /* What was seen; read only. */
    guint64 records, starts, lost, torn, faults;
    gboolean gone;               /* the records begin after others that are not kept any more */
    char head[LOG_HASH_LEN + 1]; /* of the last record; LOG_HASH_NONE: there was none */

    /* Its own. */
    gboolean excused; /* the line before was at fault: that the next does not follow is no news */
    guint64 file_before; /* the number of the file before; 0: none */
    gboolean broken;     /* the line before was no whole record */
    guint64 broken_file, broken_line;
} LogChain;

LogChain
log_chain_begin(void (*fault)(LogFault fault, guint64 file, guint64 line, void *data), void *data);

/* The lines that follow are of another file than those before, which was number BEFORE. */
void log_chain_next_file(LogChain *chain, guint64 before);

/* One line, without its line end; ENDED: it had one. Returns whether it is a record. */
gboolean log_chain_take(LogChain *chain, guint64 file, guint64 line, const char *text, gsize len,
                        gboolean ended);

/* After the last line. TRUE: the last line is cut off, as a hub leaves it that was killed, or that
 * is writing it: that is no fault. */
gboolean log_chain_finish(LogChain *chain, gboolean ended);
