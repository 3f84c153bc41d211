/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Applies an edit to the stored record. */
#include "hub/registry/job.h"

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
