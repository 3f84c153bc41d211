/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When: a time as people write it, in the forms of journalctl(1): "2026-11-24 12:00",
 * "2026-11-24" (0 o'clock), "12:00" (today), "yesterday", "today", "now", "-2h", "2h" and "2h ago"
 * (so long ago), "@1764000000". Local time, or UTC where it ends in " UTC" or "Z". Pure. */
#pragma once

#include <glib.h>

/* NOW and RET are µs since the epoch. FALSE: TEXT is no time, or not one from 1970 to 9999. */
gboolean when_parse(const char *text, gint64 now, GTimeZone *zone, gint64 *ret);
