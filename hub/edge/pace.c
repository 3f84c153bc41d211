/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/pace.h"

#include "hub/edge/ledger.h"

typedef struct {
    LedgerEntry entry; /* in force until the bucket is full and the source is not slowed down */
    Bucket bucket;
    gint64 slow_until;
} Pace;

struct Paces {
    const Settings *settings;
    Ledger *own;
    Ledger *shared; /* by region */
};

static double
bucket_level(const Bucket *bucket, BucketSize size, gint64 now)
{
    double seconds = (double)(now - bucket->updated) / G_TIME_SPAN_SECOND;

    if (bucket->updated == 0)
        return size.burst;
    return MIN(bucket->tokens + MAX(seconds, 0) * size.rate, size.burst);
}

gboolean
bucket_has(const Bucket *bucket, BucketSize size, gint64 now)
{
    return bucket_level(bucket, size, now) >= 1;
}

gboolean
bucket_take(Bucket *bucket, BucketSize size, gint64 now)
{
    double level = bucket_level(bucket, size, now);

    bucket->tokens = level >= 1 ? level - 1 : level;
    bucket->updated = now;
    return level >= 1;
}

Paces *
paces_new(const Settings *settings)
{
    Paces *paces = g_new0(Paces, 1);

    paces->settings = settings;
    paces->own = ledger_new(PACES_MAX, sizeof(Pace), NULL, NULL);
    paces->shared = ledger_new(PACES_MAX, sizeof(Pace), NULL, NULL);
    return paces;
}

void
paces_free(Paces *paces)
{
    if (!paces)
        return;
    ledger_free(paces->own);
    ledger_free(paces->shared);
    g_free(paces);
}

static BucketSize
pace_size(const Settings *settings, const Pace *pace, guint level, gint64 now)
{
    double times = level == 0 ? 1 : level * SOURCE_WIDER;

    if (pace && now < pace->slow_until)
        return (BucketSize){settings->guessing_per_second, settings->guessing_per_second};
    return (BucketSize){settings->connections_per_second * times,
                        settings->connections_burst * times};
}

static Pace *
pace_find(Ledger *ledger, const Source *source)
{
    const LedgerKey key = ledger_key(source, NULL);

    return ledger_find(ledger, &key);
}

static gboolean
pace_may(const Paces *paces, const Pace *pace, guint level, gint64 now)
{
    return !pace || bucket_has(&pace->bucket, pace_size(paces->settings, pace, level, now), now);
}

static void
pace_spend(const Paces *paces, Ledger *ledger, Pace *pace, guint level, gint64 now)
{
    BucketSize size = pace_size(paces->settings, pace, level, now);
    double missing;

    (void)bucket_take(&pace->bucket, size, now);
    missing = (size.burst - pace->bucket.tokens) / size.rate * G_TIME_SPAN_SECOND;
    ledger_set_until(ledger, pace, MAX(now + (gint64)missing, pace->slow_until));
}

/* There is no room for an entry of this level: takes from the bucket of the region. */
static gboolean
region_take(Paces *paces, const Source *source, gint64 now)
{
    const Source region = source_region(source);
    const LedgerKey key = ledger_key(&region, NULL);
    Pace *pace = ledger_want(paces->shared, &key, now);

    if (!pace || !pace_may(paces, pace, 0, now))
        return FALSE;
    pace_spend(paces, paces->shared, pace, 0, now);
    return TRUE;
}

/* The bucket of the source's region while that is slowed down, otherwise NULL. */
static Pace *
region_slowed(const Paces *paces, const Source *source, gint64 now)
{
    const Source region = source_region(source);
    Pace *pace = pace_find(paces->shared, &region);

    return pace && now < pace->slow_until ? pace : NULL;
}

gboolean
paces_take(Paces *paces, const Source *source, gint64 now)
{
    Pace *slowed = region_slowed(paces, source, now);

    if (slowed && !pace_may(paces, slowed, 0, now))
        return FALSE;
    for (guint level = 0; level < source_levels(source); level++) {
        const Source wider = source_at_level(source, level);

        if (!pace_may(paces, pace_find(paces->own, &wider), level, now))
            return FALSE;
    }
    /* The widest level first: when it refuses, the narrower ones get no entries. */
    for (guint level = source_levels(source); level-- > 0;) {
        const Source wider = source_at_level(source, level);
        const LedgerKey key = ledger_key(&wider, NULL);
        Pace *pace = ledger_want(paces->own, &key, now);

        if (!pace)
            return region_take(paces, source, now);
        pace_spend(paces, paces->own, pace, level, now);
    }
    if (slowed)
        pace_spend(paces, paces->shared, slowed, 0, now);
    return TRUE;
}

void
paces_slow(Paces *paces, const Source *source, gint64 until, gint64 now)
{
    const Source region = source_region(source);
    gboolean shared = source_equal(source, &region);
    Ledger *ledger = shared ? paces->shared : paces->own;
    const LedgerKey key = ledger_key(source, NULL);
    Pace *pace = ledger_want(ledger, &key, now);

    if (!pace)
        return;
    pace->slow_until = MAX(pace->slow_until, until);
    ledger_set_until(ledger, pace, MAX(pace->entry.until, until));
}

guint
paces_size(const Paces *paces)
{
    return ledger_size(paces->own) + ledger_size(paces->shared);
}
