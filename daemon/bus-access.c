/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus-access.h"

#include "common/bus-names.h"

#define ACTION(name) "io.streamd.streamd1." name

typedef struct {
    const char *interface;
    const char *member;
    const char *action;
} AccessRow;

static const AccessRow rows[] = {
    {BUS_MANAGER, "AddHub", ACTION("manage-hubs")},
    {BUS_MANAGER, "OpenStream", ACTION("open-stream")},
    {BUS_MANAGER, "OpenTunnel", ACTION("open-tunnel")},
    {BUS_MANAGER, "ExposeTarget", ACTION("manage-targets")},
    {BUS_HUB, "Connect", ACTION("manage-hubs")},
    {BUS_HUB, "Disconnect", ACTION("manage-hubs")},
    {BUS_HUB, "Remove", ACTION("manage-hubs")},
    {BUS_TARGET, "Remove", ACTION("manage-targets")},
    {BUS_POLICY, "List", ACTION("view")},
    {BUS_POLICY, "Add", ACTION("manage-policy")},
    {BUS_POLICY, "Remove", ACTION("manage-policy")},
    {BUS_POLICY, "Move", ACTION("manage-policy")},
    {BUS_POLICY, "SetDefault", ACTION("manage-policy")},
    {BUS_POLICY, "Test", ACTION("view")},
    /* Of one's own; those of others are not visible in the first place. */
    {BUS_STREAM, "Close", ACTION("open-stream")},
    {BUS_TUNNEL, "Close", ACTION("open-tunnel")},
    {BUS_OBJECT_MANAGER, "GetManagedObjects", ""},
    {BUS_PROPERTIES, "Get", ""},
    {BUS_PROPERTIES, "GetAll", ""},
    {BUS_PROPERTIES, "Set", ""}, /* there is nothing to set: sd-bus says so */
    {BUS_INTROSPECTABLE, "Introspect", ""},
    {BUS_PEER, "Ping", ""},
    {BUS_PEER, "GetMachineId", ""},
};

const char *
bus_access_action(const char *interface, const char *member)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_strcmp0(rows[i].interface, interface) == 0 && g_strcmp0(rows[i].member, member) == 0)
            return rows[i].action;
    return NULL;
}
