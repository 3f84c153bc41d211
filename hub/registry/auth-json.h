/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device auth as JSON, as IoT Hub writes it: {"type": "selfSigned", "x509Thumbprint":
 * {"primaryThumbprint": "AB..", "secondaryThumbprint": null}}. Never has a key. Main thread. */
#pragma once

#include "hub/registry/device-auth.h"

#include <json-glib/json-glib.h>

/* Adds a member NAME. */
void registry_auth_build(JsonBuilder *builder, const char *name, const RegistryAuth *auth);

/* Members that are not of these two are left alone. FALSE: *ret_why says what is wrong, and the
 * caller frees it. */
gboolean registry_auth_read(JsonObject *object, RegistryAuth *ret, char **ret_why);
