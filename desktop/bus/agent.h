/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Agent: the object io.streamd.Streamd1.Agent, which streamd calls when a stream needs the user's
 * consent. It is registered while it is wanted and streamd is there, and again after a restart of
 * streamd. Main thread. */
#pragma once

#include "desktop/bus/daemon.h"

typedef struct Agent Agent;

typedef struct {
    /* REQUEST, an object path, waits for an answer. DETAILS are its properties, a{sv}. */
    void (*asked)(const char *request, GVariant *details, void *data);
    /* The request needs no answer any more; REASON says why. */
    void (*cancelled)(const char *request, const char *reason, void *data);
    /* The result of agent_registered() or agent_error() has changed. */
    void (*state_changed)(void *data);
} AgentEvents;

Agent *agent_new(Daemon *daemon, const AgentEvents *events, void *data);
void agent_free(Agent *agent);

/* Whether this app is to be an agent. At first it is not. */
void agent_set_wanted(Agent *agent, gboolean wanted);

/* Call it when the daemon's state has changed. */
void agent_daemon_changed(Agent *agent);

/* Registers again if it was refused: another user may sit at the machine now. */
void agent_retry(Agent *agent);

gboolean agent_registered(Agent *agent);
const char *agent_error(Agent *agent); /* why it is not registered though wanted; may be NULL */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Agent, agent_free)
