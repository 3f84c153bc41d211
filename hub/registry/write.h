/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes: a device or module is made, changed or removed as a service asks for it, all at once and
 * only under its conditions (docs/wire-protocol.md, section 6). Conditions and changes are one
 * transaction. Main thread, but for what says something else. */
#pragma once

#include "hub/registry/job.h"

typedef enum {
    REGISTRY_WRITE_CREATE, /* REGISTRY_EXISTS where it is there already */
    REGISTRY_WRITE_UPDATE, /* REGISTRY_NOT_FOUND where it is not there */
    REGISTRY_WRITE_EITHER,
    REGISTRY_WRITE_REMOVE, /* a device with its modules */
} RegistryWriteMode;

typedef enum {
    REGISTRY_STATUS_AS_IS, /* of a new one: enabled */
    REGISTRY_STATUS_ENABLED,
    REGISTRY_STATUS_DISABLED,
} RegistryWriteStatus;

typedef struct {
    RegistryWriteMode mode;
    char *id;
    char *module; /* NULL: the device itself */
    /* Of one that exists: REGISTRY_CHANGED where its etag is another one. */
    gboolean conditional;
    guint64 etag;
    /* Of who asks. What exists outside of it is REGISTRY_NOT_FOUND. Nothing new may be outside of
     * it, and so none at all where it has tags: REGISTRY_DENIED. */
    RegistryScope *scope;
    /* The user who asks, or NULL. What counts is its scope as it is stored when the write is made,
     * and not `scope`; without such a user, or where it may not change tags, REGISTRY_DENIED. */
    char *policy;
    RegistryWriteStatus status;
    RegistryKey primary; /* length 0: as it is; of a new one: random */
    RegistryKey secondary;
    gboolean sets_auth; /* otherwise it is as it was; of a new one: by keys */
    RegistryAuth auth;
    /* Only of a device; of a module REGISTRY_INVALID. */
    char *comment;    /* NULL: as it is; "": none */
    gboolean replace; /* the other tags go */
    char **tags;      /* "key=value": set */
    char **no_tags;   /* keys: removed */
} RegistryWrite;

/* Takes WRITE's content. result->device is the record as it is now, or as it was removed. */
void registry_write_device(Registry *registry, RegistryWrite *write, RegistryDone done, void *data);

/* Wipes the keys. */
void registry_write_clear(RegistryWrite *write);

/* Whether a user with SCOPE may change tags: they decide what the scopes of others reach. */
gboolean registry_write_may_tag(const RegistryScope *scope);

/* result->extra. */
typedef struct {
    guint64 devices; /* without modules */
    guint64 enabled;
} RegistryCounts;

void registry_count_devices(Registry *registry, RegistryDone done, void *data);

/* For the backend; any thread. The job's `extra` of REGISTRY_WRITE_DEVICE. */
typedef struct {
    RegistryWrite write;
    guint64 generation_id; /* of a new one */
    guint64 etag;
    /* set by the backend */
    gboolean created, removed;
    gboolean status_changed, auth_changed, labels_changed;
    RegistryKeys replaced;
} RegistryWriting;

/* Whether WRITING may change DEVICE, which is stored. */
RegistryCode
registry_write_may_change(const RegistryWriting *writing, const RegistryDevice *device);

/* Whether it may make a new one. OWNER: the stored device of a new module; otherwise NULL. */
RegistryCode registry_write_may_create(const RegistryWriting *writing, const RegistryDevice *owner);

/* Changes the stored record in JOB's device, or makes a new one there. Other than REGISTRY_OK:
 * JOB's message says why not. */
RegistryCode registry_write_apply(RegistryJob *job);
RegistryCode registry_write_make(RegistryJob *job);

/* For registry.c: tells what JOB has changed. */
void registry_write_tell(const RegistryJob *job,
                         void (*tell)(Registry *registry, const RegistryChange *change));

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RegistryWrite, registry_write_clear)
