/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/policy/accept-rule.h"

#include "common/base/error.h"

#include <string.h>

static char *
text_or_empty(const char *text)
{
    return g_strdup(text ? text : "");
}

AcceptRule *
accept_rule_copy(const AcceptRule *rule)
{
    AcceptRule *copy = g_new(AcceptRule, 1);

    *copy = *rule;
    copy->hub = text_or_empty(rule->hub);
    copy->stream = text_or_empty(rule->stream);
    copy->initiator = text_or_empty(rule->initiator);
    copy->address = text_or_empty(rule->address);
    copy->weekdays = text_or_empty(rule->weekdays);
    copy->time = text_or_empty(rule->time);
    copy->target = text_or_empty(rule->target);
    copy->handler = text_or_empty(rule->handler);
    copy->reject_text = text_or_empty(rule->reject_text);
    copy->source = g_strdup(rule->source);
    return copy;
}

void
accept_rule_free(AcceptRule *rule)
{
    if (!rule)
        return;
    g_free((char *)rule->hub);
    g_free((char *)rule->stream);
    g_free((char *)rule->initiator);
    g_free((char *)rule->address);
    g_free((char *)rule->weekdays);
    g_free((char *)rule->time);
    g_free((char *)rule->target);
    g_free((char *)rule->handler);
    g_free((char *)rule->reject_text);
    g_free((char *)rule->source);
    g_free(rule);
}

const char *
accept_kind_verdict(AcceptKind kind)
{
    switch (kind) {
    case ACCEPT_TARGET:
    case ACCEPT_HANDLER:
        return "accept";
    case ACCEPT_ASK:
        return "ask";
    case ACCEPT_REJECT:
    default:
        return "reject";
    }
}

static gboolean
text_is_printable(const char *text)
{
    for (const char *c = text; c && *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            return FALSE;
    return TRUE;
}

static gboolean
check_text(const char *what, const char *text, gsize max, GError **error)
{
    if (!text || (text_is_printable(text) && strlen(text) <= max))
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "the %s of the rule must be at most %zu printable ASCII characters", what, max);
    return FALSE;
}

gboolean
accept_reject_text_check(const char *text, GError **error)
{
    return check_text("reject text", text, ACCEPT_TEXT_MAX, error);
}

static gboolean
check_texts(const AcceptRule *rule, GError **error)
{
    return check_text("hub", rule->hub, ACCEPT_PATTERN_MAX, error) &&
           check_text("stream pattern", rule->stream, ACCEPT_PATTERN_MAX, error) &&
           check_text("initiator pattern", rule->initiator, ACCEPT_PATTERN_MAX, error) &&
           check_text("target", rule->target, ACCEPT_PATTERN_MAX, error) &&
           check_text("handler", rule->handler, ACCEPT_HANDLER_MAX, error) &&
           accept_reject_text_check(rule->reject_text, error);
}

static gboolean
refuse(GError **error, const char *text)
{
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, text);
    return FALSE;
}

static gboolean
is_given(const char *text)
{
    return text && *text;
}

/* Each outcome allows its own fields and no others. */
static gboolean
check_outcome(const AcceptRule *rule, GError **error)
{
    gboolean rejects = rule->kind == ACCEPT_REJECT, hands = rule->kind == ACCEPT_HANDLER;

    if (rejects && is_given(rule->target))
        return refuse(error, "a rule that rejects has no target");
    if (!rejects && is_given(rule->reject_text))
        return refuse(error, "a reason goes with the verdict reject");
    if (hands != is_given(rule->handler))
        return refuse(error, "a handler goes with the verdict accept");
    if (hands && is_given(rule->target))
        return refuse(error, "a rule has a target or a handler, not both");
    if (rejects && limits_are_set(&rule->limits))
        return refuse(error, "a rule that rejects has no limits");
    if (rejects && rule->resume_time != 0)
        return refuse(error, "a rule that rejects has no time to resume");
    if (rule->resume_time < ACCEPT_NO_RESUME || rule->resume_time > ACCEPT_RESUME_TIME_MAX)
        return refuse(error, "the time to resume is at most a day");
    if (rule->ask_timeout == 0)
        return TRUE;
    if (rule->kind != ACCEPT_ASK)
        return refuse(error, "a time for the answer goes with the verdict ask");
    if (rule->ask_timeout < ACCEPT_ASK_TIMEOUT_LEAST || rule->ask_timeout > ACCEPT_ASK_TIMEOUT_MAX)
        return refuse(error, "the time for an answer is 1 to 50 seconds");
    return TRUE;
}

static gboolean
parse_parts(const AcceptRule *rule, AcceptParts *parts, GError **error)
{
    *parts = (AcceptParts){0};
    if (is_given(rule->address) && !accept_range_parse(rule->address, &parts->range, error))
        return FALSE;
    if (is_given(rule->weekdays) && !accept_weekdays_parse(rule->weekdays, &parts->when, error))
        return FALSE;
    return !is_given(rule->time) || accept_time_parse(rule->time, &parts->when, error);
}

gboolean
accept_rule_check(const AcceptRule *rule, AcceptParts *ret_parts, GError **error)
{
    AcceptParts parts;

    if (!check_texts(rule, error) || !check_outcome(rule, error) ||
        !parse_parts(rule, &parts, error) || !limits_check(&rule->limits, error))
        return FALSE;
    if (ret_parts)
        *ret_parts = parts;
    return TRUE;
}
