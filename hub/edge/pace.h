/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pace: how fast connections may come (requirements R3, R4). Token buckets: a bucket fills at a
 * rate up to a burst, and each connection takes one token. Paces are the buckets of unknown
 * sources: one for the source itself and, for IPv6, one for the /56 and one for the /48 around it,
 * which are SOURCE_WIDER and twice SOURCE_WIDER times as large. The number of buckets is bounded
 * (ledger.h); a source that finds no room shares the bucket of its region. No I/O; the caller holds
 * a lock. */
#pragma once

#include "hub/base/settings.h"
#include "hub/edge/source.h"

#define PACES_MAX 65536
#define SOURCE_WIDER 2

typedef struct {
    double tokens;
    gint64 updated; /* 0: never, it is full */
} Bucket;

typedef struct {
    double rate; /* a second */
    double burst;
} BucketSize;

gboolean bucket_has(const Bucket *bucket, BucketSize size, gint64 now);
gboolean bucket_take(Bucket *bucket, BucketSize size, gint64 now);

typedef struct Paces Paces;

Paces *paces_new(const Settings *settings); /* kept by reference */
void paces_free(Paces *paces);

/* One more connection of SOURCE. A refusal at one width takes nothing at another. */
gboolean paces_take(Paces *paces, const Source *source, gint64 now);

/* SOURCE, at any level or a region, is guessing: its rate is `guessing-per-second` until then. */
void paces_slow(Paces *paces, const Source *source, gint64 until, gint64 now);

guint paces_size(const Paces *paces);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Paces, paces_free)
