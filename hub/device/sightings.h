/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sightings: collects what the hub sees of devices and modules (hub/registry/registry.h), and
 * writes it in batches, so that ten thousand devices that come and go cost one transaction for each
 * REGISTRY_FACTS_MAX of them in SIGHTINGS_DELAY, and not one each.
 *
 * How late a fact may be: SIGHTINGS_DELAY and the time of the writes, or, as long as the disk takes
 * no change, until it does. When the hub is killed, the facts of that time are lost. Of a device
 * that stays connected, the time is renewed every SIGHTINGS_REFRESH; so after a kill it may be that
 * much too early. A stop of the hub writes what there is, as far as the time of the stop allows.
 * Main thread. */
#pragma once

#include "hub/base/clock.h"
#include "hub/registry/registry.h"

#define SIGHTINGS_DELAY (5 * G_TIME_SPAN_SECOND)
#define SIGHTINGS_REFRESH (5 * G_TIME_SPAN_MINUTE)

/* Devices whose facts wait to be written. Of one more nothing is kept until the next write. */
#define SIGHTINGS_MAX 65536
/* The same of those that were only refused: nobody knows yet whether they exist. */
#define SIGHTINGS_REFUSED_MAX 1024

typedef struct Sightings Sightings;

/* EACH calls sightings_seen for whatever is connected, for the refresh. */
typedef void (*SightingsEach)(Sightings *sightings, void *data);

/* Kept by reference: REGISTRY, CLOCK. */
Sightings *sightings_new(Registry *registry, Clock *clock, SightingsEach each, void *data);

/* The registry must be closed, or have nothing to do for it. NULL is fine. */
void sightings_free(Sightings *sightings);

/* It has connected from PEER, "address:port". CLIENT: what it says it is; NULL: nothing. */
void sightings_connected(Sightings *sightings, const char *client_id, const char *peer,
                         const char *client);
/* It is connected, or was until now. */
void sightings_seen(Sightings *sightings, const char *client_id);
/* It sent a message of LEN bytes, which was acknowledged and dropped. */
void sightings_message(Sightings *sightings, const char *client_id, gsize len);
void sightings_refused(Sightings *sightings, const char *client_id, const char *why);

/* It was removed from the registry; MODULE NULL: with its modules. */
void sightings_forget(Sightings *sightings, const char *device, const char *module);

/* Writes what waits now. The write is in the registry's queue when this returns, unless one is
 * running. */
void sightings_flush(Sightings *sightings);

guint sightings_waiting(const Sightings *sightings);
guint64 sightings_lost(const Sightings *sightings); /* because too many waited */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sightings, sightings_free)
