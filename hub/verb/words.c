/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/verb/words.h"

#include "hub/cli/client.h"
#include "hub/base/state.h"
#include "hub/cli/json.h"
#include "hub/cli/option.h"
#include "hub/verb/verb.h"

#include <string.h>

#define DEVICES_OFFERED 1000 /* as many as can be read while somebody waits */
#define PATIENCE_S 1

typedef struct {
    AdminClient *client;
    WordFunc func;
    void *data;
} Words;

/* Offers a page of devices after *AFTER, which becomes the last of them. FALSE: no more follow. */
static gboolean
words_offer_page(const Words *words, char **after, guint *ret_count)
{
    g_autofree char *subject = verb_device_path(*after, NULL, "");
    g_autofree char *path = g_strconcat("/v1/devices?limit=200", **after != '\0' ? "&after=" : "",
                                        subject + strlen("/v1/devices/"), NULL);
    g_autoptr(JsonNode) page = admin_client_call(words->client, "GET", path, NULL, NULL);
    JsonArray *devices = page != NULL ? verb_json_array(page, "devices") : NULL;
    guint count = devices != NULL ? json_array_get_length(devices) : 0;

    for (guint i = 0; i < count; i++) {
        JsonNode *device = json_array_get_element(devices, i);

        words->func(verb_json_text(device, "deviceId"), verb_json_text(device, "connectionState"),
                    words->data);
        if (i + 1 == count) {
            g_free(*after);
            *after = g_strdup(verb_json_text(device, "deviceId"));
        }
    }
    *ret_count += count;
    return count > 0 && verb_json_boolean(page, "more");
}

static void
words_offer_devices(const Words *words)
{
    const gint64 end = g_get_monotonic_time() + PATIENCE_S * G_TIME_SPAN_SECOND;
    g_autofree char *after = g_strdup("");
    guint count = 0;

    while (words_offer_page(words, &after, &count) && count < DEVICES_OFFERED &&
           g_get_monotonic_time() < end)
        ;
}

static void
words_offer_users(const Words *words)
{
    g_autoptr(JsonNode) answer = admin_client_call(words->client, "GET", "/v1/users", NULL, NULL);
    JsonArray *users = answer != NULL ? verb_json_array(answer, "users") : NULL;

    for (guint i = 0; users != NULL && i < json_array_get_length(users); i++) {
        JsonNode *user = json_array_get_element(users, i);
        g_autofree char *rights = verb_user_rights(user);

        words->func(verb_json_text(user, "name"), rights, words->data);
    }
}

/* Offers the oldest streams, with what each waits for. */
static void
words_offer_streams(const Words *words)
{
    g_autoptr(JsonNode) page =
        admin_client_call(words->client, "GET", "/v1/streams?limit=200", NULL, NULL);
    JsonArray *streams = page != NULL ? verb_json_array(page, "streams") : NULL;

    for (guint i = 0; streams != NULL && i < json_array_get_length(streams); i++) {
        JsonNode *stream = json_array_get_element(streams, i);

        words->func(verb_json_text(stream, "id"), verb_json_text(stream, "waits_for"), words->data);
    }
}

static void
words_offer_invitations(const Words *words)
{
    g_autoptr(JsonNode) answer =
        admin_client_call(words->client, "GET", "/v1/invitations", NULL, NULL);
    JsonArray *list = answer != NULL ? verb_json_array(answer, "invitations") : NULL;

    for (guint i = 0; list != NULL && i < json_array_get_length(list); i++) {
        JsonNode *invitation = json_array_get_element(list, i);

        words->func(verb_json_text(invitation, "name"), verb_json_text(invitation, "state"),
                    words->data);
    }
}

static void
words_offer_rights(WordFunc func, void *data)
{
    static const char *const rights[] = {"service-connect", "device-connect", "registry-read",
                                         "registry-write"};

    for (gsize i = 0; i < G_N_ELEMENTS(rights); i++)
        func(rights[i], "", data);
}

static void
words_offer_results(WordFunc func, void *data)
{
    func("ok", "", data);
    func("failed", "", data);
}

static AdminClient *
words_connect(const WordsWanted *wanted)
{
    const char *state_dir = wanted->values[OPTION_STATE_DIR];
    const char *given = wanted->values[OPTION_ADMIN_SOCKET];
    g_autofree char *path =
        given != NULL ? g_strdup(given)
                      : g_build_filename(state_dir != NULL ? state_dir : STATE_DIR_DEFAULT,
                                         STATE_ADMIN_SOCKET, NULL);
    AdminClient *client = admin_client_new(path);

    admin_client_set_patience(client, PATIENCE_S);
    return client;
}

gboolean
words_offer(const WordsWanted *wanted, WordFunc func, void *data)
{
    const char *verb = wanted->verb != NULL ? wanted->verb : "";
    g_autoptr(AdminClient) client = words_connect(wanted);
    const Words words = {client, func, data};

    if (strcmp(wanted->placeholder, "CERT") == 0 || strcmp(wanted->placeholder, "KEY") == 0)
        return TRUE;
    if (g_strcmp0(wanted->option, "columns") == 0)
        verb_device_columns(func, data);
    else if (g_strcmp0(wanted->option, "rights") == 0)
        words_offer_rights(func, data);
    else if (g_strcmp0(wanted->option, "result") == 0)
        words_offer_results(func, data);
    else if (g_strcmp0(wanted->option, "device") == 0)
        words_offer_devices(&words);
    else if (g_strcmp0(wanted->option, "user") == 0)
        words_offer_users(&words);
    else if (g_str_has_prefix(verb, "device ") || strcmp(verb, "connection-string device") == 0)
        words_offer_devices(&words);
    else if (g_str_has_prefix(verb, "user ") || strcmp(verb, "connection-string user") == 0)
        words_offer_users(&words);
    else if (strcmp(verb, "invite revoke") == 0)
        words_offer_invitations(&words);
    else if (g_str_has_prefix(verb, "stream "))
        words_offer_streams(&words);
    return FALSE;
}
