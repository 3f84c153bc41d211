/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys in JSON. The JSON parser makes copies that nobody wipes, so that keys are taken out of the
 * text before: in an object "symmetricKey" the values of "primaryKey" and "secondaryKey", spelled
 * without escapes. Pure; any thread. */
#pragma once

#include "hub/registry/registry.h"

#define REST_KEYS_MAX 256 /* in one text */

typedef struct RestKeys RestKeys;

/* TEXT: what json_guard_check takes. Each key in it is overwritten. */
RestKeys *rest_keys_take(char *text, gsize len);
void rest_keys_free(RestKeys *keys); /* wipes them */

/* VALUE: of the parsed text, in place of the key. FALSE: what was there is no base64 of 16 to 64
 * bytes. */
gboolean rest_keys_find(const RestKeys *keys, const char *value, RegistryKey *ret);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RestKeys, rest_keys_free)
