/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The changes of the registry: what they need is checked here, before the storage is asked. */
#include "common/codec/device-id.h"
#include "hub/registry/device-row.h"
#include "hub/registry/job.h"

#include <sys/random.h>

static void
random_fill(void *bytes, gsize len)
{
    /* Up to 256 bytes are never cut short (getrandom(2)). */
    if (getrandom(bytes, len, 0) != (ssize_t)len)
        g_error("getrandom failed");
}

/* 63 bits, so that it fits a signed integer everywhere; never 0. */
guint64
registry_random_number(void)
{
    guint64 number = 0;

    random_fill(&number, sizeof number);
    return (number >> 1) | 1;
}

void
registry_key_make(RegistryKey *key)
{
    key->len = REGISTRY_KEY_NEW;
    random_fill(key->bytes, key->len);
}

gboolean
registry_key_complete(RegistryKey *key)
{
    if (key->len == 0)
        registry_key_make(key);
    return key->len >= REGISTRY_KEY_MIN && key->len <= REGISTRY_KEY_MAX;
}

void
registry_device_renew(RegistryDevice *device)
{
    device->generation_id = registry_random_number();
    device->etag = registry_random_number();
}

/* Tags need no check: a RegistryTags is always valid. */
static gboolean
labels_are_valid(const RegistryDevice *device)
{
    if (device->module)
        return !device->comment && !device->tags;
    return !device->comment || !registry_comment_fault(device->comment);
}

void
registry_add_device(Registry *registry, const RegistryDevice *draft, RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_ADD_DEVICE, done, data);
    RegistryDevice *device = registry_device_copy(draft);

    job->device = device;
    registry_device_renew(device);
    device->created = g_get_real_time();
    if (registry_auth_fault(&device->auth))
        registry_job_finish(job, REGISTRY_INVALID, g_strdup(registry_auth_fault(&device->auth)));
    else if (registry_device_names_are_valid(device->id, device->module) &&
             labels_are_valid(device) && registry_key_complete(&device->primary) &&
             registry_key_complete(&device->secondary))
        registry_job_submit(registry, job);
    else
        registry_job_finish(job, REGISTRY_INVALID, NULL);
}

/* What the row may need as a new device. */
static gboolean
row_complete(RegistryDevice *device)
{
    device->generation_id = registry_random_number();
    device->etag = registry_random_number();
    device->created = g_get_real_time();
    return registry_device_names_are_valid(device->id, device->module) &&
           labels_are_valid(device) && registry_key_complete(&device->primary) &&
           registry_key_complete(&device->secondary);
}

void
registry_import_devices(Registry *registry, RegistryImport *import, RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_IMPORT_DEVICES, done, data);
    gboolean good = import->rows->len <= IMPORT_ROWS_MAX;

    job->extra = import;
    job->extra_free = (GDestroyNotify)registry_import_free;
    for (guint i = 0; i < import->rows->len && good; i++)
        good = row_complete(((DeviceRow *)import->rows->pdata[i])->device);
    if (good)
        registry_job_submit(registry, job);
    else
        registry_job_finish(job, REGISTRY_INVALID, NULL);
}

static void
device_change(Registry *registry, RegistryJob *job)
{
    if (registry_device_names_are_valid(job->device->id, job->device->module))
        registry_job_submit(registry, job);
    else
        registry_job_finish(job, REGISTRY_NOT_FOUND, NULL);
}

void
registry_remove_device(Registry *registry, const char *id, const char *module, RegistryDone done,
                       void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_REMOVE_DEVICE, done, data);

    job->device = registry_device_named(id, module);
    device_change(registry, job);
}

void
registry_set_enabled(Registry *registry, const char *id, const char *module, gboolean enabled,
                     RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_SET_ENABLED, done, data);

    job->device = registry_device_named(id, module);
    job->device->enabled = enabled;
    job->device->etag = registry_random_number();
    device_change(registry, job);
}

void
registry_edit_device(Registry *registry, const char *id, const RegistryDeviceEdit *edit,
                     RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_EDIT_DEVICE, done, data);
    const char *fault = edit->comment ? registry_comment_fault(edit->comment) : NULL;

    job->device = registry_device_named(id, NULL);
    job->etag = registry_random_number();
    job->tags = g_strdupv((char **)(guintptr)edit->tags);
    job->no_tags = g_strdupv((char **)(guintptr)edit->no_tags);
    job->comment = g_strdup(edit->comment);
    if (fault)
        registry_job_finish(job, REGISTRY_INVALID, g_strdup(fault));
    else
        device_change(registry, job);
}

void
registry_set_auth(Registry *registry, const char *id, const char *module, const RegistryAuth *auth,
                  RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_SET_AUTH, done, data);
    const char *fault = registry_auth_fault(auth);

    job->device = registry_device_named(id, module);
    job->device->auth = *auth;
    job->etag = registry_random_number();
    if (fault)
        registry_job_finish(job, REGISTRY_INVALID, g_strdup(fault));
    else
        device_change(registry, job);
}

void
registry_edit_policy(Registry *registry, const char *name, const RegistryPolicyEdit *edit,
                     RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_EDIT_POLICY, done, data);
    char *why = NULL;

    job->policy = registry_policy_named(name);
    job->scope = registry_scope_edit(NULL, &edit->scope, edit->kinds, &why);
    job->kinds = edit->kinds;
    if (why)
        registry_job_finish(job, REGISTRY_INVALID, why);
    else if (device_id_is_valid(name, -1))
        registry_job_submit(registry, job);
    else
        registry_job_finish(job, REGISTRY_NOT_FOUND, NULL);
}

void
registry_list_policies(Registry *registry, RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_LIST_POLICIES, done, data);

    job->limit = REGISTRY_POLICIES_MAX;
    registry_job_submit(registry, job);
}

void
registry_add_policy(Registry *registry, const RegistryPolicy *draft, RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_ADD_POLICY, done, data);
    RegistryPolicy *policy = registry_policy_copy(draft);

    job->policy = policy;
    policy->created = g_get_real_time();
    if (policy->name && device_id_is_valid(policy->name, -1) && policy->rights != 0 &&
        (policy->rights & ~(guint)REGISTRY_RIGHTS_ALL) == 0 &&
        registry_key_complete(&policy->primary) && registry_key_complete(&policy->secondary))
        registry_job_submit(registry, job);
    else
        registry_job_finish(job, REGISTRY_INVALID, NULL);
}

void
registry_remove_policy(Registry *registry, const char *name, RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_REMOVE_POLICY, done, data);

    job->policy = registry_policy_named(name);
    if (device_id_is_valid(name, -1))
        registry_job_submit(registry, job);
    else
        registry_job_finish(job, REGISTRY_NOT_FOUND, NULL);
}

/* From here on: an edit of the stored record, on the thread of the storage. */

static RegistryCode
edit_refuse(RegistryJob *job, char *why)
{
    job->message = why;
    return REGISTRY_INVALID;
}

static RegistryCode
edit_device(RegistryJob *job)
{
    RegistryDevice *device = job->device;
    char *why = NULL;
    RegistryTags *tags = registry_tags_edit(device->tags, (const char *const *)job->tags,
                                            (const char *const *)job->no_tags, &why);

    if (why)
        return edit_refuse(job, why);
    registry_tags_unref(device->tags);
    device->tags = tags;
    if (job->comment) {
        g_free(device->comment);
        device->comment = *job->comment ? g_strdup(job->comment) : NULL;
    }
    device->etag = job->etag;
    return REGISTRY_OK;
}

static RegistryCode
edit_policy(RegistryJob *job)
{
    RegistryPolicy *policy = job->policy;
    char *why = NULL;
    RegistryScope *scope = registry_scope_edit(policy->scope, job->scope, job->kinds, &why);

    if (why)
        return edit_refuse(job, why);
    registry_scope_unref(policy->scope);
    policy->scope = scope;
    return REGISTRY_OK;
}

RegistryCode
registry_job_edit(RegistryJob *job)
{
    return job->kind == REGISTRY_EDIT_DEVICE ? edit_device(job) : edit_policy(job);
}

/* Who knows the next authority. */
static void
known_clear(gpointer data)
{
    RegistryKnown *known = data;

    g_free(known->name);
    g_free(known->module);
}

static void
known_job_free(gpointer data)
{
    KnownJob *job = data;

    known_clear(&job->noted);
    g_array_unref(job->known);
    g_free(job);
}

static KnownJob *
known_job(RegistryJob *job)
{
    KnownJob *known = g_new0(KnownJob, 1);

    known->known = g_array_new(FALSE, FALSE, sizeof(RegistryKnown));
    g_array_set_clear_func(known->known, known_clear);
    job->extra = known;
    job->extra_free = known_job_free;
    return known;
}

void
registry_note_device_known(Registry *registry, const char *id, const char *module, guint64 serial,
                           RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_NOTE_DEVICE_KNOWN, done, data);

    known_job(job)->noted =
        (RegistryKnown){g_strdup(id), g_strdup(module ? module : ""), serial, FALSE};
    job->device = registry_device_named(id, module);
    if (registry_device_names_are_valid(id, module))
        registry_job_submit(registry, job);
    else
        registry_job_finish(job, REGISTRY_NOT_FOUND, NULL);
}

void
registry_note_user_known(Registry *registry, const char *name, guint64 serial, gboolean plain,
                         RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_NOTE_USER_KNOWN, done, data);

    known_job(job)->noted = (RegistryKnown){g_strdup(name), g_strdup(""), serial, plain};
    job->policy = registry_policy_named(name);
    if (device_id_is_valid(name, -1))
        registry_job_submit(registry, job);
    else
        registry_job_finish(job, REGISTRY_NOT_FOUND, NULL);
}

void
registry_list_devices_known(Registry *registry, const char *id, const char *module, guint limit,
                            RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_LIST_DEVICES_KNOWN, done, data);
    KnownJob *known = known_job(job);

    known->noted =
        (RegistryKnown){g_strdup(id ? id : ""), g_strdup(module ? module : ""), 0, FALSE};
    known->limit = CLAMP(limit, 1, REGISTRY_PAGE_MAX);
    registry_job_submit(registry, job);
}

void
registry_list_users_known(Registry *registry, RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_LIST_USERS_KNOWN, done, data);

    (void)known_job(job);
    registry_job_submit(registry, job);
}
