/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names of a hub, and of the values of its enumerations. */
#include "daemon/link/hub.h"

#include <string.h>

static const char *const role_names[] = {"device", "service"};
static const char *const transport_names[] = {"wss", "mqtts"};
static const char *const state_names[] = {"disconnected", "connecting", "connected", "refused"};

const char *
hub_role_name(HubRole role)
{
    return role_names[role];
}

const char *
hub_state_name(HubState state)
{
    return state_names[state];
}

const char *
hub_transport_name(HubTransport transport)
{
    return transport_names[transport];
}

gboolean
hub_transport_from_name(const char *name, HubTransport *ret)
{
    for (guint i = 0; i < G_N_ELEMENTS(transport_names); i++) {
        if (g_strcmp0(name, transport_names[i]) != 0)
            continue;
        *ret = (HubTransport)i;
        return TRUE;
    }
    return FALSE;
}

gboolean
hub_name_is_valid(const char *name)
{
    gsize len = strlen(name);

    for (gsize i = 0; i < len; i++)
        if (!g_ascii_isalnum(name[i]) && !strchr("._-", name[i]))
            return FALSE;
    return len >= 1 && len <= HUB_NAME_MAX;
}
