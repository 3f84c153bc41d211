/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An accept rule as an a{sv} of io.streamd.Streamd1.Policy. */
#pragma once

#include "common/bus/util.h"
#include "daemon/policy/accept-rule.h"

/* Reads the a{sv} at which MESSAGE stands. The strings are MESSAGE's. CALLER owns the handler that
 * the rule names, unless it says who does. RET_POSITION: -1 when none is given. */
int bus_rule_read(sd_bus_message *message, uid_t caller, AcceptRule *ret_rule, int *ret_position,
                  sd_bus_error *error);

/* (ta{sv}): the id, and everything else that is said. */
int bus_rule_append(sd_bus_message *message, const AcceptRule *rule);

/* A pair of an a{sv}, unless VALUE is NULL or empty. */
int bus_rule_append_text(sd_bus_message *message, const char *key, const char *value);
