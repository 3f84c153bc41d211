/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/rest/devices.h"

#include "common/codec/http-build.h"
#include "common/codec/percent.h"

#include <json-glib/json-glib.h>

static void
devices_member(JsonBuilder *builder, const char *name, const char *value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, value);
}

static void
devices_build_one(JsonBuilder *builder, const RegistryDevice *device, Devices *devices)
{
    json_builder_begin_object(builder);
    devices_member(builder, "deviceId", device->id);
    devices_member(builder, "status", device->enabled ? "enabled" : "disabled");
    devices_member(builder, "connectionState",
                   devices_is_connected(devices, device->id) ? "Connected" : "Disconnected");
    json_builder_end_object(builder);
}

/* The caller frees it. */
static char *
devices_body(const RegistryResult *page, Devices *devices)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autoptr(JsonNode) root = NULL;

    json_builder_begin_array(builder);
    for (gsize i = 0; i < page->n_devices; i++)
        if (!page->devices[i]->module)
            devices_build_one(builder, page->devices[i], devices);
    json_builder_end_array(builder);
    root = json_builder_get_root(builder);
    return json_to_string(root, FALSE);
}

void
rest_devices_answer(Request *request, const RegistryResult *page, Devices *devices)
{
    g_autofree char *body = devices_body(page, devices);
    g_autoptr(GString) fields = g_string_new(NULL);

    if (page->more && page->n_devices > 0) {
        g_autofree char *after =
            percent_encode(PERCENT_SEGMENT, page->devices[page->n_devices - 1]->id, -1);

        (void)!http_header_append(fields, "streamd-more", "True");
        (void)!http_header_append(fields, "streamd-after", after);
    }
    request_answer(request, 200, fields->str, body);
}
