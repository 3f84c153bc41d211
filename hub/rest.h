/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* REST: the requests of services (docs/wire-protocol.md, section 3). Main thread. */
#pragma once

#include "hub/auth.h"
#include "hub/streams.h"

typedef struct Rest Rest;

/* Kept by reference. */
Rest *rest_new(const Settings *settings, Auth *auth, Registry *registry, Streams *streams);
void rest_free(Rest *rest); /* what is under way is not answered any more */

/* A request of the route ROUTE_STREAM: authenticates it, finds the device, opens the stream. */
void rest_post(Rest *rest, Request *request);
