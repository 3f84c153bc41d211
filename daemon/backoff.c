/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/backoff.h"

gint64
backoff_next(Backoff *backoff, gboolean refused, double random)
{
    const gint64 most = refused ? BACKOFF_MAX_REFUSED : BACKOFF_MAX;
    gint64 ceiling = BACKOFF_FIRST << MIN(backoff->failures, 16U);

    ceiling = MIN(ceiling, most);
    if (backoff->failures++ == 0)
        return (gint64)(random * (double)ceiling);
    return MAX((gint64)(random * (double)ceiling), BACKOFF_MIN);
}

void
backoff_lasted(Backoff *backoff, gint64 lasted)
{
    if (lasted >= BACKOFF_STABLE)
        backoff->failures = 0;
}
