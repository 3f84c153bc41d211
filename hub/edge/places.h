/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Places: the connections that have not authenticated yet. It limits how many there may be, in all
 * and from one source, and chooses which one is closed when there is no room (requirements R3, R4).
 *
 * The source with the most connections gives way first. A source at its limit loses its own oldest
 * connection to its next one, if the oldest is older than PLACE_PATIENCE. When all places are
 * taken, the source with the most of them loses its oldest. So a source with many places cannot
 * keep out one that wants a single place. The count of a known source is divided by a factor: this
 * is its reserve.
 *
 * A place is taken back by shutdown(2) on its socket, which the owner sees as the end of the
 * connection. So the owner must leave the place before it closes the socket. No other I/O; the
 * caller holds a lock. */
#pragma once

#include "hub/edge/source.h"

#define PLACE_PATIENCE G_TIME_SPAN_SECOND

typedef struct Places Places;
typedef struct PlaceGroup PlaceGroup;

/* Embedded in who waits; zero: none. */
typedef struct {
    int fd;
    gint64 since;
    guint weight;
    guint n_groups; /* 0: it has left, or had to go */
    PlaceGroup *groups[SOURCE_LEVELS];
    GList links[SOURCE_LEVELS];
    GList by_age;
} Place;

typedef struct {
    int fd; /* negative: none to shut down */
    Source source;
    gboolean known;
    guint per_source; /* the limit of a source that is not known */
    guint factor;     /* times it for one that is */
    gint64 now;
    guint32 random; /* fresh, for the early drop of the greedy when half of the places are taken */
} PlaceWish;

Places *places_new(guint max);
void places_free(Places *places); /* when all have left */

/* FALSE: there is none for it. */
gboolean places_take(Places *places, Place *place, const PlaceWish *wish);
void places_leave(Places *places, Place *place); /* once is enough */

guint places_taken(const Places *places);
