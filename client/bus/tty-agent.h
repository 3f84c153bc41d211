/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Agent: pkttyagent, which asks on the terminal for the password that polkit wants. It runs for one
 * call, as with systemctl. One thread. */
#pragma once

#include <glib.h>

typedef struct Agent Agent;

/* Starts an agent for this process and waits until it is ready. The desktop's agent comes first.
 * NULL when there is no terminal or no pkttyagent: polkit then refuses by itself. */
Agent *agent_start(void);

/* Whether standard input or standard error is a terminal, so that somebody could be asked. Input
 * may be the end of a stream (ssh's ProxyCommand), and errors may go to a file. */
gboolean agent_has_terminal(void);

/* The same, without checking for a terminal. */
Agent *agent_start_anyway(void);

/* Ends the agent and waits until it has ended. NULL is fine. */
void agent_stop(Agent *agent);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Agent, agent_stop)
