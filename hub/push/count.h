/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Count: how many records the rotated files have that wait, so that it can be told how many were
 * rotated away. The files may be large: a part of one is read at once. One thread; waits for the
 * disk. */
#pragma once

#include "hub/push/position.h"

typedef struct Count Count;

/* Of the folder RECORDS. */
Count *count_new(const char *records);
void count_free(Count *count); /* NULL is fine */

typedef enum {
    COUNT_MORE, /* of this file is to be read: go on */
    COUNT_FILE, /* one more is counted in the position, which is to be saved: go on */
    COUNT_OVER, /* all are counted: ask again later */
} CountStep;

/* Reads PUSH_LINES lines at most. */
CountStep count_step(Count *count, Position *position);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Count, count_free)
