/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Identity: a device or module as the registry's REST has it (docs/wire-protocol.md, section 6).
 * Pure; any thread. */
#pragma once

#include "hub/registry/write.h"
#include "hub/rest/keys.h"

#include <json-glib/json-glib.h>

/* Appends a JSON object. KEYS: with the keys; OUT then is for secret_string_free. */
void
identity_append(GString **out, const RegistryDevice *device, gboolean connected, gboolean keys);

/* Reads BODY, the identity of DEVICE or of its MODULE, into WRITE: status, keys, auth, comment.
 * Keys in BODY are overwritten. FALSE: *ret_why is one English sentence that says what is wrong and
 * what would be right; the caller frees it, and WRITE is untouched. */
gboolean identity_parse(char *body, gsize len, const char *device, const char *module,
                        RegistryWrite *write, char **ret_why);

/* What one identity and each item of a list have in common. */
gboolean
identity_read(JsonObject *object, const RestKeys *keys, RegistryWrite *write, char **ret_why);
