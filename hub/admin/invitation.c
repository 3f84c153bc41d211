/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the admin socket answers about invitations. */
#include "common/base/secret.h"
#include "common/codec/connection-string.h"
#include "common/codec/invitation.h"
#include "hub/admin/request.h"
#include "hub/registry/invitation.h"
#include "hub/registry/labels-json.h"

static void
member_text(JsonBuilder *builder, const char *name, const char *value)
{
    if (!value)
        return;
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, value);
}

static void
member_time(JsonBuilder *builder, const char *name, gint64 when)
{
    g_autoptr(GDateTime) time =
        when > 0 ? g_date_time_new_from_unix_utc(when / G_USEC_PER_SEC) : NULL;
    g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;

    member_text(builder, name, text);
}

/* Must not show the key. */
static void
build_invitation(JsonBuilder *builder, const RegistryInvitation *invitation)
{
    RegistryInvitationState state = registry_invitation_state(invitation, g_get_real_time());
    g_autofree char *rights = registry_rights_format(invitation->rights);

    json_builder_begin_object(builder);
    member_text(builder, "name", invitation->name);
    member_text(builder, "kind", registry_invites_name(invitation->kind));
    member_text(builder, "subject", invitation->subject);
    member_text(builder, "module", invitation->module);
    member_text(builder, "state", registry_invitation_state_name(state));
    json_builder_set_member_name(builder, "uses");
    json_builder_add_int_value(builder, invitation->uses);
    json_builder_set_member_name(builder, "used");
    json_builder_add_int_value(builder, invitation->used);
    member_time(builder, "expires", invitation->expires);
    member_time(builder, "created", invitation->created);
    if (invitation->kind == REGISTRY_INVITES_USER)
        member_text(builder, "rights", rights);
    if (invitation->kind != REGISTRY_INVITES_DEVICE)
        registry_scope_build(builder, "scope", invitation->scope);
    if (invitation->kind != REGISTRY_INVITES_USER)
        registry_tags_build(builder, "tags", invitation->tags);
    if (invitation->kind == REGISTRY_INVITES_GROUP) {
        json_builder_set_member_name(builder, "approve");
        json_builder_add_boolean_value(builder, invitation->approve);
        json_builder_set_member_name(builder, "has_ids");
        json_builder_add_boolean_value(builder, invitation->ids != NULL);
    }
    json_builder_end_object(builder);
}

static void
answer_one(AdminRequest *request, guint status, const RegistryResult *result)
{
    JsonBuilder *builder;

    if (result->code == REGISTRY_INVALID) {
        admin_request_fail(request, 400, "invalid", "%s", result->message);
        return;
    }
    if (result->code != REGISTRY_OK) {
        admin_request_fail_registry(request, result, "invitation", request->name);
        return;
    }
    builder = json_builder_new();
    build_invitation(builder, registry_result_invitation(result));
    admin_request_answer_json(request, status, builder);
}

static void
on_added(const RegistryResult *result, void *data)
{
    answer_one(data, 201, result);
}

static void
on_one(const RegistryResult *result, void *data)
{
    answer_one(data, 200, result);
}

static JsonObject *
body_object(const AdminRequest *request, const char *member)
{
    JsonNode *node = request->body ? json_object_get_member(request->body, member) : NULL;

    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static gboolean
read_number(const AdminRequest *request, guint *ret)
{
    JsonNode *node = request->body ? json_object_get_member(request->body, "uses") : NULL;
    gint64 number;

    if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_INT64)
        return FALSE;
    number = json_node_get_int(node);
    *ret = (guint)number;
    return number >= 1 && number <= REGISTRY_INVITATION_USES_MAX;
}

/* "expires" missing or null: never. */
static gboolean
read_expiry(const AdminRequest *request, gint64 *ret)
{
    const char *text = admin_request_text(request, "expires");
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) when = text ? g_date_time_new_from_iso8601(text, utc) : NULL;

    if (when)
        *ret = g_date_time_to_unix(when) * G_TIME_SPAN_SECOND;
    return !text || (when && *ret > 0);
}

static RegistryTags *
read_tags(JsonObject *object, char **ret_why)
{
    g_autoptr(GStrvBuilder) put = g_strv_builder_new(), removed = g_strv_builder_new();
    g_auto(GStrv) list = NULL;

    if (!object || !registry_tags_read(object, put, removed, ret_why))
        return NULL;
    list = g_strv_builder_end(put);
    return registry_tags_new((const char *const *)list, ret_why);
}

static RegistryScope *
read_scope(JsonObject *object, char **ret_why)
{
    RegistryScope draft = {0};
    RegistryScopeKinds kinds = 0;
    RegistryScope *scope = NULL;

    if (object && registry_scope_read(object, &draft, &kinds, ret_why))
        scope = registry_scope_edit(NULL, &draft, kinds, ret_why);
    registry_scope_draft_clear(&draft);
    return scope;
}

/* What is wrong with the body, for people; the caller frees it. NULL: nothing. */
static char *
read_body(const AdminRequest *request, RegistryInvitation *draft)
{
    const char *rights = admin_request_text(request, "rights");
    char *why = NULL;

    if (!registry_invites_parse(admin_request_text(request, "kind"), &draft->kind))
        return g_strdup("kind is device, user or group");
    if (!read_number(request, &draft->uses))
        return g_strdup_printf("uses is a number from 1 to %d", REGISTRY_INVITATION_USES_MAX);
    if (!read_expiry(request, &draft->expires))
        return g_strdup("expires is a time such as 2027-01-31T12:00:00Z");
    if (draft->kind == REGISTRY_INVITES_USER &&
        (!rights || !registry_rights_parse(rights, &draft->rights)))
        return g_strdup("rights are some of service-connect, device-connect, registry-read, "
                        "registry-write, joined by commas");
    draft->scope = read_scope(body_object(request, "scope"), &why);
    if (!why)
        draft->tags = read_tags(body_object(request, "tags"), &why);
    return why;
}

void
admin_invitation_add(AdminRequest *request)
{
    g_autoptr(RegistryInvitation) draft = g_new0(RegistryInvitation, 1);
    g_autofree char *why = read_body(request, draft);

    request->name = g_strdup(admin_request_text(request, "name"));
    draft->name = g_strdup(request->name);
    draft->subject = g_strdup(admin_request_text(request, "subject"));
    draft->module = g_strdup(admin_request_text(request, "module"));
    draft->ids = g_strdup(admin_request_text(request, "ids"));
    (void)admin_request_boolean(request, "approve", &draft->approve);
    if (why)
        admin_request_fail(request, 400, "invalid", "%s", why);
    else
        registry_add_invitation(request->hub->registry, draft, on_added, request);
}

void
admin_invitation_revoke(AdminRequest *request)
{
    registry_revoke_invitation(request->hub->registry, request->name, on_one, request);
}

static void
on_listed(const RegistryResult *result, void *data)
{
    AdminRequest *request = data;
    const GPtrArray *list;
    JsonBuilder *builder;

    if (result->code != REGISTRY_OK) {
        admin_request_fail_registry(request, result, "list", "invitations");
        return;
    }
    list = registry_result_invitations(result);
    builder = json_builder_new();
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "invitations");
    json_builder_begin_array(builder);
    for (guint i = 0; i < list->len; i++)
        build_invitation(builder, list->pdata[i]);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    admin_request_answer_json(request, 200, builder);
}

void
admin_invitation_list(AdminRequest *request)
{
    registry_list_invitations(request->hub->registry, on_listed, request);
}

/* The first line of the file: it holds the key. */
static char *
ticket_of(const AdminHub *hub, const RegistryInvitation *invitation)
{
    g_autofree char *host = hub->port == CONNECTION_STRING_PORT
                                ? g_strdup(hub->host)
                                : g_strdup_printf("%s:%u", hub->host, hub->port);
    g_auto(SecretText) key = g_base64_encode(invitation->key.bytes, invitation->key.len);
    const gboolean user = invitation->kind == REGISTRY_INVITES_USER;
    const InvitationTicket ticket = {
        .host = host,
        .name = invitation->name,
        .device_id = user ? NULL : invitation->subject,
        .module_id = invitation->module,
        .user = user ? invitation->subject : NULL,
        .key = key,
    };

    return invitation_ticket_format(&ticket);
}

static void
on_ticket(const RegistryResult *result, void *data)
{
    AdminRequest *request = data;

    if (result->code == REGISTRY_OK)
        admin_request_answer_text(request,
                                  ticket_of(request->hub, registry_result_invitation(result)));
    else
        admin_request_fail_registry(request, result, "invitation", request->name);
}

void
admin_invitation_ticket(AdminRequest *request)
{
    registry_fetch_invitation(request->hub->registry, request->name, on_ticket, request);
}

static void
on_approved(const RegistryResult *result, void *data)
{
    AdminRequest *request = data;

    if (result->code == REGISTRY_INVALID)
        admin_request_fail(request, 400, "invalid", "device '%s' does not wait for approval",
                           request->id);
    else
        admin_device_answer(request, result);
}

void
admin_device_approve(AdminRequest *request)
{
    registry_approve_device(request->hub->registry, request->id, on_approved, request);
}
