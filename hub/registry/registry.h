/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registry: which devices, modules and shared access policies the hub knows, and their keys.
 *
 * It is asynchronous: an operation passes its result to a completion and never returns it. So a
 * slow disk delays no stream, and a database on another machine can be used behind the same calls
 * (registry/job.h is the interface to the storage). A bounded cache answers frequent look-ups.
 *
 * All calls and all callbacks: the main thread, whose default main context must run. Every
 * completion runs exactly once, and never before its operation has returned. Operations that are
 * open when the registry is freed complete with REGISTRY_CLOSED inside registry_free. A result and
 * all it points to are valid during the call. Texts given to an operation are copied.
 *
 * A change is acknowledged (REGISTRY_OK) only once it is on the disk. Watchers are called just
 * before its completion. So after the answer to "disable" the device is no longer admitted, and the
 * watchers know which connections to close. */
#pragma once

#include "common/loop/queue.h"
#include "common/metrics/histogram.h"
#include "hub/registry/device-auth.h"
#include "hub/registry/scope.h"

#include <glib.h>

typedef struct Registry Registry;
typedef struct RegistryFacts RegistryFacts;

/* Bytes of a key, decoded. IoT Hub takes keys of 16 to 64 bytes and makes keys of 32. */
#define REGISTRY_KEY_MIN 16
#define REGISTRY_KEY_MAX 64
#define REGISTRY_KEY_NEW 32

#define REGISTRY_PAGE_MAX 1000    /* entries in one answer to registry_list_devices */
#define REGISTRY_POLICIES_MAX 256 /* one more is refused with REGISTRY_LIMIT */
#define REGISTRY_MODULES_MAX 50   /* of one device, as in IoT Hub */
#define REGISTRY_CACHE_MAX 4096   /* devices and modules kept in memory */
#define REGISTRY_PENDING_MAX 8192 /* open operations; one more is REGISTRY_BUSY at once */

typedef enum {
    REGISTRY_OK,
    REGISTRY_NOT_FOUND, /* no such device, module or policy (for a new module: no such device) */
    REGISTRY_EXISTS,
    REGISTRY_INVALID, /* a name, key or right that is not allowed */
    REGISTRY_LIMIT,   /* one of the limits above */
    REGISTRY_BUSY,    /* the database is locked or slow: try again (503) */
    REGISTRY_STORAGE, /* the disk takes no change: full, read-only, failing; the message has the
                       * system's reason (507) */
    REGISTRY_FAILED,  /* the database failed; nothing was changed */
    REGISTRY_CHANGED, /* its etag is another one */
    REGISTRY_DENIED,  /* the scope has no place for it */
    REGISTRY_CLOSED,  /* the registry was freed meanwhile */
} RegistryCode;

/* What a policy lets its holder do; "service-connect" and so on in text. */
typedef enum {
    REGISTRY_RIGHT_SERVICE_CONNECT = 1 << 0,
    REGISTRY_RIGHT_DEVICE_CONNECT = 1 << 1, /* be any device */
    REGISTRY_RIGHT_READ = 1 << 2,           /* "registry-read" */
    REGISTRY_RIGHT_WRITE = 1 << 3,          /* "registry-write" */
} RegistryRights;

#define REGISTRY_RIGHTS_ALL 0xf

/* Wiped when it is freed. `len` 0: none given. */
typedef struct {
    guint8 bytes[REGISTRY_KEY_MAX];
    gsize len;
} RegistryKey;

/* Which of the two keys of a device or policy; also a set of them. */
typedef enum {
    REGISTRY_KEYS_NONE = 0,
    REGISTRY_KEY_PRIMARY = 1 << 0,
    REGISTRY_KEY_SECONDARY = 1 << 1,
    REGISTRY_KEYS_BOTH = REGISTRY_KEY_PRIMARY | REGISTRY_KEY_SECONDARY,
} RegistryKeys;

/* A change of a device's key over its own connection (registry/keys.h). */
typedef enum {
    REKEY_NONE,
    REKEY_WANTED,    /* it was asked for, and the device has not been offered a key yet */
    REKEY_OFFERED,   /* the key `which` is new; whether the device has stored it is not known */
    REKEY_CONFIRMED, /* the device has logged in with it; the other key goes after the grace */
    REKEY_READ_ONLY, /* the device has said that it cannot store a key */
} RekeyState;

typedef struct {
    RekeyState state;
    RegistryKeys which;
    gint64 asked;     /* µs since the epoch, wall clock */
    gint64 confirmed; /* the same; 0: not yet */
} RegistryRekey;

typedef struct {
    char *id;
    char *module;      /* NULL: the device itself */
    gboolean enabled;  /* as set for this one */
    gboolean waiting;  /* enrolled, and not enabled before it is approved (invitation.h) */
    gboolean admitted; /* may authenticate: enabled and, for a module, its device is enabled too */
    RegistryKey primary;
    RegistryKey secondary;
    guint64 generation_id; /* a new one each time a device of this name is added */
    guint64 etag;          /* a new one with each change */
    gint64 created;        /* µs since the epoch, wall clock */
    char *comment;         /* NULL: none; a module has none */
    RegistryTags *tags;    /* a module has those of its device */
    RegistryAuth auth;     /* where that is not by keys, the keys do not count */
    RegistryRekey rekey;
    RegistryFacts *facts; /* NULL: none, or not looked up */
} RegistryDevice;

typedef struct {
    char *name;
    RegistryRights rights;
    RegistryKey primary;
    RegistryKey secondary;
    gint64 created;       /* µs since the epoch, wall clock */
    RegistryScope *scope; /* NULL: everything */
} RegistryPolicy;

/* What to change of a device; NULL: no change of that kind. */
typedef struct {
    const char *const *tags;    /* "key=value": set */
    const char *const *no_tags; /* keys: removed */
    const char *comment;        /* "": none from now on */
} RegistryDeviceEdit;

/* What to change of a policy. */
typedef struct {
    RegistryScopeKinds kinds; /* of its scope */
    RegistryScope scope;      /* their values */
} RegistryPolicyEdit;

typedef struct {
    RegistryCode code;
    const char *message;            /* one English sentence for the user; NULL with REGISTRY_OK */
    const RegistryDevice *device;   /* look-up, add, set enabled; what was removed */
    const RegistryPolicy *policy;   /* look-up, add; what was removed */
    RegistryDevice *const *devices; /* list: ordered by id, a device before its modules */
    gsize n_devices;
    RegistryPolicy *const *policies; /* list: ordered by name */
    gsize n_policies;
    gboolean more;     /* list: there are devices after the last of `devices` */
    const void *extra; /* what else an operation answers; its declaration says which structure */
} RegistryResult;

typedef void (*RegistryDone)(const RegistryResult *result, void *data);

/* Completes all open operations, and every later one, with REGISTRY_CLOSED. Call it before freeing
 * objects that wait for a completion. Waits for the database's present operation (at most its busy
 * time-out). */
void registry_close(Registry *registry);
void registry_free(Registry *registry); /* closes; NULL is fine */

/* While HELD, every change is refused with REGISTRY_BUSY; what only reads goes on. When this
 * completes, each change before it is on the disk, so a copy that is made then lacks nothing. */
void registry_hold(Registry *registry, gboolean held, RegistryDone done, void *data);
gboolean registry_is_held(const Registry *registry); /* once it has completed */
/* How long the database took for what was asked of it, with the wait for its turn; and of how much
 * it failed, or was too busy. What the cache answers does not count. */
typedef struct {
    Histogram reads, writes;
    guint64 failures;
} RegistryMeter;

const RegistryMeter *registry_meter(const Registry *registry); /* borrowed */
guint registry_pending(const Registry *registry);              /* operations that are under way */

/* MODULE NULL: the device itself. An unknown device is REGISTRY_NOT_FOUND; a disabled one is found
 * and not `admitted`. */
void registry_lookup_device(Registry *registry, const char *id, const char *module,
                            RegistryDone done, void *data);

/* The record in the cache, or NULL; the database is not asked. Valid until the caller returns to
 * the main loop. */
const RegistryDevice *registry_peek_device(Registry *registry, const char *id, const char *module);
const RegistryPolicy *registry_peek_policy(Registry *registry, const char *name);

/* As the look-ups, but always from the database, and without changing the cache: so it takes the
 * same time for a known and an unknown name. A completion can put the record into the cache with
 * registry_keep_device or registry_keep_policy. */
void registry_fetch_device(Registry *registry, const char *id, const char *module,
                           RegistryDone done, void *data);
void registry_fetch_policy(Registry *registry, const char *name, RegistryDone done, void *data);
void registry_keep_device(Registry *registry, const RegistryDevice *device);
void registry_keep_policy(Registry *registry, const RegistryPolicy *policy);

/* A page of at most LIMIT (0: REGISTRY_PAGE_MAX) after (AFTER_ID, AFTER_MODULE); both NULL: from
 * the beginning. To go on, give the last entry of the page before. */
void registry_list_devices(Registry *registry, const char *after_id, const char *after_module,
                           guint limit, RegistryDone done, void *data);

/* The same for the devices that have TAG, "key=value", and their modules. */
void registry_list_tagged(Registry *registry, const char *tag, const char *after_id,
                          const char *after_module, guint limit, RegistryDone done, void *data);

/* Of DRAFT it uses id, module, enabled, keys, auth, comment and tags. A key of length 0 is made
 * from random bytes. A module has neither comment nor tags. */
void
registry_add_device(Registry *registry, const RegistryDevice *draft, RegistryDone done, void *data);

/* MODULE NULL: removes the device and its modules. */
void registry_remove_device(Registry *registry, const char *id, const char *module,
                            RegistryDone done, void *data);

void registry_set_enabled(Registry *registry, const char *id, const char *module, gboolean enabled,
                          RegistryDone done, void *data);

/* REGISTRY_INVALID with the reason: a tag or comment is not valid. */
void registry_edit_device(Registry *registry, const char *id, const RegistryDeviceEdit *edit,
                          RegistryDone done, void *data);

/* How the device or module proves who it is from now on. REGISTRY_INVALID with the reason: a
 * thumbprint is missing, or there are too many. */
void registry_set_auth(Registry *registry, const char *id, const char *module,
                       const RegistryAuth *auth, RegistryDone done, void *data);

void registry_lookup_policy(Registry *registry, const char *name, RegistryDone done, void *data);
void registry_list_policies(Registry *registry, RegistryDone done, void *data);

/* Of DRAFT it uses name, rights, keys and scope, as above. */
void
registry_add_policy(Registry *registry, const RegistryPolicy *draft, RegistryDone done, void *data);
void registry_remove_policy(Registry *registry, const char *name, RegistryDone done, void *data);

/* REGISTRY_INVALID with the reason: a value of the scope is not valid. */
void registry_edit_policy(Registry *registry, const char *name, const RegistryPolicyEdit *edit,
                          RegistryDone done, void *data);

/* Facts: what the hub has seen of a device or module, in a table of its own. They change often and
 * are worth little each, so they are written in batches (hub/device/sightings.h says how late), and
 * writing one touches no key and no etag.
 *
 * A list (registry_list_devices and those like it) and registry_fetch_device have them in the
 * records that they answer. A record of the cache may be without. */
#define REGISTRY_FACTS_MAX 1000  /* of one write */
#define REGISTRY_ADDRESS_MAX 64  /* bytes; longer texts are cut */
#define REGISTRY_CLIENT_MAX 128  /* the same */
#define REGISTRY_REFUSAL_MAX 128 /* the same */

struct RegistryFacts {
    char *id;
    char *module;   /* NULL: the device itself */
    gint64 seen;    /* when it was connected last, µs since the epoch, wall clock; 0: never */
    char *address;  /* from where, without the port; NULL: not known */
    char *client;   /* what it said it is; NULL: nothing */
    gint64 refused; /* when it was refused last; 0: never */
    char *refusal;  /* why; NULL: it never was */
    /* What it sent that was acknowledged and dropped. To be written: since the last write. */
    guint64 messages;
    guint64 message_bytes; /* of their payloads */
    gint64 messages_since; /* the first of them; 0: there was none */
};

RegistryFacts *registry_facts_new(const char *id, const char *module);
RegistryFacts *registry_facts_copy(const RegistryFacts *facts); /* NULL is fine */
void registry_facts_free(RegistryFacts *facts);                 /* the same */

/* Of two facts of the same device, NEWER wins where it says something; messages are
 * added. */
void registry_facts_merge(RegistryFacts *facts, const RegistryFacts *newer);

/* Takes FACTS, at most REGISTRY_FACTS_MAX RegistryFacts. Each is merged into what is stored. Those
 * of devices that are not in the registry are dropped, so nobody can fill the table with names that
 * he invents. DONE gets them back as the `extra` of the result (a GPtrArray) when the code is
 * REGISTRY_OK; otherwise nothing was written, and they are gone. */
void registry_write_facts(Registry *registry, GPtrArray *facts, RegistryDone done, void *data);

/* As registry_list_devices, ordered by when each was seen last, the newest first; devices that were
 * never seen come at the end. AFTER_SEEN and the names are those of the last entry of the page
 * before; names NULL: from the beginning. A device that connects while the pages are read may come
 * twice, or not at all. */
void registry_list_by_seen(Registry *registry, gint64 after_seen, const char *after_id,
                           const char *after_module, guint limit, RegistryDone done, void *data);

/* Changes that end an admission (docs/wire-protocol.md, section 4a, "device disabled or removed,
 * policy revoked"), or give one. */
typedef enum {
    REGISTRY_DEVICE_REMOVED,
    REGISTRY_DEVICE_DISABLED,
    REGISTRY_POLICY_REMOVED,
    REGISTRY_DEVICE_ADMITTED, /* added or enabled */
    REGISTRY_DEVICE_EDITED,   /* tags or comment */
    REGISTRY_POLICY_EDITED,   /* its scope */
    REGISTRY_DEVICE_AUTH,     /* how it proves who it is */
    REGISTRY_DEVICE_KEYS,     /* some of its keys are good no more; with MODULE NULL, only those of
                               * the device itself */
    REGISTRY_POLICY_KEYS,
} RegistryChangeKind;

typedef struct {
    RegistryChangeKind kind;
    const char *name;           /* of the device or policy */
    const char *module;         /* NULL: the device and all of its modules */
    const RegistryTags *tags;   /* with REGISTRY_DEVICE_EDITED: as they are now */
    const RegistryScope *scope; /* with REGISTRY_POLICY_EDITED: as it is now */
    const RegistryAuth *auth;   /* with REGISTRY_DEVICE_AUTH: the same */
    RegistryKeys keys;          /* with *_KEYS: those that were replaced */
    gboolean planned;           /* by a rekey, after which streams go on */
} RegistryChange;

typedef void (*RegistryWatchFunc)(const RegistryChange *change, void *data);

/* Returns an id for registry_unwatch, never 0. A watcher may not unwatch others from its call. */
guint registry_watch(Registry *registry, RegistryWatchFunc func, void *data);
void registry_unwatch(Registry *registry, guint watch);

/* "service-connect,registry-read"; the caller frees it. */
char *registry_rights_format(RegistryRights rights);
/* FALSE for an unknown name or none at all. */
gboolean registry_rights_parse(const char *text, RegistryRights *ret_rights);

/* "not-found" and the like: what the admin socket calls the code. */
const char *registry_code_name(RegistryCode code);

/* Which devices and users know the hub's next authority (common/extension/statement.h). */
typedef struct {
    char *name;     /* of a device or user; "" only in an array's last element */
    char *module;   /* "": the device itself, or a user */
    guint64 serial; /* of the last statement that it has kept; 0: none */
    gboolean plain; /* a user's: a client without notices has used it since the change began */
} RegistryKnown;

/* `extra` of the results. */
typedef struct {
    GArray *known; /* RegistryKnown, by name */
    gboolean more;
    guint limit;
    RegistryKnown noted;
} KnownJob;

/* SERIAL 0 and PLAIN: a client that cannot be told. A serial never goes back; `plain` stays until
 * the change ends. Not found: no such device or user. */
void registry_note_device_known(Registry *registry, const char *id, const char *module,
                                guint64 serial, RegistryDone done, void *data);
void registry_note_user_known(Registry *registry, const char *name, guint64 serial, gboolean plain,
                              RegistryDone done, void *data);

/* All devices after (ID, MODULE), or all users, each with what it knows. */
void registry_list_devices_known(Registry *registry, const char *id, const char *module,
                                 guint limit, RegistryDone done, void *data);
void registry_list_users_known(Registry *registry, RegistryDone done, void *data);

/* These wipe the keys; NULL is fine. */
void registry_device_free(RegistryDevice *device);
void registry_policy_free(RegistryPolicy *policy);
RegistryDevice *registry_device_copy(const RegistryDevice *device);
RegistryPolicy *registry_policy_copy(const RegistryPolicy *policy);
void registry_key_clear(RegistryKey *key);

/* Why the last change was not taken by the disk; "" when it was. Borrowed, until control returns to
 * the main loop. */
const char *registry_trouble(const Registry *registry);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Registry, registry_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RegistryDevice, registry_device_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RegistryPolicy, registry_policy_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RegistryKey, registry_key_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RegistryFacts, registry_facts_free)
