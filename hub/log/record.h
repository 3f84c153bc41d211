/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Record, as it is read: the parts of a line of the hub's records that its reader and verifier
 * need, without a JSON parser. Every line begins with time, operation and category and ends with
 * its hash (docs/operators.md, "Records"). Pure; any thread. */
#pragma once

#include "common/base/slice.h"

#define LOG_LINE_MAX 8192 /* bytes, with the line end */
#define LOG_HASH_LEN 64   /* hexadecimal digits, lower case */
#define LOG_HASH_NONE "0000000000000000000000000000000000000000000000000000000000000000"

/* Slices into the line. Names and times have no escapes: a line with one there is no record. */
typedef struct {
    Slice time;      /* "2026-11-30T18:42:28.123Z": compares as text, as all are in UTC */
    Slice operation; /* "invoke", "end", "device.add", "start" ... */
    Slice category;  /* "DeviceStreams", "Registry", "Hub" */
    Slice hashed;    /* what the hash is of, behind the hash before */
    char hash[LOG_HASH_LEN + 1];
} LogRecord;

/* LINE is without its line end. FALSE: it is no record. The JSON in between is not checked. */
gboolean log_record_parse(const char *line, gsize len, LogRecord *ret);

/* Whether a record ends before the end of LINE: then bytes were added to it, or two lines joined. A
 * line that was cut off has none. */
gboolean log_record_within(const char *line, gsize len);

/* What the hash of RECORD is when BEFORE is that of the record before it. */
void log_record_hash(const LogRecord *record, const char *before, char ret[LOG_HASH_LEN + 1]);

/* Whether TEXT, LEN bytes, is a hash as it stands in a record. */
gboolean log_hash_is_valid(const char *text, gsize len);

/* What the records about the file itself have beside that (category "Hub"): these are flat, and
 * their members are found by name. */
gboolean log_record_is_start(const LogRecord *record);
gboolean log_record_is_file(const LogRecord *record);
gboolean log_record_is_lost(const LogRecord *record);
/* FALSE: there is none. */
gboolean log_record_previous(const LogRecord *record, char ret[LOG_HASH_LEN + 1]);
gboolean log_record_number(const LogRecord *record, const char *member, guint64 *ret);
gboolean log_record_is_torn(const LogRecord *record); /* a start that says so */
