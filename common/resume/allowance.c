/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/resume/allowance.h"

#define ROOM_MAX ((guint64)RESUME_ALLOWANCE_MAX * RESUME_ALLOWANCE_SHARE)

void
resume_allowance_init(ResumeAllowance *allowance, guint64 data, gint64 now)
{
    *allowance = (ResumeAllowance){
        .room = (guint64)RESUME_ALLOWANCE_SECOND * RESUME_ALLOWANCE_SHARE,
        .data = data,
        .at = now,
    };
}

/* So much may be added that a product of it does not fit. */
static void
allowance_fill(ResumeAllowance *allowance, guint64 data, gint64 now)
{
    const gint64 full = (gint64)RESUME_ALLOWANCE_MAX / RESUME_ALLOWANCE_SECOND * G_TIME_SPAN_SECOND;
    guint64 elapsed = (guint64)CLAMP(now - allowance->at, 0, full);
    guint64 more = MIN(data - allowance->data, ROOM_MAX);

    more += elapsed * RESUME_ALLOWANCE_SECOND * RESUME_ALLOWANCE_SHARE / G_TIME_SPAN_SECOND;
    allowance->room = MIN(allowance->room + more, ROOM_MAX);
    allowance->data = data;
    allowance->at = MAX(now, allowance->at);
}

gsize
resume_allowance_take(ResumeAllowance *allowance, gsize len, guint64 data, gint64 now)
{
    guint64 whole;
    gsize free;

    allowance_fill(allowance, data, now);
    whole = allowance->room / RESUME_ALLOWANCE_SHARE;
    free = (gsize)MIN(len, whole);
    allowance->room -= free * RESUME_ALLOWANCE_SHARE;
    return len - free;
}
