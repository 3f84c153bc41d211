/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Access: one table says which action each method needs. A method that is not in it is refused.
 * man/streamd.8 has the same table for people; a test holds the two together. */
#pragma once

#include <glib.h>

#define BUS_ACCESS_DETAILS_MAX 3

typedef struct {
    const char *interface;
    const char *member;
    const char *action; /* of polkit; "" is for everybody (what is read is filtered there) */
    /* What polkit is told besides: its first arguments, all strings, under these names. */
    const char *details[BUS_ACCESS_DETAILS_MAX + 1];
    /* The same of the object itself, with its kind as the name: "hub" for BUS_PATH_HUB/NAME. */
    const char *object;
    gboolean owner; /* whom the object belongs to passes without a question */
    gboolean opens; /* needs a service hub, whose AllowedUsers count too */
} BusAccess;

/* NULL: refuse. INTERFACE NULL (a call may leave it out): NULL. */
const BusAccess *bus_access_find(const char *interface, const char *member);
