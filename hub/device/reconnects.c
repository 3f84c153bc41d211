/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/device/reconnects.h"

#include "hub/base/recent.h"

#include <string.h>

#define TRIM_AT_ONCE 4 /* a connection adds one entry at most, so this many keep up */

typedef struct {
    RecentEntry entry;
    gint64 *times; /* connections within the last minute, the oldest first */
    guint count;   /* at most per_minute - 1 */
    guint room;
    gint64 wait; /* of the connection that waited last; 0: the last one did not */
    gint64 due;  /* its end */
} Reconnect;

struct Reconnects {
    guint per_minute;
    Recent *recent;
};

static void
reconnect_clear(void *entry)
{
    g_free(((Reconnect *)entry)->times);
}

Reconnects *
reconnects_new(guint per_minute)
{
    Reconnects *reconnects = g_new0(Reconnects, 1);

    reconnects->per_minute = per_minute;
    reconnects->recent = recent_new(RECONNECTS_MAX, sizeof(Reconnect), reconnect_clear);
    return reconnects;
}

void
reconnects_free(Reconnects *reconnects)
{
    if (!reconnects)
        return;
    recent_free(reconnects->recent);
    g_free(reconnects);
}

static void
reconnect_drop_first(Reconnect *self, guint n)
{
    if (n == 0)
        return;
    self->count -= n;
    memmove(self->times, self->times + n, self->count * sizeof *self->times);
}

/* Of those that are older than a minute; the window is half open, so that ten that are six seconds
 * apart are nine of a minute. */
static void
reconnect_fade(Reconnect *self, gint64 now)
{
    guint old = 0;

    while (old < self->count && now - self->times[old] >= RECONNECTS_WINDOW)
        old++;
    reconnect_drop_first(self, old);
}

/* Only the last MOST count. */
static void
reconnect_add(Reconnect *self, gint64 now, guint most)
{
    if (most == 0)
        return;
    if (self->count == most)
        reconnect_drop_first(self, 1);
    if (self->count == self->room) {
        self->room = MIN(MAX(self->room * 2, 1), most);
        self->times = g_renew(gint64, self->times, self->room);
    }
    self->times[self->count++] = now;
}

gint64
reconnects_note(Reconnects *reconnects, const char *client_id, gint64 now)
{
    Reconnect *self;
    gboolean many;

    if (reconnects->per_minute == 0)
        return 0;
    recent_trim(reconnects->recent, now - RECONNECTS_WINDOW, TRIM_AT_ONCE);
    self = recent_want(reconnects->recent, client_id, now);
    reconnect_fade(self, now);
    many = self->count + 1 >= reconnects->per_minute;
    reconnect_add(self, now, reconnects->per_minute - 1);
    if (now < self->due)
        return self->due - now;
    if (many)
        self->wait = self->wait > 0 ? MIN(self->wait * 2, RECONNECTS_WAIT_MAX) : RECONNECTS_WAIT;
    else
        self->wait = 0;
    self->due = now + self->wait;
    return self->wait;
}

guint
reconnects_known(const Reconnects *reconnects)
{
    return recent_count(reconnects->recent);
}
