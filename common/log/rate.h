/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LogRate: how many records may be written in a second (requirement R28), in classes of sources,
 * and within a class by subject: the device, user or address whose doing it is. The first
 * LOG_RATE_SURE records of a subject are always written, so nobody hides what another does. What
 * goes beyond that shares LOG_RATE_MAX a class, of which a subject has LOG_RATE_SUBJECT at most. A
 * class tells LOG_SUBJECTS subjects apart in a second; further ones are one subject together, for
 * which nothing is sure. Records beyond are counted, and the count is told once, of a subject where
 * it is known. The caller locks. */
#pragma once

#include <glib.h>

#define LOG_RATE_MAX 100
#define LOG_RATE_SUBJECT 50
#define LOG_RATE_SURE 10
#define LOG_RATE_WINDOW G_TIME_SPAN_SECOND
#define LOG_SUBJECTS 128
#define LOG_SUBJECT_MAX 96 /* bytes of a subject that are kept, NUL included */

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
    guint64 hash; /* of the whole name; 0: free */
    char name[LOG_SUBJECT_MAX];
    guint written;
    guint64 left_out; /* not told yet */
} LogSubject;

typedef struct {
    gint64 since;    /* monotonic µs */
    guint shared;    /* records beyond the sure ones */
    guint known;     /* subjects */
    guint told;      /* by name */
    LogSubject rest; /* those without a name, and those without a place */
    LogSubject subjects[LOG_SUBJECTS];
} LogClassRate;

typedef struct {
    LogClassRate classes[LOG_CLASS_LAST];
} LogRate;

/* What was left out, of whom. */
typedef struct {
    LogClass kind;
    char subject[LOG_SUBJECT_MAX]; /* empty: of several */
    guint64 count;
} LogLeftOut;

/* Whether one more of SUBJECT (NULL: nobody's) may be written at NOW; otherwise it is counted. */
gboolean log_rate_admit(LogRate *rate, LogClass kind, const char *subject, gint64 now);

/* What was left out in a second that is over: each number is given once. ALL: also of the seconds
 * that are not over. FALSE: none. */
gboolean log_rate_take(LogRate *rate, gint64 now, gboolean all, LogLeftOut *ret);

const char *log_class_name(LogClass kind);
LogClass log_class_from_name(const char *name, gsize len); /* LOG_CLASS_TEXT when unknown */

/* The names (without STREAMD_) of the fields that make the subject of a class, separated by blanks;
 * empty: it has none. */
const char *log_class_subject(LogClass kind);

/* The source in an address with a port: the address, of IPv6 its /64, since whoever has one address
 * of it has them all; the IPv4 address of a mapped one. What is no address is itself. The caller
 * frees it. */
char *log_source(const char *peer, gsize len);
