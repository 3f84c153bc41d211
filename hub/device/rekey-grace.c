/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of a rekey: the first login with the new key, the grace, and then the end of the former
 * key. */
#include "common/log/events.h"
#include "hub/device/rekeys-private.h"
#include "hub/registry/keys.h"

#define SWEEP_PAGE 100
#define SWEEP_MOST G_TIME_SPAN_HOUR           /* the wall clock may have been set since */
#define SWEEP_AGAIN (10 * G_TIME_SPAN_SECOND) /* when the registry takes no change */

void
rekeys_tell(const char *client_id, const char *detail)
{
    event_log(EVENT_DEVICE_KEY, &(EventData){.device = client_id, .detail = detail});
}

void
rekeys_record(Rekeys *rekeys, const char *client_id, const char *detail)
{
    g_autofree char *by = g_strconcat("device:", client_id, NULL);
    const RecordChange change = {
        .operation = "device.key", .by = by, .what = client_id, .detail = detail};

    records_change(rekeys->records, &change);
}

gboolean
rekeys_suit(const Rekeys *rekeys, DeviceLink *link)
{
    return rekeys->settings->rekey && link->keys != REGISTRY_KEYS_NONE &&
           !link->policy && (link->caps & CAP_REKEY) != 0;
}

static void
sweep_in(Rekeys *rekeys, gint64 delay)
{
    clock_set(rekeys->clock, &rekeys->sweep, CLAMP(delay, 0, SWEEP_MOST));
}

static void
retired(const RegistryResult *result, void *data)
{
    Rekeys *rekeys = data;

    if (result->code == REGISTRY_OK && result->device->rekey.state == REKEY_NONE) {
        g_autofree char *client_id =
            g_strjoin("/", result->device->id, result->device->module, NULL);

        rekeys_tell(client_id, "the former one is good no more");
        rekeys_record(rekeys, client_id, "the former one is good no more");
    }
    rekeys->failed =
        rekeys->failed || (result->code != REGISTRY_OK && result->code != REGISTRY_NOT_FOUND);
    rekeys->retiring--;
    if (rekeys->retiring == 0 && result->code != REGISTRY_CLOSED)
        sweep_in(rekeys, rekeys->failed ? SWEEP_AGAIN : 0);
}

/* They come in the order in which their grace ends. */
static void
swept(const RegistryResult *result, void *data)
{
    Rekeys *rekeys = data;
    gint64 grace = rekeys->settings->rekey_grace, now = g_get_real_time();

    if (result->code != REGISTRY_OK) {
        if (result->code != REGISTRY_CLOSED)
            sweep_in(rekeys, SWEEP_AGAIN);
        return;
    }
    rekeys->failed = FALSE;
    for (gsize i = 0; i < result->n_devices; i++) {
        const RegistryDevice *device = result->devices[i];
        gint64 left = device->rekey.confirmed + grace - now;

        if (left > 0) {
            if (rekeys->retiring == 0)
                sweep_in(rekeys, left);
            return;
        }
        rekeys->retiring++;
        registry_rekey_retire(rekeys->registry, device->id, device->module, now - grace, retired,
                              rekeys);
    }
}

static void
sweep_fired(Timer *timer)
{
    Rekeys *rekeys = CONTAINER_OF(timer, Rekeys, sweep);

    if (rekeys->retiring == 0)
        registry_list_rekeys(rekeys->registry, SWEEP_PAGE, swept, rekeys);
}

void
rekeys_begin_sweeps(Rekeys *rekeys)
{
    rekeys->sweep.func = sweep_fired;
    sweep_in(rekeys, 0);
}

static void
confirmed(const RegistryResult *result, void *data)
{
    Rekeys *rekeys = data;
    g_autofree char *client_id = NULL;

    if (result->code != REGISTRY_OK || result->device->rekey.state != REKEY_CONFIRMED)
        return; /* its next login is one, too */
    client_id = g_strjoin("/", result->device->id, result->device->module, NULL);
    rekeys_tell(client_id, "the device has logged in with the new one");
    rekeys_record(rekeys, client_id, "the device has logged in with the new one");
    if (rekeys->sweep.when == 0)
        sweep_in(rekeys, rekeys->settings->rekey_grace);
}

gboolean
rekeys_admitted(Rekeys *rekeys, DeviceLink *link, const RegistryDevice *device)
{
    const RegistryRekey *rekey = &device->rekey;
    RegistryKeys keys = link->keys;

    if (keys == REGISTRY_KEYS_NONE)
        return FALSE;
    if (rekey->state == REKEY_OFFERED && rekey->which == keys) {
        registry_rekey_confirm(rekeys->registry, device->id, device->module, keys, confirmed,
                               rekeys);
        return FALSE;
    }
    return (rekey->state == REKEY_WANTED || rekey->state == REKEY_OFFERED) &&
           rekeys_suit(rekeys, link);
}

const char *
rekey_result_name(RekeyResultCode code)
{
    static const char *const names[] = {
        [REKEY_RESULT_DONE] = "done",
        [REKEY_RESULT_PENDING] = "pending",
        [REKEY_RESULT_READ_ONLY] = "read-only",
        [REKEY_RESULT_NOT_CAPABLE] = "not-capable",
        [REKEY_RESULT_OFF] = "off",
        [REKEY_RESULT_VOID] = "void",
        [REKEY_RESULT_FAILED] = "failed",
    };

    return names[code];
}
