/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Store secrets: the keys of hubs, a file for each in the folder `secrets.d`, named HUB.GENERATION.
 *
 * A file is never changed: a hub's next key is a new file of a generation that no file there has,
 * and the state says which one counts. So the state that is on the disk always has its keys. One
 * thread at a time; waits for the disk. */
#pragma once

#include <glib.h>

typedef struct StoreSecrets StoreSecrets;

/* DIR: the state directory. Nothing is read or made yet. */
StoreSecrets *store_secrets_new(const char *dir);
void store_secrets_free(StoreSecrets *secrets); /* NULL is fine */

/* FILE is the name of a file of HUB's. */
gboolean store_secrets_is_of(const char *file, const char *hub);

/* The body, for secret_free(). NULL: RET_WHY says why, for people; the caller frees it. */
char *store_secrets_read(StoreSecrets *secrets, const char *file, char **ret_why);

/* Its name; the caller frees it. On failure nothing was added. */
char *store_secrets_add(StoreSecrets *secrets, const char *hub, const char *body, GError **error);

/* What cannot be removed stays until the next start. */
void store_secrets_remove(StoreSecrets *secrets, const char *file);

/* Adds to NAMES (const char *, strings that it frees) the files that are in the folder, torn ones
 * included, and not in NAMED (a set of names). Files that this module would not make are not among
 * them. */
void store_secrets_list(StoreSecrets *secrets, GHashTable *named, GPtrArray *names);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreSecrets, store_secrets_free)
