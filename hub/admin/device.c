/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the admin socket answers about devices and their modules. */
#include "hub/admin/request.h"

#include "common/base/secret.h"
#include "common/codec/connection-string.h"
#include "hub/registry/auth-json.h"
#include "hub/registry/keys.h"
#include "hub/admin/device-facts.h"
#include "hub/registry/labels-json.h"

#include <string.h>

#define SORT_SEEN "last-seen"

/* The name in messages: "dev1" or "dev1/module". */
static char *
request_subject(const AdminRequest *request)
{
    return g_strjoin("/", request->id, request->module, NULL);
}

static void
member_text(JsonBuilder *builder, const char *name, const char *value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, value);
}

static void
member_number_text(JsonBuilder *builder, const char *name, guint64 value)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, value);

    member_text(builder, name, text);
}

static void
member_time(JsonBuilder *builder, const char *name, gint64 time)
{
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(time / G_USEC_PER_SEC);
    g_autofree char *text = date ? g_date_time_format(date, "%Y-%m-%dT%H:%M:%SZ") : NULL;

    member_text(builder, name, text ? text : "");
}

static void
build_rekey(JsonBuilder *builder, const RegistryRekey *rekey)
{
    const char *state = registry_rekey_name(rekey->state);

    if (!state)
        return;
    json_builder_set_member_name(builder, "rekey");
    json_builder_begin_object(builder);
    member_text(builder, "state", state);
    member_time(builder, "askedTime", rekey->asked);
    if (rekey->confirmed)
        member_time(builder, "confirmedTime", rekey->confirmed);
    json_builder_end_object(builder);
}

void
admin_device_build(JsonBuilder *builder, const AdminHub *hub, const RegistryDevice *device)
{
    gboolean connected = hub->is_connected(hub->data, device->id, device->module);

    json_builder_begin_object(builder);
    member_text(builder, "deviceId", device->id);
    if (device->module)
        member_text(builder, "moduleId", device->module);
    member_text(builder, "status",
                device->waiting   ? "waiting"
                : device->enabled ? "enabled"
                                  : "disabled");
    member_text(builder, "connectionState", connected ? "Connected" : "Disconnected");
    if (hub->is_online) {
        json_builder_set_member_name(builder, "online");
        json_builder_add_boolean_value(builder,
                                       hub->is_online(hub->data, device->id, device->module));
    }
    member_number_text(builder, "generationId", device->generation_id);
    member_number_text(builder, "etag", device->etag);
    member_time(builder, "createdTime", device->created);
    registry_tags_build(builder, "tags", device->tags);
    if (device->comment)
        member_text(builder, "comment", device->comment);
    registry_auth_build(builder, "authentication", &device->auth);
    build_rekey(builder, &device->rekey);
    device_facts_build(builder, hub, device);
    json_builder_end_object(builder);
}

/* Whether the device has every tag of the query, and its state. */
static gboolean
is_asked_for(const AdminRequest *request, const char *const *tags, const char *state,
             const RegistryDevice *device)
{
    for (; *tags; tags++) {
        g_autofree char *key = g_strndup(*tags, strcspn(*tags, "="));

        if (g_strcmp0(registry_tags_get(device->tags, key), *tags + strlen(key) + 1) != 0)
            return FALSE;
    }
    return !state || strcmp(state, device_facts_state(request->hub, device)) == 0;
}

static void
build_last(JsonBuilder *builder, const RegistryDevice *device)
{
    json_builder_set_member_name(builder, "last");
    json_builder_begin_object(builder);
    member_text(builder, "deviceId", device->id);
    if (device->module)
        member_text(builder, "moduleId", device->module);
    if (device->facts)
        member_number_text(builder, "seen", (guint64)device->facts->seen);
    json_builder_end_object(builder);
}

/* The tags of the query, NULL-terminated. No tag has a newline. */
static char **
wanted_tags(AdminRequest *request)
{
    g_autofree char *text = admin_request_query(request, "tags");

    return g_strsplit(text ? text : "", "\n", REGISTRY_TAGS_MAX);
}

static void
on_listed(const RegistryResult *result, void *data)
{
    AdminRequest *request = data;
    g_autofree char *state = admin_request_query(request, "state");
    g_auto(GStrv) tags = wanted_tags(request);
    JsonBuilder *builder;

    if (result->code != REGISTRY_OK) {
        admin_request_fail_registry(request, result, "list", "devices");
        return;
    }
    builder = json_builder_new();
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "devices");
    json_builder_begin_array(builder);
    for (gsize i = 0; i < result->n_devices; i++)
        if (is_asked_for(request, (const char *const *)tags, state, result->devices[i]))
            admin_device_build(builder, request->hub, result->devices[i]);
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, "more");
    json_builder_add_boolean_value(builder, result->more);
    if (result->n_devices > 0)
        build_last(builder, result->devices[result->n_devices - 1]);
    json_builder_end_object(builder);
    admin_request_answer_json(request, 200, builder);
}

/* What is wrong with the query, or NULL; the caller frees it. */
static char *
list_fault(const char *limit, char **tags, const char *state, const char *sort, guint64 *ret_limit)
{
    char *why = NULL;

    if (limit && !g_ascii_string_to_unsigned(limit, 10, 1, REGISTRY_PAGE_MAX, ret_limit, NULL))
        return g_strdup_printf("limit is a number from 1 to %d", REGISTRY_PAGE_MAX);
    if (state && !device_facts_state_is_known(state))
        return g_strdup("state is connected, away, never or refused");
    if (sort && strcmp(sort, "id") != 0 && strcmp(sort, SORT_SEEN) != 0)
        return g_strdup("sort is id or last-seen");
    for (; *tags && !why; tags++)
        (void)registry_tag_is_valid(*tags, &why);
    return why;
}

/* The page after the names of the query; by when each was seen last, or else by id. */
static void
list_page(AdminRequest *request, const char *sort, const char *tag, guint limit)
{
    g_autofree char *after = admin_request_query(request, "after");
    g_autofree char *after_module = admin_request_query(request, "afterModule");
    g_autofree char *after_seen = admin_request_query(request, "afterSeen");
    Registry *registry = request->hub->registry;

    if (request->hub->write_facts)
        request->hub->write_facts(request->hub->data);
    if (g_strcmp0(sort, SORT_SEEN) == 0)
        registry_list_by_seen(registry, after_seen ? g_ascii_strtoll(after_seen, NULL, 10) : 0,
                              after, after_module, limit, on_listed, request);
    else
        registry_list_tagged(registry, tag, after, after_module, limit, on_listed, request);
}

void
admin_device_list(AdminRequest *request)
{
    g_autofree char *limit_text = admin_request_query(request, "limit");
    g_autofree char *state = admin_request_query(request, "state");
    g_autofree char *sort = admin_request_query(request, "sort");
    g_auto(GStrv) tags = wanted_tags(request);
    guint64 limit = 0;
    g_autofree char *why = list_fault(limit_text, tags, state, sort, &limit);

    if (why)
        admin_request_fail(request, 400, "invalid", "%s", why);
    else
        list_page(request, sort, tags[0], (guint)limit);
}

static void
answer_device(AdminRequest *request, guint status, const RegistryDevice *device)
{
    JsonBuilder *builder = json_builder_new();

    admin_device_build(builder, request->hub, device);
    admin_request_answer_json(request, status, builder);
}

void
admin_device_answer(AdminRequest *request, const RegistryResult *result)
{
    g_autofree char *subject = request_subject(request);

    if (result->code == REGISTRY_OK)
        answer_device(request, 200, result->device);
    else
        admin_request_fail_registry(request, result, "device", subject);
}

static void
on_one(const RegistryResult *result, void *data)
{
    admin_device_answer(data, result);
}

static void
on_added(const RegistryResult *result, void *data)
{
    AdminRequest *request = data;
    g_autofree char *subject = request_subject(request);

    if (result->code == REGISTRY_OK)
        answer_device(request, 201, result->device);
    else if (result->code == REGISTRY_NOT_FOUND)
        admin_request_fail(request, 404, "not-found",
                           "there is no device '%s' for the module: add it first, by 'streamhub "
                           "device add %s'",
                           request->id, request->id);
    else if (result->code == REGISTRY_INVALID)
        admin_request_fail(request, 400, "invalid",
                           "'%s' is not a name: 1 to 128 of letters, digits, '.', '_', ':', '-'",
                           subject);
    else
        admin_request_fail_registry(request, result, "device", subject);
}

/* Of the body. FALSE: the request was refused. */
static gboolean
read_auth(AdminRequest *request, RegistryAuth *ret)
{
    JsonNode *node = request->body ? json_object_get_member(request->body, "authentication") : NULL;
    g_autofree char *why = NULL;

    if (!node || !JSON_NODE_HOLDS_OBJECT(node))
        why = g_strdup("authentication is an object");
    else if (registry_auth_read(json_node_get_object(node), ret, &why))
        return TRUE;
    admin_request_fail(request, 400, "invalid", "%s", why);
    return FALSE;
}

void
admin_device_set_auth(AdminRequest *request)
{
    RegistryAuth auth;

    if (read_auth(request, &auth))
        registry_set_auth(request->hub->registry, request->id, request->module, &auth, on_one,
                          request);
}

void
admin_device_add(AdminRequest *request)
{
    RegistryDevice draft = {.enabled = TRUE};
    gboolean has_auth = request->body && json_object_has_member(request->body, "authentication");

    request->id = g_strdup(admin_request_text(request, "deviceId"));
    request->module = g_strdup(admin_request_text(request, "moduleId"));
    (void)admin_request_boolean(request, "enabled", &draft.enabled);
    if (!request->id) {
        admin_request_fail(request, 400, "invalid", "deviceId is missing");
        return;
    }
    if (has_auth && !read_auth(request, &draft.auth))
        return;
    draft.id = request->id;
    draft.module = request->module;
    registry_add_device(request->hub->registry, &draft, on_added, request);
}

void
admin_device_show(AdminRequest *request)
{
    if (request->hub->write_facts)
        request->hub->write_facts(request->hub->data);
    registry_fetch_device(request->hub->registry, request->id, request->module, on_one, request);
}

void
admin_device_remove(AdminRequest *request)
{
    registry_remove_device(request->hub->registry, request->id, request->module, on_one, request);
}

void
admin_device_set_enabled(AdminRequest *request)
{
    gboolean enabled = FALSE;

    if (admin_request_boolean(request, "enabled", &enabled))
        registry_set_enabled(request->hub->registry, request->id, request->module, enabled, on_one,
                             request);
    else
        admin_request_fail(request, 400, "invalid", "enabled is missing");
}

static void
on_key(const RegistryResult *result, void *data)
{
    AdminRequest *request = data;
    g_autofree char *subject = request_subject(request);
    g_autofree char *which = admin_request_query(request, "key");
    ConnectionString parts = {.host = (char *)(guintptr)request->hub->host,
                              .port = request->hub->port,
                              .device_id = request->id,
                              .module_id = request->module};
    g_auto(SecretText) key = NULL;
    const RegistryKey *chosen;

    if (result->code != REGISTRY_OK) {
        admin_request_fail_registry(request, result, "device", subject);
        return;
    }
    if (result->device->auth.kind != REGISTRY_AUTH_KEYS) {
        parts.x509 = TRUE;
        admin_request_answer_text(request, connection_string_format(&parts));
        return;
    }
    chosen =
        g_strcmp0(which, "secondary") == 0 ? &result->device->secondary : &result->device->primary;
    parts.key = key = g_base64_encode(chosen->bytes, chosen->len);
    admin_request_answer_text(request, connection_string_format(&parts));
}

void
admin_device_connection_string(AdminRequest *request)
{
    registry_lookup_device(request->hub->registry, request->id, request->module, on_key, request);
}

void
admin_device_edit(AdminRequest *request)
{
    JsonNode *tags = request->body ? json_object_get_member(request->body, "tags") : NULL;
    g_autoptr(GStrvBuilder) put = g_strv_builder_new(), removed = g_strv_builder_new();
    g_auto(GStrv) put_list = NULL, removed_list = NULL;
    RegistryDeviceEdit edit = {.comment = admin_request_text(request, "comment")};
    g_autofree char *why = NULL;

    if (tags && !JSON_NODE_HOLDS_OBJECT(tags))
        why = g_strdup("tags is an object");
    else if (tags)
        (void)registry_tags_read(json_node_get_object(tags), put, removed, &why);
    if (why) {
        admin_request_fail(request, 400, "invalid", "%s", why);
        return;
    }
    edit.tags = (const char *const *)(put_list = g_strv_builder_end(put));
    edit.no_tags = (const char *const *)(removed_list = g_strv_builder_end(removed));
    registry_edit_device(request->hub->registry, request->id, &edit, on_one, request);
}
