/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/link/device-list.h"

#include "common/base/error.h"
#include "common/codec/device-id.h"
#include "common/codec/json-guard.h"
#include "common/codec/percent.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define WORD_MAX 32 /* bytes of a state's name */

void
listed_device_free(ListedDevice *device)
{
    if (!device)
        return;
    g_free(device->id);
    g_free(device->status);
    g_free(device->connection_state);
    g_free(device);
}

static void
listed_device_destroy(gpointer device)
{
    listed_device_free(device);
}

/* "" when it is missing, or not a string of one word. */
static const char *
list_word(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    const char *text =
        node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : "";
    gsize len = 0;

    while (g_ascii_isalpha(text[len]))
        len++;
    return text[len] == '\0' && len <= WORD_MAX ? text : "";
}

static ListedDevice *
list_device(JsonNode *node)
{
    JsonObject *object = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    JsonNode *id = object ? json_object_get_member(object, "deviceId") : NULL;
    const char *text =
        id && json_node_get_value_type(id) == G_TYPE_STRING ? json_node_get_string(id) : NULL;
    ListedDevice *device;

    if (!text || !device_id_is_valid(text, -1))
        return NULL;
    device = g_new0(ListedDevice, 1);
    device->id = g_strdup(text);
    device->status = g_strdup(list_word(object, "status"));
    device->connection_state = g_strdup(list_word(object, "connectionState"));
    return device;
}

static gpointer
list_fail(GError **error)
{
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_PROTOCOL,
                        "the hub's list of devices is malformed");
    return NULL;
}

/* Takes AFTER. */
static char *
list_next(char *after, const char *asked, GError **error)
{
    g_autofree char *next = after;

    if (!next || *next == '\0' || strlen(next) > DEVICE_LIST_AFTER_MAX)
        return list_fail(error);
    if (g_strcmp0(next, asked) != 0)
        return g_steal_pointer(&next);
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_PROTOCOL,
                        "the hub's list of devices goes in a circle");
    return NULL;
}

char *
device_list_next(Slice field, const char *asked, GError **error)
{
    return list_next(percent_decode_text(field.ptr, field.len), asked, error);
}

char *
device_list_next_opaque(Slice field, const char *asked, GError **error)
{
    return list_next(slice_dup(field), asked, error);
}

GPtrArray *
device_list_parse(const char *body, gsize len, GError **error)
{
    g_autoptr(GPtrArray) devices = g_ptr_array_new_with_free_func(listed_device_destroy);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root;
    JsonArray *array;

    if (json_guard_check(body, len, NULL, NULL) != JSON_GUARD_OK ||
        !json_parser_load_from_data(parser, body, (gssize)len, NULL))
        return list_fail(error);
    root = json_parser_get_root(parser);
    if (!JSON_NODE_HOLDS_ARRAY(root))
        return list_fail(error);
    array = json_node_get_array(root);
    if (json_array_get_length(array) > DEVICE_LIST_MAX)
        return list_fail(error);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        ListedDevice *device = list_device(json_array_get_element(array, i));

        if (!device)
            return list_fail(error);
        g_ptr_array_add(devices, device);
    }
    return g_steal_pointer(&devices);
}
