/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/rest/search.h"

#include "common/base/secret.h"
#include "common/codec/device-id.h"
#include "hub/edge/error.h"
#include "hub/rest/identity.h"
#include "hub/rest/twin.h"
#include "hub/registry/labels-json.h"

#include <string.h>

struct Search {
    Registry *registry;
    Devices *devices; /* NULL: cancelled */
    RegistryScope *scope;
    Query query;
    char *tag; /* that every result must have; NULL: none */
    SearchForm form;
    GString *out;
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
    secret_string_free(search->out);
    g_free(search->id);
    g_free(search->module);
    g_free(search);
}

static void
append_member(GString *out, const char *name, const char *value)
{
    g_string_append_printf(out, "\"%s\":\"", name);
    rest_append_text(out, value);
    g_string_append_c(out, '"');
}

static void
append_last_seen(GString *out, const RegistryDevice *device, gboolean connected)
{
    gint64 stored = device->facts ? device->facts->seen : 0;
    g_autofree char *seen = registry_time_format(connected ? g_get_real_time() : stored);

    if (!seen)
        return;
    g_string_append_c(out, ',');
    append_member(out, "lastActivityTime", seen);
}

/* Only what a user that may open streams may know: no key, thumbprint, address or
 * refusal. */
static void
append_all(GString *out, const RegistryDevice *device, gboolean connected)
{
    append_member(out, "deviceId", device->id);
    g_string_append_c(out, ',');
    if (device->module) {
        append_member(out, "moduleId", device->module);
        g_string_append_c(out, ',');
    }
    append_member(out, "status", device->enabled ? "enabled" : "disabled");
    g_string_append_c(out, ',');
    append_member(out, "connectionState", connected ? "Connected" : "Disconnected");
    g_string_append(out, ",\"tags\":");
    twin_append_tags(out, device->tags);
    if (device->comment) {
        g_string_append_c(out, ',');
        append_member(out, "comment", device->comment);
    }
    append_last_seen(out, device, connected);
}

/* A field that the device does not have is left out. */
static void
append_columns(GString *out, const Query *query, const RegistryDevice *device, gboolean connected)
{
    gsize start = out->len;

    for (guint i = 0; i < query->n_columns; i++) {
        const QueryColumn *column = &query->columns[i];
        const char *value = query_value(&column->operand, device, connected);

        if (!value && column->operand.field != QUERY_TAGS)
            continue;
        if (out->len > start)
            g_string_append_c(out, ',');
        if (value) {
            append_member(out, column->name, value);
        } else {
            g_string_append_printf(out, "\"%s\":", column->name);
            twin_append_tags(out, device->tags);
        }
    }
}

static void
append_device(Search *search, const RegistryDevice *device, gboolean connected)
{
    if (search->found++ > 0)
        secret_append(&search->out, ",", 1);
    if (search->form == SEARCH_IDENTITIES) {
        identity_append(&search->out, device, connected, TRUE);
        return;
    }
    g_string_append_c(search->out, '{');
    if (search->query.n_columns > 0)
        append_columns(search->out, &search->query, device, connected);
    else
        append_all(search->out, device, connected);
    g_string_append_c(search->out, '}');
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
    append_device(search, device, connected);
}

static void
search_end(Search *search, gboolean more)
{
    g_autofree char *after =
        more && search->id ? g_strjoin("/", search->id, search->module, NULL) : NULL;

    secret_append(&search->out, "]", 1);
    search->done(search->out->str, after, REGISTRY_OK, search->data);
    search_free(search);
}

static gboolean
search_is_full(const Search *search)
{
    return search->found == search->page || search->out->len >= SEARCH_BYTES_MAX;
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
    while (i < result->n_devices && !search_is_full(search))
        search_look_at(search, result->devices[i++]);
    if (i == result->n_devices && !result->more)
        search_end(search, FALSE);
    else if (search_is_full(search) || search->looked_at >= SEARCH_LOOKED_AT_MAX)
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
search_new(const SearchOptions *options, Query *query, SearchDone done, void *data)
{
    Search *search = g_new0(Search, 1);
    const char *after = options->after;
    const char *slash = after ? strchr(after, '/') : NULL;

    search->registry = options->registry;
    search->devices = options->devices;
    search->scope = registry_scope_ref(options->scope);
    search->query = *query;
    *query = (Query){0};
    search->tag = tag_of(&search->query, options->scope);
    search->form = options->form;
    search->out = g_string_new("[");
    search->id = slash ? g_strndup(after, (gsize)(slash - after)) : g_strdup(after);
    search->module = slash ? g_strdup(slash + 1) : NULL;
    search->page = options->page;
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
