/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An accept rule as an a{sv} of io.streamd.Streamd1.Policy. */
#pragma once

#include "common/bus/util.h"
#include "daemon/policy/accept-rule.h"

/* Reads the a{sv} at which MESSAGE stands. MESSAGE owns the strings. CALLER owns the rule's
 * handler, unless the rule names an owner. RET_POSITION: -1 when there is none. */
int bus_rule_read(sd_bus_message *message, uid_t caller, AcceptRule *ret_rule, int *ret_position,
                  sd_bus_error *error);

/* Appends (ta{sv}): the id, and everything else that is set. */
int bus_rule_append(sd_bus_message *message, const AcceptRule *rule);

/* Appends an entry of an a{sv}, unless VALUE is NULL or empty. */
int bus_rule_append_text(sd_bus_message *message, const char *key, const char *value);
