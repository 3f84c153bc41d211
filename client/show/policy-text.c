/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/policy-text.h"

#include "client/bus/bus.h"

#include <glib/gi18n.h>
#include <pwd.h>
#include <string.h>

/* "echo of alice". */
static char *
handler_text(GVariant *details)
{
    const guint32 uid = (guint32)bus_number(details, "handler-uid");
    const struct passwd *user = getpwuid(uid);
    const char *handler = bus_string(details, "handler");

    if (user == NULL)
        return g_strdup_printf(_("accept to the app %s of user %u"), handler, uid);
    return g_strdup_printf(_("accept to the app %s of %s"), handler, user->pw_name);
}

char *
policy_text_outcome(const char *verdict, GVariant *details)
{
    const char *target = bus_string(details, "target"), *reason = bus_string(details, "reason");

    if (strcmp(verdict, "accept") == 0 && *bus_string(details, "handler") != '\0')
        return handler_text(details);
    if (strcmp(verdict, "accept") == 0)
        return *target != '\0' ? g_strdup_printf(_("accept to %s"), target)
                               : g_strdup(_("accept to the target named like the stream"));
    if (strcmp(verdict, "ask") == 0)
        return *target != '\0' ? g_strdup_printf(_("ask, then to %s"), target)
                               : g_strdup(_("ask, then to the target named like the stream"));
    if (strcmp(verdict, "reject") == 0)
        return *reason != '\0' ? g_strdup_printf(_("reject: %s"), reason) : g_strdup(_("reject"));
    return g_strdup(verdict);
}

char *
policy_text_default(GVariant *policy)
{
    g_autoptr(GVariant) reason = g_variant_ref_sink(
        g_variant_new_parsed("{'reason': <%s>}", bus_string(policy, "DefaultReason")));

    return policy_text_outcome(bus_string(policy, "DefaultVerdict"), reason);
}

const char *
policy_text_condition(const char *key)
{
    static const struct {
        const char *key, *text;
    } rows[] = {
        {"hub", N_("hub")},         {"stream", N_("stream")},     {"initiator", N_("initiator")},
        {"address", N_("address")}, {"weekdays", N_("weekdays")}, {"time", N_("time")},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].key, key) == 0)
            return _(rows[i].text);
    return key;
}

char *
policy_text_when(GVariant *rule)
{
    const char *days = bus_string(rule, "weekdays"), *time = bus_string(rule, "time");

    return g_strdup_printf("%s%s%s", days, *days != '\0' && *time != '\0' ? " " : "", time);
}
