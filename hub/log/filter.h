/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filter: which records somebody asks for. Most records are told by a look at their bytes, so that
 * millions can be searched. Pure; one thread. */
#pragma once

#include "hub/log/entry.h"

#define LOG_TIME_SIZE sizeof "2026-11-30T18:42:28.123Z"

/* Texts are borrowed; NULL: any. */
typedef struct {
    const char *device; /* with its modules, unless MODULE is given */
    const char *module;
    const char *user;
    const char *result; /* "ok", "failed", or a code or reason */
    guint kinds;        /* of LogKind */
    /* "": any. A stream that was open at some time from SINCE to UNTIL counts, by its end. */
    char since[LOG_TIME_SIZE], until[LOG_TIME_SIZE];
} LogFilter;

/* µs since the epoch, as records have it. */
void log_time_format(gint64 time, char ret[LOG_TIME_SIZE]);
/* FALSE: there is no such time. */
gboolean log_time_parse(const char *text, gint64 *ret);

/* RECORD is a line of LEN bytes at LINE. FALSE as well when it is not valid JSON and its members
 * would have to be known. */
gboolean
log_filter_takes(const LogFilter *filter, const LogRecord *record, const char *line, gsize len);
