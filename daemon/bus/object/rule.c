/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/object/rule.h"

#include "daemon/bus/error.h"
#include "daemon/bus/limits.h"
#include "daemon/bus/object/resume.h"
#include "daemon/policy/accept-policy.h"

#include <string.h>

int
bus_rule_append_text(sd_bus_message *message, const char *key, const char *value)
{
    if (value == NULL || *value == '\0')
        return 0;
    return sd_bus_message_append(message, "{sv}", key, "s", value);
}

static int
append_conditions(sd_bus_message *message, const AcceptRule *rule)
{
    const struct {
        const char *key, *value;
    } conditions[] = {
        {"hub", rule->hub},         {"stream", rule->stream},     {"initiator", rule->initiator},
        {"address", rule->address}, {"weekdays", rule->weekdays}, {"time", rule->time},
    };
    int r = 0;

    for (guint i = 0; r >= 0 && i < G_N_ELEMENTS(conditions); i++)
        r = bus_rule_append_text(message, conditions[i].key, conditions[i].value);
    return r;
}

static int
append_outcome(sd_bus_message *message, const AcceptRule *rule)
{
    int r;

    r = bus_rule_append_text(message, "verdict", accept_kind_verdict(rule->kind));
    if (r >= 0)
        r = bus_rule_append_text(message, "target", rule->target);
    if (r >= 0)
        r = bus_rule_append_text(message, "handler", rule->handler);
    if (r >= 0 && rule->kind == ACCEPT_HANDLER)
        r = sd_bus_message_append(message, "{sv}", "handler-uid", "u", rule->handler_uid);
    if (r >= 0 && rule->kind == ACCEPT_ASK)
        r = sd_bus_message_append(
            message, "{sv}", "ask-timeout", "t",
            (uint64_t)(rule->ask_timeout ? rule->ask_timeout : ACCEPT_ASK_TIMEOUT));
    if (r >= 0)
        r = bus_rule_append_text(message, "reason", rule->reject_text);
    if (r >= 0 && rule->resume_time != 0)
        r = sd_bus_message_append(message, "{sv}", "resume-time", "t",
                                  (uint64_t)MAX(rule->resume_time, 0));
    return r < 0 ? r : bus_limits_append(message, &rule->limits);
}

int
bus_rule_append(sd_bus_message *message, const AcceptRule *rule)
{
    int r;

    r = sd_bus_message_open_container(message, 'r', "ta{sv}");
    if (r >= 0)
        r = sd_bus_message_append(message, "t", (uint64_t)rule->id);
    if (r >= 0)
        r = sd_bus_message_open_container(message, 'a', "{sv}");
    if (r >= 0)
        r = append_conditions(message, rule);
    if (r >= 0)
        r = append_outcome(message, rule);
    if (r >= 0)
        r = bus_rule_append_text(message, "source", rule->source != NULL ? "config" : "bus");
    if (r >= 0)
        r = sd_bus_message_close_container(message);
    return r < 0 ? r : sd_bus_message_close_container(message);
}

static int
read_kind(const char *verdict, const char *handler, AcceptKind *ret, sd_bus_error *error)
{
    if (g_strcmp0(verdict, "accept") == 0)
        *ret = handler != NULL ? ACCEPT_HANDLER : ACCEPT_TARGET;
    else if (g_strcmp0(verdict, "reject") == 0)
        *ret = ACCEPT_REJECT;
    else if (g_strcmp0(verdict, "ask") == 0)
        *ret = ACCEPT_ASK;
    else
        return bus_error_setf(error, STREAMD_ERROR_INVALID,
                              "a verdict is 'accept', 'reject' or 'ask', not '%.64s'",
                              verdict != NULL ? verdict : "");
    return 0;
}

/* The values that are not limits. */
typedef struct {
    const char *verdict;
    guint32 handler_uid, position;
    guint64 ask_timeout, resume_time;
} Given;

enum {
    GIVEN_POSITION,
    GIVEN_HANDLER_UID,
    GIVEN_ASK_TIMEOUT,
    GIVEN_RESUME_TIME,
    GIVEN_TEXTS,
    GIVEN_LIMITS = GIVEN_TEXTS + 10
};

static int
rule_take(AcceptRule *rule, const Given *given, const BusOption *options, uid_t caller,
          sd_bus_error *error)
{
    int r = 0;

    if (options[GIVEN_HANDLER_UID].given && rule->handler == NULL)
        return bus_error_setf(error, STREAMD_ERROR_INVALID, "handler-uid goes with handler");
    if (options[GIVEN_ASK_TIMEOUT].given &&
        (given->ask_timeout < (guint64)ACCEPT_ASK_TIMEOUT_LEAST ||
         given->ask_timeout > (guint64)ACCEPT_ASK_TIMEOUT_MAX))
        return bus_error_setf(error, STREAMD_ERROR_INVALID,
                              "the time for an answer is 1 to 50 seconds");
    rule->handler_uid = options[GIVEN_HANDLER_UID].given ? given->handler_uid : caller;
    rule->ask_timeout = (gint64)given->ask_timeout;
    if (options[GIVEN_RESUME_TIME].given)
        r = bus_resume_check(given->resume_time, &rule->resume_time, error);
    return r < 0 ? r : read_kind(given->verdict, rule->handler, &rule->kind, error);
}

int
bus_rule_read(sd_bus_message *message, uid_t caller, AcceptRule *ret_rule, int *ret_position,
              sd_bus_error *error)
{
    AcceptRule rule = {0};
    BusLimits limits = {0};
    Given given = {0};
    BusOption options[] = {
        [GIVEN_POSITION] = {"position", 'u', &given.position},
        [GIVEN_HANDLER_UID] = {"handler-uid", 'u', &given.handler_uid},
        [GIVEN_ASK_TIMEOUT] = {"ask-timeout", 't', &given.ask_timeout},
        [GIVEN_RESUME_TIME] = {"resume-time", 't', &given.resume_time},
        [GIVEN_TEXTS] = {"verdict", 's', &given.verdict},
        {"hub", 's', &rule.hub},
        {"stream", 's', &rule.stream},
        {"initiator", 's', &rule.initiator},
        {"address", 's', &rule.address},
        {"weekdays", 's', &rule.weekdays},
        {"time", 's', &rule.time},
        {"target", 's', &rule.target},
        {"handler", 's', &rule.handler},
        {"reason", 's', &rule.reject_text},
        [GIVEN_LIMITS + LIMIT_LAST - 1] = {0},
    };
    BusOption *limit_options = options + GIVEN_LIMITS;
    int r;

    bus_limits_expect(limit_options, &limits);
    r = bus_options_read(message, options, G_N_ELEMENTS(options), error);
    if (r >= 0)
        r = bus_limits_take(limit_options, &limits, &rule.limits, error);
    if (r >= 0)
        r = rule_take(&rule, &given, options, caller, error);
    if (r < 0)
        return r;
    *ret_rule = rule;
    *ret_position = options[GIVEN_POSITION].given ? (int)MIN(given.position, ACCEPT_RULES_MAX) : -1;
    return 0;
}
