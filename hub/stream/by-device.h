/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hub's streams by their device or module, and the ids (`rid`) of the requests that go out to
 * it (docs/wire-protocol.md, section 4a).
 *
 * Ids begin at a random number and count up. So an answer that is repeated after a restart of the
 * hub, or after the device was forgotten, does not match a new stream. For the same reason a device
 * is remembered for a while after its last request. Times are passed in. Main thread. */
#pragma once

#include <glib.h>

#define RID_PLAIN_MAX 99999
#define RID_CAPABLE_MAX ((guint)G_MAXINT32)

/* For how long an id is not used again toward a device with capabilities. */
#define RID_REST (10 * 60 * G_TIME_SPAN_SECOND)

typedef struct HubStream HubStream;

typedef struct {
    char *client_id;
    GQueue streams;    /* of HubStream.by_device: those that have not ended */
    guint pending;     /* of these, not open yet; the owner of the table counts */
    guint last_rid[2]; /* toward a plain connection, toward a capable one; 0: none yet */
    gint64 asked_at;   /* when the last one was given; 0: never */
    gint64 idle_since; /* when it came into the list of those that are only remembered */
    GList idle;        /* in that list; data NULL: not in it */
} StreamDevice;

typedef struct ByDevice ByDevice;

ByDevice *by_device_new(void);
void by_device_free(ByDevice *table); /* the streams are their owner's */

StreamDevice *by_device_find(ByDevice *table, const char *client_id); /* NULL: not known */
StreamDevice *by_device_entry(ByDevice *table, const char *client_id);

/* To be called when DEVICE may be forgotten: it has no stream and is not connected. It may be freed
 * by this call, and otherwise is at most RID_REST later. */
void by_device_settle(ByDevice *table, StreamDevice *device, gboolean connected, gint64 now);

guint by_device_size(ByDevice *table);
void by_device_iter(ByDevice *table, GHashTableIter *iter); /* values: StreamDevice */

HubStream *stream_device_by_rid(const StreamDevice *device, guint64 rid);

/* An id that no stream of DEVICE has. */
guint stream_device_next_rid(StreamDevice *device, gboolean capable, gint64 now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ByDevice, by_device_free)
