/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accept time: the conditions `weekdays` ("mon-fri,sun") and `time` ("08:00-18:00") of an accept
 * rule, in the local time of the machine, also on the days when the clock is set forward or back.
 *
 * A window includes its first minute and not its last: 08:00-18:00 ends at 18:00. One whose end is
 * before its beginning passes midnight, and belongs to the day on which it began: with the weekday
 * fri, 22:00-06:00 goes on until Saturday at six. Pure but for the time zone. */
#pragma once

#include <glib.h>

#define ACCEPT_TIME_MAX 64 /* bytes of a text; a longer one is none */

#define ACCEPT_ALL_DAYS 0x7f
#define ACCEPT_DAY_MINUTES (24 * 60)

typedef struct {
    guint8 days;      /* bit 0: Monday; 0: nothing is said of days */
    guint16 from, to; /* minutes since midnight; both 0: nothing is said of the time */
} AcceptWhen;

/* Set one part of WHEN each. INVALID, with what is wrong. */
gboolean accept_weekdays_parse(const char *text, AcceptWhen *when, GError **error);
gboolean accept_time_parse(const char *text, AcceptWhen *when, GError **error);

/* A moment as the wall shows it. */
typedef struct {
    guint day;    /* 0: Monday */
    guint minute; /* since midnight */
} AcceptMoment;

AcceptMoment accept_moment(gint64 at); /* µs since the epoch, in the local zone */

gboolean accept_when_has_time(const AcceptWhen *when, const AcceptMoment *moment);
/* Of a moment whose time is in the window. */
gboolean accept_when_has_day(const AcceptWhen *when, const AcceptMoment *moment);
