/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Agents: apps that have registered to ask a person for consent
 * (dbus/io.streamd.Streamd1.Agent.xml).
 *
 * All agents are told of every request and of its end. streamd waits for none of them, so a silent
 * or dead agent delays nothing. A registration ends with its connection to the bus. Main thread. */
#pragma once

#include "daemon/bus/caller.h"
#include "daemon/bus/context.h"

typedef struct Agents Agents;

#define AGENTS_MAX 64
#define AGENTS_PER_UID 8

Agents *agents_new(BusContext *context);
void agents_free(Agents *agents); /* sends them Release; before callers_free; NULL is fine */

/* Manager.RegisterAgent and UnregisterAgent. */
int agents_on_register(sd_bus_message *message, void *data, sd_bus_error *error);
int agents_on_unregister(sd_bus_message *message, void *data, sd_bus_error *error);

void agents_request_added(Agents *agents, Consent *request);
void agents_request_removed(Agents *agents, Consent *request);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Agents, agents_free)
