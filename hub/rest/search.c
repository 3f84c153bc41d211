/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/rest/search.h"

#include "common/codec/device-id.h"
#include "hub/registry/labels-json.h"

#include <json-glib/json-glib.h>
#include <string.h>

struct Search {
    Registry *registry;
    Devices *devices; /* NULL: cancelled */
    RegistryScope *scope;
    Query query;
    char *tag; /* that every result must have; NULL: none */
    JsonBuilder *builder;
    char *id, *module; /* looked at last; NULL: nothing yet */
    guint page;
    guint found;
    guint looked_at;
    SearchDone done;
    void *data;
};

static void search_go_on(Search *search);

static void
search_free(Search *search)
{
    registry_scope_unref(search->scope);
    query_clear(&search->query);
    g_free(search->tag);
    g_object_unref(search->builder);
    g_free(search->id);
    g_free(search->module);
    g_free(search);
}

static void
add_text(JsonBuilder *builder, const char *name, const char *value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, value);
}

/* Only what a user that may open streams may know: no key, thumbprint or address. */
static void
add_device(JsonBuilder *builder, const RegistryDevice *device, gboolean connected)
{
    json_builder_begin_object(builder);
    add_text(builder, "deviceId", device->id);
    if (device->module)
        add_text(builder, "moduleId", device->module);
    add_text(builder, "status", device->enabled ? "enabled" : "disabled");
    add_text(builder, "connectionState", connected ? "Connected" : "Disconnected");
    registry_tags_build(builder, "tags", device->tags);
    if (device->comment)
        add_text(builder, "comment", device->comment);
    json_builder_end_object(builder);
}

static gboolean
is_connected(const Search *search, const RegistryDevice *device)
{
    g_autofree char *client_id = g_strjoin("/", device->id, device->module, NULL);

    return devices_is_connected(search->devices, client_id);
}

static void
search_look_at(Search *search, const RegistryDevice *device)
{
    gboolean connected = is_connected(search, device);

    g_free(search->id);
    g_free(search->module);
    search->id = g_strdup(device->id);
    search->module = g_strdup(device->module);
    search->looked_at++;
    if (!registry_scope_has_device(search->scope, device->id, device->tags) ||
        !query_fits(&search->query, device, connected))
        return;
    add_device(search->builder, device, connected);
    search->found++;
}

static void
search_end(Search *search, gboolean more)
{
    g_autofree char *body = NULL, *after = NULL;
    g_autoptr(JsonNode) root = NULL;

    json_builder_end_array(search->builder);
    root = json_builder_get_root(search->builder);
    body = json_to_string(root, FALSE);
    after = more && search->id ? g_strjoin("/", search->id, search->module, NULL) : NULL;
    search->done(body, after, REGISTRY_OK, search->data);
    search_free(search);
}

static void
search_on_page(const RegistryResult *result, void *data)
{
    Search *search = data;
    gsize i = 0;

    if (result->code != REGISTRY_OK || !search->devices) {
        search->done(NULL, NULL, search->devices ? result->code : REGISTRY_CLOSED, search->data);
        search_free(search);
        return;
    }
    while (i < result->n_devices && search->found < search->page)
        search_look_at(search, result->devices[i++]);
    if (i == result->n_devices && !result->more)
        search_end(search, FALSE);
    else if (search->found == search->page || search->looked_at >= SEARCH_LOOKED_AT_MAX)
        search_end(search, TRUE);
    else
        search_go_on(search);
}

static void
search_go_on(Search *search)
{
    registry_list_tagged(search->registry, search->tag, search->id, search->module, 0,
                         search_on_page, search);
}

gboolean
search_after_is_valid(const char *after)
{
    const char *slash = strchr(after, '/');

    if (!slash)
        return device_id_is_valid(after, -1);
    return device_id_is_valid(after, slash - after) && device_id_is_valid(slash + 1, -1);
}

/* With a tag that every result must have, the registry lists only the devices that have it. */
static char *
tag_of(const Query *query, const RegistryScope *scope)
{
    char *tag = query_tag(query);

    if (!tag && scope && scope->tags && !scope->tags[1])
        tag = g_strdup(scope->tags[0]);
    return tag;
}

Search *
search_new(Registry *registry, Devices *devices, const RegistryScope *scope, Query *query,
           const char *after, guint page, SearchDone done, void *data)
{
    Search *search = g_new0(Search, 1);
    const char *slash = after ? strchr(after, '/') : NULL;

    search->registry = registry;
    search->devices = devices;
    search->scope = registry_scope_ref(scope);
    search->query = *query;
    *query = (Query){0};
    search->tag = tag_of(&search->query, scope);
    search->builder = json_builder_new();
    json_builder_begin_array(search->builder);
    search->id = slash ? g_strndup(after, (gsize)(slash - after)) : g_strdup(after);
    search->module = slash ? g_strdup(slash + 1) : NULL;
    search->page = page;
    search->done = done;
    search->data = data;
    search_go_on(search);
    return search;
}

void
search_cancel(Search *search)
{
    if (search)
        search->devices = NULL;
}
