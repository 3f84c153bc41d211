/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/write.h"

#include <string.h>

void
registry_write_clear(RegistryWrite *write)
{
    g_free(write->id);
    g_free(write->module);
    registry_scope_unref(write->scope);
    g_free(write->policy);
    g_free(write->comment);
    g_strfreev(write->tags);
    g_strfreev(write->no_tags);
    explicit_bzero(write, sizeof *write);
}

static void
writing_free(gpointer data)
{
    RegistryWriting *writing = data;

    registry_write_clear(&writing->write);
    g_free(writing);
}

static gboolean
has_tags(const RegistryWrite *write)
{
    return write->replace || write->tags || write->no_tags;
}

static gboolean
has_labels(const RegistryWrite *write)
{
    return write->comment || has_tags(write);
}

gboolean
registry_write_may_tag(const RegistryScope *scope)
{
    return !registry_scope_is_narrow(scope) && !(scope && scope->streams);
}

/* What is wrong with the request itself, or NULL. */
static const char *
write_fault(const RegistryWrite *write)
{
    if (write->mode == REGISTRY_WRITE_REMOVE)
        return NULL;
    if ((write->primary.len > 0 && write->primary.len < REGISTRY_KEY_MIN) ||
        (write->secondary.len > 0 && write->secondary.len < REGISTRY_KEY_MIN))
        return "a key has 16 to 64 bytes";
    if (write->module && has_labels(write))
        return "a module has neither a comment nor tags; it has the tags of its device";
    if (write->sets_auth && registry_auth_fault(&write->auth))
        return registry_auth_fault(&write->auth);
    return write->comment ? registry_comment_fault(write->comment) : NULL;
}

void
registry_write_device(Registry *registry, RegistryWrite *write, RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_WRITE_DEVICE, done, data);
    RegistryWriting *writing = g_new0(RegistryWriting, 1);
    RegistryDevice fresh = {0};
    const char *fault = write_fault(write);

    registry_device_renew(&fresh);
    writing->generation_id = fresh.generation_id;
    writing->etag = fresh.etag;
    writing->write = *write;
    explicit_bzero(write, sizeof *write);
    job->extra = writing;
    job->extra_free = writing_free;
    job->device = registry_device_named(writing->write.id, writing->write.module);
    if (fault)
        registry_job_finish(job, REGISTRY_INVALID, g_strdup(fault));
    else if (registry_device_names_are_valid(job->device->id, job->device->module))
        registry_job_submit(registry, job);
    else
        registry_job_finish(job, REGISTRY_INVALID,
                            g_strdup("a name has 1 to 128 letters, digits and any of . _ : -"));
}

void
registry_count_devices(Registry *registry, RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_COUNT_DEVICES, done, data);

    job->extra = g_new0(RegistryCounts, 1);
    job->extra_free = g_free;
    registry_job_submit(registry, job);
}

RegistryCode
registry_write_may_change(const RegistryWriting *writing, const RegistryDevice *device)
{
    const RegistryWrite *write = &writing->write;
    gboolean reached = registry_scope_has_device(write->scope, device->id, device->tags);

    /* As what is not there, so that nobody learns which names exist. */
    if (!reached)
        return write->mode == REGISTRY_WRITE_EITHER && !device->module ? REGISTRY_DENIED
                                                                       : REGISTRY_NOT_FOUND;
    if (write->mode == REGISTRY_WRITE_CREATE)
        return REGISTRY_EXISTS;
    return write->conditional && write->etag != device->etag ? REGISTRY_CHANGED : REGISTRY_OK;
}

RegistryCode
registry_write_may_create(const RegistryWriting *writing, const RegistryDevice *owner)
{
    const RegistryWrite *write = &writing->write;

    if (owner)
        return registry_scope_has_device(write->scope, owner->id, owner->tags) ? REGISTRY_OK
                                                                               : REGISTRY_NOT_FOUND;
    if (write->scope && write->scope->tags)
        return REGISTRY_DENIED;
    return registry_scope_has_device(write->scope, write->id, NULL) ? REGISTRY_OK : REGISTRY_DENIED;
}

static gboolean
key_replace(RegistryKey *key, const RegistryKey *given)
{
    if (given->len == 0 ||
        (given->len == key->len && memcmp(given->bytes, key->bytes, key->len) == 0))
        return FALSE;
    *key = *given;
    return TRUE;
}

static RegistryCode
apply_labels(RegistryJob *job, RegistryWriting *writing)
{
    const RegistryWrite *write = &writing->write;
    RegistryDevice *device = job->device;
    RegistryTags *tags;

    if (!has_labels(write))
        return REGISTRY_OK;
    if (has_tags(write) && !registry_write_may_tag(write->scope))
        return REGISTRY_DENIED;
    tags =
        registry_tags_edit(write->replace ? NULL : device->tags, (const char *const *)write->tags,
                           (const char *const *)write->no_tags, &job->message);
    if (job->message)
        return REGISTRY_INVALID;
    writing->labels_changed = TRUE;
    registry_tags_unref(device->tags);
    device->tags = tags;
    if (write->comment) {
        g_free(device->comment);
        device->comment = *write->comment ? g_strdup(write->comment) : NULL;
    }
    return REGISTRY_OK;
}

RegistryCode
registry_write_apply(RegistryJob *job)
{
    RegistryWriting *writing = job->extra;
    const RegistryWrite *write = &writing->write;
    RegistryDevice *device = job->device;
    gboolean first = key_replace(&device->primary, &write->primary);
    gboolean second = key_replace(&device->secondary, &write->secondary);
    gboolean enabled = write->status == REGISTRY_STATUS_AS_IS
                           ? device->enabled
                           : write->status == REGISTRY_STATUS_ENABLED;

    writing->replaced = (first ? REGISTRY_KEY_PRIMARY : 0) | (second ? REGISTRY_KEY_SECONDARY : 0);
    writing->auth_changed = write->sets_auth && !registry_auth_equal(&write->auth, &device->auth);
    if (write->sets_auth)
        device->auth = write->auth;
    writing->status_changed = enabled != device->enabled;
    device->enabled = enabled;
    device->etag = writing->etag;
    return apply_labels(job, writing);
}

RegistryCode
registry_write_make(RegistryJob *job)
{
    RegistryWriting *writing = job->extra;
    const RegistryWrite *write = &writing->write;
    RegistryDevice *device = job->device;

    writing->created = TRUE;
    device->enabled = write->status != REGISTRY_STATUS_DISABLED;
    device->generation_id = writing->generation_id;
    device->etag = writing->etag;
    device->created = g_get_real_time();
    device->primary = write->primary;
    device->secondary = write->secondary;
    if (write->sets_auth)
        device->auth = write->auth;
    if (!registry_key_complete(&device->primary) || !registry_key_complete(&device->secondary))
        return REGISTRY_INVALID;
    return apply_labels(job, writing);
}

void
registry_write_tell(const RegistryJob *job,
                    void (*tell)(Registry *registry, const RegistryChange *change))
{
    const RegistryWriting *writing = job->extra;
    const RegistryDevice *device = job->device;
    RegistryChange change = {.name = device->id, .module = device->module};

    if (writing->removed || writing->created) {
        change.kind = writing->removed ? REGISTRY_DEVICE_REMOVED : REGISTRY_DEVICE_ADMITTED;
        tell(job->registry, &change);
        return;
    }
    if (writing->status_changed) {
        change.kind = device->enabled ? REGISTRY_DEVICE_ADMITTED : REGISTRY_DEVICE_DISABLED;
        tell(job->registry, &change);
    }
    if (writing->auth_changed) {
        change.kind = REGISTRY_DEVICE_AUTH;
        change.auth = &device->auth;
        tell(job->registry, &change);
    }
    if (writing->replaced) {
        change.kind = REGISTRY_DEVICE_KEYS;
        change.keys = writing->replaced;
        tell(job->registry, &change);
    }
    if (writing->labels_changed) {
        change.kind = REGISTRY_DEVICE_EDITED;
        change.tags = device->tags;
        tell(job->registry, &change);
    }
}
