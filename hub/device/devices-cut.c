/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ends connections of devices: of who was revoked, by which key, of a user, all. */
#include "hub/device/devices-private.h"
#include "hub/device/mqtt-session.h"

#include <string.h>

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
        Device *device = devices_find(devices, ids->pdata[i]);
        MqttSession *session = device ? device->session : NULL;

        if (!device)
            continue;
        device->keep = device->keep && !forget;
        if (forget)
            clones_forget(devices->clones, device->client_id);
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
    const Device *device = devices_find(devices, client_id);

    return device && device->session && session_counts(device->session, auth);
}

gboolean
devices_is_client(Devices *devices, const char *client_id, const TlsClient *client)
{
    const Device *device = devices_find(devices, client_id);

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
