/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the admin socket answers about the hub's certificate, to a reload, and about who knows the
 * next authority. */
#include "hub/admin/record.h"
#include "hub/admin/request.h"

static void
add_text(JsonBuilder *builder, const char *name, const char *value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, value);
}

static void
add_moment(JsonBuilder *builder, const char *name, gint64 moment)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(moment);
    g_autofree char *text = time ? g_date_time_format_iso8601(time) : g_strdup("");

    add_text(builder, name, text);
}

static void
answer_identity(AdminRequest *request)
{
    const Identity *identity = request->hub->identity(request->hub->data);
    const CertificatePair *pair = identity_pair(identity);
    g_autofree char *warning = identity_warning(identity);
    JsonBuilder *builder = json_builder_new();

    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "names");
    json_builder_begin_array(builder);
    for (const char *const *name = certificate_pair_names(pair); *name; name++)
        json_builder_add_string_value(builder, *name);
    json_builder_end_array(builder);
    add_text(builder, "issuer", certificate_pair_issuer(pair));
    add_text(builder, "sha256", certificate_pair_fingerprint(pair));
    add_moment(builder, "notBefore", certificate_pair_begin(pair));
    add_moment(builder, "notAfter", certificate_pair_end(pair));
    json_builder_set_member_name(builder, "daysLeft");
    json_builder_add_int_value(builder, identity_days(identity));
    add_text(builder, "warning", warning ? warning : "");
    json_builder_end_object(builder);
    admin_request_answer_json(request, 200, builder);
}

void
admin_certificate_show(AdminRequest *request)
{
    answer_identity(request);
}

static void
answer_change(AdminRequest *request, gboolean done, const GError *error)
{
    if (done)
        answer_identity(request);
    else
        admin_request_fail(request, 400, "invalid", "%s", error->message);
}

void
admin_certificate_install(AdminRequest *request)
{
    g_autoptr(GError) error = NULL;
    gboolean done = request->hub->install(request->hub->data, &error);

    answer_change(request, done, error);
}

void
admin_reload(AdminRequest *request)
{
    g_autoptr(GError) error = NULL;
    ReloadBefore before = reload_before(request->hub);
    gboolean done = request->hub->reload(request->hub->data, &error);
    const char *detail = NULL;

    request->record = reload_operation(request->hub, &before, &detail);
    g_free(request->detail);
    request->detail = g_strdup(detail);
    answer_change(request, done, error);
}

/* "yes"; "told": it is connected, and has been told; "plain": it is connected, and cannot be told;
 * "away": it will be told when it comes, if it can be. */
static const char *
what_device_knows(const AdminHub *hub, const RegistryKnown *known, guint64 serial)
{
    const char *module = *known->module ? known->module : NULL;

    if (known->serial >= serial)
        return "yes";
    if (!hub->is_connected(hub->data, known->name, module))
        return "away";
    return hub->caps && hub->caps(hub->data, known->name, module) & CAP_NOTICE ? "told" : "plain";
}

static void
build_device(JsonBuilder *builder, const RegistryKnown *known)
{
    add_text(builder, "deviceId", known->name);
    if (*known->module)
        add_text(builder, "moduleId", known->module);
}

typedef void (*BuildKnown)(JsonBuilder *builder, const AdminHub *hub, const RegistryKnown *known,
                           guint64 serial);

/* An object with the list NAME of who is known, which goes on; NULL: the request has failed. */
static JsonBuilder *
begin_known(AdminRequest *request, const RegistryResult *result, const char *name, BuildKnown build)
{
    const AdminHub *hub = request->hub;
    const KnownJob *job = result->extra;
    guint64 serial = hub->statement ? hub->statement(hub->data) : 0;
    JsonBuilder *builder;

    if (result->code != REGISTRY_OK) {
        admin_request_fail_registry(request, result, "list", "devices");
        return NULL;
    }
    builder = json_builder_new();
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, name);
    json_builder_begin_array(builder);
    for (guint i = 0; i < job->known->len; i++) {
        json_builder_begin_object(builder);
        build(builder, hub, &g_array_index(job->known, RegistryKnown, i), serial);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    return builder;
}

static void
build_known_device(JsonBuilder *builder, const AdminHub *hub, const RegistryKnown *known,
                   guint64 serial)
{
    build_device(builder, known);
    add_text(builder, "knows", what_device_knows(hub, known, serial));
}

static void
on_devices(const RegistryResult *result, void *data)
{
    AdminRequest *request = data;
    const KnownJob *job = result->extra;
    JsonBuilder *builder = begin_known(request, result, "devices", build_known_device);

    if (!builder)
        return;
    json_builder_set_member_name(builder, "more");
    json_builder_add_boolean_value(builder, job->more);
    if (job->known->len > 0) {
        json_builder_set_member_name(builder, "last");
        json_builder_begin_object(builder);
        build_device(builder, &g_array_index(job->known, RegistryKnown, job->known->len - 1));
        json_builder_end_object(builder);
    }
    json_builder_end_object(builder);
    admin_request_answer_json(request, 200, builder);
}

void
admin_known_devices(AdminRequest *request)
{
    g_autofree char *after = admin_request_query(request, "after");
    g_autofree char *after_module = admin_request_query(request, "afterModule");

    registry_list_devices_known(request->hub->registry, after, after_module, REGISTRY_PAGE_MAX,
                                on_devices, request);
}

/* A user's key may be on several machines. "yes": one has told that it knows; "plain": one that
 * cannot be told has used it, whatever the others know. */
static void
build_known_user(JsonBuilder *builder, const AdminHub *hub G_GNUC_UNUSED,
                 const RegistryKnown *known, guint64 serial)
{
    add_text(builder, "name", known->name);
    add_text(builder, "knows",
             known->plain              ? "plain"
             : known->serial >= serial ? "yes"
                                       : "away");
}

static void
on_users(const RegistryResult *result, void *data)
{
    AdminRequest *request = data;
    JsonBuilder *builder = begin_known(request, result, "users", build_known_user);

    if (!builder)
        return;
    json_builder_end_object(builder);
    admin_request_answer_json(request, 200, builder);
}

void
admin_known_users(AdminRequest *request)
{
    registry_list_users_known(request->hub->registry, on_users, request);
}
