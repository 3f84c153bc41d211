/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits as keys of an a{sv}: counts are `u`, bytes and microseconds `t`; a limit that is off is
 * left out. */
#pragma once

#include "daemon/bus/options.h"
#include "daemon/policy/limits.h"

/* The values of a message, until it is known which keys it had. */
typedef struct {
    guint32 counts[LIMIT_LAST];
    guint64 amounts[LIMIT_LAST];
} BusLimits;

/* Fills LIMIT_LAST rows of a table for bus_options_read, which then reads into VALUES. */
void bus_limits_expect(BusOption *options, BusLimits *values);

/* 0, or negative errno with ERROR set: a limit is out of bounds; 0 is, too. */
int bus_limits_take(const BusOption *options, const BusLimits *values, Limits *ret,
                    sd_bus_error *error);

int bus_limits_append(sd_bus_message *message, const Limits *limits);
