/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many changes in one request: each is made or refused by itself, in the order in which they came
 * (docs/wire-protocol.md, section 6). */
#include "hub/rest/call.h"

#include "common/codec/http-build.h"
#include "hub/rest/items.h"
#include "hub/rest/tell.h"

typedef struct {
    RestCall *call;
    GPtrArray *items; /* of Item */
    guint next;
    GString *errors; /* JSON objects with commas between them */
} Bulk;

static void bulk_go_on(Bulk *bulk);

static void
bulk_free(Bulk *bulk)
{
    g_ptr_array_unref(bulk->items);
    g_string_free(bulk->errors, TRUE);
    g_free(bulk);
}

static void
append_member(GString *out, const char *name, const char *value)
{
    g_string_append_printf(out, "%s\"%s\":\"", out->str[out->len - 1] == '{' ? "" : ",", name);
    rest_append_text(out, value);
    g_string_append_c(out, '"');
}

/* NAMES may be long and anything: they are cut. */
static void
bulk_add_error(Bulk *bulk, const Item *item, RestError error, const char *text)
{
    g_autofree char *id =
        g_utf8_substring(item->write.id ? item->write.id : "", 0,
                         MIN(g_utf8_strlen(item->write.id ? item->write.id : "", -1), 128));
    g_autofree char *module = NULL;

    if (bulk->errors->len > 0)
        g_string_append_c(bulk->errors, ',');
    g_string_append_c(bulk->errors, '{');
    append_member(bulk->errors, "deviceId", id);
    if (item->write.module) {
        module = g_utf8_substring(item->write.module, 0,
                                  MIN(g_utf8_strlen(item->write.module, -1), 128));
        append_member(bulk->errors, "moduleId", module);
    }
    append_member(bulk->errors, "errorCode", rest_error_name(error));
    append_member(bulk->errors, "errorStatus", text ? text : rest_error_text(error));
    append_member(bulk->errors, "operation", item->operation);
    g_string_append_c(bulk->errors, '}');
}

static void
bulk_end(Bulk *bulk)
{
    gboolean good = bulk->errors->len == 0;
    g_autofree char *body = g_strdup_printf("{\"isSuccessful\":%s,\"errors\":[%s],\"warnings\":[]}",
                                            good ? "true" : "false", bulk->errors->str);
    g_autoptr(GString) fields = g_string_new(NULL);
    RestCall *call = bulk->call;

    if (!good)
        (void)!http_header_append(fields, "iothub-errorcode", rest_error_name(REST_BULK_FAILED));
    bulk_free(bulk);
    call_answer(call, good ? 200 : rest_error_status(REST_BULK_FAILED), fields->str, body);
}

static void
bulk_on_written(const RegistryResult *result, void *data)
{
    Bulk *bulk = data;
    const Item *item = bulk->items->pdata[bulk->next - 1];
    gboolean says_more = result->code == REGISTRY_INVALID || result->code == REGISTRY_STORAGE;

    if (!bulk->call->rest) {
        call_free(bulk->call);
        bulk_free(bulk);
        return;
    }
    if (result->code == REGISTRY_OK)
        rest_tell_written(bulk->call, result);
    else
        bulk_add_error(bulk, item, manage_error(result->code, item->write.module),
                       says_more ? result->message : NULL);
    bulk_go_on(bulk);
}

/* TRUE: the registry has it. Otherwise it is refused already. */
static gboolean
bulk_submit(Bulk *bulk, Item *item)
{
    gboolean tags = item->write.tags || item->write.no_tags || item->write.replace;
    RegistryWrite write = item->write;

    if (item->why) {
        bulk_add_error(bulk, item, REST_ARGUMENT_INVALID, item->why);
        return FALSE;
    }
    if (tags && !registry_write_may_tag(bulk->call->scope)) {
        bulk_add_error(bulk, item, REST_FORBIDDEN, "A user with a scope may not change tags.");
        return FALSE;
    }
    /* The names stay for an error. */
    item->write = (RegistryWrite){.id = g_strdup(write.id), .module = g_strdup(write.module)};
    write.policy = g_strdup(bulk->call->policy);
    registry_write_device(bulk->call->rest->registry, &write, bulk_on_written, bulk);
    return TRUE;
}

static void
bulk_go_on(Bulk *bulk)
{
    if (bulk->call->revoked) {
        call_fail(bulk->call, REST_UNAUTHORIZED, NULL);
        bulk_free(bulk);
        return;
    }
    while (bulk->next < bulk->items->len)
        if (bulk_submit(bulk, bulk->items->pdata[bulk->next++]))
            return;
    bulk_end(bulk);
}

void
bulk_begin(RestCall *call)
{
    g_autofree char *why = NULL;
    GPtrArray *items = items_parse(call->request->body->str, call->request->body->len, &why);
    Bulk *bulk;

    if (!items) {
        call_fail(call, REST_ARGUMENT_INVALID, why);
        return;
    }
    bulk = g_new0(Bulk, 1);
    bulk->call = call;
    bulk->items = items;
    bulk->errors = g_string_new(NULL);
    bulk_go_on(bulk);
}
