/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resume: finds the record that was sent last, whatever its file is called by now. Waits for the
 * disk. */
#pragma once

#include "hub/push/position.h"

/* A cursor behind PLACE in the folder RECORDS; the caller frees it. RET_FOUND is FALSE where its
 * record is not there any more: then the cursor is at the oldest. NULL with ERROR set. */
LogCursor *push_resume(const char *records, const Place *place, gboolean *ret_found,
                       GError **error);
