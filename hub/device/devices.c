/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/device/devices.h"

#include "hub/base/clock.h"
#include "hub/device/mqtt-session.h"

#include <string.h>

/* Counted take-overs fade at the rate at which new ones are allowed. */
#define TAKEOVER_WINDOW (60 * G_TIME_SPAN_SECOND)

typedef struct {
    char *client_id;
    MqttSession *session; /* NULL: away */
    gboolean requests;    /* subscribed to them */
    gboolean answers;
    gboolean keep; /* the subscriptions outlive the connection */
    double takeovers;
    gint64 takeover_time;
} Device;

struct Devices {
    const Settings *settings;
    const DevicesEvents *events;
    void *data;
    GHashTable *by_id; /* client id inside the Device -> Device */
    guint connected;
};

static void
device_free(gpointer data)
{
    Device *device = data;

    g_free(device->client_id);
    g_free(device);
}

Devices *
devices_new(const Settings *settings, const DevicesEvents *events, void *data)
{
    Devices *devices = g_new0(Devices, 1);

    devices->settings = settings;
    devices->events = events;
    devices->data = data;
    devices->by_id = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, device_free);
    return devices;
}

void
devices_free(Devices *devices)
{
    if (!devices)
        return;
    g_hash_table_unref(devices->by_id);
    g_free(devices);
}

static Device *
device_find(Devices *devices, const char *client_id)
{
    return g_hash_table_lookup(devices->by_id, client_id);
}

static Device *
device_of(Devices *devices, MqttSession *session)
{
    Device *device = device_find(devices, mqtt_session_client_id(session));

    return device && device->session == session ? device : NULL;
}

gboolean
devices_is_online(Devices *devices, const char *client_id)
{
    const Device *device = device_find(devices, client_id);

    return device && device->session && device->requests;
}

gboolean
devices_is_connected(Devices *devices, const char *client_id)
{
    const Device *device = device_find(devices, client_id);

    return device && device->session;
}

guint
devices_count(Devices *devices)
{
    return devices->connected;
}

Caps
devices_caps(Devices *devices, const char *client_id)
{
    const Device *device = device_find(devices, client_id);

    return device && device->session ? mqtt_session_caps(device->session) : 0;
}

MqttSession *
devices_session(Devices *devices, const char *client_id)
{
    const Device *device = device_find(devices, client_id);

    return device ? device->session : NULL;
}

RegistryKeys
devices_keys(Devices *devices, const char *client_id)
{
    const Device *device = device_find(devices, client_id);

    return device && device->session && !mqtt_session_policy(device->session)
               ? mqtt_session_keys(device->session)
               : REGISTRY_KEYS_NONE;
}

gboolean
devices_publish(Devices *devices, const char *client_id, const char *topic)
{
    const Device *device = device_find(devices, client_id);

    if (!device || !device->session || !device->requests)
        return FALSE;
    mqtt_session_publish(device->session, topic);
    return TRUE;
}

static gboolean
device_notify(const Device *device, const char *notice)
{
    if (!device->session || !(mqtt_session_caps(device->session) & CAP_NOTICE))
        return FALSE;
    mqtt_session_notify(device->session, notice);
    return TRUE;
}

gboolean
devices_notify(Devices *devices, const char *client_id, const char *notice)
{
    const Device *device = device_find(devices, client_id);

    return device && device_notify(device, notice);
}

guint
devices_notify_all(Devices *devices, const char *notice)
{
    GHashTableIter iter;
    gpointer value;
    guint count = 0;

    g_hash_table_iter_init(&iter, devices->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        count += (guint)device_notify(value, notice);
    return count;
}

/* R15: two machines with the same identity would disconnect each other for ever. */
static gboolean
takeover_allowed(Devices *devices, Device *device)
{
    gint64 now = clock_now();
    double most = devices->settings->takeovers_per_minute;

    if (device->takeover_time > 0)
        device->takeovers -= (double)(now - device->takeover_time) / TAKEOVER_WINDOW * most;
    device->takeovers = MAX(device->takeovers, 0);
    device->takeover_time = now;
    if (device->takeovers + 1 > most)
        return FALSE;
    device->takeovers++;
    return TRUE;
}

/* Removes the entry when it has nothing to remember. */
static void
device_settle(Devices *devices, Device *device)
{
    gboolean kept = device->keep && (device->requests || device->answers);
    gboolean fresh =
        device->takeover_time > 0 && clock_now() - device->takeover_time < TAKEOVER_WINDOW;

    if (device->session || kept || fresh)
        return;
    g_hash_table_remove(devices->by_id, device->client_id);
}

static void
device_lose_link(Devices *devices, Device *device)
{
    device->session = NULL;
    devices->connected--;
    if (!device->keep)
        device->requests = device->answers = FALSE;
    devices->events->link_lost(device->client_id, devices->data);
}

gboolean
devices_connect(Devices *devices, MqttSession *session, gboolean clean, gboolean *ret_present)
{
    const char *client_id = mqtt_session_client_id(session);
    Device *device = device_find(devices, client_id);

    if (device && device->session) {
        MqttSession *older = device->session;

        if (!takeover_allowed(devices, device))
            return FALSE;
        device_lose_link(devices, device);
        mqtt_session_close(older, "taken over by a newer connection");
    }
    if (!device) {
        device = g_new0(Device, 1);
        device->client_id = g_strdup(client_id);
        g_hash_table_insert(devices->by_id, device->client_id, device);
    }
    if (clean)
        device->requests = device->answers = FALSE;
    *ret_present = device->requests || device->answers;
    device->keep = !clean;
    device->session = session;
    devices->connected++;
    return TRUE;
}

void
devices_connected(Devices *devices, MqttSession *session)
{
    const Device *device = device_of(devices, session);

    if (device && devices->events->connected)
        devices->events->connected(device->client_id, mqtt_session_caps(session), devices->data);
    if (device && device->requests)
        devices->events->subscribed(device->client_id, devices->data);
}

void
devices_disconnect(Devices *devices, MqttSession *session)
{
    Device *device = device_of(devices, session);

    if (!device)
        return;
    device_lose_link(devices, device);
    device_settle(devices, device);
}

void
devices_subscribe(Devices *devices, MqttSession *session, Slice filter)
{
    Device *device = device_of(devices, session);

    if (!device)
        return;
    if (stream_filter_is_answers(filter))
        device->answers = TRUE;
    if (!stream_filter_is_requests(filter))
        return;
    device->requests = TRUE;
    devices->events->subscribed(device->client_id, devices->data);
}

void
devices_unsubscribe(Devices *devices, MqttSession *session, Slice filter)
{
    Device *device = device_of(devices, session);

    if (device && stream_filter_is_answers(filter))
        device->answers = FALSE;
    if (device && stream_filter_is_requests(filter))
        device->requests = FALSE;
}

void
devices_answer(Devices *devices, MqttSession *session, const StreamAnswer *answer)
{
    devices->events->answer(mqtt_session_client_id(session), answer, devices->data);
}

static gboolean
id_is_of(const char *client_id, const char *device, const char *module)
{
    gsize len = strlen(device);

    if (strncmp(client_id, device, len) != 0)
        return FALSE;
    if (!module)
        return client_id[len] == '\0' || client_id[len] == '/';
    return client_id[len] == '/' && strcmp(client_id + len + 1, module) == 0;
}

typedef gboolean (*DeviceTest)(const Device *device, const char *a, const char *b);

static gboolean
device_is_of(const Device *device, const char *name, const char *module)
{
    return id_is_of(device->client_id, name, module);
}

static gboolean
device_is_by(const Device *device, const char *policy, const char *unused G_GNUC_UNUSED)
{
    return device->session && g_strcmp0(mqtt_session_policy(device->session), policy) == 0;
}

static gboolean
device_is_by_a_key(const Device *device, const char *name, const char *unused G_GNUC_UNUSED)
{
    return device->session && mqtt_session_policy(device->session) &&
           id_is_of(device->client_id, name, NULL);
}

static gboolean
device_is_connected(const Device *device, const char *a G_GNUC_UNUSED, const char *b G_GNUC_UNUSED)
{
    return device->session != NULL;
}

/* Closing a session tells the owner, which may call in here: so the ids are put in a list first. */
static void
devices_cut(Devices *devices, DeviceTest test, const char *a, const char *b, gboolean forget,
            const char *why)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, devices->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (test(value, a, b))
            g_ptr_array_add(ids, g_strdup(((Device *)value)->client_id));
    for (guint i = 0; i < ids->len; i++) {
        Device *device = device_find(devices, ids->pdata[i]);
        MqttSession *session = device ? device->session : NULL;

        if (!device)
            continue;
        device->keep = device->keep && !forget;
        if (session) {
            device_lose_link(devices, device);
            mqtt_session_close(session, why);
        } else if (forget) {
            device->requests = device->answers = FALSE;
        }
        device_settle(devices, device);
    }
}

/* KEYS: a RegistryKeys. */
static gboolean
device_is_by_keys_of(const Device *device, const char *policy, const char *keys)
{
    return device_is_by(device, policy, NULL) &&
           (mqtt_session_keys(device->session) & *(const RegistryKeys *)(const void *)keys) != 0;
}

static const char why_keys[] = "its key was replaced";

gboolean
devices_is_by_keys(Devices *devices, const char *client_id, RegistryKeys keys)
{
    return (devices_keys(devices, client_id) & keys) != 0;
}

guint
devices_count_policy_keys(Devices *devices, const char *policy, RegistryKeys keys)
{
    GHashTableIter iter;
    gpointer value;
    guint count = 0;

    g_hash_table_iter_init(&iter, devices->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        count += device_is_by_keys_of(value, policy, (const char *)&keys) ? 1 : 0;
    return count;
}

void
devices_revoke_policy_keys(Devices *devices, const char *policy, RegistryKeys keys)
{
    devices_cut(devices, device_is_by_keys_of, policy, (const char *)&keys, FALSE, why_keys);
}

void
devices_revoke(Devices *devices, const char *device, const char *module)
{
    devices_cut(devices, device_is_of, device, module, TRUE, "the device was revoked");
}

void
devices_revoke_policy(Devices *devices, const char *policy)
{
    devices_cut(devices, device_is_by, policy, NULL, FALSE, "the user was removed");
}

void
devices_judge_again(Devices *devices, const char *device, const char *policy)
{
    static const char why[] = "what its user reaches has changed";

    if (policy)
        devices_cut(devices, device_is_by, policy, NULL, FALSE, why);
    else
        devices_cut(devices, device_is_by_a_key, device, NULL, FALSE, why);
}

static gboolean
device_is_exactly(const Device *device, const char *client_id, const char *unused G_GNUC_UNUSED)
{
    return strcmp(device->client_id, client_id) == 0;
}

/* A user's token, which is another matter, always still counts here. */
static gboolean
session_counts(MqttSession *session, const RegistryAuth *auth)
{
    const TlsClient *client = mqtt_session_client(session);

    if (mqtt_session_policy(session))
        return TRUE;
    if (!client)
        return auth->kind == REGISTRY_AUTH_KEYS;
    if (mqtt_session_is_by_authority(session))
        return auth->kind == REGISTRY_AUTH_AUTHORITY;
    return registry_auth_knows(auth, client->sha1, client->sha256);
}

gboolean
devices_still_counts(Devices *devices, const char *client_id, const RegistryAuth *auth)
{
    const Device *device = device_find(devices, client_id);

    return device && device->session && session_counts(device->session, auth);
}

gboolean
devices_is_client(Devices *devices, const char *client_id, const TlsClient *client)
{
    const Device *device = device_find(devices, client_id);

    return device && device->session && mqtt_session_client(device->session) == client;
}

void
devices_revoke_keys(Devices *devices, const char *client_id, RegistryKeys keys)
{
    if (devices_is_by_keys(devices, client_id, keys))
        devices_cut(devices, device_is_exactly, client_id, NULL, FALSE, why_keys);
}

void
devices_revoke_client(Devices *devices, const char *client_id, const char *why)
{
    devices_cut(devices, device_is_exactly, client_id, NULL, TRUE, why);
}

void
devices_each_by_authority(Devices *devices,
                          void (*func)(const char *client_id, TlsClient *client, void *data),
                          void *data)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, devices->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Device *device = value;

        if (device->session && mqtt_session_is_by_authority(device->session))
            func(device->client_id, mqtt_session_client(device->session), data);
    }
}

void
devices_close_all(Devices *devices)
{
    devices_cut(devices, device_is_connected, NULL, NULL, FALSE, "the hub is stopping");
}
