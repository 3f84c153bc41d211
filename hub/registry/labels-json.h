/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tags and scopes as JSON: {"site": "berlin"}, and {"devices": ["gw-*"], "tags": ["site=berlin"],
 * "streams": ["ssh"], "expires": "2027-01-31T12:00:00Z", "streams_max": 2, "opens_per_minute": 10,
 * "bytes_per_day": 1073741824}. Main thread. */
#pragma once

#include "hub/registry/registry.h"

#include <json-glib/json-glib.h>

/* Adds a member of that name; an object that may be empty. */
void registry_tags_build(JsonBuilder *builder, const char *name, const RegistryTags *tags);
void registry_scope_build(JsonBuilder *builder, const char *name, const RegistryScope *scope);

/* OBJECT says which tags to put in, and by null which keys to take away. FALSE with *ret_why set,
 * which the caller frees: a value that is no text. */
gboolean
registry_tags_read(JsonObject *object, GStrvBuilder *put, GStrvBuilder *removed, char **ret_why);

/* What OBJECT says, and of which kinds; null, 0 and an empty list take a kind's bound away.
 * *ret_scope is a draft, empty before, for registry_scope_draft_clear also when FALSE: as above. */
gboolean registry_scope_read(JsonObject *object, RegistryScope *ret_scope,
                             RegistryScopeKinds *ret_kinds, char **ret_why);
void registry_scope_draft_clear(RegistryScope *scope);
