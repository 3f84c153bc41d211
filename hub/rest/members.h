/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Members: what a body in JSON has, and what is wrong with it. Every function sets *ret_why, one
 * English sentence that the caller frees, when it returns FALSE or NULL for a fault. Any thread. */
#pragma once

#include <json-glib/json-glib.h>

/* Whether BODY is JSON within SIZE bytes, strictly (json-guard.h). */
gboolean members_guard(const char *body, gsize len, gsize size, char **ret_why);

/* The same, parsed. The caller unrefs it. */
JsonParser *members_parse(const char *body, gsize len, gsize size, char **ret_why);

/* FALSE: the member exists and is neither text nor null. *RET: NULL when it is absent or null;
 * valid as long as OBJECT. */
gboolean members_text(JsonObject *object, const char *name, const char **ret, char **ret_why);

/* The same for an object. */
gboolean members_object(JsonObject *object, const char *name, JsonObject **ret, char **ret_why);

/* Every member is one of KNOWN, NULL-terminated. WHAT: "a twin". */
gboolean
members_known(JsonObject *object, const char *const *known, const char *what, char **ret_why);

/* The member NAME, if it is there, is WANTED. */
gboolean members_same(JsonObject *object, const char *name, const char *wanted, char **ret_why);
