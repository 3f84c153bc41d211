/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registry job: one operation on its way to the storage and back; the interface between registry.c
 * and a backend (registry/sqlite.h).
 *
 * The main thread makes a job and gives it to the backend's submit. From then on the backend has it
 * alone, until it calls registry_job_finish, once, from any thread. Jobs that concern the same
 * device or policy finish in the order they were submitted. A change is finished with REGISTRY_OK
 * only when it is durable; with any other code nothing was changed. */
#pragma once

#include "hub/registry/registry.h"

typedef enum {
    REGISTRY_LOOKUP_DEVICE,
    REGISTRY_LIST_DEVICES,
    REGISTRY_ADD_DEVICE,
    REGISTRY_REMOVE_DEVICE,
    REGISTRY_SET_ENABLED,
    REGISTRY_EDIT_DEVICE,
    REGISTRY_LOOKUP_POLICY,
    REGISTRY_LIST_POLICIES,
    REGISTRY_ADD_POLICY,
    REGISTRY_REMOVE_POLICY,
    REGISTRY_EDIT_POLICY,
    REGISTRY_JOB_KINDS,
} RegistryJobKind;

typedef struct {
    Message work;     /* the backend's own, to queue the job */
    void *backend;    /* the same */
    gint64 submitted; /* monotonic µs */
    RegistryJobKind kind;

    /* What is asked. For a look-up, a removal and set-enabled (with `enabled`) only the names are
     * set; for a list the names are those to begin after, NULL: the first. For an addition the
     * record is complete, `etag` and `generation_id` included. `etag` of set-enabled is the new
     * one. The backend puts the stored (or removed) record in their place when it finishes with OK.
     */
    RegistryDevice *device;
    RegistryPolicy *policy;
    /* What an edit puts in the place of what is stored: DEVICE and POLICY name it, and the backend
     * calls registry_job_edit with the stored record between reading and writing. */
    guint64 etag; /* the new one of a device */
    char **tags;  /* of a list: one, that is wanted; or NULL */
    char **no_tags;
    char *comment;
    RegistryScope *scope; /* the values of `kinds` */
    RegistryScopeKinds kinds;
    guint limit;    /* of a list */
    gboolean fetch; /* a look-up that leaves the cache alone */

    /* The answer to a list, by the backend; the elements belong to the arrays. */
    GPtrArray *devices;
    GPtrArray *policies;
    gboolean more;

    /* registry.c's */
    RegistryCode code;
    char *message;
    Message finished;
    Registry *registry;
    RegistryDone done;
    void *data;
} RegistryJob;

/* Any thread. MESSAGE NULL: a usual one for the code; otherwise it is taken. */
void registry_job_finish(RegistryJob *job, RegistryCode code, char *message);

/* For an edit, with the stored record in `device` or `policy`: makes what is asked of it. Other
 * than REGISTRY_OK: `message` says why not, and nothing is to be written. Any thread. */
RegistryCode registry_job_edit(RegistryJob *job);

/* A backend embeds this as its first member. Both are called on the main thread. */
typedef struct RegistryBackend RegistryBackend;
struct RegistryBackend {
    void (*submit)(RegistryBackend *backend, RegistryJob *job);
    /* Every job submitted is finished when it returns: those not begun with REGISTRY_CLOSED. */
    void (*free)(RegistryBackend *backend);
};

/* Takes BACKEND. Callbacks run on the main context that is the thread's default now. */
Registry *registry_new(RegistryBackend *backend);
