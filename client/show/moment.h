/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moment: a point in time as a user types it. */
#pragma once

#include <glib.h>

/* "14:30" (today), "2026-11-21 14:30", both optionally with seconds, "now", or any form of ISO
 * 8601. Local time where no zone is given. NOW and RET in µs since the epoch. FALSE: it is not a
 * time. */
gboolean moment_parse(const char *text, gint64 now, guint64 *ret);
