/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Access: one table says which action each method needs. A method that is not in it is refused.
 * man/streamd.8 has the same table; a test compares them. */
#pragma once

#include <glib.h>

#define BUS_ACCESS_DETAILS_MAX 3

typedef struct {
    const char *interface;
    const char *member;
    const char *action; /* of polkit; "": everybody may (what can be read is filtered there) */
    /* Details for polkit: the first arguments of the call, all strings, under these names. */
    const char *details[BUS_ACCESS_DETAILS_MAX + 1];
    /* A detail that names the object itself, with its kind as the name: "hub" for
     * BUS_PATH_HUB/NAME. */
    const char *object;
    gboolean owner;   /* the owner of the object is not asked */
    gboolean changes; /* what is kept or runs: whoever may not is recorded */
    gboolean opens;   /* needs a service hub; its AllowedUsers are checked, too */
} BusAccess;

/* What polkit's agents show for an action where the hub is known, for gettext, with "$(hub)" in it;
 * NULL: what the action itself has. */
const char *bus_access_question(const char *action);

/* NULL: refuse. INTERFACE NULL (a call may omit it): NULL. */
const BusAccess *bus_access_find(const char *interface, const char *member);

/* All of the table. */
const BusAccess *bus_access_rows(guint *ret_count);
