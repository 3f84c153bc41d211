/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bounds: how large the arguments of a call may be, for any method and at any depth
 * (docs/architecture.md, "Limits"). Checked before anything else reads them. Main thread. */
#pragma once

#include "common/bus/util.h"

#define BUS_BOUNDS_STRING 4096 /* bytes of a string, path or signature */
#define BUS_BOUNDS_ARRAY 64    /* elements of an array */

/* 0, with MESSAGE rewound to its beginning; or negative errno with ERROR set: Invalid. */
int bus_bounds_check(sd_bus_message *message, sd_bus_error *error);
