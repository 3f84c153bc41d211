/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/setup/rule-text.h"
#include "desktop/base/item.h"

#include <glib/gi18n.h>

/* Appends FORMAT, which has one %s, after a comma. */
static void
append(GString *text, const char *format, const char *value)
{
    g_autoptr(GString) phrase = g_string_new(format);

    if (*value == '\0')
        return;
    (void)g_string_replace(phrase, "%s", value, 1);
    g_string_append(text, text->len > 0 ? ", " : "");
    g_string_append(text, phrase->str);
}

char *
rule_text_when(GVariant *rule)
{
    static const struct {
        const char *key, *format;
    } rows[] = {
        {"stream", N_("streams named %s")}, {"initiator", N_("opened by %s")},
        {"hub", N_("through the hub %s")},  {"address", N_("from the address %s")},
        {"weekdays", N_("on the days %s")}, {"time", N_("at the time %s")},
    };
    g_autoptr(GString) text = g_string_new(NULL);

    if (*properties_string(rule, "stream") == '\0')
        g_string_append(text, _("every stream"));
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        append(text, _(rows[i].format), properties_string(rule, rows[i].key));
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static char *
outcome_target(const char *target, const char *named, const char *same)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (*target == '\0')
        return g_strdup(same);
    append(text, named, target);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

char *
rule_text_outcome(const char *verdict, GVariant *rule)
{
    const char *target = properties_string(rule, "target");
    const char *handler = properties_string(rule, "handler");
    const char *reason = properties_string(rule, "reason");

    if (g_str_equal(verdict, "accept") && *handler != '\0')
        return outcome_target(handler, _("accepted, to the app %s"), "");
    if (g_str_equal(verdict, "accept"))
        return outcome_target(target, _("accepted, to the service %s"),
                              _("accepted, to the service of the same name"));
    if (g_str_equal(verdict, "ask"))
        return outcome_target(target, _("a person is asked, then to the service %s"),
                              _("a person is asked, then to the service of the same name"));
    if (g_str_equal(verdict, "reject"))
        return outcome_target(reason, _("rejected: “%s”"), _("rejected"));
    return g_strdup(verdict); /* of a later version */
}

static char *
time_text(guint64 time)
{
    const guint64 seconds = time / G_USEC_PER_SEC;

    if (seconds >= 3600 && seconds % 3600 == 0)
        return g_strdup_printf(ngettext("%u hour", "%u hours", (unsigned long)(seconds / 3600)),
                               (guint)(seconds / 3600));
    if (seconds >= 60 && seconds % 60 == 0)
        return g_strdup_printf(ngettext("%u minute", "%u minutes", (unsigned long)(seconds / 60)),
                               (guint)(seconds / 60));
    return g_strdup_printf(ngettext("%u second", "%u seconds", (unsigned long)seconds),
                           (guint)seconds);
}

char *
rule_text_limits(GVariant *rule)
{
    static const struct {
        const char *key, *format;
        enum { COUNT, SIZE, TIME } unit;
    } rows[] = {
        {"max-streams", N_("at most %s at once"), COUNT},
        {"max-rate", N_("at most %s a minute"), COUNT},
        {"max-bytes", N_("%s each"), SIZE},
        {"max-duration", N_("%s long"), TIME},
        {"idle-timeout", N_("ended after %s without a byte"), TIME},
        {"stall-timeout", N_("ended when it is stuck for %s"), TIME},
    };
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const guint64 amount = properties_number(rule, rows[i].key);
        g_autofree char *value = rows[i].unit == SIZE   ? g_format_size(amount)
                                 : rows[i].unit == TIME ? time_text(amount)
                                                        : g_strdup_printf("%u", (guint)amount);

        if (amount != 0)
            append(text, _(rows[i].format), value);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}
