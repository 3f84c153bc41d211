/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Store secrets: the keys of hubs, each in its own file in the folder `secrets.d`, named
 * HUB.GENERATION.
 *
 * A file is never changed. A hub's next key becomes a new file, of a generation that no file there
 * has, and the state says which file counts. So the state on the disk always has its keys. One
 * thread at a time; waits for the disk. */
#pragma once

#include <glib.h>

typedef struct StoreSecrets StoreSecrets;

/* DIR: the state directory. Nothing is read or created yet. */
StoreSecrets *store_secrets_new(const char *dir);
void store_secrets_free(StoreSecrets *secrets); /* NULL is fine */

/* Whether FILE is the name of a file of HUB. */
gboolean store_secrets_is_of(const char *file, const char *hub);

/* The body, to be freed with secret_free(). NULL: RET_WHY gets the reason, for people; the caller
 * frees it. */
char *store_secrets_read(StoreSecrets *secrets, const char *file, char **ret_why);

/* Adds a file and returns its name; the caller frees it. On failure nothing was added. */
char *store_secrets_add(StoreSecrets *secrets, const char *hub, const char *body, GError **error);

/* A file that cannot be removed stays until the next start. */
void store_secrets_remove(StoreSecrets *secrets, const char *file);

/* Adds to NAMES (const char *, strings that it frees) the files in the folder that are not in NAMED
 * (a set of names), torn ones included. Files that this module would not make are left out. */
void store_secrets_list(StoreSecrets *secrets, GHashTable *named, GPtrArray *names);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreSecrets, store_secrets_free)
