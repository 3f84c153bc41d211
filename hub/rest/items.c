/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/rest/items.h"

#include "hub/edge/route.h"
#include "hub/rest/condition.h"
#include "hub/rest/identity.h"
#include "hub/rest/members.h"
#include "hub/rest/twin.h"

/* Words match in any case: IoT Hub has them in two spellings. */
static const struct {
    const char *name;
    RegistryWriteMode mode;
    const char *etag; /* the member that has its condition */
    gboolean twin;    /* changes only tags */
} modes[] = {
    {"createOrUpdate", REGISTRY_WRITE_EITHER, NULL, FALSE},
    {"create", REGISTRY_WRITE_CREATE, NULL, FALSE},
    {"update", REGISTRY_WRITE_UPDATE, NULL, FALSE},
    {"updateIfMatchETag", REGISTRY_WRITE_UPDATE, "eTag", FALSE},
    {"createOrUpdateIfMatchETag", REGISTRY_WRITE_EITHER, "eTag", FALSE},
    {"delete", REGISTRY_WRITE_REMOVE, NULL, FALSE},
    {"deleteIfMatchETag", REGISTRY_WRITE_REMOVE, "eTag", FALSE},
    {"updateTwin", REGISTRY_WRITE_UPDATE, NULL, TRUE},
    {"updateTwinIfMatchETag", REGISTRY_WRITE_UPDATE, "twinETag", TRUE},
};

static void
item_free(gpointer data)
{
    Item *item = data;

    registry_write_clear(&item->write);
    g_free(item->why);
    g_free(item);
}

/* A missing mode is the first one. -1: there is no such mode. */
static int
mode_find(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(modes); i++)
        if (!name || g_ascii_strcasecmp(name, modes[i].name) == 0)
            return (int)i;
    return -1;
}

/* Node has "etag" where the others have "eTag". */
static gboolean
read_condition(JsonObject *object, const char *member, Item *item)
{
    const char *etag = NULL, *small = NULL;

    if (!member)
        return TRUE;
    if (!members_text(object, member, &etag, &item->why) ||
        !members_text(object, "etag", &small, &item->why))
        return FALSE;
    if (!etag && member[0] == 'e')
        etag = small;
    if (!etag || !*etag) {
        item->why = g_strdup_printf("%s is missing.", member);
        return FALSE;
    }
    item->write.conditional = g_strcmp0(etag, "*") != 0;
    item->write.etag = condition_etag(etag);
    return TRUE;
}

static gboolean
read_names(JsonObject *object, Item *item)
{
    const char *id = NULL, *module = NULL;

    if (!members_text(object, "id", &id, &item->why) ||
        !members_text(object, "moduleId", &module, &item->why))
        return FALSE;
    item->write.id = g_strdup(id);
    item->write.module = module && *module ? g_strdup(module) : NULL;
    if (id && *id)
        return TRUE;
    item->why = g_strdup("id is missing.");
    return FALSE;
}

static gboolean
item_read(JsonObject *object, const RestKeys *keys, Item *item)
{
    const char *name = NULL;
    int mode;

    if (!read_names(object, item) || !members_text(object, "importMode", &name, &item->why))
        return FALSE;
    mode = mode_find(name);
    if (mode < 0) {
        item->why = g_strdup_printf("importMode has no '%.32s'; it is create, update, delete or "
                                    "another of IoT Hub's.",
                                    name);
        return FALSE;
    }
    item->operation = modes[mode].name;
    item->write.mode = modes[mode].mode;
    if (!read_condition(object, modes[mode].etag, item))
        return FALSE;
    if (item->write.mode == REGISTRY_WRITE_REMOVE)
        return TRUE;
    if (!modes[mode].twin && !identity_read(object, keys, &item->write, &item->why))
        return FALSE;
    return twin_read(object, FALSE, &item->write, &item->why);
}

static Item *
item_new(JsonNode *node, const RestKeys *keys)
{
    Item *item = g_new0(Item, 1);

    item->operation = modes[0].name;
    if (JSON_NODE_HOLDS_OBJECT(node))
        (void)item_read(json_node_get_object(node), keys, item);
    else
        item->why = g_strdup("A change is an object.");
    return item;
}

GPtrArray *
items_parse(char *body, gsize len, char **ret_why)
{
    g_autoptr(RestKeys) keys = NULL;
    g_autoptr(JsonParser) parser = NULL;
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(item_free);
    JsonArray *array;

    *ret_why = NULL;
    if (!members_guard(body, len, ROUTE_BULK_MAX, ret_why))
        return NULL;
    keys = rest_keys_take(body, len);
    parser = members_parse(body, len, ROUTE_BULK_MAX, ret_why);
    if (!parser)
        return NULL;
    array = JSON_NODE_HOLDS_ARRAY(json_parser_get_root(parser))
                ? json_node_get_array(json_parser_get_root(parser))
                : NULL;
    if (!array || json_array_get_length(array) < 1 || json_array_get_length(array) > ITEMS_MAX) {
        *ret_why = g_strdup("The body is an array of 1 to 100 changes: [{\"id\": \"gw-1\", "
                            "\"importMode\": \"create\"}].");
        return NULL;
    }
    for (guint i = 0; i < json_array_get_length(array); i++)
        g_ptr_array_add(items, item_new(json_array_get_element(array, i), keys));
    return g_steal_pointer(&items);
}
