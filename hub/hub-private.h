/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by hub/hub.c, which puts the parts together, and hub/hub-changes.c. */
#pragma once

#include "hub/hub.h"
#include "common/loop/heap-watch.h"
#include "hub/base/clock.h"
#include "hub/device/certificate-review.h"
#include "hub/device/devices.h"
#include "hub/device/links.h"
#include "hub/device/rekeys.h"
#include "hub/edge/auth.h"
#include "hub/edge/certificate.h"
#include "hub/edge/edge.h"
#include "hub/rest/enroll.h"
#include "hub/rest/rest.h"
#include "hub/stream/streams.h"

struct Streamhub {
    const Settings *settings;
    Registry *registry;
    Queue *queue;
    guint watch;
    char **names;
    char *streaming_host; /* NAME or NAME:PORT */
    guint16 port;         /* of the first listener; 0: there is none yet */
    Clock *clock;
    Admission *admission;
    Auth *auth;
    RefusalLog *refusals;
    Devices *devices;
    Statements *statements;
    Streams *streams;
    StreamLooks *looks;
    Rest *rest;
    Enrollments *enrollments;
    Edge *edge;
    DeviceLinks *links;
    CertificateReview *review;
    Rekeys *rekeys;
    Sightings *sightings;
    Records *records; /* NULL: none */
    HeapWatch *heap;
    Timer grace;
    Timer linger;
    gboolean streams_ended;
    StreamhubDone done;
    void *done_data;
};

/* "dev1", or "dev1/module"; the caller frees it. */
char *hub_client_id(const char *device, const char *module);

/* Who is looked at when the authorities of devices change, and what becomes of whom they no longer
 * vouch for. Their data is the hub. */
extern const ReviewEvents hub_review_events;

/* Once it is answered, REQUEST is recorded, if it asks for a stream. */
void hub_record_request(Streamhub *hub, Request *request);

/* What a change of the registry ends, or lets in. Of registry_watch. */
void hub_registry_changed(const RegistryChange *change, void *data);
