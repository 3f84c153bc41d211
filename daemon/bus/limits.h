/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits as keys of an a{sv}: counts are `u`, bytes and microseconds `t`; what is off is absent. */
#pragma once

#include "daemon/bus/options.h"
#include "daemon/policy/limits.h"

/* What a message gives, until it is known which of them it gave. */
typedef struct {
    guint32 counts[LIMIT_LAST];
    guint64 amounts[LIMIT_LAST];
} BusLimits;

/* Fills LIMIT_LAST rows of a table for bus_options_read, which then reads into VALUES. */
void bus_limits_expect(BusOption *options, BusLimits *values);

/* 0, or negative errno with ERROR set: one is out of its bounds, 0 included. */
int bus_limits_take(const BusOption *options, const BusLimits *values, Limits *ret,
                    sd_bus_error *error);

int bus_limits_append(sd_bus_message *message, const Limits *limits);
