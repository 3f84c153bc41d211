/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices as lines of JSON (registry/device-row.h), in and out of the registry. */
#include "hub/admin/record.h"
#include "hub/admin/request.h"

#include "common/base/secret.h"
#include "common/log/events.h"
#include "hub/registry/device-row.h"

#include <string.h>

#define EXPORT_PAGE 200 /* a page is made on the thread that also opens streams */

static gboolean
query_is_yes(const AdminRequest *request, const char *name)
{
    g_autofree char *value = admin_request_query(request, name);

    return g_strcmp0(value, "yes") == 0;
}

/* A line that is not good is a row that is refused. */
static void
import_take_line(RegistryImport *import, const char *line, gsize len, guint number)
{
    char *why = NULL;
    DeviceRow *row = device_row_parse(line, len, &why);

    if (!row) {
        row = g_new0(DeviceRow, 1);
        row->outcome = DEVICE_ROW_REFUSED;
        row->why = why;
    }
    row->line = number;
    g_ptr_array_add(import->rows, row);
}

/* FALSE: there are too many. Lines are counted from 0; empty ones are passed over. */
static gboolean
import_take_lines(RegistryImport *import, Slice text)
{
    guint number = 0;

    for (gsize at = 0; at < text.len; number++) {
        const char *line = text.ptr + at;
        const char *end = memchr(line, '\n', text.len - at);
        gsize len = end ? (gsize)(end - line) : text.len - at;

        if (import->rows->len == IMPORT_ROWS_MAX)
            return FALSE;
        if (len > 0)
            import_take_line(import, line, len, number);
        at += len + 1;
    }
    return TRUE;
}

static void
build_refused(JsonBuilder *builder, const DeviceRow *row)
{
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "line");
    json_builder_add_int_value(builder, row->line);
    json_builder_set_member_name(builder, "message");
    json_builder_add_string_value(builder, row->why);
    json_builder_end_object(builder);
}

static JsonBuilder *
import_build(const RegistryImport *import, guint counts[])
{
    static const char *const names[] = {"unchanged", "added", "updated"};
    JsonBuilder *builder = json_builder_new();

    json_builder_begin_object(builder);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        json_builder_set_member_name(builder, names[i]);
        json_builder_add_int_value(builder, counts[i]);
    }
    json_builder_set_member_name(builder, "refused");
    json_builder_begin_array(builder);
    for (guint i = 0; i < import->rows->len; i++)
        if (((DeviceRow *)import->rows->pdata[i])->outcome == DEVICE_ROW_REFUSED)
            build_refused(builder, import->rows->pdata[i]);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    return builder;
}

static void
import_record(const AdminRequest *request, const char *detail)
{
    event_log(EVENT_REGISTRY_CHANGED, &(EventData){.uid = request->uid, .detail = detail});
    admin_record(request, "import", NULL, detail);
}

static void
import_tell(const AdminRequest *request, const RegistryImport *import, const guint counts[])
{
    g_autofree char *detail = g_strdup_printf("imported devices: %u added, %u changed",
                                              counts[DEVICE_ROW_ADDED], counts[DEVICE_ROW_UPDATED]);

    if (!import->dry_run && counts[DEVICE_ROW_ADDED] + counts[DEVICE_ROW_UPDATED] > 0)
        import_record(request, detail);
}

static void
on_imported(const RegistryResult *result, void *data)
{
    AdminRequest *request = data;
    const RegistryImport *import = result->extra;
    guint counts[DEVICE_ROW_REFUSED + 1] = {0};

    if (result->code != REGISTRY_OK) {
        admin_request_fail_registry(request, result, "import", "devices");
        return;
    }
    for (guint i = 0; i < import->rows->len; i++)
        counts[((DeviceRow *)import->rows->pdata[i])->outcome]++;
    import_tell(request, import, counts);
    admin_request_answer_json(request, 200, import_build(import, counts));
}

void
admin_device_import(AdminRequest *request)
{
    g_autoptr(RegistryImport) import =
        registry_import_new(query_is_yes(request, "update"), query_is_yes(request, "dryRun"));

    if (import_take_lines(import, request->raw))
        registry_import_devices(request->hub->registry, g_steal_pointer(&import), on_imported,
                                request);
    else
        admin_request_fail(request, 400, "invalid", "at most %d lines in one request",
                           IMPORT_ROWS_MAX);
}

static void
on_exported(const RegistryResult *result, void *data)
{
    AdminRequest *request = data;
    gboolean keys = query_is_yes(request, "keys");
    GString *lines;

    if (result->code != REGISTRY_OK) {
        admin_request_fail_registry(request, result, "export", "devices");
        return;
    }
    /* Room for all of it, so that no copy of a key is left behind when it grows. */
    lines = g_string_sized_new(result->n_devices * (keys ? DEVICE_ROW_MAX : 0) + 1);
    for (gsize i = 0; i < result->n_devices; i++)
        device_row_append(lines, result->devices[i], keys);
    admin_request_answer_text(request, g_string_free(lines, FALSE));
}

/* An empty page is the end. */
void
admin_device_export(AdminRequest *request)
{
    g_autofree char *after = admin_request_query(request, "after");
    g_autofree char *after_module = admin_request_query(request, "afterModule");

    if (!after && query_is_yes(request, "keys")) {
        event_log(EVENT_REGISTRY_CHANGED,
                  &(EventData){.uid = request->uid, .detail = "takes the keys of all devices"});
        admin_record(request, "export", NULL, "the keys of all devices");
    }
    registry_list_devices(request->hub->registry, after, after_module, EXPORT_PAGE, on_exported,
                          request);
}
