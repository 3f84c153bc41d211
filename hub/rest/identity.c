/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/rest/identity.h"

#include "common/base/secret.h"
#include "hub/edge/error.h"
#include "hub/edge/route.h"
#include "hub/registry/auth-json.h"
#include "hub/rest/members.h"

/* What a service may send. The rest of what IoT Hub knows is of no meaning here, and comes back
 * when a client changes what it has read before. */
static const char *const identity_members[] = {
    "deviceId", "moduleId", "etag", "eTag", "generationId", "status", "statusReason",
    "authentication", "connectionState", "connectionStateUpdatedTime", "statusUpdatedTime",
    "lastActivityTime", "cloudToDeviceMessageCount", "capabilities", "managedBy", "deviceScope",
    "parentScopes",
    /* of a list of changes */
    "id", "importMode", "twinETag", "tags", "properties", NULL};

static void
append(GString **out, const char *text)
{
    secret_append(out, text, strlen(text));
}

/* "etag" and the like: the number of a record as text. */
static void
append_number(GString **out, const char *name, guint64 number)
{
    char text[80];

    (void)g_snprintf(text, sizeof text, ",\"%s\":\"%" G_GUINT64_FORMAT "\"", name, number);
    append(out, text);
}

static void
append_reason(GString **out, const char *comment)
{
    g_autoptr(GString) text = g_string_new(NULL);

    rest_append_text(text, comment ? comment : "");
    append(out, comment ? ",\"statusReason\":\"" : ",\"statusReason\":null");
    append(out, text->str);
    append(out, comment ? "\"" : "");
}

static void
append_key(GString **out, const char *name, const RegistryKey *key)
{
    g_auto(SecretText) text = g_base64_encode(key->bytes, key->len);

    append(out, name);
    append(out, text); /* base64 needs no escape */
    append(out, "\"");
}

static void
append_thumbprint(GString **out, const RegistryThumbprint *thumbprint)
{
    g_autofree char *text = registry_thumbprint_format(thumbprint);

    append(out, *text ? "\"" : "null");
    append(out, text);
    append(out, *text ? "\"" : "");
}

static void
append_authentication(GString **out, const RegistryDevice *device, gboolean keys)
{
    append(out, ",\"authentication\":{\"type\":\"");
    append(out, registry_auth_kind_name(device->auth.kind));
    append(out, "\",\"symmetricKey\":{");
    if (device->auth.kind != REGISTRY_AUTH_KEYS) {
        append(out, "\"primaryKey\":null,\"secondaryKey\":null"); /* they do not count */
    } else if (keys) {
        append_key(out, "\"primaryKey\":\"", &device->primary);
        append_key(out, ",\"secondaryKey\":\"", &device->secondary);
    }
    append(out, "},\"x509Thumbprint\":{\"primaryThumbprint\":");
    append_thumbprint(out, &device->auth.thumbprints[0]);
    append(out, ",\"secondaryThumbprint\":");
    append_thumbprint(out, &device->auth.thumbprints[1]);
    append(out, "}}");
}

void
identity_append(GString **out, const RegistryDevice *device, gboolean connected, gboolean keys)
{
    append(out, "{\"deviceId\":\"");
    append(out, device->id); /* a name needs no escape either */
    if (device->module) {
        append(out, "\",\"moduleId\":\"");
        append(out, device->module);
    }
    append(out, "\"");
    append_number(out, "generationId", device->generation_id);
    append_number(out, "etag", device->etag);
    append(out, connected ? ",\"connectionState\":\"Connected\""
                          : ",\"connectionState\":\"Disconnected\"");
    append(out, device->enabled ? ",\"status\":\"enabled\"" : ",\"status\":\"disabled\"");
    append_reason(out, device->comment);
    append(out, ",\"cloudToDeviceMessageCount\":0,\"capabilities\":{\"iotEdge\":false}");
    append_authentication(out, device, keys);
    append(out, "}");
}

/* An empty or missing text is no key. */
static gboolean
read_key(JsonObject *object, const char *name, const RestKeys *keys, RegistryKey *ret,
         char **ret_why)
{
    const char *text;

    if (!members_text(object, name, &text, ret_why))
        return FALSE;
    if (!text || !*text || rest_keys_find(keys, text, ret))
        return TRUE;
    *ret_why = g_strdup_printf(
        "%s is base64 of 16 to 64 bytes; when it is empty, the hub makes one.", name);
    return FALSE;
}

static gboolean
has_thumbprints(JsonObject *authentication)
{
    static const char *const names[] = {"primaryThumbprint", "secondaryThumbprint"};
    JsonNode *node = json_object_get_member(authentication, "x509Thumbprint");
    JsonObject *prints = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;

    for (guint i = 0; prints && i < G_N_ELEMENTS(names); i++) {
        node = json_object_get_member(prints, names[i]);
        if (node && !json_node_is_null(node) && g_strcmp0(json_node_get_string(node), "") != 0)
            return TRUE;
    }
    return FALSE;
}

/* Without a type it stays as it is. */
static gboolean
read_kind(JsonObject *authentication, RegistryWrite *write, char **ret_why)
{
    g_autofree char *why = NULL;
    const char *type = NULL;
    JsonObject *prints = NULL;

    if (!members_text(authentication, "type", &type, ret_why) ||
        !members_object(authentication, "x509Thumbprint", &prints, ret_why))
        return FALSE;
    write->sets_auth = type != NULL;
    if (type && !registry_auth_read(authentication, &write->auth, &why))
        *ret_why = g_strdup_printf("authentication: %s.", why);
    else if (write->auth.kind != REGISTRY_AUTH_THUMBPRINT && has_thumbprints(authentication))
        *ret_why = g_strdup("Only a device of the type selfSigned has thumbprints.");
    return !*ret_why;
}

static gboolean
read_authentication(JsonObject *object, const RestKeys *keys, RegistryWrite *write, char **ret_why)
{
    JsonObject *authentication = NULL, *symmetric = NULL;

    if (!members_object(object, "authentication", &authentication, ret_why))
        return FALSE;
    if (!authentication)
        return TRUE;
    if (!read_kind(authentication, write, ret_why) ||
        !members_object(authentication, "symmetricKey", &symmetric, ret_why))
        return FALSE;
    return !symmetric || (read_key(symmetric, "primaryKey", keys, &write->primary, ret_why) &&
                          read_key(symmetric, "secondaryKey", keys, &write->secondary, ret_why));
}

static gboolean
read_status(JsonObject *object, RegistryWrite *write, char **ret_why)
{
    const char *status, *reason;

    if (!members_text(object, "status", &status, ret_why) ||
        !members_text(object, "statusReason", &reason, ret_why))
        return FALSE;
    if (status && g_ascii_strcasecmp(status, "enabled") == 0) {
        write->status = REGISTRY_STATUS_ENABLED;
    } else if (status && g_ascii_strcasecmp(status, "disabled") == 0) {
        write->status = REGISTRY_STATUS_DISABLED;
    } else if (status) {
        *ret_why = g_strdup("status is enabled or disabled.");
        return FALSE;
    }
    write->comment = g_strdup(reason);
    return TRUE;
}

static gboolean
refuse_edge(JsonObject *object, char **ret_why)
{
    JsonObject *capabilities = NULL;
    JsonNode *edge;

    if (!members_object(object, "capabilities", &capabilities, ret_why))
        return FALSE;
    edge = capabilities ? json_object_get_member(capabilities, "iotEdge") : NULL;
    if (!edge || json_node_get_value_type(edge) != G_TYPE_BOOLEAN || !json_node_get_boolean(edge))
        return TRUE;
    *ret_why = g_strdup("capabilities.iotEdge is false; this hub has no edge devices.");
    return FALSE;
}

gboolean
identity_read(JsonObject *object, const RestKeys *keys, RegistryWrite *write, char **ret_why)
{
    return members_known(object, identity_members, "a device", ret_why) &&
           read_status(object, write, ret_why) && refuse_edge(object, ret_why) &&
           read_authentication(object, keys, write, ret_why);
}

gboolean
identity_parse(char *body, gsize len, const char *device, const char *module, RegistryWrite *write,
               char **ret_why)
{
    g_autoptr(RestKeys) keys = NULL;
    g_autoptr(JsonParser) parser = NULL;
    g_auto(RegistryWrite) read = {0};
    JsonNode *root;

    *ret_why = NULL;
    if (!members_guard(body, len, ROUTE_IDENTITY_MAX, ret_why))
        return FALSE;
    keys = rest_keys_take(body, len);
    parser = members_parse(body, len, ROUTE_IDENTITY_MAX, ret_why);
    root = parser ? json_parser_get_root(parser) : NULL;
    if (!root)
        return FALSE;
    if (!JSON_NODE_HOLDS_OBJECT(root)) {
        *ret_why = g_strdup("The body is an object: {\"deviceId\": \"gw-1\"}.");
        return FALSE;
    }
    if (!members_same(json_node_get_object(root), "deviceId", device, ret_why) ||
        !members_same(json_node_get_object(root), "moduleId", module, ret_why) ||
        !identity_read(json_node_get_object(root), keys, &read, ret_why))
        return FALSE;
    write->status = read.status;
    write->primary = read.primary;
    write->secondary = read.secondary;
    write->sets_auth = read.sets_auth;
    write->auth = read.auth;
    write->comment = g_steal_pointer(&read.comment);
    return TRUE;
}
