/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* User names: the names of UIDs, asked of the system's user database (nsswitch.conf(5)) in a thread
 * of its own, because that may ask a directory over the network. One question at a time. Main
 * thread. */
#pragma once

#include <glib.h>

#define USER_NAMES_MAX 256                        /* names that are remembered */
#define USER_NAMES_ASKED_MAX 64                   /* questions that wait */
#define USER_NAMES_TIME (10 * G_TIME_SPAN_MINUTE) /* for which a name is remembered */

typedef struct UserNames UserNames;

/* FOUND is called whenever a question has been answered. */
UserNames *user_names_new(void (*found)(void *data), void *data);

/* Does not wait for a question that is under way; its thread ends by itself. NULL is fine. */
void user_names_free(UserNames *names);

/* TRUE: it is known, and RET_NAME is the name, or "" when the UID has none; borrowed, until control
 * returns to the main loop. FALSE: it is not known yet, and is asked for; when too many questions
 * wait, it is not. */
gboolean user_names_find(UserNames *names, guint32 uid, const char **ret_name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(UserNames, user_names_free)
