/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* User list: the names in a hub's `allowed-users`: users "alice", groups "@ops", numbers "1000" and
 * "@1000", separated by blanks or commas. Main thread; looks names up in the system's databases at
 * each question, so a new user or group counts at once. */
#pragma once

#include <glib.h>
#include <sys/types.h>

#define USER_LIST_TEXT_MAX 2048
#define USER_LIST_NAMES_MAX 64

/* A user by name, or by number. Asks the system's databases. */
gboolean user_find(const char *name, guint32 *ret_uid);

/* INVALID: a name that is none; too many. */
gboolean user_list_check(const char *text, GError **error);

/* Whether UID is in the list, or one of its groups, which IN_GROUP knows. An empty list has nobody;
 * a name that the system does not know is nobody. */
gboolean user_list_has(const char *text, uid_t uid,
                       gboolean (*in_group)(gid_t group, const void *data), const void *data);
