/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LogRate: how many records may be written in a second (requirement R28). Records belong to a class
 * of sources, and within it to a subject: the device, user or address that caused them. The first
 * LOG_RATE_SURE records of a subject are always written, so nobody can hide what another does.
 * Further ones share LOG_RATE_MAX per class, of which a subject gets at most LOG_RATE_SUBJECT. A
 * class tells LOG_SUBJECTS subjects apart in a second; all others count as one subject, which has
 * no sure records. Records beyond the limits are counted, and each count is reported once, with its
 * subject where it is known. The caller locks. */
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
    LOG_CLASS_REFUSED, /* peers without the right to be here */
    LOG_CLASS_LIMIT,
    LOG_CLASS_CHANGE, /* who changed what: all of them are written, at every level of the log */
    LOG_CLASS_DENIED, /* who would have changed something, and may not */
    LOG_CLASS_LAST,
} LogClass;

typedef struct {
    guint64 hash; /* of the whole name; 0: the entry is free */
    char name[LOG_SUBJECT_MAX];
    guint written;
    guint64 left_out; /* not reported yet */
} LogSubject;

typedef struct {
    gint64 since;    /* monotonic µs */
    guint shared;    /* records beyond the sure ones */
    guint known;     /* subjects */
    guint told;      /* reported by name */
    LogSubject rest; /* subjects without a name, and those without an entry */
    LogSubject subjects[LOG_SUBJECTS];
} LogClassRate;

typedef struct {
    LogClassRate classes[LOG_CLASS_LAST];
} LogRate;

/* How many records were left out, and of whom. */
typedef struct {
    LogClass kind;
    char subject[LOG_SUBJECT_MAX]; /* empty: several subjects */
    guint64 count;
} LogLeftOut;

/* Whether a further record of SUBJECT (NULL: nobody) may be written at NOW. If not, counts it. */
gboolean log_rate_admit(LogRate *rate, LogClass kind, const char *subject, gint64 now);

/* The next count of records left out in a finished second. Each count is given once. ALL: the
 * current second too. FALSE: there is none. */
gboolean log_rate_take(LogRate *rate, gint64 now, gboolean all, LogLeftOut *ret);

const char *log_class_name(LogClass kind);
LogClass log_class_from_name(const char *name, gsize len); /* LOG_CLASS_TEXT when unknown */

/* Whether every record of the class is written: whoever may change something may also write that
 * he did, and nothing else of his hides it. */
gboolean log_class_is_kept(LogClass kind);

/* The fields that make the subject of a class: names without STREAMD_, separated by spaces. Empty:
 * the class has no subject. */
const char *log_class_subject(LogClass kind);

/* The source in an address with a port. IPv4: the address, also when it is mapped into IPv6. IPv6:
 * its /64, since whoever has one address of it has them all. Other text is returned as it is. The
 * caller frees it. */
char *log_source(const char *peer, gsize len);
