/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recent: something about each of the names that were used lately. It has at most MOST entries; for
 * one more, the one that was used longest ago is forgotten. No clock and no I/O; one thread. */
#pragma once

#include <glib.h>

typedef struct Recent Recent;

/* The beginning of each entry. What follows belongs to the user of the table, and is zero at first.
 */
typedef struct {
    GList node;
    gint64 used; /* when it was wanted last */
    char *name;
} RecentEntry;

/* SIZE: of an entry. CLEAR frees what an entry owns; NULL: nothing. */
Recent *recent_new(guint most, gsize size, void (*clear)(void *entry));
void recent_free(Recent *recent);

void *recent_find(const Recent *recent, const char *name); /* NULL: it is not there */

/* The entry of NAME, made if there is none, which is now the one used last. */
void *recent_want(Recent *recent, const char *name, gint64 now);

void recent_forget(Recent *recent, const char *name);

/* Forgets entries that have not been used since BEFORE, at most MOST of them. */
void recent_trim(Recent *recent, gint64 before, guint most);

guint recent_count(const Recent *recent);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Recent, recent_free)
