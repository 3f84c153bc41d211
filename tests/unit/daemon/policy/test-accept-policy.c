/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/error.h"
#include "daemon/policy/accept-policy.h"

#include <string.h>

static guint32
add(AcceptPolicy *policy, AcceptRule rule, int position)
{
    g_autoptr(GError) error = NULL;
    guint32 id = 0;

    g_assert_true(accept_policy_add(policy, &rule, position, &id, &error));
    g_assert_no_error(error);
    return id;
}

static AcceptVerdict
ask(AcceptPolicy *policy, const char *hub, const char *stream, const char *initiator)
{
    const AcceptRequest request = {.hub = hub, .stream = stream, .initiator = initiator};

    return accept_policy_test(policy, &request, NULL, NULL);
}

static void
test_default(void)
{
    g_autoptr(AcceptPolicy) policy = accept_policy_new();
    AcceptVerdict verdict = ask(policy, "hub", "ssh", NULL);
    const char *text;

    g_assert_false(verdict.kind == ACCEPT_TARGET);
    g_assert_cmpuint(verdict.rule, ==, 0);
    g_assert_cmpstr(verdict.reject_text, ==, "");
    g_assert_true(accept_policy_set_default(policy, TRUE, NULL, NULL));
    verdict = ask(policy, "hub", "ssh", NULL);
    g_assert_true(verdict.kind == ACCEPT_TARGET);
    g_assert_cmpstr(verdict.target, ==, "ssh");
    g_assert_true(accept_policy_set_default(policy, FALSE, "ask Ann", NULL));
    g_assert_false(accept_policy_default(policy, &text));
    g_assert_cmpstr(text, ==, "ask Ann");
}

static void
test_order(void)
{
    g_autoptr(AcceptPolicy) policy = accept_policy_new();
    guint32 all = add(policy, (AcceptRule){.reject_text = "no"}, -1);
    guint32 ssh =
        add(policy, (AcceptRule){.stream = "ssh", .kind = ACCEPT_TARGET, .target = "sshd"}, 0);
    AcceptVerdict verdict = ask(policy, "hub", "ssh", NULL);

    g_assert_true(verdict.kind == ACCEPT_TARGET);
    g_assert_cmpuint(verdict.rule, ==, ssh);
    g_assert_cmpstr(verdict.target, ==, "sshd");
    g_assert_cmpuint(ask(policy, "hub", "http", NULL).rule, ==, all);
    g_assert_true(accept_policy_move(policy, ssh, 99, NULL));
    g_assert_cmpuint(ask(policy, "hub", "ssh", NULL).rule, ==, all);
    g_assert_true(accept_policy_remove(policy, all, NULL));
    g_assert_cmpuint(ask(policy, "hub", "ssh", NULL).rule, ==, ssh);
    g_assert_cmpuint(accept_policy_size(policy), ==, 1);
    g_assert_null(accept_policy_find(policy, all));
}

/* An id is never used twice, so that a client that holds one never means another rule. */
static void
test_ids(void)
{
    g_autoptr(AcceptPolicy) policy = accept_policy_new();
    g_autoptr(GError) error = NULL;
    guint32 first = add(policy, (AcceptRule){0}, -1);

    g_assert_cmpuint(first, ==, ACCEPT_FIRST_RUNTIME_ID);
    g_assert_true(accept_policy_remove(policy, first, NULL));
    g_assert_cmpuint(add(policy, (AcceptRule){0}, -1), ==, first + 1);
    g_assert_false(accept_policy_remove(policy, first, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND);
    accept_policy_set_next_id(policy, 5000);
    g_assert_cmpuint(add(policy, (AcceptRule){0}, -1), ==, 5000);
    g_assert_cmpuint(add(policy, (AcceptRule){.id = 6000}, -1), ==, 6000);
    g_assert_cmpuint(accept_policy_next_id(policy), ==, 6001);
}

static void
test_conditions(void)
{
    g_autoptr(AcceptPolicy) policy = accept_policy_new();

    add(policy,
        (AcceptRule){.hub = "home", .stream = "web-*", .initiator = "ops?", .kind = ACCEPT_TARGET},
        -1);
    g_assert_true(ask(policy, "home", "web-1", "ops2").kind == ACCEPT_TARGET);
    g_assert_cmpstr(ask(policy, "home", "web-1", "ops2").target, ==, "web-1");
    g_assert_false(ask(policy, "work", "web-1", "ops2").kind == ACCEPT_TARGET);
    g_assert_false(ask(policy, "home", "wob-1", "ops2").kind == ACCEPT_TARGET);
    g_assert_false(ask(policy, "home", "web-1", "ops").kind == ACCEPT_TARGET);
    g_assert_false(ask(policy, "home", "web-1", NULL).kind == ACCEPT_TARGET);
    g_assert_false(ask(policy, "hom", "web-1", "ops2").kind == ACCEPT_TARGET);
}

/* Each rule has one condition that does not hold; the last has none. */
static void
test_why(void)
{
    static const char *const keys[] = {"hub", "stream", "initiator", "address", "weekdays", "time"};
    const AcceptRequest request = {.hub = "home",
                                   .stream = "ssh",
                                   .initiator = "ops",
                                   .address = "192.0.2.7:4711",
                                   .at = 12 * G_TIME_SPAN_HOUR}; /* a Thursday in 1970, UTC */
    const AcceptRule rules[] = {
        {.hub = "work", .stream = "x"},
        {.hub = "home", .stream = "web-*"},
        {.stream = "ssh", .initiator = "dev*"},
        {.address = "10.0.0.0/8"},
        {.weekdays = "fri-wed"},
        {.weekdays = "thu", .time = "13:00-11:00"},
        {.hub = "home",
         .stream = "s*",
         .initiator = "o?s",
         .address = "192.0.2.0/24",
         .weekdays = "thu",
         .time = "12:00-12:01",
         .kind = ACCEPT_TARGET},
        {.kind = ACCEPT_REJECT},
    };
    g_autoptr(AcceptPolicy) policy = accept_policy_new();
    AcceptMismatch why[ACCEPT_RULES_MAX];
    AcceptVerdict verdict;
    guint tried;

    for (guint i = 0; i < G_N_ELEMENTS(rules); i++)
        add(policy, rules[i], -1);
    verdict = accept_policy_test(policy, &request, why, &tried);
    g_assert_cmpint(verdict.kind, ==, ACCEPT_TARGET);
    g_assert_cmpuint(verdict.rule, ==, ACCEPT_FIRST_RUNTIME_ID + 6);
    g_assert_cmpuint(tried, ==, G_N_ELEMENTS(keys));
    for (guint i = 0; i < tried; i++)
        g_assert_cmpstr(accept_mismatch_key(why[i]), ==, keys[i]);
}

static void
test_outcomes(void)
{
    g_autoptr(AcceptPolicy) policy = accept_policy_new();
    AcceptVerdict verdict;

    add(policy,
        (AcceptRule){.stream = "app", .kind = ACCEPT_HANDLER, .handler = "echo", .handler_uid = 7},
        -1);
    add(policy,
        (AcceptRule){.stream = "me",
                     .kind = ACCEPT_ASK,
                     .ask_timeout = ACCEPT_ASK_TIMEOUT_LEAST,
                     .limits.of[LIMIT_BYTES] = 5},
        -1);
    add(policy, (AcceptRule){.kind = ACCEPT_ASK, .target = "ssh"}, -1);
    verdict = ask(policy, "hub", "app", NULL);
    g_assert_cmpint(verdict.kind, ==, ACCEPT_HANDLER);
    g_assert_cmpstr(verdict.handler, ==, "echo");
    g_assert_cmpuint(verdict.handler_uid, ==, 7);
    g_assert_null(verdict.target);
    verdict = ask(policy, "hub", "me", NULL);
    g_assert_cmpint(verdict.kind, ==, ACCEPT_ASK);
    g_assert_cmpstr(verdict.target, ==, "me");
    g_assert_cmpint(verdict.ask_timeout, ==, ACCEPT_ASK_TIMEOUT_LEAST);
    g_assert_cmpuint(verdict.limits.of[LIMIT_BYTES], ==, 5);
    verdict = ask(policy, "hub", "else", NULL);
    g_assert_cmpstr(verdict.target, ==, "ssh");
    g_assert_cmpint(verdict.ask_timeout, ==, ACCEPT_ASK_TIMEOUT);
    g_assert_false(limits_are_set(&verdict.limits));
}

static void
test_tighter_limits(void)
{
    const Limits a = {.of = {[LIMIT_BYTES] = 5, [LIMIT_IDLE] = 9}};
    const Limits b = {.of = {[LIMIT_BYTES] = 7, [LIMIT_RATE] = 3}};
    const Limits both = limits_tighter(&a, &b);

    g_assert_cmpuint(both.of[LIMIT_BYTES], ==, 5);
    g_assert_cmpuint(both.of[LIMIT_IDLE], ==, 9);
    g_assert_cmpuint(both.of[LIMIT_RATE], ==, 3);
    g_assert_cmpuint(both.of[LIMIT_STALL], ==, 0);
    g_assert_false(limits_equal(&a, &b));
    g_assert_true(limits_equal(&both, &both));
}

static void
test_config_rules(void)
{
    g_autoptr(AcceptPolicy) policy = accept_policy_new();
    g_autoptr(GError) error = NULL;
    guint32 fixed = add(policy, (AcceptRule){.id = 7, .source = "streamd.conf:3"}, -1);
    guint32 late = add(policy, (AcceptRule){.kind = ACCEPT_TARGET}, 0);

    g_assert_cmpuint(fixed, ==, 7);
    g_assert_cmpuint(accept_policy_get(policy, 0)->id, ==, 7);
    g_assert_cmpuint(accept_policy_get(policy, 1)->id, ==, late);
    g_assert_false(accept_policy_remove(policy, 7, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_DENIED);
    g_assert_true(accept_policy_move(policy, late, 0, NULL));
    g_assert_cmpuint(accept_policy_get(policy, 0)->id, ==, 7);
}

static void
test_refused(void)
{
    g_autoptr(AcceptPolicy) policy = accept_policy_new();
    g_autofree char *longest = g_strnfill(ACCEPT_TEXT_MAX, 'x');
    g_autofree char *too_long = g_strnfill(ACCEPT_TEXT_MAX + 1, 'x');
    const AcceptRule bad[] = {
        {.reject_text = too_long},
        {.reject_text = "a\nb"},
        {.reject_text = "\xc3\xa4"},
        {.stream = "a\tb"},
        {.target = "t"}, /* a rejection with a target */
        {.address = "10.0.0.1/8"},
        {.weekdays = "never"},
        {.time = "9-5"},
        {.kind = ACCEPT_TARGET, .reject_text = "no"},
        {.kind = ACCEPT_TARGET, .handler = "h"},
        {.kind = ACCEPT_HANDLER},
        {.kind = ACCEPT_HANDLER, .handler = "h", .target = "t"},
        {.kind = ACCEPT_TARGET, .ask_timeout = ACCEPT_ASK_TIMEOUT},
        {.kind = ACCEPT_ASK, .ask_timeout = ACCEPT_ASK_TIMEOUT_MAX + 1},
        {.kind = ACCEPT_TARGET, .resume_time = ACCEPT_RESUME_TIME_MAX + 1},
        {.kind = ACCEPT_TARGET, .resume_time = ACCEPT_NO_RESUME - 1},
        {.kind = ACCEPT_REJECT, .resume_time = 1},
        {.kind = ACCEPT_ASK, .ask_timeout = -1},
        {.limits.of[LIMIT_STREAMS] = 1}, /* of a rejection */
        {.kind = ACCEPT_TARGET, .limits.of[LIMIT_RATE] = LIMIT_RATE_MAX + 1},
        {.kind = ACCEPT_TARGET, .limits.of[LIMIT_IDLE] = LIMIT_TIME_LEAST - 1},
    };

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(accept_policy_add(policy, &bad[i], -1, NULL, &error));
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    }
    add(policy, (AcceptRule){.reject_text = longest}, -1);
    g_assert_false(accept_policy_set_default(policy, FALSE, too_long, NULL));
}

static void
test_limit(void)
{
    g_autoptr(AcceptPolicy) policy = accept_policy_new();
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < ACCEPT_RULES_MAX; i++)
        add(policy, (AcceptRule){0}, -1);
    g_assert_false(accept_policy_add(policy, &(AcceptRule){0}, -1, NULL, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT);
}

/* Everything is rejected then, whatever rules come; a copy is free of it. */
static void
test_locked(void)
{
    const AcceptRequest request = {.stream = "ssh"};
    g_autoptr(AcceptPolicy) policy = accept_policy_new(), next = accept_policy_new(), copy = NULL;
    AcceptVerdict verdict;
    guint tried = 7;

    accept_policy_lock(policy, "locked");
    g_assert_true(accept_policy_add(next, &(AcceptRule){.kind = ACCEPT_TARGET}, -1, NULL, NULL));
    g_assert_true(accept_policy_set_default(next, TRUE, NULL, NULL));
    accept_policy_swap(policy, next);
    verdict = accept_policy_test(policy, &request, NULL, &tried);
    g_assert_cmpint(verdict.kind, ==, ACCEPT_REJECT);
    g_assert_cmpstr(verdict.reject_text, ==, "locked");
    g_assert_cmpuint(verdict.rule, ==, 0);
    g_assert_cmpuint(tried, ==, 0);
    g_assert_cmpuint(accept_policy_size(policy), ==, 1);
    copy = accept_policy_copy(policy);
    g_assert_cmpint(accept_policy_test(copy, &request, NULL, NULL).kind, ==, ACCEPT_TARGET);
}

static gboolean
admits(AcceptPolicy *policy, guint32 id, const char *address)
{
    const AcceptRequest request = {.hub = "hub", .stream = "ssh", .address = address};

    return accept_policy_admits(policy, id, &request);
}

/* A stream that a rule had let in, and that is led back: what rejects at all times, in front of
 * that rule, holds for it; what does so at some times does not, and neither does what comes behind.
 */
static void
test_admits(void)
{
    g_autoptr(AcceptPolicy) policy = accept_policy_new();
    const AcceptRule accepting = {.stream = "ssh", .kind = ACCEPT_TARGET, .address = "10.0.0.0/8"};
    guint32 own = add(policy, accepting, -1), first;

    g_assert_true(admits(policy, own, "10.0.0.1"));
    g_assert_false(admits(policy, own, "11.0.0.1"));
    g_assert_false(admits(policy, own + 1, "10.0.0.1"));
    (void)add(policy, (AcceptRule){.kind = ACCEPT_REJECT}, -1);
    (void)add(policy, (AcceptRule){.kind = ACCEPT_REJECT, .stream = "http"}, 0);
    (void)add(policy, (AcceptRule){.kind = ACCEPT_REJECT, .weekdays = "mon-sun"}, 0);
    (void)add(policy, (AcceptRule){.kind = ACCEPT_REJECT, .time = "00:00-12:00"}, 0);
    (void)add(policy, (AcceptRule){.kind = ACCEPT_TARGET, .target = "other"}, 0);
    g_assert_true(admits(policy, own, "10.0.0.1"));
    first = add(policy, (AcceptRule){.kind = ACCEPT_REJECT, .address = "10.1.0.0/16"}, 0);
    g_assert_true(admits(policy, own, "10.0.0.1"));
    g_assert_false(admits(policy, own, "10.1.0.1"));
    g_assert_true(accept_policy_remove(policy, first, NULL));
    g_assert_true(admits(policy, own, "10.1.0.1"));
    /* the default comes behind all of them */
    g_assert_false(admits(policy, 0, "10.0.0.1"));
    g_assert_true(accept_policy_set_default(policy, TRUE, NULL, NULL));
    g_assert_false(admits(policy, 0, "10.0.0.1"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(g_setenv("TZ", "UTC", TRUE));
    g_test_add_func("/accept-policy/default", test_default);
    g_test_add_func("/accept-policy/order", test_order);
    g_test_add_func("/accept-policy/ids", test_ids);
    g_test_add_func("/accept-policy/conditions", test_conditions);
    g_test_add_func("/accept-policy/why", test_why);
    g_test_add_func("/accept-policy/outcomes", test_outcomes);
    g_test_add_func("/accept-policy/tighter-limits", test_tighter_limits);
    g_test_add_func("/accept-policy/config-rules", test_config_rules);
    g_test_add_func("/accept-policy/refused", test_refused);
    g_test_add_func("/accept-policy/limit", test_limit);
    g_test_add_func("/accept-policy/locked", test_locked);
    g_test_add_func("/accept-policy/admits", test_admits);
    return g_test_run();
}
