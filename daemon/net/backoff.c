/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net/backoff.h"

gint64
backoff_next(Backoff *backoff, gboolean refused, double random)
{
    gint64 ceiling = BACKOFF_FIRST << MIN(backoff->failures, 16U);
    gboolean first = backoff->settled && !refused;

    backoff->settled = FALSE;
    if (first)
        return (gint64)(random * (double)BACKOFF_FIRST);
    backoff->refusals = refused ? MIN(backoff->refusals + 1, BACKOFF_REFUSALS) : 0;
    ceiling =
        MIN(ceiling, backoff->refusals < BACKOFF_REFUSALS ? BACKOFF_MAX : BACKOFF_MAX_REFUSED);
    if (backoff->failures++ == 0)
        return (gint64)(random * (double)ceiling);
    return MAX((gint64)(random * (double)ceiling), BACKOFF_MIN);
}

void
backoff_lasted(Backoff *backoff, gint64 lasted)
{
    if (lasted >= BACKOFF_STABLE)
        *backoff = (Backoff){.disputes = backoff->disputes, .disputed = backoff->disputed};
    else
        backoff->settled = lasted >= BACKOFF_SETTLED;
}

void
backoff_dispute(Backoff *backoff, gint64 now)
{
    if (backoff->disputed > 0 && now - backoff->disputed > BACKOFF_PEACE)
        backoff->disputes = 0;
    backoff->disputes++;
    backoff->disputed = now;
}

gint64
backoff_next_disputed(const Backoff *backoff, gint64 now, double random)
{
    gint64 ceiling;

    if (backoff->disputed == 0 || now - backoff->disputed > BACKOFF_PEACE)
        return 0;
    ceiling = BACKOFF_DISPUTE << MIN(backoff->disputes - 1, 16U);
    ceiling = MIN(ceiling, BACKOFF_DISPUTE_MAX);
    return ceiling / 2 + (gint64)(random * (double)(ceiling / 2));
}
