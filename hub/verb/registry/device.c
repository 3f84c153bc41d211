/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub device add|show|set|remove|enable|disable */
#include "common/cli/output.h"
#include "common/cli/words.h"
#include "common/codec/device-id.h"
#include "hub/registry/tags.h"
#include "hub/cli/json.h"
#include "hub/registry/auth-json.h"
#include "hub/verb/registry/device-auth.h"
#include "hub/verb/registry/telemetry.h"
#include "hub/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

/* Checks the names before it asks the hub, so that the error is about a mistyped name. */
static gboolean
device_check_names(const Cli *cli, GError **error)
{
    const char *id = cli->words[0], *module = cli->values[OPTION_MODULE];

    return verb_check_name(id, error) && (module == NULL || verb_check_name(module, error));
}

/* Asks the hub about the device that the arguments name. BODY is taken and may be NULL. */
static JsonNode *
ask(const Cli *cli, const char *method, const char *tail, JsonBuilder *body, GError **error)
{
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_autoptr(JsonBuilder) kept = body;
    g_autofree char *path = NULL;

    if (!device_check_names(cli, error))
        return NULL;
    path = verb_device_path(cli->words[0], cli->values[OPTION_MODULE], tail);
    return admin_client_call(client, method, path, g_steal_pointer(&kept), error);
}

/* Prints what was done to a device, or to a module: two texts with one %s each. */
static void
print_done(const Cli *cli, JsonNode *device, const char *of_device, const char *of_module)
{
    const char *module = cli->values[OPTION_MODULE];
    g_autofree char *subject = g_strjoin("/", cli->words[0], module, NULL);
    g_autofree char *text = output_fill(module != NULL ? of_module : of_device, subject);

    if (cli->given[OPTION_JSON])
        output_json_node(device, FALSE);
    else
        (void)puts(text);
}

JsonNode *
verb_device_create(const Cli *cli, AdminClient *client, GError **error)
{
    const char *module = cli->values[OPTION_MODULE];
    RegistryAuth auth;
    JsonBuilder *body;

    if (!device_check_names(cli, error) || !verb_read_auth(cli, &auth, error))
        return NULL;
    body = json_builder_new();
    json_builder_begin_object(body);
    json_builder_set_member_name(body, "deviceId");
    json_builder_add_string_value(body, cli->words[0]);
    if (module != NULL) {
        json_builder_set_member_name(body, "moduleId");
        json_builder_add_string_value(body, module);
    }
    registry_auth_build(body, "authentication", &auth);
    json_builder_end_object(body);
    return admin_client_call(client, "POST", "/v1/devices", body, error);
}

ExitCode
verb_device_add(Cli *cli, GError **error)
{
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_autoptr(JsonNode) device = verb_device_create(cli, client, error);

    if (device != NULL)
        print_done(cli, device, _("Added device %s"), _("Added module %s"));
    return verb_end(device != NULL, error);
}

char *
verb_device_tags(JsonNode *device)
{
    JsonNode *tags = json_object_get_member(json_node_get_object(device), "tags");
    GString *text = g_string_new(NULL);
    JsonObjectIter iter;
    const char *key;
    JsonNode *value;

    if (!tags || !JSON_NODE_HOLDS_OBJECT(tags))
        return g_string_free(text, FALSE);
    json_object_iter_init_ordered(&iter, json_node_get_object(tags));
    while (json_object_iter_next_ordered(&iter, &key, &value))
        g_string_append_printf(text, "%s%s=%s", text->len > 0 ? ", " : "", key,
                               json_node_get_string(value));
    return g_string_free(text, FALSE);
}

static const char *
auth_text(RegistryAuthKind kind)
{
    switch (kind) {
    case REGISTRY_AUTH_THUMBPRINT:
        return _("certificates with a known thumbprint");
    case REGISTRY_AUTH_AUTHORITY:
        return _("certificates of a known authority");
    default:
        return _("keys");
    }
}

static void
add_auth(Table *table, JsonNode *device)
{
    JsonNode *node = json_object_get_member(json_node_get_object(device), "authentication");
    RegistryAuth auth = {0};
    g_autofree char *why = NULL;

    if (!node || !JSON_NODE_HOLDS_OBJECT(node) ||
        !registry_auth_read(json_node_get_object(node), &auth, &why))
        return;
    output_add_row(table, _("Proves who it is by"), auth_text(auth.kind));
    for (guint i = 0; i < REGISTRY_THUMBPRINTS_MAX; i++) {
        g_autofree char *text = registry_thumbprint_format(&auth.thumbprints[i]);

        if (*text)
            output_add_row(table, i == 0 ? _("Thumbprint") : _("Second thumbprint"), text);
    }
}

/* How a change of its key over its connection stands; "" when there is none. */
static char *
rekey_text(JsonNode *device)
{
    static const struct {
        const char *state, *text, *time;
    } rows[] = {
        {"wanted", N_("pending since %s: the device gets one when it connects"), "askedTime"},
        {"offered", N_("pending since %s: the device has not logged in with it"), "askedTime"},
        {"confirmed", N_("in use since %s; the former one is still good"), "confirmedTime"},
        {"read-only", N_("asked for at %s: the device cannot store one"), "askedTime"},
    };
    JsonNode *rekey = json_object_get_member(json_node_get_object(device), "rekey");

    for (gsize i = 0; rekey && i < G_N_ELEMENTS(rows); i++)
        if (strcmp(verb_json_text(rekey, "state"), rows[i].state) == 0)
            return output_fill(_(rows[i].text), verb_json_text(rekey, rows[i].time));
    return g_strdup("");
}

/* While two machines have the device's identity. */
static void
print_clones(Table *table, JsonNode *device)
{
    gint64 times = verb_json_number(device, "takeOvers");
    g_autofree char *text = NULL;

    if (times == 0)
        return;
    text = g_strdup_printf(
        _("two machines have this identity: one came back %d times since %s, last %s"), (int)times,
        verb_json_text(device, "takeOversSince"), verb_json_text(device, "lastTakeOver"));
    output_add_row(table, _("Take-overs"), text);
}

static void
print_device(const Cli *cli, JsonNode *device)
{
    static const struct {
        const char *label, *member;
        gboolean code; /* of common/cli/words.h */
    } rows[] = {
        {N_("Device"), "deviceId"},         {N_("Module"), "moduleId"},
        {N_("Status"), "status", TRUE},     {N_("State"), "state", TRUE},
        {N_("Last seen"), "lastSeen"},      {N_("Last address"), "lastAddress"},
        {N_("Client"), "client"},           {N_("Last refused"), "lastRefused"},
        {N_("Refusal"), "lastRefusal"},     {N_("Connection"), "connectionState", TRUE},
        {N_("Generation"), "generationId"}, {N_("ETag"), "etag"},
        {N_("Created"), "createdTime"},     {N_("Comment"), "comment"},
    };
    g_autoptr(Table) table = table_new("", "", NULL);
    g_autofree char *tags = verb_device_tags(device), *rekey = rekey_text(device);

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        output_add_row(table, _(rows[i].label),
                       rows[i].code ? words_of_code(verb_json_text(device, rows[i].member))
                                    : verb_json_text(device, rows[i].member));
    output_add_row(table, _("Tags"), tags);
    add_auth(table, device);
    output_add_row(table, _("New key"), rekey);
    print_clones(table, device);
    telemetry_print(table, device);
    output_rows(cli, table);
}

ExitCode
verb_device_show(Cli *cli, GError **error)
{
    g_autoptr(JsonNode) device = ask(cli, "GET", "", NULL, error);

    if (device == NULL)
        return verb_end(FALSE, error);
    if (cli->given[OPTION_JSON])
        output_json_node(device, FALSE);
    else
        print_device(cli, device);
    return EXIT_CODE_OK;
}

gboolean
verb_tag_add(JsonBuilder *body, const char *tag, GError **error)
{
    g_autofree char *why = NULL;
    g_autofree char *key = g_strndup(tag, strcspn(tag, "="));

    if (!registry_tag_is_valid(tag, &why)) {
        cli_fail(error, EXIT_CODE_USAGE, _("--tag %s: %s"), tag, why);
        return FALSE;
    }
    json_builder_set_member_name(body, key);
    json_builder_add_string_value(body, tag + strlen(key) + 1);
    return TRUE;
}

static JsonBuilder *
labels(const Cli *cli, GError **error)
{
    const char *const *tags = cli_list(cli, OPTION_TAG), *const *keys =
                                                             cli_list(cli, OPTION_NO_TAG);
    g_autoptr(JsonBuilder) body = json_builder_new();

    json_builder_begin_object(body);
    json_builder_set_member_name(body, "tags");
    json_builder_begin_object(body);
    for (; tags && *tags; tags++)
        if (!verb_tag_add(body, *tags, error))
            return NULL;
    for (; keys && *keys; keys++) {
        json_builder_set_member_name(body, *keys);
        json_builder_add_null_value(body);
    }
    json_builder_end_object(body);
    if (cli->given[OPTION_COMMENT]) {
        json_builder_set_member_name(body, "comment");
        json_builder_add_string_value(body, cli->values[OPTION_COMMENT]);
    }
    json_builder_end_object(body);
    return g_steal_pointer(&body);
}

static gboolean
has_labels(const Cli *cli)
{
    return cli->given[OPTION_TAG] || cli->given[OPTION_NO_TAG] || cli->given[OPTION_COMMENT];
}

static JsonNode *
set_labels(const Cli *cli, GError **error)
{
    JsonBuilder *body = labels(cli, error);

    return body != NULL ? ask(cli, "PATCH", "", body, error) : NULL;
}

static JsonNode *
set_auth(const Cli *cli, GError **error)
{
    JsonBuilder *body;
    RegistryAuth auth;

    if (!verb_read_auth(cli, &auth, error))
        return NULL;
    body = json_builder_new();
    json_builder_begin_object(body);
    registry_auth_build(body, "authentication", &auth);
    json_builder_end_object(body);
    return ask(cli, "PUT", "/authentication", body, error);
}

ExitCode
verb_device_set(Cli *cli, GError **error)
{
    g_autoptr(JsonNode) device = NULL;
    gboolean good = TRUE;

    if (!has_labels(cli) && !verb_has_auth(cli))
        return cli_fail(error, EXIT_CODE_USAGE, _("device set: nothing to change is named"));
    if (has_labels(cli) && cli->given[OPTION_MODULE])
        return cli_fail(error, EXIT_CODE_USAGE,
                        _("device set: a module has the tags of its device, and no comment"));
    if (has_labels(cli)) {
        device = set_labels(cli, error);
        good = device != NULL;
    }
    if (good && verb_has_auth(cli)) {
        g_clear_pointer(&device, json_node_unref);
        device = set_auth(cli, error);
    }
    if (device != NULL)
        print_done(cli, device, _("Changed device %s"), _("Changed module %s"));
    return verb_end(device != NULL, error);
}

ExitCode
verb_device_remove(Cli *cli, GError **error)
{
    g_autoptr(JsonNode) device = ask(cli, "DELETE", "", NULL, error);

    if (device != NULL)
        print_done(cli, device, _("Removed device %s"), _("Removed module %s"));
    return verb_end(device != NULL, error);
}

static JsonNode *
set_enabled(const Cli *cli, gboolean enabled, GError **error)
{
    JsonBuilder *body = json_builder_new();

    json_builder_begin_object(body);
    json_builder_set_member_name(body, "enabled");
    json_builder_add_boolean_value(body, enabled);
    json_builder_end_object(body);
    return ask(cli, "PUT", "/enabled", body, error);
}

ExitCode
verb_device_enable(Cli *cli, GError **error)
{
    g_autoptr(JsonNode) device = set_enabled(cli, TRUE, error);

    if (device != NULL)
        print_done(cli, device, _("Enabled device %s"), _("Enabled module %s"));
    return verb_end(device != NULL, error);
}

ExitCode
verb_device_disable(Cli *cli, GError **error)
{
    g_autoptr(JsonNode) device = set_enabled(cli, FALSE, error);

    if (device != NULL)
        print_done(cli, device, _("Disabled device %s"), _("Disabled module %s"));
    return verb_end(device != NULL, error);
}

ExitCode
verb_device_approve(Cli *cli, GError **error)
{
    g_autoptr(JsonNode) device = ask(cli, "PUT", "/approved", NULL, error);

    if (device != NULL)
        print_done(cli, device, _("Approved device %s"), "");
    return verb_end(device != NULL, error);
}
