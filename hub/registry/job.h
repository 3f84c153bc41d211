/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registry job: one operation on its way to the storage and back; the interface between registry.c
 * and a backend (registry/sqlite.h).
 *
 * The main thread makes a job and gives it to the backend's submit. From then on only the backend
 * uses it, until it calls registry_job_finish, once, from any thread. Jobs for the same device or
 * policy finish in the order in which they were submitted. A change is finished with REGISTRY_OK
 * only when it is durable; any other code means that nothing was changed. */
#pragma once

#include "hub/registry/registry.h"

typedef enum {
    REGISTRY_LOOKUP_DEVICE,
    REGISTRY_LIST_DEVICES,
    REGISTRY_ADD_DEVICE,
    REGISTRY_REMOVE_DEVICE,
    REGISTRY_SET_ENABLED,
    REGISTRY_EDIT_DEVICE,
    REGISTRY_SET_AUTH,     /* `device` has the names and the new auth */
    REGISTRY_WRITE_DEVICE, /* write.h; so is the next */
    REGISTRY_COUNT_DEVICES,
    REGISTRY_LOOKUP_POLICY,
    REGISTRY_LIST_POLICIES,
    REGISTRY_ADD_POLICY,
    REGISTRY_REMOVE_POLICY,
    REGISTRY_EDIT_POLICY,
    REGISTRY_IMPORT_DEVICES,  /* `extra` is a RegistryImport */
    REGISTRY_NEW_DEVICE_KEYS, /* `extra` of this and the next two is a KeysJob */
    REGISTRY_NEW_POLICY_KEYS,
    REGISTRY_REKEY,
    REGISTRY_LIST_REKEYS,
    REGISTRY_LOOKUP_INVITATION,
    REGISTRY_LIST_INVITATIONS,
    REGISTRY_ADD_INVITATION,
    REGISTRY_REVOKE_INVITATION,
    REGISTRY_ENROLL,
    REGISTRY_APPROVE_DEVICE,
    REGISTRY_WRITE_FACTS, /* `extra` has them */
    REGISTRY_NOTE_DEVICE_KNOWN,
    REGISTRY_NOTE_USER_KNOWN,
    REGISTRY_LIST_DEVICES_KNOWN,
    REGISTRY_LIST_USERS_KNOWN,
    REGISTRY_HOLD, /* with `held`: a backend refuses changes from now on, or takes them again */
    REGISTRY_JOB_KINDS,
} RegistryJobKind;

typedef struct {
    Message work;     /* the backend's own, to queue the job */
    void *backend;    /* the same */
    gint64 submitted; /* monotonic µs */
    RegistryJobKind kind;

    /* What is asked. For a look-up, a removal and set-enabled (with `enabled`) only the names are
     * set. For a list the names are those to begin after; NULL: from the first. With `facts` beside
     * them it is ordered by when each was seen last, and begins after theirs. For an addition the
     * record is complete, with `etag` and `generation_id`. The `etag` of set-enabled is the new
     * one. When the backend finishes with OK, it has put the stored (or removed) record in their
     * place. */
    RegistryDevice *device;
    RegistryPolicy *policy;
    /* The new values of an edit. `device` or `policy` names the record. The backend calls
     * registry_job_edit with the stored record between reading and writing. */
    guint64 etag; /* the new one of a device */
    char **tags;  /* of a list: the one wanted tag, or NULL */
    char **no_tags;
    char *comment;
    RegistryScope *scope; /* the values of `kinds` */
    RegistryScopeKinds kinds;
    guint limit; /* of a list */
    /* What a kind of job needs and answers beside this, in a structure of its own. Freed with the
     * job. */
    gpointer extra;
    GDestroyNotify extra_free; /* NULL: nothing to free */
    gboolean fetch;            /* a look-up that does not change the cache */
    gboolean held;             /* of REGISTRY_HOLD */

    /* The answer to a list, set by the backend. The arrays own the elements. */
    GPtrArray *devices;
    GPtrArray *policies;
    gboolean more;

    gboolean writes; /* set by the backend's submit: it needs a disk that takes changes */

    /* only for registry.c */
    RegistryCode code;
    char *message;
    Message finished;
    Registry *registry;
    RegistryDone done;
    void *data;
} RegistryJob;

/* Makes a job; the caller fills in what is asked and passes it on with registry_job_submit, or
 * refuses it with registry_job_finish. Main thread. */
RegistryJob *
registry_job_new(Registry *registry, RegistryJobKind kind, RegistryDone done, void *data);
void registry_job_submit(Registry *registry, RegistryJob *job);

/* Records that have nothing but names. */
RegistryDevice *registry_device_named(const char *id, const char *module);
RegistryPolicy *registry_policy_named(const char *name);
gboolean registry_device_names_are_valid(const char *id, const char *module);

/* Random, and not 0: for an etag. */
guint64 registry_random_number(void);
void registry_key_make(RegistryKey *key); /* random, of REGISTRY_KEY_NEW bytes */
/* Makes a key where none was given. FALSE: the length of the key is not allowed. */
gboolean registry_key_complete(RegistryKey *key);

/* A new etag and generation. */
void registry_device_renew(RegistryDevice *device);

/* MESSAGE is taken; NULL: the usual one for CODE. Any thread. */
void registry_job_finish(RegistryJob *job, RegistryCode code, char *message);

/* For an edit: changes the stored record in `device` or `policy` as asked. Other than REGISTRY_OK:
 * `message` says why not, and nothing must be written. Any thread. */
RegistryCode registry_job_edit(RegistryJob *job);

/* The steps of a rekey (registry/keys.h). */
typedef enum {
    REKEY_STEP_WANT,
    REKEY_STEP_OFFER,
    REKEY_STEP_CONFIRM,
    REKEY_STEP_REFUSE,
    REKEY_STEP_RETIRE,
} RekeyStep;

/* `extra` of REGISTRY_NEW_DEVICE_KEYS, REGISTRY_NEW_POLICY_KEYS and REGISTRY_REKEY. */
typedef struct {
    RegistryKeys which; /* to replace; of a rekey: the parameter of its step */
    RekeyStep step;
    gboolean asked;
    gint64 now;            /* µs since the epoch; of REKEY_STEP_RETIRE: confirmed by then */
    guint64 etag;          /* the new one of a device, if a key changes */
    RegistryKey keys[2];   /* new ones: the primary, the secondary; of a rekey: the first alone */
    RegistryKeys replaced; /* the answer: what was changed */
} KeysJob;

/* What a rekey step makes of a device with its stored REKEY and the FORMER key.
 * DEVICE gets keys and rekey as they are to be stored, FORMER what is to be stored as such, and
 * `replaced` of KEYS says which keys have changed. FALSE: nothing changes. Pure; any thread. */
gboolean registry_rekey_step(KeysJob *keys, RegistryDevice *device, RegistryKey *former);

/* The keys of `which` become new ones, and `replaced`. The same. */
void registry_keys_replace(KeysJob *keys, RegistryKey *primary, RegistryKey *secondary);

/* A backend embeds this as its first member. Both are called on the main thread. */
typedef struct RegistryBackend RegistryBackend;
struct RegistryBackend {
    void (*submit)(RegistryBackend *backend, RegistryJob *job);
    /* When it returns, every submitted job is finished. Jobs that were not begun get
     * REGISTRY_CLOSED. */
    void (*free)(RegistryBackend *backend);
};

/* The disk takes no changes from the start on: TROUBLE is what registry_trouble() says. */
void registry_set_trouble(Registry *registry, const char *trouble);

/* Takes BACKEND. Callbacks run on the main context that is the thread's default now. */
Registry *registry_new(RegistryBackend *backend);
