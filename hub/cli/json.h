/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For verbs: members of the hub's answers. One thread. */
#pragma once

#include <json-glib/json-glib.h>

/* The text of a member of an object; "" when it is not there or of another type. */
const char *verb_json_text(JsonNode *object, const char *member);
gint64 verb_json_number(JsonNode *object, const char *member);
gboolean verb_json_boolean(JsonNode *object, const char *member);

/* The elements of a member that is an array; NULL when it is none. */
JsonArray *verb_json_array(JsonNode *object, const char *member);

/* "/v1/devices/ID[/modules/M]TAIL", encoded; the caller frees it. */
char *verb_device_path(const char *id, const char *module, const char *tail);
/* The same, "/v1/users/NAMETAIL". */
char *verb_user_path(const char *name, const char *tail);
/* The same, "/v1/invitations/NAMETAIL". */
char *verb_invitation_path(const char *name, const char *tail);
