/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Enroll body: what comes with a PUT below /enrollments (docs/wire-protocol.md, section 9):
 *
 *   {"key": "base64 of 32 to 64 bytes"}
 *
 * Read by hand, so that no copy of the key stays behind in a tree of JSON. Nothing else may be in
 * it, and no escapes. Pure; any thread. */
#pragma once

#include "hub/registry/registry.h"

/* FALSE: *RET_WHY is one English sentence that says what is wrong, and never a part of the body.
 * *RET_KEY is written only on success. */
gboolean enroll_body_parse(const char *body, gsize len, RegistryKey *ret_key, const char **ret_why);
