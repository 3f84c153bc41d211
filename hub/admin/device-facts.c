/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/admin/device-facts.h"

#include "hub/registry/labels-json.h"

#include <string.h>

static const char *const states[] = {"connected", "refused", "away", "never"};

static gboolean
is_connected(const AdminHub *hub, const RegistryDevice *device)
{
    return hub->is_connected(hub->data, device->id, device->module);
}

const char *
device_facts_state(const AdminHub *hub, const RegistryDevice *device)
{
    const RegistryFacts *facts = device->facts;

    if (is_connected(hub, device))
        return states[0];
    if (facts && facts->refused > facts->seen)
        return states[1];
    return states[facts && facts->seen > 0 ? 2 : 3];
}

gboolean
device_facts_state_is_known(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(states); i++)
        if (strcmp(states[i], name) == 0)
            return TRUE;
    return FALSE;
}

static void
member_text(JsonBuilder *builder, const char *name, const char *value)
{
    if (!value)
        return;
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, value);
}

static void
build_clones(JsonBuilder *builder, const AdminHub *hub, const RegistryDevice *device)
{
    CloneReport report = {0};

    if (!hub->is_cloned || !hub->is_cloned(hub->data, device->id, device->module, &report))
        return;
    json_builder_set_member_name(builder, "takeOvers");
    json_builder_add_int_value(builder, report.times);
    registry_time_build(builder, "takeOversSince", report.since);
    registry_time_build(builder, "lastTakeOver", report.last);
}

/* Only of a device that ever sent any. */
static void
build_messages(JsonBuilder *builder, const RegistryFacts *facts)
{
    if (facts->messages == 0)
        return;
    json_builder_set_member_name(builder, "telemetryMessages");
    json_builder_add_int_value(builder, (gint64)facts->messages);
    json_builder_set_member_name(builder, "telemetryBytes");
    json_builder_add_int_value(builder, (gint64)facts->message_bytes);
    registry_time_build(builder, "telemetrySince", facts->messages_since);
}

void
device_facts_build(JsonBuilder *builder, const AdminHub *hub, const RegistryDevice *device)
{
    const RegistryFacts *facts = device->facts;
    gint64 seen = is_connected(hub, device) ? g_get_real_time() : facts ? facts->seen : 0;

    member_text(builder, "state", device_facts_state(hub, device));
    registry_time_build(builder, "lastSeen", seen);
    if (facts) {
        member_text(builder, "lastAddress", facts->address);
        member_text(builder, "client", facts->client);
        registry_time_build(builder, "lastRefused", facts->refused);
        member_text(builder, "lastRefusal", facts->refusal);
        build_messages(builder, facts);
    }
    build_clones(builder, hub, device);
}
