/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the admin socket answers about running streams, and how it ends one. Times are in µs. */
#include "hub/admin/report.h"
#include "hub/admin/request.h"

static const char *const side_names[LEG_SIDES] = {
    [LEG_DEVICE] = "device",
    [LEG_SERVICE] = "service",
};

static void
report_view(const StreamView *view, const Report *report)
{
    report->text("id", view->id, report->data);
    report->number("number", view->number, report->data);
    report->text("device", view->device, report->data);
    report->text("stream", view->name, report->data);
    report->text("user", view->user, report->data);
    report->text("address", view->from, report->data);
    if (view->resumes)
        report->text("resumes", view->resumes, report->data);
    report->text("state", view->state, report->data);
    if (view->reason != REASON_NONE)
        report->text("reason", reason_code(view->reason), report->data);
    report->text("waits-for", view->waits_for, report->data);
    report->number("age", (guint64)view->age, report->data);
    report->number("bytes-from-device", view->bytes[LEG_DEVICE], report->data);
    report->number("bytes-from-service", view->bytes[LEG_SERVICE], report->data);
}

/* All that is known: legs and timers of the stream, and its bridge. */
static void
report_whole(const StreamView *view, const Report *report)
{
    report_view(view, report);
    report->boolean("device-leg", view->legs[LEG_DEVICE], report->data);
    report->boolean("service-leg", view->legs[LEG_SERVICE], report->data);
    if (view->answer_in >= 0)
        report->number("answer-in", (guint64)view->answer_in, report->data);
    if (view->deadline_in >= 0)
        report->number("deadline-in", (guint64)view->deadline_in, report->data);
    if (!view->bridged)
        return;
    report->boolean("answered", view->answered, report->data);
    if (view->answered)
        relay_state_report(&view->relay, side_names, report);
}

static void
on_page(const StreamView *views, guint n_views, gboolean more, void *data)
{
    JsonBuilder *builder = json_builder_new();
    const Report report = admin_report(builder);

    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "streams");
    json_builder_begin_array(builder);
    for (guint i = 0; i < n_views; i++) {
        report.begin(NULL, report.data);
        report_view(&views[i], &report);
        report.end(report.data);
    }
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, "more");
    json_builder_add_boolean_value(builder, more);
    json_builder_end_object(builder);
    admin_request_answer_json(data, 200, builder);
}

/* A number of the query. FALSE: it is wrong, and the request is over. */
static gboolean
query_number(AdminRequest *request, const char *name, guint64 least, guint64 most, guint64 *value)
{
    g_autofree char *text = admin_request_query(request, name);

    if (!text || g_ascii_string_to_unsigned(text, 10, least, most, value, NULL))
        return TRUE;
    admin_request_fail(request, 400, "invalid",
                       "%s is a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, name,
                       least, most);
    return FALSE;
}

void
admin_stream_list(AdminRequest *request)
{
    guint64 after = 0, limit = STREAM_PAGE_MAX;
    StreamQuery query = {0};

    if (!query_number(request, "after", 0, G_MAXINT64, &after) ||
        !query_number(request, "limit", 1, STREAM_PAGE_MAX, &limit))
        return;
    query.after = after;
    query.limit = (guint)limit;
    request->hub->look(request->hub->data, &query, on_page, request);
}

static void
fail_not_found(AdminRequest *request)
{
    admin_request_fail(request, 404, "not-found", "there is no stream '%s' that runs", request->id);
}

static void
answer_one(const StreamView *view, AdminRequest *request)
{
    JsonBuilder *builder = json_builder_new();
    const Report report = admin_report(builder);

    report.begin(NULL, report.data);
    report_whole(view, &report);
    report.end(report.data);
    admin_request_answer_json(request, 200, builder);
}

static void
on_one(const StreamView *views, guint n_views, gboolean more G_GNUC_UNUSED, void *data)
{
    if (n_views == 1)
        answer_one(&views[0], data);
    else
        fail_not_found(data);
}

void
admin_stream_show(AdminRequest *request)
{
    const StreamQuery query = {.id = request->id, .limit = 1};

    request->hub->look(request->hub->data, &query, on_one, request);
}

/* The stream may have ended during the look: then this request did not close it. */
static void
on_to_be_closed(const StreamView *views, guint n_views, gboolean more G_GNUC_UNUSED, void *data)
{
    AdminRequest *request = data;

    if (n_views == 0 || !request->hub->close_stream(request->hub->data, request->id)) {
        fail_not_found(request);
        return;
    }
    g_message("Stream %s of %s to %s was closed by user %u of this machine", views[0].id,
              views[0].user, views[0].device, request->uid);
    g_free(request->detail);
    request->detail =
        g_strdup_printf("%s of %s to %s", views[0].id, views[0].user, views[0].device);
    answer_one(&views[0], request);
}

void
admin_stream_close(AdminRequest *request)
{
    const StreamQuery query = {.id = request->id, .limit = 1};

    request->hub->look(request->hub->data, &query, on_to_be_closed, request);
}
