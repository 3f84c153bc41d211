/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The date of an HTTP field in the only form that is sent today, "Sun, 06 Nov 1994 08:49:37 GMT"
 * (IMF-fixdate, RFC 9110 section 5.6.7). Pure; any thread. */
#pragma once

#include "common/base/slice.h"

/* Appends a whole "Date" field for SECONDS since the epoch, in the years 1 to 9999. */
void http_date_append(GString *out, gint64 seconds);

/* Seconds since the epoch. FALSE for any other form, also the two old ones. The day of the week is
 * not checked. */
gboolean http_date_parse(Slice text, gint64 *ret);
