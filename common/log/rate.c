/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/log/rate.h"

#include <string.h>

static const char *const names[LOG_CLASS_LAST] = {
    [LOG_CLASS_TEXT] = "text",       [LOG_CLASS_CONTROL] = "control", [LOG_CLASS_HUB] = "hub",
    [LOG_CLASS_STREAM] = "stream",   [LOG_CLASS_TUNNEL] = "tunnel",   [LOG_CLASS_DEVICE] = "device",
    [LOG_CLASS_REFUSED] = "refused", [LOG_CLASS_LIMIT] = "limit",
};

gboolean
log_rate_admit(LogRate *rate, LogClass kind, gint64 now)
{
    if (now - rate->classes[kind].since >= LOG_RATE_WINDOW) {
        rate->classes[kind].since = now;
        rate->classes[kind].written = 0;
    }
    if (rate->classes[kind].written >= LOG_RATE_MAX) {
        rate->classes[kind].left_out++;
        return FALSE;
    }
    rate->classes[kind].written++;
    return TRUE;
}

gboolean
log_rate_take(LogRate *rate, gint64 now, gboolean all, LogClass *ret_class, guint64 *ret_count)
{
    for (LogClass kind = 0; kind < LOG_CLASS_LAST; kind++) {
        gboolean over = all || now - rate->classes[kind].since >= LOG_RATE_WINDOW;

        if (!over || rate->classes[kind].left_out == 0)
            continue;
        *ret_class = kind;
        *ret_count = rate->classes[kind].left_out;
        rate->classes[kind].left_out = 0;
        return TRUE;
    }
    return FALSE;
}

const char *
log_class_name(LogClass kind)
{
    return names[kind];
}

LogClass
log_class_from_name(const char *name, gsize len)
{
    for (LogClass kind = 0; kind < LOG_CLASS_LAST; kind++)
        if (strlen(names[kind]) == len && memcmp(names[kind], name, len) == 0)
            return kind;
    return LOG_CLASS_TEXT;
}
