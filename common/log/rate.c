/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/log/rate.h"

#include <arpa/inet.h>
#include <string.h>

/* In one class and second, so many subjects are named; the others are reported as a sum. */
#define LOG_TOLD_MAX 8

typedef struct {
    const char *name;
    const char *subject;
} ClassRow;

static const ClassRow classes[LOG_CLASS_LAST] = {
    [LOG_CLASS_TEXT] = {"text", ""},
    [LOG_CLASS_CONTROL] = {"control", "UID"},
    [LOG_CLASS_HUB] = {"hub", "HUB"},
    [LOG_CLASS_STREAM] = {"stream", "UID HUB DEVICE INITIATOR"},
    [LOG_CLASS_TUNNEL] = {"tunnel", "UID"},
    [LOG_CLASS_DEVICE] = {"device", "DEVICE"},
    [LOG_CLASS_REFUSED] = {"refused", "PEER"},
    [LOG_CLASS_LIMIT] = {"limit", "DEVICE INITIATOR PEER"},
    [LOG_CLASS_CHANGE] = {"change", "UID"},
    [LOG_CLASS_DENIED] = {"denied", "UID"},
};

/* FNV-1a. Names are not secret, and whoever makes two collide mostly harms himself. */
static guint64
subject_hash(const char *name)
{
    guint64 hash = 0xcbf29ce484222325;

    for (; *name; name++)
        hash = (hash ^ (guint8)*name) * 0x100000001b3;
    return hash == 0 ? 1 : hash;
}

/* The entry of the subject, made if it is new. When none is free: the entry of the rest. */
static LogSubject *
class_find(LogClassRate *rate, const char *subject)
{
    guint64 hash;

    if (!subject || !*subject)
        return &rate->rest;
    hash = subject_hash(subject);
    for (guint i = 0; i < LOG_SUBJECTS; i++) {
        LogSubject *entry = &rate->subjects[(hash + i) % LOG_SUBJECTS];

        if (entry->hash == hash)
            return entry;
        if (entry->hash != 0)
            continue;
        rate->known++;
        entry->hash = hash;
        (void)g_strlcpy(entry->name, subject, sizeof entry->name);
        return entry;
    }
    return &rate->rest;
}

static guint64
class_take_rest(LogClassRate *rate)
{
    guint64 count = rate->rest.left_out;

    rate->rest.left_out = 0;
    for (guint i = 0; rate->known > 0 && i < LOG_SUBJECTS; i++) {
        count += rate->subjects[i].left_out;
        rate->subjects[i].left_out = 0;
    }
    return count;
}

/* Begins a new second. Counts that were not taken yet are kept. */
static void
class_begin(LogClassRate *rate, gint64 now)
{
    guint64 owed = class_take_rest(rate);

    if (rate->known > 0)
        memset(rate->subjects, 0, sizeof rate->subjects);
    rate->since = now;
    rate->shared = rate->known = rate->told = 0;
    rate->rest = (LogSubject){.left_out = owed};
}

gboolean
log_rate_admit(LogRate *rate, LogClass kind, const char *subject, gint64 now)
{
    LogClassRate *class = &rate->classes[kind];
    LogSubject *entry;
    gboolean sure, named;

    if (log_class_is_kept(kind))
        return TRUE;
    if (now - class->since >= LOG_RATE_WINDOW)
        class_begin(class, now);
    entry = class_find(class, subject);
    named = entry != &class->rest;
    sure = named && entry->written < LOG_RATE_SURE;
    if (!sure && (class->shared >= LOG_RATE_MAX || (named && entry->written >= LOG_RATE_SUBJECT))) {
        entry->left_out++;
        return FALSE;
    }
    entry->written++;
    class->shared += sure ? 0 : 1;
    return TRUE;
}

static LogSubject *
class_most(LogClassRate *rate)
{
    LogSubject *most = NULL;

    for (guint i = 0; rate->known > 0 && i < LOG_SUBJECTS; i++)
        if (rate->subjects[i].left_out > (most ? most->left_out : 0))
            most = &rate->subjects[i];
    return most;
}

/* The subjects with the most records left out, by name; then the others as one number. */
static gboolean
class_take(LogClassRate *rate, LogLeftOut *ret)
{
    LogSubject *most = rate->told < LOG_TOLD_MAX ? class_most(rate) : NULL;

    *ret->subject = '\0';
    if (most) {
        rate->told++;
        (void)g_strlcpy(ret->subject, most->name, sizeof ret->subject);
        ret->count = most->left_out;
        most->left_out = 0;
        return TRUE;
    }
    ret->count = class_take_rest(rate);
    return ret->count > 0;
}

gboolean
log_rate_take(LogRate *rate, gint64 now, gboolean all, LogLeftOut *ret)
{
    for (LogClass kind = 0; kind < LOG_CLASS_LAST; kind++) {
        LogClassRate *class = &rate->classes[kind];

        ret->kind = kind;
        if ((all || now - class->since >= LOG_RATE_WINDOW) && class_take(class, ret))
            return TRUE;
    }
    return FALSE;
}

const char *
log_class_name(LogClass kind)
{
    return classes[kind].name;
}

LogClass
log_class_from_name(const char *name, gsize len)
{
    for (LogClass kind = 0; kind < LOG_CLASS_LAST; kind++)
        if (strlen(classes[kind].name) == len && memcmp(classes[kind].name, name, len) == 0)
            return kind;
    return LOG_CLASS_TEXT;
}

gboolean
log_class_is_kept(LogClass kind)
{
    return kind == LOG_CLASS_CHANGE;
}

const char *
log_class_subject(LogClass kind)
{
    return classes[kind].subject;
}

/* "192.0.2.7:5123", "[2001:db8::1]:5123", or neither. */
char *
log_source(const char *peer, gsize len)
{
    g_autofree char *text = g_strndup(peer, len);
    char *host = *text == '[' ? text + 1 : text;
    char *end = *text == '[' ? strchr(text, ']') : strrchr(text, ':');
    char shown[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (end)
        *end = '\0';
    if (inet_pton(AF_INET6, host, &address) != 1)
        return g_strdup(host);
    if (IN6_IS_ADDR_V4MAPPED(&address))
        return g_strdup(inet_ntop(AF_INET, &address.s6_addr[12], shown, sizeof shown));
    memset(&address.s6_addr[8], 0, 8);
    return g_strdup(inet_ntop(AF_INET6, &address, shown, sizeof shown));
}
