/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Introspection from the tables alone, without a bus: what the object at a path has. Any thread. */
#pragma once

#include "common/bus/util.h"

/* The XML of the object at PATH; for paths of many objects (…/hub/NAME) any NAME will do. NULL:
 * there is no such object. Caller frees. */
char *bus_introspect(const char *path);

/* Whether the object that CALL names could have the interface, the method and the property that it
 * names. Negative, with ERROR saying which of them is unknown, and what was meant if something is
 * near. Whether there is an object of that NAME is not looked at, so the answer gives nobody away.
 */
int bus_introspect_check(sd_bus_message *call, sd_bus_error *error);
