/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* REST: the requests of services (docs/wire-protocol.md, sections 3 and 6). Main thread. */
#pragma once

#include "hub/device/statements.h"
#include "hub/edge/auth.h"
#include "hub/stream/streams.h"

typedef struct Rest Rest;

/* Kept by reference. */
Rest *rest_new(const Settings *settings, Auth *auth, Registry *registry, Devices *devices,
               Streams *streams);
/* What services are told (hub/device/statements.h); NULL: nothing. */
void rest_set_statements(Rest *rest, Statements *statements);
/* Where refusals are logged; kept by reference. */
void rest_set_refusals(Rest *rest, RefusalLog *refusals);
/* Where changes are recorded; NULL: nowhere. */
void rest_set_records(Rest *rest, Records *records);
void rest_free(Rest *rest); /* open requests are not answered any more */

/* Authenticates REQUEST, which is of any route but those of legs and of devices, and does what it asks. */
void rest_request(Rest *rest, Request *request);

/* The user's scope is this from now on, also for requests that are authenticated already; or, with
 * REMOVED, there is no such user any more. */
void rest_user_changed(Rest *rest, const char *user, const RegistryScope *scope, gboolean removed);

/* KEYS of the user are good no more, also for requests that were authenticated with them. */
void rest_keys_changed(Rest *rest, const char *user, RegistryKeys keys);
