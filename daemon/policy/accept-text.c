/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/policy/accept-text.h"

static void
add_condition(GString *text, const char *name, const char *value)
{
    if (value && *value)
        g_string_append_printf(text, " %s=%s", name, value);
}

static void
add_outcome(GString *text, const AcceptRule *rule)
{
    gboolean named = rule->target && *rule->target;

    switch (rule->kind) {
    case ACCEPT_HANDLER:
        g_string_append_printf(text, "accept to the app %s of user %u", rule->handler,
                               rule->handler_uid);
        break;
    case ACCEPT_REJECT:
        g_string_append(text, "reject");
        if (rule->reject_text && *rule->reject_text)
            g_string_append_printf(text, " (%s)", rule->reject_text);
        break;
    default:
        g_string_append_printf(text, "%s %s",
                               rule->kind == ACCEPT_ASK ? "ask, then to" : "accept to",
                               named ? rule->target : "the target named like the stream");
        break;
    }
}

char *
accept_rule_text(const AcceptRule *rule)
{
    GString *text = g_string_new(NULL);
    g_autofree char *limits = limits_text(&rule->limits);

    g_string_printf(text, "rule %u:", rule->id);
    add_condition(text, "hub", rule->hub);
    add_condition(text, "stream", rule->stream);
    add_condition(text, "initiator", rule->initiator);
    add_condition(text, "address", rule->address);
    add_condition(text, "weekdays", rule->weekdays);
    add_condition(text, "time", rule->time);
    g_string_append(text, text->str[text->len - 1] == ':' ? " " : ", ");
    add_outcome(text, rule);
    g_string_append(text, limits);
    if (rule->resume_time != 0)
        g_string_append_printf(text, " resume-time=%gs",
                               (double)MAX(rule->resume_time, 0) / G_USEC_PER_SEC);
    return g_string_free(text, FALSE);
}

char *
accept_default_text(const AcceptPolicy *policy)
{
    const char *reason = NULL;

    if (accept_policy_default(policy, &reason))
        return g_strdup("accept");
    return reason && *reason ? g_strdup_printf("reject: %s", reason) : g_strdup("reject");
}

char *
limits_text(const Limits *limits)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < LIMIT_LAST; i++) {
        const LimitRow *row = limit_row((Limit)i);

        if (limits->of[i] == 0)
            continue;
        if (row->unit == LIMIT_UNIT_TIME)
            g_string_append_printf(text, " %s=%gs", row->key,
                                   (double)limits->of[i] / G_USEC_PER_SEC);
        else
            g_string_append_printf(text, " %s=%" G_GUINT64_FORMAT, row->key, limits->of[i]);
    }
    return g_string_free(text, FALSE);
}

int
accept_policy_position(const AcceptPolicy *policy, guint32 id)
{
    for (guint i = 0; i < accept_policy_size(policy); i++)
        if (accept_policy_get(policy, i)->id == id)
            return (int)i;
    return -1;
}
