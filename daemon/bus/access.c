/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/access.h"

#include "common/bus/names.h"

#include <glib/gi18n.h>

#define ACTION(name) "io.streamd.streamd1." name

/* The comments in policy/io.streamd.streamd1.policy.in say who may do each by default, and why. */
static const BusAccess rows[] = {
    {BUS_MANAGER, "AddHub", ACTION("manage-hubs"), {"hub"}, .changes = TRUE},
    {BUS_MANAGER, "OpenStream", ACTION("open-stream"), {"hub", "device", "stream"}, .opens = TRUE},
    {BUS_MANAGER, "OpenTunnel", ACTION("open-tunnel"), {"hub", "device", "stream"}, .opens = TRUE},
    {BUS_MANAGER, "ListDevices", ACTION("view"), {"hub"}, .opens = TRUE},
    {BUS_MANAGER, "ExposeTarget", ACTION("manage-targets"), {"target", "address"}, .changes = TRUE},
    {BUS_MANAGER, "Watch", ACTION("view")},
    {BUS_MANAGER, "GetMetrics", ACTION("view")}, /* they count what all users have */
    {BUS_MANAGER, "Reload", ACTION("manage-hubs"), .changes = TRUE},
    {BUS_MANAGER, "RegisterAgent", ACTION("answer-requests")},
    {BUS_MANAGER, "UnregisterAgent", ""}, /* these two concern the caller alone */
    {BUS_MANAGER, "UnregisterHandler", ""},
    {BUS_MANAGER, "RegisterHandler", ACTION("handle-streams")},
    {BUS_HUB, "AcceptAuthority", ACTION("manage-hubs"), .object = "hub", .changes = TRUE},
    {BUS_HUB, "Connect", ACTION("manage-hubs"), .object = "hub", .changes = TRUE},
    /* It makes connections; and it opens a stream when one is named. */
    {BUS_HUB, "Diagnose", ACTION("manage-hubs"), .object = "hub"},
    {BUS_HUB, "Disconnect", ACTION("manage-hubs"), .object = "hub", .changes = TRUE},
    {BUS_HUB, "Remove", ACTION("manage-hubs"), .object = "hub", .changes = TRUE},
    {BUS_HUB, "Update", ACTION("manage-hubs"), .object = "hub", .changes = TRUE},
    {BUS_TARGET, "Remove", ACTION("manage-targets"), .object = "target", .changes = TRUE},
    {BUS_POLICY, "List", ACTION("view")},
    {BUS_POLICY, "Add", ACTION("manage-policy"), .changes = TRUE},
    {BUS_POLICY, "Remove", ACTION("manage-policy"), .changes = TRUE},
    {BUS_POLICY, "Move", ACTION("manage-policy"), .changes = TRUE},
    {BUS_POLICY, "SetDefault", ACTION("manage-policy"), .changes = TRUE},
    {BUS_POLICY, "Test", ACTION("view")},
    {BUS_REQUEST, "Accept", ACTION("answer-requests"), .object = "request", .changes = TRUE},
    {BUS_REQUEST, "AcceptTo", ACTION("answer-requests"), .object = "request", .changes = TRUE},
    {BUS_REQUEST, "Reject", ACTION("answer-requests"), .object = "request", .changes = TRUE},
    /* The owner is not asked. To close somebody else's takes the right to remove the hub. */
    {BUS_STREAM, "Close", ACTION("manage-hubs"), .object = "stream", .owner = TRUE,
     .changes = TRUE},
    {BUS_STREAM, "Inspect", ACTION("view"), .object = "stream", .owner = TRUE},
    {BUS_TUNNEL, "Close", ACTION("manage-hubs"), .object = "tunnel", .owner = TRUE,
     .changes = TRUE},
    {BUS_OBJECT_MANAGER, "GetManagedObjects", ""},
    {BUS_PROPERTIES, "Get", ""},
    {BUS_PROPERTIES, "GetAll", ""},
    {BUS_PROPERTIES, "Set", ""}, /* no property can be set: sd-bus says so */
    {BUS_INTROSPECTABLE, "Introspect", ""},
    {BUS_PEER, "Ping", ""},
    {BUS_PEER, "GetMachineId", ""},
};

static const struct {
    const char *action;
    const char *text;
} questions[] = {
    {ACTION("view"), N_("Authentication is required to see the devices of the hub $(hub)")},
    {ACTION("open-stream"), N_("Authentication is required to open the stream $(stream) to the "
                               "device $(device) of the hub $(hub)")},
    {ACTION("open-tunnel"), N_("Authentication is required to open a tunnel for $(stream) to the "
                               "device $(device) of the hub $(hub)")},
    {ACTION("manage-hubs"), N_("Authentication is required to manage the hub $(hub)")},
};

const char *
bus_access_question(const char *action)
{
    for (guint i = 0; i < G_N_ELEMENTS(questions); i++)
        if (g_strcmp0(questions[i].action, action) == 0)
            return questions[i].text;
    return NULL;
}

const BusAccess *
bus_access_find(const char *interface, const char *member)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_strcmp0(rows[i].interface, interface) == 0 && g_strcmp0(rows[i].member, member) == 0)
            return &rows[i];
    return NULL;
}

const BusAccess *
bus_access_rows(guint *ret_count)
{
    *ret_count = G_N_ELEMENTS(rows);
    return rows;
}
