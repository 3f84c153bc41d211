/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/record/outage.h"

struct Outage {
    gboolean on;
    gint64 since;
    gint64 next; /* when it is told again, whatever the reason */
    guint64 attempts;
    guint told[OUTAGE_REASONS]; /* hashes of reasons */
    guint count;
};

Outage *
outage_new(void)
{
    return g_new0(Outage, 1);
}

void
outage_free(Outage *outage)
{
    g_free(outage);
}

void
outage_attempt(Outage *outage)
{
    outage->attempts++;
}

static gboolean
outage_knows(const Outage *outage, guint hash)
{
    for (guint i = 0; i < outage->count; i++)
        if (outage->told[i] == hash)
            return TRUE;
    return FALSE;
}

/* Reasons that alternate are told once each: a hub with two addresses may fail in two ways. */
static gboolean
outage_is_news(Outage *outage, guint hash, gint64 now)
{
    if (now >= outage->next) {
        outage->next = now + OUTAGE_THEN;
        outage->count = 0;
    } else if (outage_knows(outage, hash) || outage->count >= OUTAGE_REASONS) {
        return FALSE;
    }
    outage->told[outage->count++] = hash;
    return TRUE;
}

gboolean
outage_failed(Outage *outage, const char *reason, gint64 now)
{
    guint hash = g_str_hash(reason);

    if (outage->on)
        return outage_is_news(outage, hash, now);
    /* The attempt that failed first is one of the outage; those before it succeeded. */
    outage->attempts = MIN(outage->attempts, 1);
    outage->on = TRUE;
    outage->since = now;
    outage->next = now + OUTAGE_FIRST;
    outage->told[0] = hash;
    outage->count = 1;
    return TRUE;
}

gint64
outage_length(const Outage *outage, gint64 now)
{
    return outage->on ? MAX(now - outage->since, 1) : 0;
}

gint64
outage_end(Outage *outage, gint64 now, guint64 *ret_attempts)
{
    gint64 length = outage_length(outage, now);

    *ret_attempts = outage->attempts;
    *outage = (Outage){0};
    return length;
}

guint64
outage_attempts(const Outage *outage)
{
    return outage->attempts;
}
