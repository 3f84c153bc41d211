/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/device/devices-private.h"

#include "common/extension/notice.h"
#include "hub/base/clock.h"
#include "hub/device/mqtt-session.h"

#include <string.h>

/* Counted take-overs fade at the rate at which new ones are allowed. */
#define TAKEOVER_WINDOW (60 * G_TIME_SPAN_SECOND)
#define FADE_AT_ONCE 4

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
    g_queue_init(&devices->fading);
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
    g_free(devices);
}

Device *
devices_find(Devices *devices, const char *client_id)
{
    return g_hash_table_lookup(devices->by_id, client_id);
}

static Device *
device_of(Devices *devices, MqttSession *session)
{
    Device *device = devices_find(devices, mqtt_session_client_id(session));

    return device && device->session == session ? device : NULL;
}

gboolean
devices_is_online(Devices *devices, const char *client_id)
{
    const Device *device = devices_find(devices, client_id);

    return device && device->session && device->requests;
}

gboolean
devices_is_connected(Devices *devices, const char *client_id)
{
    const Device *device = devices_find(devices, client_id);

    return device && device->session;
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
        if (((Device *)value)->session)
            func(((Device *)value)->client_id, data);
}

Caps
devices_caps(Devices *devices, const char *client_id)
{
    const Device *device = devices_find(devices, client_id);

    return device && device->session ? mqtt_session_caps(device->session) : 0;
}

MqttSession *
devices_session(Devices *devices, const char *client_id)
{
    const Device *device = devices_find(devices, client_id);

    return device ? device->session : NULL;
}

RegistryKeys
devices_keys(Devices *devices, const char *client_id)
{
    const Device *device = devices_find(devices, client_id);

    return device && device->session && !mqtt_session_policy(device->session)
               ? mqtt_session_keys(device->session)
               : REGISTRY_KEYS_NONE;
}

gboolean
devices_publish(Devices *devices, const char *client_id, const char *topic)
{
    const Device *device = devices_find(devices, client_id);

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

static void
device_forget(Devices *devices, Device *device)
{
    if (device->queued > 0)
        g_queue_unlink(&devices->fading, &device->node);
    g_hash_table_remove(devices->by_id, device->client_id);
}

void
device_settle(Devices *devices, Device *device)
{
    gboolean kept = device->keep && (device->requests || device->answers);
    gint64 now = clock_now();

    if (device->session || kept || device->queued > 0)
        return;
    if (device->takeover_time == 0 || now - device->takeover_time >= TAKEOVER_WINDOW) {
        device_forget(devices, device);
        return;
    }
    device->node.data = device;
    device->queued = now;
    g_queue_push_tail_link(&devices->fading, &device->node);
}

/* A few at each connection and each end of one are enough: one of those added them. */
static void
devices_fade(Devices *devices)
{
    for (guint i = 0; i < FADE_AT_ONCE && devices->fading.head; i++) {
        Device *device = devices->fading.head->data;

        if (clock_now() - device->queued < TAKEOVER_WINDOW)
            return;
        g_queue_unlink(&devices->fading, &device->node);
        device->queued = 0;
        device_settle(devices, device);
    }
}

void
device_lose_link(Devices *devices, Device *device)
{
    device->session = NULL;
    devices->connected--;
    if (!device->keep)
        device->requests = device->answers = FALSE;
    devices->events->link_lost(device->client_id, devices->data);
}

/* SESSION replaces OLDER. Who is replaced by an instance that comes back is told why, now or at its
 * next link. */
static void
device_replace(Devices *devices, Device *device, MqttSession *older, gboolean cloned)
{
    g_autofree char *instance = g_strdup(mqtt_session_instance(older));

    device_lose_link(devices, device);
    if (!cloned)
        mqtt_session_close(older, "taken over by a newer connection");
    else if (mqtt_session_close_taken_over(older))
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

gboolean
devices_connect(Devices *devices, MqttSession *session, gboolean clean, gboolean *ret_present)
{
    const char *client_id = mqtt_session_client_id(session);
    const char *instance = mqtt_session_instance(session);
    Device *device = devices_find(devices, client_id);
    MqttSession *older = device ? device->session : NULL;
    gint64 now = clock_now();
    gboolean cloned;

    if (older && (clones_hold(devices->clones, client_id, instance, now) > 0 ||
                  !takeover_allowed(devices, device)))
        return devices_too_often(devices);
    cloned = clones_connected(devices->clones, client_id, instance,
                              older ? mqtt_session_instance(older) : NULL, now);
    if (older)
        device_replace(devices, device, older, cloned);
    if (!device)
        device = device_add(devices, client_id);
    if (clean)
        device->requests = device->answers = FALSE;
    *ret_present = device->requests || device->answers;
    device->keep = !clean;
    device->session = session;
    devices->connected++;
    devices->connects++;
    if (cloned && devices->events->cloned) {
        CloneReport report = {0};

        (void)clones_report(devices->clones, client_id, now, &report);
        devices->events->cloned(client_id, &report, devices->data);
    }
    devices_fade(devices);
    return TRUE;
}

/* It was taken over while it could not be told, or was not connected. */
static void
device_tell_taken_over(Devices *devices, Device *device)
{
    const char *instance = mqtt_session_instance(device->session);
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
devices_connected(Devices *devices, MqttSession *session)
{
    Device *device = device_of(devices, session);

    if (device)
        device_tell_taken_over(devices, device);
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
    devices_fade(devices);
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
devices_kept(Devices *devices, MqttSession *session, StatementKind kind, guint64 serial)
{
    const Device *device = device_of(devices, session);

    if (device && devices->events->kept)
        devices->events->kept(device->client_id, kind, serial, devices->data);
}

void
devices_answer(Devices *devices, MqttSession *session, const StreamAnswer *answer)
{
    devices->events->answer(mqtt_session_client_id(session), answer, devices->data);
}
