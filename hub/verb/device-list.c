/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub device list */
#include "common/codec/percent.h"
#include "hub/cli/json.h"
#include "hub/cli/listing.h"
#include "hub/verb/verb.h"

#include <glib/gi18n.h>

/* Less than the hub's maximum: the hub makes a page on the thread that also opens streams. */
#define PAGE "200"

static void
append_query(GString *path, const char *name, const char *value)
{
    if (value == NULL || *value == '\0')
        return;
    g_string_append_printf(path, "&%s=", name);
    percent_append(path, PERCENT_SEGMENT, value, -1);
}

/* The page after (ID, MODULE); both "": the first page. */
static JsonNode *
ask_page(const Cli *cli, AdminClient *client, const char *id, const char *module, GError **error)
{
    const char *const *tags = cli_list(cli, OPTION_TAG);
    g_autofree char *joined = tags != NULL ? g_strjoinv("\n", (char **)(guintptr)tags) : NULL;
    g_autoptr(GString) path = g_string_new("/v1/devices?limit=" PAGE);

    append_query(path, "after", id);
    append_query(path, "afterModule", module);
    append_query(path, "tags", joined);
    append_query(path, "state", cli->values[OPTION_STATE]);
    return admin_client_call(client, "GET", path->str, NULL, error);
}

static void
table_add_device(Table *table, JsonNode *device)
{
    g_autofree char *tags = verb_device_tags(device);
    g_autofree char *connection = g_ascii_strdown(verb_json_text(device, "connectionState"), -1);

    table_add(table, verb_json_text(device, "deviceId"));
    table_add(table, verb_json_text(device, "moduleId"));
    table_add(table, verb_json_text(device, "status"));
    output_add_state(table, connection, connection);
    table_add(table, verb_json_text(device, "createdTime"));
    table_add(table, tags);
}

/* Prints PAGE; LAST_ID and LAST_MODULE become its end, NULL when nothing follows. */
static gboolean
print_page(Listing *listing, JsonNode *page, char **last_id, char **last_module, GError **error)
{
    JsonArray *devices = verb_json_array(page, "devices");
    gboolean more = verb_json_boolean(page, "more");
    JsonNode *last = json_object_get_member(json_node_get_object(page), "last");

    if (!devices || (more && !last))
        return listing_fail(error);
    g_free(*last_id);
    g_free(*last_module);
    *last_id = more ? g_strdup(verb_json_text(last, "deviceId")) : NULL;
    *last_module = more ? g_strdup(verb_json_text(last, "moduleId")) : NULL;
    return listing_print(listing, devices, more, error);
}

ExitCode
verb_device_list(Cli *cli, GError **error)
{
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_autoptr(Table) table = table_new(_("DEVICE"), _("MODULE"), _("STATUS"), _("CONNECTION"),
                                       _("CREATED"), _("TAGS"), NULL);
    Listing listing = listing_begin(cli, table, table_add_device, _("No devices"));
    g_autofree char *id = g_strdup(""), *module = g_strdup("");

    while (id != NULL) {
        g_autoptr(JsonNode) page = ask_page(cli, client, id, module, error);

        if (page == NULL || !print_page(&listing, page, &id, &module, error))
            return verb_end(FALSE, error);
    }
    return EXIT_CODE_OK;
}
