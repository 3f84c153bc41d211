/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sd-bus messages to and from GVariant. A value of type `h` holds the descriptor itself. */
#pragma once

#include "common/bus/util.h"

/* Appends the members of a tuple. Negative errno. */
int bus_variant_append(sd_bus_message *message, GVariant *tuple);

/* The rest of MESSAGE as a tuple; descriptors are duplicated for the caller. NULL: malformed. */
GVariant *bus_variant_read(sd_bus_message *message);
