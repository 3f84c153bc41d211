/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Places: the connections that have not authenticated yet, how many there may be in all and from
 * one source, and which has to go when there is no room (requirements R3, R4).
 *
 * Whoever holds more gives way first: a source that is at its limit makes room for its own next
 * connection with its oldest one, if that is older than PLACE_PATIENCE; when all places are taken,
 * the oldest one of the source with the most of them goes. So nobody who holds many places keeps
 * out somebody who wants one. Known sources weigh less by a factor, which is their reserve.
 *
 * A place goes by shutdown(2) on its socket, which its owner sees as an end of the connection: so
 * the place has to be left before that socket is closed. Pure otherwise; a lock around it. */
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
