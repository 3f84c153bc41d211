/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LogRate: how many records each class of sources may write (requirement R28): LOG_RATE_MAX in a
 * second. Those beyond are counted, and the count is told once. A class of its own keeps strangers
 * who are refused from hiding what happens to streams. The caller locks. */
#pragma once

#include <glib.h>

#define LOG_RATE_MAX 100
#define LOG_RATE_WINDOW G_TIME_SPAN_SECOND

typedef enum {
    LOG_CLASS_TEXT, /* plain messages, without an event */
    LOG_CLASS_CONTROL,
    LOG_CLASS_HUB,
    LOG_CLASS_STREAM,
    LOG_CLASS_TUNNEL,
    LOG_CLASS_DEVICE,
    LOG_CLASS_REFUSED, /* peers without a right to be here */
    LOG_CLASS_LIMIT,
    LOG_CLASS_LAST,
} LogClass;

typedef struct {
    struct {
        gint64 since; /* monotonic µs */
        guint written;
        guint64 left_out; /* not told yet */
    } classes[LOG_CLASS_LAST];
} LogRate;

/* Whether one more may be written at NOW; otherwise it is counted. */
gboolean log_rate_admit(LogRate *rate, LogClass kind, gint64 now);

/* A class whose bad second is over, with the number that was left out: each number is given once.
 * ALL: also of those that are in it still. FALSE: none. */
gboolean
log_rate_take(LogRate *rate, gint64 now, gboolean all, LogClass *ret_class, guint64 *ret_count);

const char *log_class_name(LogClass kind);
LogClass log_class_from_name(const char *name, gsize len); /* LOG_CLASS_TEXT when unknown */
