/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/device/devices-private.h"

#include "common/extension/notice.h"
#include "hub/base/clock.h"

#include <string.h>

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
    devices->clones = clones_new(settings->clone_window);
    devices->reconnects = reconnects_new(settings->reconnects_per_minute);
    devices->waiting = g_hash_table_new(g_str_hash, g_str_equal);
    devices->by_id = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, device_free);
    return devices;
}

void
devices_free(Devices *devices)
{
    if (!devices)
        return;
    g_hash_table_unref(devices->by_id);
    clones_free(devices->clones);
    reconnects_free(devices->reconnects);
    g_hash_table_unref(devices->waiting);
    g_free(devices);
}

Device *
devices_find(Devices *devices, const char *client_id)
{
    return g_hash_table_lookup(devices->by_id, client_id);
}

static Device *
device_of(Devices *devices, DeviceLink *link)
{
    Device *device = devices_find(devices, link->client_id);

    return device && device->link == link ? device : NULL;
}

gboolean
devices_is_online(Devices *devices, const char *client_id)
{
    const Device *device = devices_find(devices, client_id);

    return device && device->link && device->requests;
}

gboolean
devices_is_connected(Devices *devices, const char *client_id)
{
    const Device *device = devices_find(devices, client_id);

    return device && device->link;
}

guint
devices_count(Devices *devices)
{
    return devices->connected;
}

guint64
devices_connects(const Devices *devices)
{
    return devices->connects;
}

guint64
devices_crowded(const Devices *devices)
{
    return devices->crowded;
}

guint64
devices_waits(const Devices *devices)
{
    return devices->waits;
}

guint
devices_known(Devices *devices)
{
    return g_hash_table_size(devices->by_id);
}

gboolean
devices_is_cloned(Devices *devices, const char *client_id, CloneReport *ret)
{
    return clones_report(devices->clones, client_id, clock_now(), ret);
}

guint
devices_cloned(Devices *devices)
{
    return clones_count(devices->clones, clock_now());
}

void
devices_foreach(Devices *devices, void (*func)(const char *client_id, void *data), void *data)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, devices->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (((Device *)value)->link)
            func(((Device *)value)->client_id, data);
}

Caps
devices_caps(Devices *devices, const char *client_id)
{
    const Device *device = devices_find(devices, client_id);

    return device && device->link ? device->link->caps : 0;
}

DeviceLink *
devices_link(Devices *devices, const char *client_id)
{
    const Device *device = devices_find(devices, client_id);

    return device ? device->link : NULL;
}

RegistryKeys
devices_keys(Devices *devices, const char *client_id)
{
    const Device *device = devices_find(devices, client_id);

    return device && device->link && !device->link->policy
               ? device->link->keys
               : REGISTRY_KEYS_NONE;
}

gboolean
devices_request(Devices *devices, const char *client_id, const StreamRequest *request)
{
    const Device *device = devices_find(devices, client_id);

    if (!device || !device->link || !device->requests)
        return FALSE;
    device->link->funcs->request(device->link, request);
    return TRUE;
}

static gboolean
device_notify(const Device *device, const char *notice)
{
    if (!device->link || !(device->link->caps & CAP_NOTICE))
        return FALSE;
    device->link->funcs->notify(device->link, notice);
    return TRUE;
}

gboolean
devices_notify(Devices *devices, const char *client_id, const char *notice)
{
    const Device *device = devices_find(devices, client_id);

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

void
device_settle(Devices *devices, Device *device)
{
    gboolean kept = device->keep && (device->requests || device->answers);

    if (!device->link && !kept)
        g_hash_table_remove(devices->by_id, device->client_id);
}

void
device_lose_link(Devices *devices, Device *device)
{
    device->link = NULL;
    devices->connected--;
    if (!device->keep)
        device->requests = device->answers = FALSE;
    devices->events->link_lost(device->client_id, devices->data);
}

/* LINK replaces OLDER. Who is replaced by an instance that comes back is told why, now or at its
 * next link. */
static void
device_replace(Devices *devices, Device *device, DeviceLink *older, gboolean cloned)
{
    g_autofree char *instance = g_strdup(older->instance);

    device_lose_link(devices, device);
    if (!cloned)
        older->funcs->close(older, "taken over by a newer connection");
    else if (older->funcs->close_taken_over(older))
        clones_told(devices->clones, device->client_id, instance);
}

static Device *
device_add(Devices *devices, const char *client_id)
{
    Device *device = g_new0(Device, 1);

    device->client_id = g_strdup(client_id);
    g_hash_table_insert(devices->by_id, device->client_id, device);
    return device;
}

static gboolean
devices_too_often(Devices *devices)
{
    devices->crowded++;
    return FALSE;
}

/* R15: a device that connects again and again waits, and is never refused. */
gint64
devices_wait(Devices *devices, DeviceLink *link)
{
    gint64 wait = reconnects_note(devices->reconnects, link->client_id, clock_now());
    DeviceLink *older = g_hash_table_lookup(devices->waiting, link->client_id);

    if (older)
        older->funcs->close(older, "taken over by a newer connection");
    if (wait > 0) {
        devices->waits++;
        g_hash_table_insert(devices->waiting, link->client_id, link);
    }
    return wait;
}

/* FALSE: it does not wait. */
static gboolean
waiting_remove(Devices *devices, const DeviceLink *link)
{
    return g_hash_table_lookup(devices->waiting, link->client_id) == link &&
           g_hash_table_remove(devices->waiting, link->client_id);
}

guint
devices_waiting(Devices *devices)
{
    return g_hash_table_size(devices->waiting);
}

gboolean
devices_connect(Devices *devices, DeviceLink *link, gboolean clean, gboolean *ret_present)
{
    const char *client_id = link->client_id;
    const char *instance = link->instance;
    Device *device = devices_find(devices, client_id);
    DeviceLink *older = device ? device->link : NULL;
    gint64 now = clock_now();
    gboolean cloned;

    (void)waiting_remove(devices, link);
    if (older && clones_hold(devices->clones, client_id, instance, now) > 0)
        return devices_too_often(devices);
    cloned = clones_connected(devices->clones, client_id, instance,
                              older ? older->instance : NULL, now);
    if (older)
        device_replace(devices, device, older, cloned);
    if (!device)
        device = device_add(devices, client_id);
    if (clean)
        device->requests = device->answers = FALSE;
    *ret_present = device->requests || device->answers;
    device->keep = !clean;
    device->link = link;
    devices->connected++;
    devices->connects++;
    if (cloned && devices->events->cloned) {
        CloneReport report = {0};

        (void)clones_report(devices->clones, client_id, now, &report);
        devices->events->cloned(client_id, &report, devices->data);
    }
    return TRUE;
}

/* It was taken over while it could not be told, or was not connected. */
static void
device_tell_taken_over(Devices *devices, Device *device)
{
    const char *instance = device->link->instance;
    g_autoptr(JsonObject) fields = json_object_new();
    g_autofree char *notice = NULL;
    CloneReport report = {0};

    if (!clones_owes(devices->clones, device->client_id, instance))
        return;
    if (clones_report(devices->clones, device->client_id, clock_now(), &report)) {
        json_object_set_int_member(fields, "times", report.times);
        json_object_set_int_member(fields, "last", report.last / G_USEC_PER_SEC);
    }
    notice = notice_build(TAKEN_OVER, fields);
    if (notice && device_notify(device, notice))
        clones_told(devices->clones, device->client_id, instance);
}

void
devices_connected(Devices *devices, DeviceLink *link)
{
    Device *device = device_of(devices, link);

    if (device)
        device_tell_taken_over(devices, device);
    if (device && devices->events->connected)
        devices->events->connected(device->client_id, link->caps, devices->data);
    if (device && device->requests)
        devices->events->subscribed(device->client_id, devices->data);
}

void
devices_disconnect(Devices *devices, DeviceLink *link)
{
    Device *device = device_of(devices, link);

    if (waiting_remove(devices, link) || !device)
        return;
    device_lose_link(devices, device);
    device_settle(devices, device);
}

void
devices_subscribe(Devices *devices, DeviceLink *link, DeviceFeeds feeds)
{
    Device *device = device_of(devices, link);

    if (!device)
        return;
    if (feeds & DEVICE_FEED_ANSWERS)
        device->answers = TRUE;
    if (!(feeds & DEVICE_FEED_REQUESTS))
        return;
    device->requests = TRUE;
    devices->events->subscribed(device->client_id, devices->data);
}

void
devices_unsubscribe(Devices *devices, DeviceLink *link, DeviceFeeds feeds)
{
    Device *device = device_of(devices, link);

    if (device && (feeds & DEVICE_FEED_ANSWERS))
        device->answers = FALSE;
    if (device && (feeds & DEVICE_FEED_REQUESTS))
        device->requests = FALSE;
}

void
devices_kept(Devices *devices, DeviceLink *link, StatementKind kind, guint64 serial)
{
    const Device *device = device_of(devices, link);

    if (device && devices->events->kept)
        devices->events->kept(device->client_id, kind, serial, devices->data);
}

void
devices_answer(Devices *devices, DeviceLink *link, const StreamAnswer *answer)
{
    devices->events->answer(link->client_id, answer, devices->data);
}
