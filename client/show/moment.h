/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moment: a point in time as somebody types it. */
#pragma once

#include <glib.h>

/* "14:30" (today), "2026-11-21 14:30", both with seconds if wanted, "now", or any form of ISO 8601;
 * in local time where no zone is said. NOW and RET in µs since the epoch. FALSE: it is none. */
gboolean moment_parse(const char *text, gint64 now, guint64 *ret);
