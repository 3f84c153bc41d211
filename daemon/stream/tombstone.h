/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tombstones: what a device remembers of streams that have ended here, while their services may
 * still try to lead them back (docs/wire-protocol.md, section 8a, `ended`). Main thread. */
#pragma once

#include "common/base/reason.h"
#include "common/extension/resume-ask.h"

typedef struct Tombstones Tombstones;

#define TOMBSTONES_MAX 1024 /* the oldest one goes first, of those whose end is known */
/* On top of ResumeTime: the service may not see for so long that its leg is lost, and then tells of
 * an end of its own. */
#define TOMBSTONES_LATE (75 * G_TIME_SPAN_SECOND)

typedef struct {
    const char *hub;
    const char *id;                /* of the stream, as the hub gave it */
    guint8 digest[RESUME_KEY_LEN]; /* of its key */
    Reason reason;
    gboolean known; /* the service has heard of it, as far as can be told */
    gint64 until;   /* monotonic µs: nobody comes back for it after that */
} Tombstone;

Tombstones *tombstones_new(void);
void tombstones_free(Tombstones *tombstones); /* NULL is fine */

/* The strings are copied. */
void tombstones_add(Tombstones *tombstones, const Tombstone *tombstone);

/* NULL: there is none at NOW (monotonic µs). Borrowed until the next call. */
const Tombstone *
tombstones_find(Tombstones *tombstones, const char *hub, const char *id, gint64 now);

/* EACH is called for all of them, the oldest first. */
void tombstones_foreach(Tombstones *tombstones,
                        void (*each)(const Tombstone *tombstone, void *data), void *data);

guint tombstones_size(const Tombstones *tombstones);
