/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Access: one table says which action each method needs. A method that is not in it is refused. */
#pragma once

#include <glib.h>

/* The polkit action of a method; "" for what everybody may call (introspection, reading: what is
 * read is filtered where it is read); NULL: refuse. INTERFACE NULL (a call may leave it out): NULL.
 */
const char *bus_access_action(const char *interface, const char *member);
