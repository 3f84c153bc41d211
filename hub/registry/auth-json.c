/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/auth-json.h"

static const char *const members[REGISTRY_THUMBPRINTS_MAX] = {"primaryThumbprint",
                                                              "secondaryThumbprint"};

void
registry_auth_build(JsonBuilder *builder, const char *name, const RegistryAuth *auth)
{
    json_builder_set_member_name(builder, name);
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "type");
    json_builder_add_string_value(builder, registry_auth_kind_name(auth->kind));
    if (auth->kind == REGISTRY_AUTH_THUMBPRINT) {
        json_builder_set_member_name(builder, "x509Thumbprint");
        json_builder_begin_object(builder);
        for (guint i = 0; i < REGISTRY_THUMBPRINTS_MAX; i++) {
            g_autofree char *text = registry_thumbprint_format(&auth->thumbprints[i]);

            json_builder_set_member_name(builder, members[i]);
            if (*text)
                json_builder_add_string_value(builder, text);
            else
                json_builder_add_null_value(builder);
        }
        json_builder_end_object(builder);
    }
    json_builder_end_object(builder);
}

static gboolean
read_thumbprints(JsonObject *object, RegistryAuth *auth, char **ret_why)
{
    for (guint i = 0; i < REGISTRY_THUMBPRINTS_MAX; i++) {
        JsonNode *node = json_object_get_member(object, members[i]);
        const char *text = node && json_node_get_value_type(node) == G_TYPE_STRING
                               ? json_node_get_string(node)
                               : NULL;

        if (!node || json_node_is_null(node) || (text && !*text))
            continue;
        if (!text || !registry_thumbprint_parse(text, &auth->thumbprints[i])) {
            *ret_why = g_strdup_printf("%s is the SHA-1 or SHA-256 of a certificate: 40 or 64 "
                                       "hexadecimal digits",
                                       members[i]);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
registry_auth_read(JsonObject *object, RegistryAuth *ret, char **ret_why)
{
    JsonNode *type = json_object_get_member(object, "type");
    JsonNode *thumbprints = json_object_get_member(object, "x509Thumbprint");
    const char *name = type && json_node_get_value_type(type) == G_TYPE_STRING
                           ? json_node_get_string(type)
                           : "sas";
    RegistryAuth auth = {0};

    if (!registry_auth_kind_from_name(name, &auth.kind)) {
        *ret_why = g_strdup("the type of authentication is sas, selfSigned or "
                            "certificateAuthority");
        return FALSE;
    }
    if (auth.kind == REGISTRY_AUTH_THUMBPRINT && thumbprints &&
        JSON_NODE_HOLDS_OBJECT(thumbprints) &&
        !read_thumbprints(json_node_get_object(thumbprints), &auth, ret_why))
        return FALSE;
    if (registry_auth_fault(&auth)) {
        *ret_why = g_strdup(registry_auth_fault(&auth));
        return FALSE;
    }
    *ret = auth;
    return TRUE;
}
