/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors on the bus: the only place where a GError becomes a D-Bus error. */
#pragma once

#include "common/base/error.h"
#include "common/bus/util.h"

/* Sets RET to ERROR under its D-Bus name (dbus/README.md, "Errors"; other domains become Failed)
 * and returns the negative errno for a vtable function to return. ERROR may be NULL: Failed. */
int bus_error_set(sd_bus_error *ret, const GError *error);

/* The same with room for all problems of a configuration. */
int bus_error_set_lines(sd_bus_error *ret, const GError *error);

/* The same from a code and a printf-style message. */
int
bus_error_setf(sd_bus_error *ret, StreamdError code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Replies to MESSAGE with ERROR; negative errno when that fails. */
int bus_error_reply(sd_bus_message *message, const GError *error);
