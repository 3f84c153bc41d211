/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams: all streams of the hub, found by device and rid and by the tokens of their legs, with
 * their limits (docs/wire-protocol.md, sections 3, 4 and 4a; requirements R9, R10). Main thread. */
#pragma once

#include "common/codec/stream-message.h"
#include "hub/base/clock.h"
#include "hub/base/settings.h"
#include "hub/device/devices.h"
#include "hub/edge/error.h"
#include "hub/edge/http-request.h"
#include "hub/edge/refusal-log.h"
#include "hub/records/records.h"
#include "hub/registry/registry.h"
#include "hub/stream/figures.h"
#include "hub/stream/resume.h"

typedef struct Streams Streams;

/* How many ended streams are kept while their tokens are still valid, so that a late leg is told
 * the reason. The oldest are dropped first. */
#define STREAMS_ENDED_MAX 16384

typedef struct {
    const Settings *settings;
    Clock *clock;
    Queue *queue;
    Devices *devices;
    Records *records;     /* NULL: none */
    RefusalLog *refusals; /* NULL: refusals are not logged */
} StreamsNeeds;

/* Everything in NEEDS is kept by reference. */
Streams *streams_new(const StreamsNeeds *needs);
void streams_free(Streams *streams); /* cuts what there is */

/* AUTHORITY: host:port for stream URLs; HUB: the name in their path. */
void streams_set_address(Streams *streams, const char *authority, const char *hub);

/* A request whose sender may open streams, for a device that exists and is in its scope. */
typedef struct {
    const char *device;
    const char *module; /* NULL: the device itself */
    const char *name;
    const char *policy;         /* the initiator's */
    RegistryKeys policy_keys;   /* which of its keys signed */
    const RegistryScope *scope; /* the initiator's: its limits hold here */
    const RegistryTags *tags;   /* the device's */
    const char *order;          /* streamd-order; NULL: none */
    gboolean extended;          /* it sent streamd-caps */
    Caps caps;
    const StreamResume *resume;
    gint64 connect_timeout; /* µs; 0: do not wait for a device that is away */
    gint64 response_timeout;
} StreamOpening;

/* Answers POST, now or within the deadline. */
void streams_open(Streams *streams, Request *post, const StreamOpening *opening);

/* A request for a leg: answers it. */
void streams_leg(Streams *streams, Request *request);

void streams_subscribed(Streams *streams, const char *client_id);
void streams_link_lost(Streams *streams, const char *client_id);
void streams_answer(Streams *streams, const char *client_id, const StreamAnswer *answer);

/* ERROR: the answer to a waiting POST. MODULE NULL: the device and all of its modules. */
void
streams_revoke_device(Streams *streams, const char *device, const char *module, RestError error);
/* Of exactly this client id: not those of a device's modules. */
void streams_revoke_client(Streams *streams, const char *client_id, RestError error);
void streams_revoke_policy(Streams *streams, const char *policy);

/* The same for streams that were opened with one of KEYS of a policy; or to a device or module
 * (exactly this one) that was connected with one of its own KEYS. */
guint streams_count_keys(Streams *streams, const char *client_id, const char *policy,
                         RegistryKeys keys); /* one of the two is NULL */
void
streams_revoke_keys(Streams *streams, const char *client_id, const char *policy, RegistryKeys keys);

/* The scope of a user, or the tags of a device and its modules, are these from now on: streams that
 * are in no scope any more end as those of a policy that was revoked. */
void streams_user_changed(Streams *streams, const char *user, const RegistryScope *scope);
void streams_device_changed(Streams *streams, const char *device, const RegistryTags *tags);

/* While DRAINING, new streams are refused and the others go on, also those that are led back. */
void streams_drain(Streams *streams, gboolean draining);
gboolean streams_is_draining(Streams *streams);

/* Refuses new and waiting streams. EMPTY is called once no stream is left, maybe from within this
 * call. */
void streams_stop(Streams *streams, void (*empty)(void *data), void *data);
void streams_cut(Streams *streams); /* the grace is over */

/* The operator ends the stream of that id, in any state. FALSE: there is no such stream, or it has
 * ended. */
gboolean streams_close(Streams *streams, const char *id);

/* Looks at every stream that runs. */
void streams_measure(Streams *streams, StreamsFigures *ret);

guint streams_count(Streams *streams); /* not ended */
guint64 streams_total(Streams *streams);
guint64 streams_ignored(Streams *streams); /* answers that changed nothing */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Streams, streams_free)
