/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/bus/agent.h"
#include "desktop/base/names.h"

static const char introspection[] =
    "<node><interface name='" STREAMD_AGENT "'>"
    "<method name='RequestConsent'>"
    "<arg name='request' type='o' direction='in'/><arg name='details' type='a{sv}' direction='in'/>"
    "</method>"
    "<method name='Cancel'>"
    "<arg name='request' type='o' direction='in'/><arg name='reason' type='s' direction='in'/>"
    "</method>"
    "<method name='Release'/>"
    "</interface></node>";

struct Agent {
    Daemon *daemon;
    const AgentEvents *events;
    void *data;
    gboolean wanted, registered;
    char *error;
    char *owner;                 /* the streamd at which we are, or ask to be, registered */
    GDBusConnection *connection; /* where the object is exported */
    guint exported;
    GCancellable *cancellable; /* of the registration */
};

static void
agent_set_registered(Agent *agent, gboolean registered, const char *error)
{
    agent->registered = registered;
    g_free(agent->error);
    agent->error = g_strdup(error);
    agent->events->state_changed(agent->data);
}

static void
agent_on_call(GDBusConnection *connection, const char *sender, const char *path,
              const char *interface, const char *method, GVariant *args,
              GDBusMethodInvocation *invocation, gpointer data)
{
    Agent *agent = data;
    const char *request, *reason;
    g_autoptr(GVariant) details = NULL;

    /* Anybody on the bus can call this. Only streamd may show a question. */
    if (g_strcmp0(sender, daemon_owner(agent->daemon)) != 0) {
        g_dbus_method_invocation_return_error(invocation, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED,
                                              "only streamd may ask");
        return;
    }
    if (g_str_equal(method, "RequestConsent")) {
        g_variant_get(args, "(&o@a{sv})", &request, &details);
        agent->events->asked(request, details, agent->data);
    } else if (g_str_equal(method, "Cancel")) {
        g_variant_get(args, "(&o&s)", &request, &reason);
        agent->events->cancelled(request, reason, agent->data);
    } else {
        agent_set_registered(agent, FALSE, NULL);
    }
    g_dbus_method_invocation_return_value(invocation, NULL);
}

static void
agent_export(Agent *agent, GDBusConnection *connection)
{
    static const GDBusInterfaceVTable vtable = {.method_call = agent_on_call};
    g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(introspection, NULL);

    agent->connection = g_object_ref(connection);
    agent->exported = g_dbus_connection_register_object(
        connection, APP_AGENT_PATH, node->interfaces[0], &vtable, agent, NULL, NULL);
}

static void
agent_unexport(Agent *agent)
{
    if (agent->exported != 0)
        (void)g_dbus_connection_unregister_object(agent->connection, agent->exported);
    agent->exported = 0;
    g_clear_object(&agent->connection);
}

static void
agent_on_registered(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    agent_set_registered(data, error == NULL, error == NULL ? NULL : error->message);
}

static void
agent_call(Agent *agent, const char *method, GVariant *args, DaemonDone done)
{
    /* A program in the background asks nobody for a password. */
    const DaemonCall call = {STREAMD_ROOT, STREAMD_MANAGER, method, args, 0, TRUE};

    daemon_call(agent->daemon, &call, agent->cancellable, done, agent);
}

static void
agent_register(Agent *agent)
{
    agent_export(agent, daemon_connection(agent->daemon));
    agent->owner = g_strdup(daemon_owner(agent->daemon));
    agent->cancellable = g_cancellable_new();
    agent_call(agent, "RegisterAgent",
               g_variant_new("(o@a{sv})", APP_AGENT_PATH, g_variant_new("a{sv}", NULL)),
               agent_on_registered);
}

/* TELL: streamd is still there and must be told. */
static void
agent_withdraw(Agent *agent, gboolean tell)
{
    if (tell && agent->registered)
        agent_call(agent, "UnregisterAgent", g_variant_new("(o)", APP_AGENT_PATH), NULL);
    if (agent->cancellable != NULL)
        g_cancellable_cancel(agent->cancellable);
    g_clear_object(&agent->cancellable);
    g_clear_pointer(&agent->owner, g_free);
    agent_unexport(agent);
    agent_set_registered(agent, FALSE, NULL);
}

void
agent_daemon_changed(Agent *agent)
{
    const char *owner = daemon_owner(agent->daemon);
    const char *wanted = agent->wanted ? owner : NULL;

    if (g_strcmp0(agent->owner, wanted) == 0)
        return;
    if (agent->owner != NULL)
        agent_withdraw(agent, g_strcmp0(agent->owner, owner) == 0);
    if (wanted != NULL)
        agent_register(agent);
}

void
agent_retry(Agent *agent)
{
    if (agent->owner == NULL || agent->error == NULL)
        return;
    agent_withdraw(agent, FALSE);
    agent_daemon_changed(agent);
}

void
agent_set_wanted(Agent *agent, gboolean wanted)
{
    agent->wanted = wanted;
    agent_daemon_changed(agent);
}

Agent *
agent_new(Daemon *daemon, const AgentEvents *events, void *data)
{
    Agent *agent = g_new0(Agent, 1);

    agent->daemon = daemon;
    agent->events = events;
    agent->data = data;
    return agent;
}

void
agent_free(Agent *agent)
{
    if (agent == NULL)
        return;
    if (agent->cancellable != NULL)
        g_cancellable_cancel(agent->cancellable);
    g_clear_object(&agent->cancellable);
    agent_unexport(agent);
    g_free(agent->owner);
    g_free(agent->error);
    g_free(agent);
}

gboolean
agent_registered(Agent *agent)
{
    return agent->registered;
}

const char *
agent_error(Agent *agent)
{
    return agent->error;
}
