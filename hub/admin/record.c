/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/admin/record.h"

#include <string.h>

static const char *const hub_operations[] = {"drain",     "certificate",  "reload", "ca",
                                             "log-level", "stream.close", NULL};

void
admin_record(const AdminRequest *request, const char *operation, const char *what,
             const char *detail)
{
    g_autofree char *by = g_strdup_printf("uid:%u", request->uid);
    const RecordChange change = {
        .operation = operation,
        .of_hub = g_strv_contains(hub_operations, operation),
        .by = by,
        .what = what,
        .detail = detail,
    };

    records_change(request->hub->records, &change);
}

/* Members whose texts are words of ours, or times. */
static const char *const shown[] = {"regenerate", "rights", "kind", "expires", "level", NULL};

/* Names of what or who it is about. */
static const char *const ids[] = {"deviceId", "moduleId", "name", NULL};

static void
add_members(GString *out, JsonObject *object)
{
    g_autoptr(GList) names = json_object_get_members(object);

    g_string_append_c(out, '(');
    for (GList *name = names; name; name = name->next)
        g_string_append_printf(out, "%s%s", name == names ? "" : " ", (char *)name->data);
    g_string_append_c(out, ')');
}

static void
add_member(GString *out, const char *name, JsonNode *node)
{
    g_string_append_printf(out, "%s%s", out->len > 0 ? ", " : "", name);
    if (JSON_NODE_HOLDS_OBJECT(node))
        add_members(out, json_node_get_object(node));
    else if (!JSON_NODE_HOLDS_VALUE(node))
        return;
    else if (json_node_get_value_type(node) == G_TYPE_BOOLEAN)
        g_string_append_printf(out, "=%s", json_node_get_boolean(node) ? "yes" : "no");
    else if (json_node_get_value_type(node) == G_TYPE_INT64)
        g_string_append_printf(out, "=%" G_GINT64_FORMAT, json_node_get_int(node));
    else if (g_strv_contains(shown, name) && json_node_get_value_type(node) == G_TYPE_STRING)
        g_string_append_printf(out, "=%s", json_node_get_string(node));
}

static gboolean
is_empty(JsonNode *node)
{
    return JSON_NODE_HOLDS_OBJECT(node) && json_object_get_size(json_node_get_object(node)) == 0;
}

char *
admin_record_detail(JsonObject *body)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GList) names = body ? json_object_get_members(body) : NULL;

    for (GList *name = names; name && out->len <= RECORD_DETAIL_MAX; name = name->next)
        if (!g_strv_contains(ids, name->data) &&
            !is_empty(json_object_get_member(body, name->data)))
            add_member(out, name->data, json_object_get_member(body, name->data));
    return out->len > 0 ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}

static const char *
fingerprint(const AdminHub *hub)
{
    return hub->identity ? certificate_pair_fingerprint(identity_pair(hub->identity(hub->data)))
                         : NULL;
}

static guint64
statement(const AdminHub *hub)
{
    return hub->statement ? hub->statement(hub->data) : 0;
}

ReloadBefore
reload_before(const AdminHub *hub)
{
    return (ReloadBefore){statement(hub), g_strdup(fingerprint(hub))};
}

const char *
reload_operation(const AdminHub *hub, ReloadBefore *before, const char **ret_detail)
{
    gboolean other = g_strcmp0(before->certificate, fingerprint(hub)) != 0;

    *ret_detail = other ? "certificate" : NULL;
    g_clear_pointer(&before->certificate, g_free);
    return before->statement != statement(hub) ? "ca" : "reload";
}
