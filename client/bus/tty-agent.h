/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Agent: pkttyagent, which asks on the terminal for the password that polkit wants; for the time of
 * one call, as systemctl does. One thread. */
#pragma once

#include <glib.h>

typedef struct Agent Agent;

/* Starts it for this process and waits until it is ready. An agent of the desktop comes first. NULL
 * when there is no terminal, or no pkttyagent: then polkit says no by itself. */
Agent *agent_start(void);

/* Whether standard input or standard error is a terminal: whether anybody could be asked. Input
 * may be the end of a stream (ssh's ProxyCommand), and errors may go to a file. */
gboolean agent_has_terminal(void);

/* The same without looking for a terminal. */
Agent *agent_start_anyway(void);

/* Ends it and waits for that. NULL is fine. */
void agent_stop(Agent *agent);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Agent, agent_stop)
