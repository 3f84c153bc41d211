/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Introspection from the vtables alone, without a bus. Any thread. */
#pragma once

#include <glib.h>

/* The XML of the object at PATH; for paths of many objects (…/hub/NAME) any NAME will do. NULL:
 * there is no such object. Caller frees. */
char *bus_introspect(const char *path);
