/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a change of the registry, or of the authorities of devices, means for whoever is connected.
 */
#include "hub/hub-private.h"

char *
hub_client_id(const char *device, const char *module)
{
    return module ? g_strdup_printf("%s/%s", device, module) : g_strdup(device);
}

/* Whoever has just connected with what counts from now on, stays; who waits is judged apart. */
static void
hub_auth_changed(Streamhub *hub, const RegistryChange *change)
{
    static const char why[] = "the device has other credentials now";
    g_autofree char *client_id = hub_client_id(change->name, change->module);
    gboolean counts = devices_still_counts(hub->devices, client_id, change->auth);

    auth_forgive_device(hub->auth, change->name, change->module);
    devices_refuse_waiting(hub->devices, client_id, change->auth, why);
    if (counts)
        return;
    streams_revoke_client(hub->streams, client_id, REST_UNAUTHORIZED_ACCESS);
    devices_revoke_client(hub->devices, client_id, why);
}

static void
collect_one(const char *client_id, TlsClient *client, void *data)
{
    g_ptr_array_add(data, review_item_new(client_id, client));
}

static GPtrArray *
hub_collect(void *data)
{
    GPtrArray *items = g_ptr_array_new_with_free_func((GDestroyNotify)review_item_free);

    devices_each_by_authority(((Streamhub *)data)->devices, collect_one, items);
    return items;
}

static void
hub_refused(const ReviewItem *item, TlsClientStanding standing, void *data)
{
    Streamhub *hub = data;
    const char *why = certificate_standing_text(standing);
    gboolean is_there = devices_is_client(hub->devices, item->client_id, item->client);

    devices_refuse_waiting_client(hub->devices, item->client_id, item->client, why);
    if (!is_there)
        return;
    streams_revoke_client(hub->streams, item->client_id, REST_UNAUTHORIZED_ACCESS);
    devices_revoke_client(hub->devices, item->client_id, why);
}

const ReviewEvents hub_review_events = {.collect = hub_collect, .refused = hub_refused};

/* What a replaced key has opened ends with it; after a rekey only connections do. */
static void
hub_device_keys_changed(Streamhub *hub, const RegistryChange *change)
{
    g_autofree char *client_id = hub_client_id(change->name, change->module);

    if (!change->planned) {
        streams_revoke_keys(hub->streams, client_id, NULL, change->keys);
        rekeys_void(hub->rekeys, change->name, change->module);
        auth_forgive_device(hub->auth, change->name, change->module);
    }
    devices_revoke_keys(hub->devices, client_id, change->keys);
}

static void
hub_policy_keys_changed(Streamhub *hub, const RegistryChange *change)
{
    rest_keys_changed(hub->rest, change->name, change->keys);
    streams_revoke_keys(hub->streams, NULL, change->name, change->keys);
    devices_revoke_policy_keys(hub->devices, change->name, change->keys);
}

/* R18: disconnects whoever has lost the right. Ends the streams first, so that their devices can
 * still be told. */
void
hub_registry_changed(const RegistryChange *change, void *data)
{
    Streamhub *hub = data;

    switch (change->kind) {
    case REGISTRY_DEVICE_REMOVED:
        streams_revoke_device(hub->streams, change->name, change->module,
                              change->module ? REST_MODULE_NOT_FOUND : REST_DEVICE_NOT_FOUND);
        devices_revoke(hub->devices, change->name, change->module);
        sightings_forget(hub->sightings, change->name, change->module);
        auth_forgive_device(hub->auth, change->name, change->module);
        break;
    case REGISTRY_DEVICE_DISABLED:
        streams_revoke_device(hub->streams, change->name, change->module, REST_UNAUTHORIZED_ACCESS);
        devices_revoke(hub->devices, change->name, change->module);
        auth_forgive_device(hub->auth, change->name, change->module);
        break;
    case REGISTRY_DEVICE_ADMITTED:
        auth_forgive_device(hub->auth, change->name, change->module);
        break;
    case REGISTRY_DEVICE_EDITED:
        streams_device_changed(hub->streams, change->name, change->tags);
        devices_judge_again(hub->devices, change->name, NULL);
        break;
    case REGISTRY_DEVICE_AUTH:
        hub_auth_changed(hub, change);
        break;
    case REGISTRY_POLICY_EDITED:
        rest_user_changed(hub->rest, change->name, change->scope, FALSE);
        streams_user_changed(hub->streams, change->name, change->scope);
        devices_judge_again(hub->devices, NULL, change->name);
        break;
    case REGISTRY_POLICY_REMOVED:
        rest_user_changed(hub->rest, change->name, NULL, TRUE);
        streams_revoke_policy(hub->streams, change->name);
        devices_revoke_policy(hub->devices, change->name);
        break;
    case REGISTRY_DEVICE_KEYS:
        hub_device_keys_changed(hub, change);
        break;
    case REGISTRY_POLICY_KEYS:
        hub_policy_keys_changed(hub, change);
        break;
    }
}
