/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Author: who asked for a change over D-Bus, and of which object, as far as the record of the
 * change needs it. It outlives the call: the change may end when the caller has left the bus. */
#pragma once

#include <glib.h>

typedef struct {
    guint32 uid;
    guint64 pid;    /* when the caller was first seen; it may be gone by now. 0: not known */
    char *bus_name; /* unique: ":1.42" */
    char *object;   /* path; of a new object it is set once that is made */
} Author;

Author *author_new(guint32 uid, guint64 pid, const char *bus_name, const char *object);
void author_free(Author *author); /* NULL is fine */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Author, author_free)
