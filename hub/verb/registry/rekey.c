/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub device rekey */
#include "common/base/error.h"
#include "common/cli/output.h"
#include "common/codec/percent.h"
#include "hub/cli/json.h"
#include "hub/cli/listing.h"
#include "hub/verb/verb.h"

#include <glib/gi18n.h>
#include <string.h>

#define PAGE "200"
#define PACE (20 * G_TIME_SPAN_MILLISECOND) /* each of them makes a device connect once more */

typedef struct {
    const Cli *cli;
    AdminClient *client;
    Listing listing;
    gint64 next;      /* when the next device may be asked, monotonic µs */
    gboolean refused; /* some device did not get a key and will not */
} Rekey;

static void
table_add_result(Table *table, JsonNode *item)
{
    const char *result = verb_json_text(item, "result");
    const TablePaint paint = strcmp(result, "done") == 0      ? TABLE_GOOD
                             : strcmp(result, "pending") == 0 ? TABLE_WAITS
                                                              : TABLE_BAD;

    table_add(table, verb_json_text(item, "deviceId"));
    table_add(table, verb_json_text(item, "moduleId"));
    table_add(table, result);
    table_paint(table, paint);
    table_add(table, verb_json_text(item, "detail"));
}

/* A device for which the call has failed; the others go on. */
static JsonNode *
failed_item(const char *id, const char *module, const char *why)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "deviceId", id);
    if (module)
        json_object_set_string_member(object, "moduleId", module);
    json_object_set_string_member(object, "result", "failed");
    json_object_set_string_member(object, "detail", why);
    json_node_take_object(node, object);
    return node;
}

/* NULL with ERROR set: it makes no sense to go on. */
static JsonNode *
rekey_one(Rekey *rekey, const char *id, const char *module, GError **error)
{
    g_autofree char *path = verb_device_path(id, module, "/rekey");
    gint64 wait = rekey->next - g_get_monotonic_time();
    g_autoptr(GError) failure = NULL;
    JsonNode *item;

    if (wait > 0)
        g_usleep((gulong)wait);
    rekey->next = g_get_monotonic_time() + PACE;
    item = admin_client_call(rekey->client, "POST", path, NULL, &failure);
    if (!item && (g_error_matches(failure, STREAMD_ERROR, STREAMD_ERROR_UNREACHABLE) ||
                  g_error_matches(failure, STREAMD_ERROR, STREAMD_ERROR_DENIED) ||
                  g_error_matches(failure, STREAMD_ERROR, STREAMD_ERROR_LIMIT))) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    if (!item)
        item = failed_item(id, module, failure->message);
    if (strcmp(verb_json_text(item, "result"), "done") != 0 &&
        strcmp(verb_json_text(item, "result"), "pending") != 0)
        rekey->refused = TRUE;
    return item;
}

static gboolean
rekey_named(Rekey *rekey, GError **error)
{
    g_autoptr(JsonArray) items = json_array_new();

    for (guint i = 0; i < rekey->cli->count; i++) {
        g_autofree char *id = NULL, *module = NULL;
        JsonNode *item;

        if (!verb_take_device(rekey->cli, rekey->cli->words[i], &id, &module, error))
            return FALSE;
        item = rekey_one(rekey, id, module, error);
        if (!item)
            return FALSE;
        json_array_add_element(items, item);
    }
    return listing_print(&rekey->listing, items, FALSE, error);
}

static JsonNode *
ask_page(const Rekey *rekey, const char *id, const char *module, GError **error)
{
    const char *const *tags = cli_list(rekey->cli, OPTION_TAG);
    g_autofree char *joined = tags != NULL ? g_strjoinv("\n", (char **)(guintptr)tags) : NULL;
    const struct {
        const char *name, *value;
    } query[] = {{"after", id}, {"afterModule", module}, {"tags", joined}};
    g_autoptr(GString) path = g_string_new("/v1/devices?limit=" PAGE);

    for (gsize i = 0; i < G_N_ELEMENTS(query); i++) {
        if (query[i].value == NULL || *query[i].value == '\0')
            continue;
        g_string_append_printf(path, "&%s=", query[i].name);
        percent_append(path, PERCENT_SEGMENT, query[i].value, -1);
    }
    return admin_client_call(rekey->client, "GET", path->str, NULL, error);
}

static gboolean
rekey_page(Rekey *rekey, JsonArray *devices, gboolean more, GError **error)
{
    g_autoptr(JsonArray) items = json_array_new();

    for (guint i = 0; i < json_array_get_length(devices); i++) {
        JsonNode *device = json_array_get_element(devices, i);
        const char *module = verb_json_text(device, "moduleId");
        JsonNode *item =
            rekey_one(rekey, verb_json_text(device, "deviceId"), *module ? module : NULL, error);

        if (!item)
            return FALSE;
        json_array_add_element(items, item);
    }
    return listing_print(&rekey->listing, items, more, error);
}

/* Every device and module, or those with the tags. */
static gboolean
rekey_many(Rekey *rekey, GError **error)
{
    g_autofree char *id = g_strdup(""), *module = g_strdup("");

    while (id != NULL) {
        g_autoptr(JsonNode) page = ask_page(rekey, id, module, error);
        JsonArray *devices = page ? verb_json_array(page, "devices") : NULL;
        gboolean more = page && verb_json_boolean(page, "more");
        JsonNode *last = page ? json_object_get_member(json_node_get_object(page), "last") : NULL;

        if (!page)
            return FALSE;
        if (!devices || (more && !last))
            return listing_fail(error);
        if (!rekey_page(rekey, devices, more, error))
            return FALSE;
        g_free(id);
        g_free(module);
        id = more ? g_strdup(verb_json_text(last, "deviceId")) : NULL;
        module = more ? g_strdup(verb_json_text(last, "moduleId")) : NULL;
    }
    return TRUE;
}

ExitCode
verb_device_rekey(Cli *cli, GError **error)
{
    const int ways = (cli->count > 0 ? 1 : 0) + (cli->given[OPTION_TAG] ? 1 : 0) +
                     (cli->given[OPTION_ALL] ? 1 : 0);
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_autoptr(Table) table = table_new(_("DEVICE"), _("MODULE"), _("RESULT"), _("DETAIL"), NULL);
    Rekey rekey = {.cli = cli, .client = client};

    if (ways != 1)
        return cli_fail(error, EXIT_CODE_USAGE,
                        _("device rekey: which devices? Give IDs, or --tag KEY=VALUE, or --all"));
    rekey.listing = listing_begin(cli, table, table_add_result, _("No devices"));
    if (!(cli->count > 0 ? rekey_named(&rekey, error) : rekey_many(&rekey, error)))
        return verb_end(FALSE, error);
    return rekey.refused ? EXIT_CODE_REJECTED : EXIT_CODE_OK;
}
