/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scope: what a user can reach at the hub, and how much of it.
 *
 * All kinds must match, and of each kind any one value is enough. So the id of a device must match
 * one of `devices`, and for each key in `tags` the device must have one of its values. The name of
 * a stream must match one of `streams`. A kind without values allows everything. Patterns match
 * whole names, with * and ? as in a shell. A module is in a scope when its device is.
 *
 * A scope never changes and may be shared between threads. NULL: everything, for ever. */
#pragma once

#include "hub/registry/tags.h"

#include <stdatomic.h>

typedef enum {
    REGISTRY_SCOPE_DEVICES = 1 << 0,
    REGISTRY_SCOPE_TAGS = 1 << 1,
    REGISTRY_SCOPE_STREAMS = 1 << 2,
    REGISTRY_SCOPE_EXPIRES = 1 << 3,
    REGISTRY_SCOPE_STREAMS_MAX = 1 << 4,
    REGISTRY_SCOPE_OPENS = 1 << 5,
    REGISTRY_SCOPE_BYTES = 1 << 6,
} RegistryScopeKinds;

#define REGISTRY_SCOPE_VALUES_MAX 100  /* of one kind */
#define REGISTRY_SCOPE_PATTERN_MAX 128 /* bytes */

/* Numbers are 0 where there is no such limit. */
typedef struct {
    char **devices;         /* patterns; NULL or empty: every device */
    char **tags;            /* key=value */
    char **streams;         /* patterns of stream names */
    gint64 expires;         /* µs since the epoch, wall clock */
    guint streams_max;      /* at once */
    guint opens_per_minute; /* new streams */
    guint64 bytes_per_day;  /* both directions together, per day in UTC */
    atomic_uint refs;       /* not used in a draft */
} RegistryScope;

/* BASE, with those of KINDS replaced by CHANGES; each may be NULL, a scope without any bound. NULL
 * with *ret_why set, which the caller frees: a value is not valid. NULL with *ret_why NULL: a scope
 * without any bound. */
RegistryScope *registry_scope_edit(const RegistryScope *base, const RegistryScope *changes,
                                   RegistryScopeKinds kinds, char **ret_why);

/* The stored form is a line "KIND VALUE" for each value. FALSE: the text is of a later version or
 * damaged, and the user must not be admitted. */
gboolean registry_scope_parse(const char *text, RegistryScope **ret_scope);
char *registry_scope_format(const RegistryScope *scope);

gboolean
registry_scope_has_device(const RegistryScope *scope, const char *id, const RegistryTags *tags);
gboolean registry_scope_has_stream(const RegistryScope *scope, const char *name);
gboolean registry_scope_has_expired(const RegistryScope *scope, gint64 now);

/* Whether it limits the devices. A user with such a scope may not change the registry. */
gboolean registry_scope_is_narrow(const RegistryScope *scope);

RegistryScope *registry_scope_ref(const RegistryScope *scope);
void registry_scope_unref(RegistryScope *scope);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RegistryScope, registry_scope_unref)
