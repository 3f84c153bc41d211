/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ends connections of devices: of who was revoked, by which key, of a user, all. */
#include "hub/device/devices-private.h"

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

/* LINK: connected or waiting; NULL: the device is away. A and B are what the test is about. */
typedef gboolean (*LinkTest)(const char *client_id, const DeviceLink *link, const void *a,
                             const void *b);

static gboolean
link_is_of(const char *client_id, const DeviceLink *link G_GNUC_UNUSED, const void *device,
           const void *module)
{
    return id_is_of(client_id, device, module);
}

static gboolean
link_is_by(const char *client_id G_GNUC_UNUSED, const DeviceLink *link, const void *policy,
           const void *unused G_GNUC_UNUSED)
{
    return link && g_strcmp0(link->policy, policy) == 0;
}

static gboolean
link_is_by_a_user(const char *client_id, const DeviceLink *link, const void *device,
                  const void *unused G_GNUC_UNUSED)
{
    return link && link->policy && id_is_of(client_id, device, NULL);
}

static gboolean
link_is_there(const char *client_id G_GNUC_UNUSED, const DeviceLink *link,
              const void *a G_GNUC_UNUSED, const void *b G_GNUC_UNUSED)
{
    return link != NULL;
}

typedef struct {
    LinkTest test;
    const void *a, *b;
    gboolean forget; /* what is kept of them, too */
    const char *why;
} Cut;

/* Nobody above knows of those that wait. */
static void
cut_waiting(Devices *devices, const Cut *cut)
{
    g_autoptr(GPtrArray) links = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, devices->waiting);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (cut->test(((DeviceLink *)value)->client_id, value, cut->a, cut->b))
            g_ptr_array_add(links, value);
    for (guint i = 0; i < links->len; i++) {
        DeviceLink *link = links->pdata[i];

        link->funcs->close(link, cut->why);
    }
}

static void
cut_one(Devices *devices, Device *device, const Cut *cut)
{
    DeviceLink *link = device->link;

    device->keep = device->keep && !cut->forget;
    if (cut->forget)
        clones_forget(devices->clones, device->client_id);
    if (link) {
        device_lose_link(devices, device);
        link->funcs->close(link, cut->why);
    } else if (cut->forget) {
        device->requests = device->answers = FALSE;
    }
    device_settle(devices, device);
}

/* Closing a link tells the owner, which may call in here: so the ids are put in a list first. */
static void
cut_known(Devices *devices, const Cut *cut)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, devices->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Device *device = value;

        if (cut->test(device->client_id, device->link, cut->a, cut->b))
            g_ptr_array_add(ids, g_strdup(device->client_id));
    }
    for (guint i = 0; i < ids->len; i++) {
        Device *device = devices_find(devices, ids->pdata[i]);

        if (device)
            cut_one(devices, device, cut);
    }
}

static void
devices_cut(Devices *devices, const Cut *cut)
{
    cut_waiting(devices, cut);
    cut_known(devices, cut);
}

/* KEYS: a RegistryKeys. */
static gboolean
link_is_by_keys_of(const char *client_id, const DeviceLink *link, const void *policy,
                   const void *keys)
{
    return link_is_by(client_id, link, policy, NULL) &&
           (link->keys & *(const RegistryKeys *)keys) != 0;
}

/* Of exactly this device or module, by one of its own keys. */
static gboolean
link_is_by_own_keys(const char *client_id, const DeviceLink *link, const void *wanted,
                    const void *keys)
{
    return strcmp(client_id, wanted) == 0 && link_is_by_keys_of(client_id, link, NULL, keys);
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
        count += link_is_by_keys_of(NULL, ((Device *)value)->link, policy, &keys) ? 1 : 0;
    return count;
}

void
devices_revoke_policy_keys(Devices *devices, const char *policy, RegistryKeys keys)
{
    devices_cut(devices,
                &(Cut){.test = link_is_by_keys_of, .a = policy, .b = &keys, .why = why_keys});
}

void
devices_revoke(Devices *devices, const char *device, const char *module)
{
    devices_cut(devices, &(Cut){.test = link_is_of,
                                .a = device,
                                .b = module,
                                .forget = TRUE,
                                .why = "the device was revoked"});
}

void
devices_revoke_policy(Devices *devices, const char *policy)
{
    devices_cut(devices, &(Cut){.test = link_is_by, .a = policy, .why = "the user was removed"});
}

void
devices_judge_again(Devices *devices, const char *device, const char *policy)
{
    static const char why[] = "what its user reaches has changed";

    if (policy)
        devices_cut(devices, &(Cut){.test = link_is_by, .a = policy, .why = why});
    else
        devices_cut(devices, &(Cut){.test = link_is_by_a_user, .a = device, .why = why});
}

static gboolean
link_is_exactly(const char *client_id, const DeviceLink *link G_GNUC_UNUSED, const void *wanted,
                const void *unused G_GNUC_UNUSED)
{
    return strcmp(client_id, wanted) == 0;
}

/* A user's token, which is another matter, always still counts here. */
static gboolean
link_counts(const DeviceLink *link, const RegistryAuth *auth)
{
    const TlsClient *client = link->client;

    if (link->policy)
        return TRUE;
    if (!client)
        return auth->kind == REGISTRY_AUTH_KEYS;
    if (link->by_authority)
        return auth->kind == REGISTRY_AUTH_AUTHORITY;
    return registry_auth_knows(auth, client->sha1, client->sha256);
}

/* AUTH: a RegistryAuth. */
static gboolean
link_counts_no_more(const char *client_id, const DeviceLink *link, const void *wanted,
                    const void *auth)
{
    return strcmp(client_id, wanted) == 0 && !link_counts(link, auth);
}

static gboolean
link_is_of_client(const char *client_id, const DeviceLink *link, const void *wanted,
                  const void *client)
{
    return strcmp(client_id, wanted) == 0 && link->client == client;
}

void
devices_refuse_waiting(Devices *devices, const char *client_id, const RegistryAuth *auth,
                       const char *why)
{
    cut_waiting(devices,
                &(Cut){.test = link_counts_no_more, .a = client_id, .b = auth, .why = why});
}

void
devices_refuse_waiting_client(Devices *devices, const char *client_id, const TlsClient *client,
                              const char *why)
{
    cut_waiting(devices,
                &(Cut){.test = link_is_of_client, .a = client_id, .b = client, .why = why});
}

/* The link that is connected or, while none is, the one that waits. */
static const DeviceLink *
link_in_charge(Devices *devices, const char *client_id)
{
    const Device *device = devices_find(devices, client_id);

    return device && device->link ? device->link : g_hash_table_lookup(devices->waiting, client_id);
}

gboolean
devices_still_counts(Devices *devices, const char *client_id, const RegistryAuth *auth)
{
    const DeviceLink *link = link_in_charge(devices, client_id);

    return link && link_counts(link, auth);
}

gboolean
devices_is_client(Devices *devices, const char *client_id, const TlsClient *client)
{
    const DeviceLink *link = link_in_charge(devices, client_id);

    return link && link->client == client;
}

void
devices_revoke_keys(Devices *devices, const char *client_id, RegistryKeys keys)
{
    devices_cut(devices,
                &(Cut){.test = link_is_by_own_keys, .a = client_id, .b = &keys, .why = why_keys});
}

void
devices_revoke_client(Devices *devices, const char *client_id, const char *why)
{
    cut_known(devices, &(Cut){.test = link_is_exactly, .a = client_id, .forget = TRUE, .why = why});
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

        if (device->link && device->link->by_authority)
            func(device->client_id, device->link->client, data);
    }
    g_hash_table_iter_init(&iter, devices->waiting);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const DeviceLink *link = value;

        if (link->by_authority)
            func(link->client_id, link->client, data);
    }
}

void
devices_close_all(Devices *devices)
{
    devices_cut(devices, &(Cut){.test = link_is_there, .why = "the hub is stopping"});
}
