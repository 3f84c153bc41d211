/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tags and scopes as JSON: {"site": "berlin"}, and {"devices": ["gw-*"], "tags": ["site=berlin"],
 * "streams": ["ssh"], "expires": "2027-01-31T12:00:00Z", "streams_max": 2, "opens_per_minute": 10,
 * "bytes_per_day": 1073741824}. Main thread. */
#pragma once

#include "hub/registry/registry.h"

#include <json-glib/json-glib.h>

/* "2026-11-30T15:30:00Z"; TIME in µs since the epoch. NULL for 0. Caller frees. */
char *registry_time_format(gint64 time);

/* Adds a member NAME, "2026-11-30T15:30:00Z"; TIME in µs since the epoch. 0: adds nothing. */
void registry_time_build(JsonBuilder *builder, const char *name, gint64 time);

/* Adds a member NAME: an object, which may be empty. */
void registry_tags_build(JsonBuilder *builder, const char *name, const RegistryTags *tags);
void registry_scope_build(JsonBuilder *builder, const char *name, const RegistryScope *scope);

/* OBJECT has the tags to set, and null for each key to remove. FALSE: a value is not text. *ret_why
 * then says so, and the caller frees it. */
gboolean
registry_tags_read(JsonObject *object, GStrvBuilder *put, GStrvBuilder *removed, char **ret_why);

/* Reads a scope, and which kinds it names; null, 0 and an empty list remove the bound of a kind.
 * *ret_scope is a draft: empty before, and for registry_scope_draft_clear even after FALSE. FALSE:
 * as above. */
gboolean registry_scope_read(JsonObject *object, RegistryScope *ret_scope,
                             RegistryScopeKinds *ret_kinds, char **ret_why);
void registry_scope_draft_clear(RegistryScope *scope);
