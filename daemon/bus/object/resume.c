/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/object/resume.h"

#include "daemon/app.h"
#include "daemon/bus/error.h"

G_STATIC_ASSERT(ACCEPT_RESUME_TIME_MAX == HUB_RESUME_TIME_MAX * G_TIME_SPAN_SECOND);

void
bus_resume_expect(BusOption *options, BusResume *resume)
{
    options[0] = (BusOption){"resume", 'b', &resume->wanted};
    options[1] = (BusOption){"resume-time", 't', &resume->usec};
}

int
bus_resume_check(guint64 usec, gint64 *ret, sd_bus_error *error)
{
    if (usec > (guint64)ACCEPT_RESUME_TIME_MAX)
        return bus_error_setf(error, STREAMD_ERROR_INVALID, "'resume-time' is at most 24 hours");
    *ret = usec == 0 ? ACCEPT_NO_RESUME : (gint64)usec;
    return 0;
}

int
bus_resume_take(const BusOption *options, BusResume *resume, sd_bus_error *error)
{
    gint64 checked;
    int r = bus_resume_check(resume->usec, &checked, error);

    if (r < 0)
        return r;
    resume->given = options[0].given || options[1].given;
    resume->no_resume =
        (options[0].given && !resume->wanted) || (options[1].given && resume->usec == 0);
    resume->time = (guint)((resume->usec + G_TIME_SPAN_SECOND - 1) / G_TIME_SPAN_SECOND);
    return 0;
}
