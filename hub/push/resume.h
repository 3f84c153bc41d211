/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resume: finds the record that was sent last, whatever its file is called by now. Waits for the
 * disk, but for one part of the files at once. */
#pragma once

#include "hub/push/position.h"

#define PUSH_LINES 10000 /* that are read at once: 80 MiB at the very most */

/* Whether the record with PLACE's hash ends where it says, in this file of the folder RECORDS. */
gboolean push_place_is_in(const char *records, const LogFile *file, const Place *place);

/* Moves CURSOR, which is at the oldest file, behind PLACE, where it was left. FALSE: it is not
 * there any more, and CURSOR was not moved; with ERROR set the folder cannot be read. */
gboolean push_resume(LogCursor *cursor, const char *records, const Place *place, GError **error);

typedef enum {
    SEARCH_MORE,  /* of the files is to be read: go on */
    SEARCH_FOUND, /* CURSOR is behind it */
    SEARCH_OVER,  /* it is nowhere */
} Search;

/* Looks for it anywhere, as the folder may have come from a backup: PUSH_LINES lines from CURSOR
 * on. */
Search push_search(LogCursor *cursor, const Place *place);
