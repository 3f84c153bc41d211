/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stored: what a daemon that is restarted hands to its successor, beside descriptors: its streams
 * that survive their legs (docs/wire-protocol.md, section 8a) with the bytes that they keep, and
 * what it remembers of ended ones. One structure of one version, in memory that both can map; pure;
 * any thread.
 *
 * Names, numbers and limits are the daemon's: here they are plain data, of which only the bounds
 * are checked. Integers are little-endian; there is exactly one form of each state. Times are µs;
 * those on the clock are CLOCK_REALTIME, all others are durations. */
#pragma once

#include "common/base/reason.h"
#include "common/resume/stream.h"

#define STORED_VERSION 1
#define STORED_STREAMS_MAX 512
#define STORED_TOMBS_MAX 1024
#define STORED_KEPT_MAX ((guint64)128 * 1024 * 1024) /* of all streams together */
#define STORED_TEXT_MAX 1024                         /* bytes of a name */
#define STORED_OTHER_MAX (1024 * 1024)
#define STORED_HOLDS 2  /* rule, target */
#define STORED_LIMITS 8 /* of which the daemon uses the first ones */
#define STORED_SECRET 32

/* Limits that a stream is held to, and among whose streams it counts ("rule 7"). */
typedef struct {
    char *what; /* NULL: none */
    guint64 limits[STORED_LIMITS];
} StoredHold;

typedef struct {
    guint64 id; /* not 0; each once */
    guint8 role;
    gboolean suspended_before; /* its leg was lost before the restart */
    char *hub, *device, *name; /* never NULL */
    char *hub_id;              /* never NULL: the id by which it is resumed */
    char *initiator, *address; /* NULL: unknown */
    char *target;              /* NULL: none */
    char *rule;                /* the id of the rule that had accepted it; NULL: none */
    guint64 tunnel, place;     /* 0: none */
    guint32 owner_uid;
    guint32 caps;
    guint64 requested_at, opened_at; /* on the clock */
    guint64 suspended_at;            /* on the clock; 0: it is suspended by the restart */
    Reason suspended_for;            /* the first loss since it last went on; NONE: the restart */
    guint32 resumes, attempt;        /* attempt: the highest so far */
    guint8 secret[STORED_SECRET];    /* wiped when it is freed */
    guint64 time, time_left;         /* that it may be suspended; what is left of it */
    guint64 elapsed;                 /* that its limit of duration has run */
    guint64 bytes[2];                /* of its meter */
    StoredHold holds[STORED_HOLDS];
    ResumeSaved saved;
    guint32 descriptor; /* N of the descriptor "s-N" that is its local socket; each once */
    /* Its kept_to - kept_from bytes. To be written: LIVE has them when it is not NULL, otherwise
     * they are at KEPT. Read: KEPT points into what was parsed, LIVE is NULL. */
    const ResumeStream *live;
    const guint8 *kept;
} StoredStream;

/* Of a stream that has ended, and whose other end may come back. */
typedef struct {
    char *hub, *hub_id; /* never NULL */
    guint8 role;
    guint8 digest[STORED_SECRET];
    Reason reason; /* not NONE */
    guint64 sent, consumed;
    gboolean fin_given;
    guint64 time_left;
} StoredTomb;

typedef struct {
    GPtrArray *streams;               /* StoredStream, owned */
    GPtrArray *tombs;                 /* StoredTomb, owned */
    guint64 next_stream, next_tunnel; /* the ids that come next */
    GBytes *other; /* of the daemon's own, at most STORED_OTHER_MAX; NULL: none */
} Stored;

Stored *stored_new(void);         /* empty */
void stored_free(Stored *stored); /* NULL is fine */
StoredStream *
stored_add_stream(Stored *stored); /* all 0, owned by STORED; strings to be g_strdup'ed */
StoredTomb *stored_add_tomb(Stored *stored);

/* How many bytes stored_write will write; 0: beyond a bound, or something that may not be NULL is.
 */
gsize stored_size(const Stored *stored);
/* SIZE is what stored_size has returned. */
void stored_write(const Stored *stored, guint8 *out, gsize size);

typedef enum {
    STORED_OK,
    STORED_OTHER_VERSION, /* of another version of the program */
    STORED_MALFORMED,
} StoredResult;

/* DATA stays the caller's, and as it is until RET is freed. */
StoredResult stored_parse(const guint8 *data, gsize size, Stored **ret);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Stored, stored_free)
