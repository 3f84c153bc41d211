/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Target rules: the rules of the accept policy that name a target. */
#pragma once

#include "client/bus/bus.h"

/* The answer of Policy.List: a(ta{sv}). NULL with ERROR set. */
GVariant *target_rules_list(Bus *bus, GError **error);

/* Whether RULE (an a{sv}) leads to TARGET: by accepting, or when the answer is yes. */
gboolean target_rules_name(GVariant *rule, const char *target);

/* Whether RULE accepts the streams named like TARGET, to it: an offer of it. */
gboolean target_rules_offer(GVariant *rule, const char *target);

/* Whether RULE is of the configuration, which no verb changes. */
gboolean target_rules_fixed(GVariant *rule);

typedef gboolean (*TargetRulesFunc)(GVariant *rule, const char *target);

/* How many RULES there are of which FUNC is true. */
guint target_rules_count(GVariant *rules, TargetRulesFunc func, const char *target);

/* Removes those RULES of which FUNC is true, but for the fixed ones. Adds the ids to REMOVED, an at
 * under construction. FALSE with ERROR set: it stopped there. */
gboolean target_rules_remove(Bus *bus, GVariant *rules, TargetRulesFunc func, const char *target,
                             GVariantBuilder *removed, GError **error);
