/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the admin socket answers about the log, and does to it. */
#include "hub/admin/request.h"

static void
member_text(JsonBuilder *builder, const char *name, const char *value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, value);
}

void
admin_log_level_show(AdminRequest *request)
{
    const Journal *journal = request->hub->journal;
    JsonBuilder *builder = json_builder_new();

    json_builder_begin_object(builder);
    member_text(builder, "level", journal_level_name(journal_level(journal)));
    member_text(builder, "target", journal_target(journal));
    json_builder_end_object(builder);
    admin_request_answer_json(request, 200, builder);
}

void
admin_log_level_set(AdminRequest *request)
{
    const char *name = admin_request_text(request, "level");
    int level = name ? journal_level_from_name(name) : -1;

    if (level < 0) {
        admin_request_fail(request, 400, "invalid",
                           "a level is one of emerg, alert, crit, err, warning, notice, info and "
                           "debug");
        return;
    }
    g_message("The level of the log is %s now, set by user %u", name, request->uid);
    journal_set_level(request->hub->journal, level);
    admin_log_level_show(request);
}
