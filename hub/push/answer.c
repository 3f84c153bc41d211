/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/push/answer.h"

#include "common/codec/http-date.h"

#include <string.h>

gboolean
push_answer_is_good(guint status)
{
    return status >= 200 && status < 300;
}

gboolean
push_answer_blames_records(guint status)
{
    return status == 400 || status == 413;
}

gboolean
push_answer_asks_to_wait(guint status)
{
    return status == 429 || status == 503;
}

gint64
push_retry_after(const char *text, gint64 now)
{
    guint64 seconds = 0;
    gint64 date = 0, wait = 0;

    if (!text)
        return 0;
    if (g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32, &seconds, NULL))
        wait = (gint64)seconds * G_TIME_SPAN_SECOND;
    else if (http_date_parse(slice_of(text), &date))
        wait = date * G_TIME_SPAN_SECOND - now;
    return CLAMP(wait, 0, PUSH_RETRY_AFTER_MAX);
}

gint64
push_wait(guint failures, gint64 retry_after, double random)
{
    guint doublings = MIN(MAX(failures, 1) - 1, 16);
    gint64 most = MIN(PUSH_WAIT_FIRST << doublings, PUSH_WAIT_MAX);
    gint64 wait = most - (gint64)((double)most / 2 * random);

    return MAX(wait, retry_after);
}
