/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the admin socket answers about users: the shared access policies of the protocol. */
#include "hub/admin/request.h"

#include "common/base/secret.h"
#include "common/codec/connection-string.h"
#include "hub/registry/labels-json.h"

#include <string.h>

void
admin_user_build(JsonBuilder *builder, const RegistryPolicy *policy)
{
    g_autofree char *rights = registry_rights_format(policy->rights);
    g_auto(GStrv) names = g_strsplit(rights, ",", -1);

    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "name");
    json_builder_add_string_value(builder, policy->name);
    json_builder_set_member_name(builder, "rights");
    json_builder_begin_array(builder);
    for (char **name = names; *name; name++)
        json_builder_add_string_value(builder, *name);
    json_builder_end_array(builder);
    registry_scope_build(builder, "scope", policy->scope);
    json_builder_end_object(builder);
}

static void
on_listed(const RegistryResult *result, void *data)
{
    AdminRequest *request = data;
    JsonBuilder *builder;

    if (result->code != REGISTRY_OK) {
        admin_request_fail_registry(request, result, "list", "users");
        return;
    }
    builder = json_builder_new();
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "users");
    json_builder_begin_array(builder);
    for (gsize i = 0; i < result->n_policies; i++)
        admin_user_build(builder, result->policies[i]);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    admin_request_answer_json(request, 200, builder);
}

void
admin_user_list(AdminRequest *request)
{
    registry_list_policies(request->hub->registry, on_listed, request);
}

static void
answer_user(AdminRequest *request, guint status, const RegistryResult *result)
{
    JsonBuilder *builder;

    if (result->code != REGISTRY_OK) {
        admin_request_fail_registry(request, result, "user", request->name);
        return;
    }
    builder = json_builder_new();
    admin_user_build(builder, result->policy);
    admin_request_answer_json(request, status, builder);
}

static void
on_added(const RegistryResult *result, void *data)
{
    answer_user(data, 201, result);
}

static void
on_removed(const RegistryResult *result, void *data)
{
    answer_user(data, 200, result);
}

/* Reads the scope of the body, which may have none. FALSE: it is wrong, and the request was
 * answered. EDIT's draft is for registry_scope_draft_clear. */
static gboolean
read_scope(AdminRequest *request, RegistryPolicyEdit *edit)
{
    JsonNode *scope = request->body ? json_object_get_member(request->body, "scope") : NULL;
    g_autofree char *why = NULL;

    if (!scope)
        return TRUE;
    if (!JSON_NODE_HOLDS_OBJECT(scope))
        why = g_strdup("scope is an object");
    else if (registry_scope_read(json_node_get_object(scope), &edit->scope, &edit->kinds, &why))
        return TRUE;
    admin_request_fail(request, 400, "invalid", "%s", why);
    return FALSE;
}

static void
add_user(AdminRequest *request, const char *rights, const RegistryPolicyEdit *edit)
{
    RegistryPolicy draft = {.name = request->name};
    g_autofree char *why = NULL;

    draft.scope = registry_scope_edit(NULL, &edit->scope, edit->kinds, &why);
    if (why)
        admin_request_fail(request, 400, "invalid", "%s", why);
    else if (!registry_rights_parse(rights, &draft.rights))
        admin_request_fail(request, 400, "invalid",
                           "rights are some of service-connect, device-connect, registry-read, "
                           "registry-write, joined by commas");
    else
        registry_add_policy(request->hub->registry, &draft, on_added, request);
    registry_scope_unref(draft.scope);
}

void
admin_user_add(AdminRequest *request)
{
    const char *rights = admin_request_text(request, "rights");
    RegistryPolicyEdit edit = {0};

    request->name = g_strdup(admin_request_text(request, "name"));
    if (!request->name || !rights)
        admin_request_fail(request, 400, "invalid", "name or rights are missing");
    else if (read_scope(request, &edit))
        add_user(request, rights, &edit);
    registry_scope_draft_clear(&edit.scope);
}

static void
on_found(const RegistryResult *result, void *data)
{
    answer_user(data, 200, result);
}

void
admin_user_show(AdminRequest *request)
{
    registry_lookup_policy(request->hub->registry, request->name, on_found, request);
}

void
admin_user_remove(AdminRequest *request)
{
    registry_remove_policy(request->hub->registry, request->name, on_removed, request);
}

static void
on_key(const RegistryResult *result, void *data)
{
    AdminRequest *request = data;
    g_autofree char *which = admin_request_query(request, "key");
    ConnectionString parts = {.host = (char *)(guintptr)request->hub->host,
                              .port = request->hub->port,
                              .policy = request->name};
    g_auto(SecretText) key = NULL;
    const RegistryKey *chosen;

    if (result->code != REGISTRY_OK) {
        admin_request_fail_registry(request, result, "user", request->name);
        return;
    }
    chosen =
        g_strcmp0(which, "secondary") == 0 ? &result->policy->secondary : &result->policy->primary;
    parts.key = key = g_base64_encode(chosen->bytes, chosen->len);
    admin_request_answer_text(request, connection_string_format(&parts));
}

void
admin_user_connection_string(AdminRequest *request)
{
    registry_lookup_policy(request->hub->registry, request->name, on_key, request);
}

void
admin_user_edit(AdminRequest *request)
{
    RegistryPolicyEdit edit = {0};

    if (read_scope(request, &edit))
        registry_edit_policy(request->hub->registry, request->name, &edit, on_found, request);
    registry_scope_draft_clear(&edit.scope);
}
