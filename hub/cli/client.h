/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Admin client: sends requests to the admin socket of a running hub (admin/request.h lists them).
 * Every call waits for its answer, so it is for programs that do one thing at a time.
 *
 * Errors: STREAMD_ERROR_UNREACHABLE when nobody listens, STREAMD_ERROR_DENIED when this user is not
 * allowed, STREAMD_ERROR_PROTOCOL for an answer that makes no sense; otherwise the code of the
 * hub's answer (NOT_FOUND, EXISTS, INVALID, LIMIT, BUSY, FAILED) with its message. */
#pragma once

#include <json-glib/json-glib.h>

#define ADMIN_ANSWER_MAX ((gsize)4 * 1024 * 1024)

typedef struct AdminClient AdminClient;

AdminClient *admin_client_new(const char *socket_path);
void admin_client_free(AdminClient *client);

/* From now on a call waits at most SECONDS. By default it waits as long as the hub may take. */
void admin_client_set_patience(AdminClient *client, guint seconds);

/* PATH is "/v1/...". BODY is taken and may be NULL. Returns the root of the answer; free with
 * json_node_unref. */
JsonNode *admin_client_call(AdminClient *client, const char *method, const char *path,
                            JsonBuilder *body, GError **error);

/* For answers that are text: a credential. Free with secret_free. */
char *admin_client_get_secret(AdminClient *client, const char *path, GError **error);

/* Posts LINES, which may have keys, and returns the root of the answer as admin_client_call. LINES
 * stays the caller's, unchanged until the return. */
JsonNode *admin_client_post_lines(AdminClient *client, const char *path, const GString *lines,
                                  GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AdminClient, admin_client_free)
