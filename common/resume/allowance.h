/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ResumeAllowance: how much of what one end says in words is free, so that words are no channel
 * beside the data that limits and meters count (docs/wire-protocol.md, section 8a): 1 KiB a second
 * and 1 % of the data that went the other way. What is not used of it is kept, up to
 * RESUME_ALLOWANCE_MAX. Pure; times are monotonic µs. One thread at a time. */
#pragma once

#include <glib.h>

#define RESUME_ALLOWANCE_SECOND 1024     /* bytes; it begins with those of one second */
#define RESUME_ALLOWANCE_SHARE 100       /* one byte of so many that went the other way */
#define RESUME_ALLOWANCE_MAX (64 * 1024) /* bytes */

typedef struct {
    guint64 room; /* in shares of a byte: RESUME_ALLOWANCE_SHARE of them are one */
    guint64 data; /* that went the other way, when it was last looked at */
    gint64 at;    /* and when that was */
} ResumeAllowance;

/* DATA: the bytes that have gone the other way so far. */
void resume_allowance_init(ResumeAllowance *allowance, guint64 data, gint64 now);

/* LEN bytes were said. Returns how many of them count as data. */
gsize resume_allowance_take(ResumeAllowance *allowance, gsize len, guint64 data, gint64 now);
