/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Agent: what streamd calls when a stream needs somebody's consent; io.streamd.Streamd1.Agent. It
 * is registered while streamd is there and it is wanted, and again after a restart. Main thread. */
#pragma once

#include "daemon.h"

typedef struct Agent Agent;

typedef struct {
    /* REQUEST, an object's path, waits for an answer; DETAILS are its properties, a{sv}. */
    void (*asked)(const char *request, GVariant *details, void *data);
    /* There is nothing to answer any more, and why. */
    void (*cancelled)(const char *request, const char *reason, void *data);
    /* agent_registered() or agent_error() is another one. */
    void (*state_changed)(void *data);
} AgentEvents;

Agent *agent_new(Daemon *daemon, const AgentEvents *events, void *data);
void agent_free(Agent *agent);

/* Whether to be one. Begins with not. */
void agent_set_wanted(Agent *agent, gboolean wanted);

/* To be called when the daemon's state has changed. */
void agent_daemon_changed(Agent *agent);

/* Tries once more when it is wanted but was refused: who sits at the machine may have changed. */
void agent_retry(Agent *agent);

gboolean agent_registered(Agent *agent);
const char *agent_error(Agent *agent); /* why it is none although it is wanted; may be NULL */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Agent, agent_free)
