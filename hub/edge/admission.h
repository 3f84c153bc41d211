/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Places: how many connections may be at the edge before they have authenticated, in all and from
 * one source, and how fast new ones may come (requirement R3). A place is given back on
 * authentication, so a site behind one address is not held down by its own success.
 *
 * Any thread. Memory is bounded by PLACES_SOURCES_MAX sources: an idle one is forgotten first. */
#pragma once

#include "hub/base/settings.h"

#define PLACES_SOURCES_MAX 65536

typedef struct Places Places;

/* IPv4 /32, IPv6 /64. All zero: not an Internet address, one source for all of them. */
typedef struct {
    guint8 bytes[9];
} PlaceSource;

typedef enum {
    PLACE_NONE,
    PLACE_WAITING, /* not authenticated yet */
    PLACE_AUTHENTICATED,
} PlaceState;

/* Embedded in a connection. */
typedef struct {
    PlaceSource source;
    PlaceState state;
} Place;

Places *places_new(const Settings *settings); /* kept by reference */
void places_free(Places *places);

/* Of an ADDRESS as connection_peer gives it. */
PlaceSource places_source(const char *address);

/* ADDRESS as connection_peer gives it. RANDOM: a fresh random number, for the early drop that
 * begins when half of the places are taken. FALSE: close the connection without a word. */
gboolean places_take(Places *places, Place *place, const char *address, gint64 now, guint32 random);

void places_authenticated(Places *places, Place *place, gint64 now); /* nothing when it was */
/* Whether it has an authenticated connection. */
gboolean places_knows(Places *places, const PlaceSource *source);
/* It gets no place until then, unless it was known in the last PLACES_KNOWN (requirement R4). */
#define PLACES_KNOWN (10 * G_TIME_SPAN_MINUTE)
void places_ban(Places *places, const PlaceSource *source, gint64 until, gint64 now);

void places_leave(Places *places, Place *place); /* the connection is gone; once is enough */

guint places_waiting(Places *places);
guint places_total(Places *places);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Places, places_free)
