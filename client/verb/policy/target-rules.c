/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/verb/policy/target-rules.h"

#include <string.h>

GVariant *
target_rules_list(Bus *bus, GError **error)
{
    g_autoptr(GVariant) reply = bus_call(bus, BUS_ROOT, BUS_POLICY, "List", NULL, 0, error);

    return reply != NULL ? g_variant_get_child_value(reply, 0) : NULL;
}

gboolean
target_rules_name(GVariant *rule, const char *target)
{
    return strcmp(bus_string(rule, "target"), target) == 0;
}

gboolean
target_rules_offer(GVariant *rule, const char *target)
{
    return target_rules_name(rule, target) && strcmp(bus_string(rule, "verdict"), "accept") == 0 &&
           strcmp(bus_string(rule, "stream"), target) == 0;
}

gboolean
target_rules_fixed(GVariant *rule)
{
    return strcmp(bus_string(rule, "source"), "config") == 0;
}

guint
target_rules_count(GVariant *rules, TargetRulesFunc func, const char *target)
{
    guint count = 0;

    for (gsize i = 0; i < g_variant_n_children(rules); i++) {
        g_autoptr(GVariant) rule = NULL;

        g_variant_get_child(rules, i, "(t@a{sv})", NULL, &rule);
        count += func(rule, target) ? 1 : 0;
    }
    return count;
}

gboolean
target_rules_remove(Bus *bus, GVariant *rules, TargetRulesFunc func, const char *target,
                    GVariantBuilder *removed, GError **error)
{
    for (gsize i = 0; i < g_variant_n_children(rules); i++) {
        g_autoptr(GVariant) rule = NULL, reply = NULL;
        guint64 id;

        g_variant_get_child(rules, i, "(t@a{sv})", &id, &rule);
        if (!func(rule, target) || target_rules_fixed(rule))
            continue;
        reply = bus_call(bus, BUS_ROOT, BUS_POLICY, "Remove", g_variant_new("(t)", id), 0, error);
        if (reply == NULL)
            return FALSE;
        g_variant_builder_add(removed, "t", id);
    }
    return TRUE;
}
