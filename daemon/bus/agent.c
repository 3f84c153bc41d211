/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/agent.h"

#include "common/bus/names.h"
#include "daemon/bus/context.h"
#include "daemon/bus/error.h"
#include "daemon/bus/kind.h"
#include "daemon/bus/options.h"
#include "daemon/bus/subscriber.h"

#include <string.h>

struct Agents {
    BusContext *context; /* weak */
    GPtrArray *all;      /* BusAgent */
};

typedef struct {
    Agents *agents; /* weak */
    Caller *caller; /* weak; valid while WATCH exists */
    CallerWatch *watch;
    char *path;
    gboolean passive; /* sees the requests, but is not asked */
} BusAgent;

/* Passive agents do not count: if there are no others, no answer can come, so streamd does not
 * wait. */
static void
agents_count(const Agents *agents)
{
    guint asking = 0;

    for (guint i = 0; i < agents->all->len; i++)
        asking += !((const BusAgent *)g_ptr_array_index(agents->all, i))->passive;
    consents_set_agents(app_consents(agents->context->app), asking);
}

static void
agent_remove(BusAgent *agent)
{
    Agents *agents = agent->agents;

    (void)g_ptr_array_remove(agents->all, agent);
    agents_count(agents);
    subscribers_drop_agent(agents->context->subscribers, agent->caller);
    caller_unwatch(agent->watch);
    g_free(agent->path);
    g_free(agent);
}

static void
agent_gone(void *data)
{
    agent_remove(data);
}

static int
agent_new_call(const BusAgent *agent, const char *member, sd_bus_message **ret_message)
{
    int r =
        sd_bus_message_new_method_call(agent->agents->context->bus, ret_message,
                                       caller_name(agent->caller), agent->path, BUS_AGENT, member);

    return r < 0 ? r : sd_bus_message_set_expect_reply(*ret_message, 0);
}

static void
agent_send(const BusAgent *agent, sd_bus_message *message, int r)
{
    if (r >= 0)
        r = sd_bus_send(agent->agents->context->bus, message, NULL);
    if (r < 0)
        g_debug("Cannot call the agent of %s: %s", caller_name(agent->caller), g_strerror(-r));
}

static void
agent_ask(const BusAgent *agent, Consent *request)
{
    g_autoptr(sd_bus_message) message = NULL;
    g_autofree char *path = bus_object_path(&bus_request_kind, request);
    int r;

    if (agent->passive)
        return;
    r = agent_new_call(agent, "RequestConsent", &message);
    if (r >= 0)
        r = sd_bus_message_append(message, "o", path);
    if (r >= 0)
        r = bus_object_append_properties(agent->agents->context, &bus_request_kind, request,
                                         message);
    agent_send(agent, message, r);
}

static void
agent_cancel(const BusAgent *agent, const Consent *request)
{
    g_autoptr(sd_bus_message) message = NULL;
    g_autofree char *path = bus_object_path(&bus_request_kind, request);
    int r;

    if (agent->passive)
        return;
    r = agent_new_call(agent, "Cancel", &message);
    if (r >= 0)
        r = sd_bus_message_append(message, "os", path, consent_end_name(consent_end(request)));
    agent_send(agent, message, r);
}

static void
agent_release(const BusAgent *agent)
{
    g_autoptr(sd_bus_message) message = NULL;
    int r = agent_new_call(agent, "Release", &message);

    agent_send(agent, message, r);
}

Agents *
agents_new(BusContext *context)
{
    Agents *agents = g_new0(Agents, 1);

    agents->context = context;
    agents->all = g_ptr_array_new();
    return agents;
}

void
agents_free(Agents *agents)
{
    if (agents == NULL)
        return;
    while (agents->all->len > 0) {
        agent_release(g_ptr_array_index(agents->all, 0));
        agent_remove(g_ptr_array_index(agents->all, 0));
    }
    g_ptr_array_unref(agents->all);
    g_free(agents);
}

void
agents_request_added(Agents *agents, Consent *request)
{
    for (guint i = 0; i < agents->all->len; i++)
        agent_ask(g_ptr_array_index(agents->all, i), request);
}

void
agents_request_removed(Agents *agents, Consent *request)
{
    for (guint i = 0; i < agents->all->len; i++)
        agent_cancel(g_ptr_array_index(agents->all, i), request);
}

static BusAgent *
agents_find(const Agents *agents, const Caller *caller, const char *path)
{
    for (guint i = 0; i < agents->all->len; i++) {
        BusAgent *agent = g_ptr_array_index(agents->all, i);

        if (agent->caller == caller && strcmp(agent->path, path) == 0)
            return agent;
    }
    return NULL;
}

static int
agents_check(const Agents *agents, const Caller *caller, const char *path, sd_bus_error *error)
{
    guint of_user = 0;

    if (agents_find(agents, caller, path) != NULL)
        return bus_error_setf(error, STREAMD_ERROR_EXISTS, "the agent %s is registered already",
                              path);
    for (guint i = 0; i < agents->all->len; i++) {
        const BusAgent *agent = g_ptr_array_index(agents->all, i);

        of_user += caller_uid(agent->caller) == caller_uid(caller);
    }
    if (of_user >= AGENTS_PER_UID || agents->all->len >= AGENTS_MAX)
        return bus_error_setf(error, STREAMD_ERROR_LIMIT,
                              "at most %d agents of a user are registered, and %d in all",
                              AGENTS_PER_UID, AGENTS_MAX);
    return 0;
}

/* Sends the requests that already wait. After the reply, so that the agent knows that it is
 * registered. */
static void
agent_ask_all(const BusAgent *agent)
{
    g_autoptr(GPtrArray) list = app_list_consents(agent->agents->context->app);

    for (guint i = 0; i < list->len; i++)
        agent_ask(agent, g_ptr_array_index(list, i));
}

int
agents_on_register(sd_bus_message *message, void *data, sd_bus_error *error)
{
    BusContext *context = ((BusItem *)data)->context;
    Agents *agents = context->agents;
    Caller *caller = callers_find(context->callers, message);
    BusAgent *agent;
    const char *path;
    int r, passive = FALSE;
    BusOption options[] = {{"passive", 'b', &passive}};

    r = sd_bus_message_read(message, "o", &path);
    if (r >= 0)
        r = bus_options_read(message, options, G_N_ELEMENTS(options), error);
    if (r >= 0)
        r = agents_check(agents, caller, path, error);
    if (r < 0)
        return r;
    agent = g_new0(BusAgent, 1);
    agent->agents = agents;
    agent->caller = caller;
    agent->path = g_strdup(path);
    agent->passive = passive;
    agent->watch = caller_watch(caller, agent_gone, agent);
    g_ptr_array_add(agents->all, agent);
    agents_count(agents);
    subscribers_add_agent(context->subscribers, caller);
    r = sd_bus_reply_method_return(message, NULL);
    agent_ask_all(agent);
    return r;
}

int
agents_on_unregister(sd_bus_message *message, void *data, sd_bus_error *error)
{
    BusContext *context = ((BusItem *)data)->context;
    BusAgent *agent;
    const char *path;
    int r;

    r = sd_bus_message_read(message, "o", &path);
    if (r < 0)
        return r;
    agent = agents_find(context->agents, callers_find(context->callers, message), path);
    if (agent == NULL)
        return bus_error_setf(error, STREAMD_ERROR_NOT_FOUND,
                              "this connection has registered no agent %s", path);
    agent_remove(agent);
    return sd_bus_reply_method_return(message, NULL);
}
