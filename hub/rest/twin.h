/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Twin: the tags of a device in the form of a twin (docs/wire-protocol.md, section 6). This hub
 * keeps no properties. Pure; any thread. */
#pragma once

#include "hub/registry/write.h"

#include <json-glib/json-glib.h>

/* Appends a JSON object; never with a key. */
void twin_append(GString *out, const RegistryDevice *device, gboolean connected);

/* Appends {"site":"berlin"}. */
void twin_append_tags(GString *out, const RegistryTags *tags);

/* Reads BODY, a twin of DEVICE or of its MODULE, into WRITE: the tags to set and to remove, or with
 * REPLACES all tags. FALSE: *ret_why is one English sentence that says what is wrong and what would
 * be right; the caller frees it, and WRITE is untouched. */
gboolean twin_parse(const char *body, gsize len, gboolean replaces, const char *device,
                    const char *module, RegistryWrite *write, char **ret_why);

/* The same for the members "tags" and "properties" of OBJECT. On FALSE WRITE is for
 * registry_write_clear. */
gboolean twin_read(JsonObject *object, gboolean replaces, RegistryWrite *write, char **ret_why);
