/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/cli/client.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "common/codec/json-guard.h"
#include "common/cli/words.h"

#include <glib/gi18n.h>
#include <gio/gunixsocketaddress.h>
#include <libsoup/soup.h>
#include <string.h>

#define TIMEOUT_S 70 /* a little more than the server's */

struct AdminClient {
    char *path;
    SoupSession *session;
};

AdminClient *
admin_client_new(const char *socket_path)
{
    AdminClient *client = g_new0(AdminClient, 1);
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(socket_path);

    client->path = g_strdup(socket_path);
    /* A plain session: no cookies, no cache, and redirects are off for each message. */
    client->session = soup_session_new_with_options("remote-connectable", address, "timeout",
                                                    TIMEOUT_S, "proxy-resolver", NULL, NULL);
    return client;
}

void
admin_client_free(AdminClient *client)
{
    if (!client)
        return;
    g_object_unref(client->session);
    g_free(client->path);
    g_free(client);
}

void
admin_client_set_patience(AdminClient *client, guint seconds)
{
    g_object_set(client->session, "timeout", seconds, NULL);
}

static SoupMessage *
message_new(const char *method, const char *path, JsonBuilder *body)
{
    g_autofree char *uri = g_strconcat("http://localhost", path, NULL);
    SoupMessage *message = soup_message_new(method, uri);

    soup_message_add_flags(message, SOUP_MESSAGE_NO_REDIRECT);
    if (body) {
        g_autoptr(JsonBuilder) builder = body;
        g_autoptr(JsonNode) root = json_builder_get_root(builder);
        char *text = json_to_string(root, FALSE);
        g_autoptr(GBytes) bytes = g_bytes_new_take(text, strlen(text));

        soup_message_set_request_body_from_bytes(message, "application/json", bytes);
    }
    return message;
}

static void
set_unreachable(const AdminClient *client, const GError *cause, GError **error)
{
    if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_DENIED,
                    _("%s: permission denied: ask as root or as the hub's user"), client->path);
    else
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_UNREACHABLE,
                    _("no hub answers at %s (%s): is 'streamhub serve' running?"), client->path,
                    cause->message);
}

static const struct {
    const char *name; /* from registry_code_name(), or the admin server's own */
    StreamdError code;
} codes[] = {
    {"not-found", STREAMD_ERROR_NOT_FOUND}, {"exists", STREAMD_ERROR_EXISTS},
    {"invalid", STREAMD_ERROR_INVALID},     {"limit", STREAMD_ERROR_LIMIT},
    {"busy", STREAMD_ERROR_BUSY},           {"stopping", STREAMD_ERROR_BUSY},
};

static StreamdError
code_from_name(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(codes); i++)
        if (g_strcmp0(name, codes[i].name) == 0)
            return codes[i].code;
    return STREAMD_ERROR_FAILED;
}

static JsonNode *
parse(const char *text, gsize len, GError **error)
{
    const JsonGuardLimits limits = {.size = ADMIN_ANSWER_MAX, .depth = JSON_GUARD_DEPTH_MAX};
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    JsonGuardResult result = json_guard_check(text, len, &limits, NULL);
    JsonNode *root = NULL;

    if (result == JSON_GUARD_OK && json_parser_load_from_data(parser, text, (gssize)len, NULL))
        root = json_parser_get_root(parser);
    if (root && JSON_NODE_HOLDS_OBJECT(root))
        return json_node_ref(root);
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_PROTOCOL,
                _("the hub's answer is not understood: %s"),
                result == JSON_GUARD_OK ? _("not an object") : json_guard_text(result));
    return NULL;
}

static const char *
text_member(JsonObject *object, const char *name)
{
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;

    return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
}

static void
set_refusal(const char *text, gsize len, GError **error)
{
    g_autoptr(JsonNode) root = parse(text, len, error);
    JsonNode *node = root ? json_object_get_member(json_node_get_object(root), "error") : NULL;
    JsonObject *object = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    const char *message = text_member(object, "message");
    StreamdError code = code_from_name(text_member(object, "code"));
    g_autofree char *said =
        message ? words_of_error(code, message) : g_strdup(_("the hub refused and gave no reason"));

    if (root)
        g_set_error_literal(error, STREAMD_ERROR, (int)code, said);
}

/* The body of a good answer, NUL-terminated; free with secret_free. MESSAGE is taken. */
static char *
send_and_read(AdminClient *client, SoupMessage *sent, GError **error)
{
    g_autoptr(SoupMessage) message = sent;
    g_autoptr(GError) cause = NULL;
    g_autoptr(GBytes) bytes = soup_session_send_and_read(client->session, message, NULL, &cause);
    g_auto(SecretText) text = NULL;
    char *data;
    gsize len = 0;

    if (!bytes) {
        set_unreachable(client, cause, error);
        return NULL;
    }
    data = g_bytes_unref_to_data(g_steal_pointer(&bytes), &len);
    text = g_strndup(data ? data : "", len);
    if (data)
        explicit_bzero(data, len);
    g_free(data);
    if (SOUP_STATUS_IS_SUCCESSFUL(soup_message_get_status(message)))
        return g_steal_pointer(&text);
    set_refusal(text, strlen(text), error);
    return NULL;
}

JsonNode *
admin_client_call(AdminClient *client, const char *method, const char *path, JsonBuilder *body,
                  GError **error)
{
    g_auto(SecretText) text = send_and_read(client, message_new(method, path, body), error);

    return text ? parse(text, strlen(text), error) : NULL;
}

char *
admin_client_get_secret(AdminClient *client, const char *path, GError **error)
{
    return send_and_read(client, message_new("GET", path, NULL), error);
}

JsonNode *
admin_client_post_lines(AdminClient *client, const char *path, const GString *lines, GError **error)
{
    SoupMessage *message = message_new("POST", path, NULL);
    g_autoptr(GBytes) bytes = g_bytes_new_static(lines->str, lines->len);
    g_auto(SecretText) text = NULL;

    soup_message_set_request_body_from_bytes(message, "application/x-ndjson", bytes);
    text = send_and_read(client, message, error);
    return text ? parse(text, strlen(text), error) : NULL;
}
