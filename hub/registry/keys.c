/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/keys.h"

#include "common/codec/device-id.h"
#include "hub/registry/job.h"

#include <string.h>

static void
keys_job_free(gpointer data)
{
    explicit_bzero(data, sizeof(KeysJob));
    g_free(data);
}

static KeysJob *
keys_job_new(RegistryJob *job, RegistryKeys which)
{
    KeysJob *keys = g_new0(KeysJob, 1);

    keys->which = which;
    keys->now = g_get_real_time();
    keys->etag = registry_random_number();
    for (guint i = 0; i < G_N_ELEMENTS(keys->keys); i++)
        registry_key_make(&keys->keys[i]);
    job->extra = keys;
    job->extra_free = keys_job_free;
    return keys;
}

static void
device_submit(RegistryJob *job, const char *id, const char *module)
{
    job->device = registry_device_named(id, module);
    if (registry_device_names_are_valid(id, module))
        registry_job_submit(job->registry, job);
    else
        registry_job_finish(job, REGISTRY_NOT_FOUND, NULL);
}

void
registry_new_device_keys(Registry *registry, const char *id, const char *module, RegistryKeys which,
                         RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_NEW_DEVICE_KEYS, done, data);

    (void)keys_job_new(job, which);
    device_submit(job, id, module);
}

void
registry_new_policy_keys(Registry *registry, const char *name, RegistryKeys which,
                         RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_NEW_POLICY_KEYS, done, data);

    (void)keys_job_new(job, which);
    job->policy = registry_policy_named(name);
    if (device_id_is_valid(name, -1))
        registry_job_submit(registry, job);
    else
        registry_job_finish(job, REGISTRY_NOT_FOUND, NULL);
}

static KeysJob *
rekey_new(Registry *registry, RekeyStep step, RegistryKeys which, RegistryDone done, void *data,
          RegistryJob **ret_job)
{
    KeysJob *keys;

    *ret_job = registry_job_new(registry, REGISTRY_REKEY, done, data);
    keys = keys_job_new(*ret_job, which);
    keys->step = step;
    return keys;
}

void
registry_rekey_want(Registry *registry, const char *id, const char *module, RegistryDone done,
                    void *data)
{
    RegistryJob *job;

    (void)rekey_new(registry, REKEY_STEP_WANT, REGISTRY_KEYS_NONE, done, data, &job);
    device_submit(job, id, module);
}

void
registry_rekey_offer(Registry *registry, const char *id, const char *module, RegistryKeys in_use,
                     gboolean asked, RegistryDone done, void *data)
{
    RegistryJob *job;

    rekey_new(registry, REKEY_STEP_OFFER, in_use, done, data, &job)->asked = asked;
    device_submit(job, id, module);
}

void
registry_rekey_confirm(Registry *registry, const char *id, const char *module, RegistryKeys in_use,
                       RegistryDone done, void *data)
{
    RegistryJob *job;

    (void)rekey_new(registry, REKEY_STEP_CONFIRM, in_use, done, data, &job);
    device_submit(job, id, module);
}

void
registry_rekey_refuse(Registry *registry, const char *id, const char *module, RegistryKeys offered,
                      RegistryDone done, void *data)
{
    RegistryJob *job;

    (void)rekey_new(registry, REKEY_STEP_REFUSE, offered, done, data, &job);
    device_submit(job, id, module);
}

void
registry_rekey_retire(Registry *registry, const char *id, const char *module, gint64 confirmed_by,
                      RegistryDone done, void *data)
{
    RegistryJob *job;

    rekey_new(registry, REKEY_STEP_RETIRE, REGISTRY_KEYS_NONE, done, data, &job)->now =
        confirmed_by;
    device_submit(job, id, module);
}

void
registry_list_rekeys(Registry *registry, guint limit, RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_LIST_REKEYS, done, data);

    job->limit = MIN(limit, REGISTRY_PAGE_MAX);
    registry_job_submit(registry, job);
}

/* Puts a new key in the place of the key WHICH. */
static void
step_replace(KeysJob *keys, RegistryDevice *device, RegistryKeys which)
{
    *registry_device_key(device, which) = keys->keys[0];
    keys->replaced = which;
}

/* The key that is not `which` of a confirmed rekey has done its duty. */
static void
step_retire(KeysJob *keys, RegistryDevice *device)
{
    step_replace(keys, device, registry_keys_other(device->rekey.which));
    device->rekey = (RegistryRekey){0};
}

static gboolean
step_want(KeysJob *keys, RegistryDevice *device)
{
    if (device->rekey.state == REKEY_WANTED || device->rekey.state == REKEY_OFFERED)
        return FALSE;
    if (device->rekey.state == REKEY_CONFIRMED)
        step_retire(keys, device);
    device->rekey = (RegistryRekey){.state = REKEY_WANTED, .asked = keys->now};
    return TRUE;
}

static gboolean
step_offer(KeysJob *keys, RegistryDevice *device, RegistryKey *former)
{
    RegistryKeys which = registry_keys_other(keys->which);
    RegistryRekey *rekey = &device->rekey;

    if (rekey->state == REKEY_OFFERED && rekey->which == which)
        return FALSE;
    if (!keys->asked && rekey->state != REKEY_WANTED)
        return FALSE;
    *former = *registry_device_key(device, which);
    step_replace(keys, device, which);
    *rekey = (RegistryRekey){.state = REKEY_OFFERED, .which = which, .asked = keys->now};
    return TRUE;
}

static gboolean
step_confirm(const KeysJob *keys, RegistryDevice *device, RegistryKey *former)
{
    if (device->rekey.state != REKEY_OFFERED || device->rekey.which != keys->which)
        return FALSE;
    device->rekey.state = REKEY_CONFIRMED;
    device->rekey.confirmed = keys->now;
    registry_key_clear(former);
    return TRUE;
}

static gboolean
step_refuse(KeysJob *keys, RegistryDevice *device, RegistryKey *former)
{
    if (device->rekey.state != REKEY_OFFERED || device->rekey.which != keys->which)
        return FALSE;
    *registry_device_key(device, keys->which) = *former;
    keys->replaced = keys->which;
    device->rekey = (RegistryRekey){.state = REKEY_READ_ONLY, .asked = device->rekey.asked};
    registry_key_clear(former);
    return TRUE;
}

gboolean
registry_rekey_step(KeysJob *keys, RegistryDevice *device, RegistryKey *former)
{
    switch (keys->step) {
    case REKEY_STEP_WANT:
        return step_want(keys, device);
    case REKEY_STEP_OFFER:
        return step_offer(keys, device, former);
    case REKEY_STEP_CONFIRM:
        return step_confirm(keys, device, former);
    case REKEY_STEP_REFUSE:
        return step_refuse(keys, device, former);
    case REKEY_STEP_RETIRE:
        if (device->rekey.state != REKEY_CONFIRMED || device->rekey.confirmed > keys->now)
            return FALSE;
        step_retire(keys, device);
        return TRUE;
    }
    return FALSE;
}

void
registry_keys_replace(KeysJob *keys, RegistryKey *primary, RegistryKey *secondary)
{
    if (keys->which & REGISTRY_KEY_PRIMARY)
        *primary = keys->keys[0];
    if (keys->which & REGISTRY_KEY_SECONDARY)
        *secondary = keys->keys[1];
    keys->replaced = keys->which;
}

RegistryKeys
registry_keys_parse(const char *name)
{
    if (g_strcmp0(name, "primary") == 0)
        return REGISTRY_KEY_PRIMARY;
    if (g_strcmp0(name, "secondary") == 0)
        return REGISTRY_KEY_SECONDARY;
    return g_strcmp0(name, "both") == 0 ? REGISTRY_KEYS_BOTH : REGISTRY_KEYS_NONE;
}

RegistryKey *
registry_device_key(RegistryDevice *device, RegistryKeys which)
{
    return which == REGISTRY_KEY_SECONDARY ? &device->secondary : &device->primary;
}

RegistryKeys
registry_keys_other(RegistryKeys which)
{
    return which == REGISTRY_KEY_PRIMARY ? REGISTRY_KEY_SECONDARY : REGISTRY_KEY_PRIMARY;
}

const char *
registry_rekey_name(RekeyState state)
{
    static const char *const names[] = {
        [REKEY_NONE] = NULL,
        [REKEY_WANTED] = "wanted",
        [REKEY_OFFERED] = "offered",
        [REKEY_CONFIRMED] = "confirmed",
        [REKEY_READ_ONLY] = "read-only",
    };

    return (gsize)state < G_N_ELEMENTS(names) ? names[state] : NULL;
}
