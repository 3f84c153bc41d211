/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the admin socket answers about the hub's certificate, and to a reload. */
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
    gboolean done = request->hub->reload(request->hub->data, &error);

    answer_change(request, done, error);
}
