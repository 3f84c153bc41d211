/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/registry.h"

#include "common/codec/device-id.h"
#include "hub/registry/cache.h"
#include "hub/registry/device-row.h"
#include "hub/registry/invitation.h"
#include "hub/registry/job.h"
#include "hub/registry/write.h"

typedef struct {
    guint id;
    RegistryWatchFunc func;
    void *data;
} RegistryWatch;

struct Registry {
    RegistryBackend *backend;
    Queue *finished; /* jobs on their way back; the main thread receives */
    GSource *source;
    RegistryCache *devices;  /* by "id" or "id/module" */
    RegistryCache *policies; /* by name */
    GArray *watches;
    guint last_watch;
    guint pending;
    RegistryMeter meter;
    gboolean closing;
    gboolean held;
    char *trouble; /* registry_trouble(); NULL: none */
};

static const char *const code_messages[] = {
    [REGISTRY_NOT_FOUND] = "it is not in the registry",
    [REGISTRY_EXISTS] = "it is in the registry already",
    [REGISTRY_INVALID] = "a name, key or right is malformed",
    [REGISTRY_LIMIT] = "the registry holds as many as it may",
    [REGISTRY_BUSY] = "the registry is busy; try again",
    [REGISTRY_STORAGE] = "the disk takes no change of the registry",
    [REGISTRY_FAILED] = "the registry failed",
    [REGISTRY_CHANGED] = "it has changed meanwhile",
    [REGISTRY_DENIED] = "this user may not have it",
    [REGISTRY_CLOSED] = "the hub is stopping",
};

static void
registry_job_free(RegistryJob *job)
{
    registry_device_free(job->device);
    registry_policy_free(job->policy);
    g_clear_pointer(&job->devices, g_ptr_array_unref);
    g_clear_pointer(&job->policies, g_ptr_array_unref);
    g_strfreev(job->tags);
    g_strfreev(job->no_tags);
    g_free(job->comment);
    registry_scope_unref(job->scope);
    if (job->extra_free)
        job->extra_free(job->extra);
    g_free(job->message);
    g_free(job);
}

static void
watchers_tell_change(Registry *registry, const RegistryChange *change)
{
    for (guint i = 0; i < registry->watches->len; i++) {
        const RegistryWatch *watch = &g_array_index(registry->watches, RegistryWatch, i);

        watch->func(change, watch->data);
    }
}

static void
watchers_tell(Registry *registry, RegistryChangeKind kind, const char *name, const char *module)
{
    watchers_tell_change(registry, &(RegistryChange){.kind = kind, .name = name, .module = module});
}

static void
watchers_tell_keys(Registry *registry, const RegistryJob *job, RegistryChangeKind kind)
{
    const KeysJob *keys = job->extra;
    const RegistryChange change = {
        .kind = kind,
        .name = job->device ? job->device->id : job->policy->name,
        .module = job->device ? job->device->module : NULL,
        .keys = keys->replaced,
        .planned = job->kind == REGISTRY_REKEY,
    };

    if (keys->replaced)
        watchers_tell_change(registry, &change);
}

void
registry_keep_device(Registry *registry, const RegistryDevice *device)
{
    g_autofree char *name = g_strjoin("/", device->id, device->module, NULL);
    RegistryDevice *kept = registry_device_copy(device);

    g_clear_pointer(&kept->facts, registry_facts_free); /* they would soon be wrong */
    registry_cache_put(registry->devices, name, kept);
}

void
registry_keep_policy(Registry *registry, const RegistryPolicy *policy)
{
    registry_cache_put(registry->policies, policy->name, registry_policy_copy(policy));
}

const RegistryDevice *
registry_peek_device(Registry *registry, const char *id, const char *module)
{
    g_autofree char *name = g_strjoin("/", id, module, NULL);

    return registry_cache_get(registry->devices, name);
}

const RegistryPolicy *
registry_peek_policy(Registry *registry, const char *name)
{
    return registry_cache_get(registry->policies, name);
}

static RegistryKeys
row_keys(const DeviceRow *row)
{
    RegistryKeys keys = REGISTRY_KEYS_NONE;

    if (row->changed & DEVICE_ROW_PRIMARY)
        keys |= REGISTRY_KEY_PRIMARY;
    if (row->changed & DEVICE_ROW_SECONDARY)
        keys |= REGISTRY_KEY_SECONDARY;
    return keys;
}

static void
watchers_tell_auth(Registry *registry, const RegistryDevice *device)
{
    watchers_tell_change(registry, &(RegistryChange){.kind = REGISTRY_DEVICE_AUTH,
                                                     .name = device->id,
                                                     .module = device->module,
                                                     .auth = &device->auth});
}

static void
apply_row(Registry *registry, const DeviceRow *row)
{
    const RegistryDevice *device = row->device;
    g_autofree char *name = g_strjoin("/", device->id, device->module, NULL);

    registry_cache_drop(registry->devices, name);
    if (row->changed & DEVICE_ROW_TAGS)
        watchers_tell_change(registry, &(RegistryChange){.kind = REGISTRY_DEVICE_EDITED,
                                                         .name = device->id,
                                                         .tags = device->tags});
    if (row->changed & DEVICE_ROW_AUTH)
        watchers_tell_auth(registry, device);
    if (row->changed & DEVICE_ROW_KEYS)
        watchers_tell_change(registry, &(RegistryChange){.kind = REGISTRY_DEVICE_KEYS,
                                                         .name = device->id,
                                                         .module = device->module,
                                                         .keys = row_keys(row)});
    if (row->changed & DEVICE_ROW_STATUS)
        watchers_tell(registry,
                      device->enabled ? REGISTRY_DEVICE_ADMITTED : REGISTRY_DEVICE_DISABLED,
                      device->id, device->module);
}

/* Nobody waits for a device that is new. */
static void
apply_import(Registry *registry, const RegistryImport *import)
{
    for (guint i = 0; i < import->rows->len && !import->dry_run; i++) {
        const DeviceRow *row = import->rows->pdata[i];

        if (row->outcome == DEVICE_ROW_UPDATED)
            apply_row(registry, row);
    }
}

static void
apply_policy(Registry *registry, const RegistryJob *job)
{
    const RegistryPolicy *policy = job->policy;

    switch (job->kind) {
    case REGISTRY_LOOKUP_POLICY:
        if (!job->fetch)
            registry_keep_policy(registry, policy);
        break;
    case REGISTRY_EDIT_POLICY:
        registry_cache_drop(registry->policies, policy->name);
        watchers_tell_change(registry, &(RegistryChange){.kind = REGISTRY_POLICY_EDITED,
                                                         .name = policy->name,
                                                         .scope = policy->scope});
        break;
    case REGISTRY_REMOVE_POLICY:
        registry_cache_drop(registry->policies, policy->name);
        watchers_tell(registry, REGISTRY_POLICY_REMOVED, policy->name, NULL);
        break;
    case REGISTRY_NEW_POLICY_KEYS:
        registry_cache_drop(registry->policies, policy->name);
        watchers_tell_keys(registry, job, REGISTRY_POLICY_KEYS);
        break;
    default: /* lists and a new policy change nothing that is cached */
        break;
    }
}

/* After a job: keeps the cache true, and tells the watchers of a change. */
static void
registry_apply(Registry *registry, const RegistryJob *job)
{
    const RegistryDevice *device = job->device;
    g_autofree char *name =
        device && device->id ? g_strjoin("/", device->id, device->module, NULL) : NULL;

    switch (job->kind) {
    case REGISTRY_LOOKUP_DEVICE:
        if (!job->fetch)
            registry_keep_device(registry, device);
        break;
    case REGISTRY_REMOVE_DEVICE:
        registry_cache_drop(registry->devices, name);
        watchers_tell(registry, REGISTRY_DEVICE_REMOVED, device->id, device->module);
        break;
    case REGISTRY_SET_ENABLED:
    case REGISTRY_APPROVE_DEVICE:
        registry_cache_drop(registry->devices, name);
        watchers_tell(registry,
                      device->enabled ? REGISTRY_DEVICE_ADMITTED : REGISTRY_DEVICE_DISABLED,
                      device->id, device->module);
        break;
    case REGISTRY_ENROLL:
        if (((const RegistryEnrollment *)job->extra)->outcome != ENROLLED_NEW || job->policy)
            break;
        G_GNUC_FALLTHROUGH;
    case REGISTRY_ADD_DEVICE:
        watchers_tell(registry, REGISTRY_DEVICE_ADMITTED, device->id, device->module);
        break;
    case REGISTRY_EDIT_DEVICE:
        registry_cache_drop(registry->devices, name);
        watchers_tell_change(registry, &(RegistryChange){.kind = REGISTRY_DEVICE_EDITED,
                                                         .name = device->id,
                                                         .tags = device->tags});
        break;
    case REGISTRY_SET_AUTH:
        registry_cache_drop(registry->devices, name);
        watchers_tell_auth(registry, device);
        break;
    case REGISTRY_WRITE_DEVICE:
        registry_cache_drop(registry->devices, name);
        registry_write_tell(job, watchers_tell_change);
        break;
    case REGISTRY_IMPORT_DEVICES:
        apply_import(registry, job->extra);
        break;
    case REGISTRY_HOLD:
        registry->held = job->held;
        break;
    case REGISTRY_NEW_DEVICE_KEYS:
    case REGISTRY_REKEY:
        registry_cache_drop(registry->devices, name);
        watchers_tell_keys(registry, job, REGISTRY_DEVICE_KEYS);
        break;
    default:
        apply_policy(registry, job);
        break;
    }
}

static void
job_answer(RegistryJob *job)
{
    gboolean list = job->kind == REGISTRY_LIST_DEVICES || job->kind == REGISTRY_LIST_POLICIES;
    RegistryResult result = {.code = job->code};

    if (job->code != REGISTRY_OK)
        result.message = job->message ? job->message : code_messages[job->code];
    else if (!list) {
        result.device = job->device;
        result.policy = job->policy;
        result.extra = job->extra;
    }
    if (job->code == REGISTRY_OK && job->devices) {
        result.devices = (RegistryDevice *const *)job->devices->pdata;
        result.n_devices = job->devices->len;
        result.more = job->more;
    }
    if (job->code == REGISTRY_OK && job->policies) {
        result.policies = (RegistryPolicy *const *)job->policies->pdata;
        result.n_policies = job->policies->len;
    }
    job->done(&result, job->data);
}

void
registry_set_trouble(Registry *registry, const char *trouble)
{
    g_free(registry->trouble);
    registry->trouble = g_strdup(trouble);
}

const char *
registry_trouble(const Registry *registry)
{
    return registry->trouble ? registry->trouble : "";
}

const RegistryMeter *
registry_meter(const Registry *registry)
{
    return &registry->meter;
}

guint
registry_pending(const Registry *registry)
{
    return registry->pending;
}

static void
job_measure(const RegistryJob *job)
{
    RegistryMeter *meter = &job->registry->meter;
    gint64 took = g_get_monotonic_time() - job->submitted;

    if (job->submitted > 0)
        histogram_add(job->writes ? &meter->writes : &meter->reads, took);
    if (job->code == REGISTRY_BUSY || job->code == REGISTRY_STORAGE || job->code == REGISTRY_FAILED)
        meter->failures++;
}

static void
job_on_finished(Message *message)
{
    RegistryJob *job = CONTAINER_OF(message, RegistryJob, finished);

    job->registry->pending--;
    job_measure(job);
    if (job->code == REGISTRY_STORAGE)
        registry_set_trouble(job->registry, job->message ? job->message : "the disk is full");
    else if (job->code == REGISTRY_OK && job->writes && job->registry->trouble)
        registry_set_trouble(job->registry, NULL);
    if (job->code == REGISTRY_OK)
        registry_apply(job->registry, job);
    job_answer(job);
    registry_job_free(job);
}

void
registry_job_finish(RegistryJob *job, RegistryCode code, char *message)
{
    job->code = code;
    job->message = message;
    (void)queue_post(job->registry->finished, &job->finished);
}

RegistryJob *
registry_job_new(Registry *registry, RegistryJobKind kind, RegistryDone done, void *data)
{
    RegistryJob *job = g_new0(RegistryJob, 1);

    job->kind = kind;
    job->finished.func = job_on_finished;
    job->registry = registry;
    job->done = done;
    job->data = data;
    registry->pending++;
    return job;
}

void
registry_job_submit(Registry *registry, RegistryJob *job)
{
    job->submitted = g_get_monotonic_time();
    if (registry->closing)
        registry_job_finish(job, REGISTRY_CLOSED, NULL);
    else if (registry->pending > REGISTRY_PENDING_MAX)
        registry_job_finish(job, REGISTRY_BUSY, NULL);
    else
        registry->backend->submit(registry->backend, job);
}

void
registry_hold(Registry *registry, gboolean held, RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_HOLD, done, data);

    job->held = held;
    registry_job_submit(registry, job);
}

gboolean
registry_is_held(const Registry *registry)
{
    return registry->held;
}

Registry *
registry_new(RegistryBackend *backend)
{
    Registry *registry = g_new0(Registry, 1);

    registry->backend = backend;
    registry->finished = queue_new();
    registry->source = queue_source_new(registry->finished);
    g_source_attach(registry->source, g_main_context_get_thread_default());
    registry->devices =
        registry_cache_new(REGISTRY_CACHE_MAX, (GDestroyNotify)registry_device_free);
    registry->policies =
        registry_cache_new(REGISTRY_POLICIES_MAX, (GDestroyNotify)registry_policy_free);
    registry->watches = g_array_new(FALSE, FALSE, sizeof(RegistryWatch));
    return registry;
}

void
registry_close(Registry *registry)
{
    registry->closing = TRUE;
    if (registry->backend)
        registry->backend->free(registry->backend);
    registry->backend = NULL;
    /* Completions may start new operations, which get REGISTRY_CLOSED. */
    while (queue_run(registry->finished) > 0)
        ;
}

void
registry_free(Registry *registry)
{
    if (!registry)
        return;
    registry_close(registry);
    g_source_destroy(registry->source);
    g_source_unref(registry->source);
    queue_free(registry->finished);
    registry_cache_free(registry->devices);
    registry_cache_free(registry->policies);
    g_array_unref(registry->watches);
    g_free(registry->trouble);
    g_free(registry);
}

/* A look-up that found its record in the cache completes one turn of the main loop later. It looks
 * again then, because the record may have been removed in between, and its watchers told. */
static void
lookup_again(RegistryJob *job)
{
    Registry *registry = job->registry;

    if (job->kind == REGISTRY_LOOKUP_DEVICE) {
        g_autofree char *name = g_strjoin("/", job->device->id, job->device->module, NULL);
        const RegistryDevice *device = registry_cache_get(registry->devices, name);

        if (device) {
            registry_device_free(job->device);
            job->device = registry_device_copy(device);
        }
        job->code = device ? REGISTRY_OK : REGISTRY_NOT_FOUND;
    } else {
        const RegistryPolicy *policy = registry_cache_get(registry->policies, job->policy->name);

        if (policy) {
            registry_policy_free(job->policy);
            job->policy = registry_policy_copy(policy);
        }
        job->code = policy ? REGISTRY_OK : REGISTRY_NOT_FOUND;
    }
}

static void
lookup_on_cached(Message *message)
{
    RegistryJob *job = CONTAINER_OF(message, RegistryJob, work);

    lookup_again(job);
    if (job->code != REGISTRY_OK) {
        registry_job_submit(job->registry, job);
        return;
    }
    job->registry->pending--;
    job_answer(job);
    registry_job_free(job);
}

static void
lookup_start(Registry *registry, RegistryJob *job, gboolean cached)
{
    if (!cached || registry->closing) {
        registry_job_submit(registry, job);
        return;
    }
    job->work.func = lookup_on_cached;
    (void)queue_post(registry->finished, &job->work);
}

static void
lookup_device(RegistryJob *job, const char *id, const char *module, gboolean cached)
{
    job->device = registry_device_named(id, module);
    if (registry_device_names_are_valid(id, module))
        lookup_start(job->registry, job, cached);
    else
        registry_job_finish(job, REGISTRY_NOT_FOUND, NULL);
}

static void
lookup_policy(RegistryJob *job, const char *name, gboolean cached)
{
    job->policy = registry_policy_named(name);
    if (device_id_is_valid(name, -1))
        lookup_start(job->registry, job, cached);
    else
        registry_job_finish(job, REGISTRY_NOT_FOUND, NULL);
}

void
registry_lookup_device(Registry *registry, const char *id, const char *module, RegistryDone done,
                       void *data)
{
    lookup_device(registry_job_new(registry, REGISTRY_LOOKUP_DEVICE, done, data), id, module,
                  registry_peek_device(registry, id, module) != NULL);
}

void
registry_lookup_policy(Registry *registry, const char *name, RegistryDone done, void *data)
{
    lookup_policy(registry_job_new(registry, REGISTRY_LOOKUP_POLICY, done, data), name,
                  registry_peek_policy(registry, name) != NULL);
}

void
registry_fetch_device(Registry *registry, const char *id, const char *module, RegistryDone done,
                      void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_LOOKUP_DEVICE, done, data);

    job->fetch = TRUE;
    lookup_device(job, id, module, FALSE);
}

void
registry_fetch_policy(Registry *registry, const char *name, RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_LOOKUP_POLICY, done, data);

    job->fetch = TRUE;
    lookup_policy(job, name, FALSE);
}

void
registry_list_tagged(Registry *registry, const char *tag, const char *after_id,
                     const char *after_module, guint limit, RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_LIST_DEVICES, done, data);

    job->device = registry_device_named(after_id, after_module);
    job->tags = tag ? g_strdupv((char *[]){(char *)(guintptr)tag, NULL}) : NULL;
    job->limit = limit == 0 ? REGISTRY_PAGE_MAX : MIN(limit, REGISTRY_PAGE_MAX);
    registry_job_submit(registry, job);
}

void
registry_list_devices(Registry *registry, const char *after_id, const char *after_module,
                      guint limit, RegistryDone done, void *data)
{
    registry_list_tagged(registry, NULL, after_id, after_module, limit, done, data);
}

guint
registry_watch(Registry *registry, RegistryWatchFunc func, void *data)
{
    const RegistryWatch watch = {++registry->last_watch, func, data};

    g_array_append_val(registry->watches, watch);
    return watch.id;
}

void
registry_unwatch(Registry *registry, guint watch)
{
    for (guint i = 0; i < registry->watches->len; i++) {
        if (g_array_index(registry->watches, RegistryWatch, i).id == watch) {
            g_array_remove_index(registry->watches, i);
            return;
        }
    }
}
