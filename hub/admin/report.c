/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/admin/report.h"

static void
report_name(JsonBuilder *builder, const char *name)
{
    g_autofree char *own = g_strdelimit(g_strdup(name), "-", '_');

    json_builder_set_member_name(builder, own);
}

static void
report_begin(const char *name, void *data)
{
    if (name)
        report_name(data, name);
    json_builder_begin_object(data);
}

static void
report_end(void *data)
{
    json_builder_end_object(data);
}

static void
report_number(const char *name, guint64 value, void *data)
{
    report_name(data, name);
    json_builder_add_int_value(data, (gint64)MIN(value, (guint64)G_MAXINT64));
}

static void
report_boolean(const char *name, gboolean value, void *data)
{
    report_name(data, name);
    json_builder_add_boolean_value(data, value);
}

static void
report_text(const char *name, const char *value, void *data)
{
    report_name(data, name);
    json_builder_add_string_value(data, value);
}

Report
admin_report(JsonBuilder *builder)
{
    return (Report){report_begin, report_end, report_number, report_boolean, report_text, builder};
}
