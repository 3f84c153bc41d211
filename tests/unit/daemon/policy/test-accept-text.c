/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/policy/accept-text.h"

typedef struct {
    AcceptRule rule;
    const char *text;
} Row;

static void
test_rules(void)
{
    static const Row rows[] = {
        {{.id = 1}, "rule 1: reject"},
        {{.id = 2, .reject_text = "no", .initiator = "ops"}, "rule 2: initiator=ops, reject (no)"},
        {{.id = 3,
          .kind = ACCEPT_TARGET,
          .target = "ssh",
          .stream = "ssh*",
          .limits.of = {2, 0, 0, 0, 90 * G_USEC_PER_SEC}},
         "rule 3: stream=ssh*, accept to ssh max-streams=2 idle-timeout=90s"},
        {{.id = 4, .kind = ACCEPT_TARGET}, "rule 4: accept to the target named like the stream"},
        {{.id = 5,
          .kind = ACCEPT_ASK,
          .target = "ssh",
          .hub = "h",
          .address = "10.0.0.0/8",
          .weekdays = "mon",
          .time = "08:00-09:00"},
         "rule 5: hub=h address=10.0.0.0/8 weekdays=mon time=08:00-09:00, ask, then to ssh"},
        {{.id = 6, .kind = ACCEPT_HANDLER, .handler = "echo", .handler_uid = 1000},
         "rule 6: accept to the app echo of user 1000"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = accept_rule_text(&rows[i].rule);

        g_assert_cmpstr(text, ==, rows[i].text);
    }
}

static void
test_default(void)
{
    AcceptPolicy *policy = accept_policy_new();
    g_autofree char *first = accept_default_text(policy), *second = NULL, *third = NULL;

    g_assert_cmpstr(first, ==, "reject");
    g_assert_true(accept_policy_set_default(policy, FALSE, "later", NULL));
    second = accept_default_text(policy);
    g_assert_cmpstr(second, ==, "reject: later");
    g_assert_true(accept_policy_set_default(policy, TRUE, NULL, NULL));
    third = accept_default_text(policy);
    g_assert_cmpstr(third, ==, "accept");
    g_assert_true(accept_policy_add(policy, &(AcceptRule){.id = 9}, -1, NULL, NULL));
    g_assert_true(accept_policy_add(policy, &(AcceptRule){.id = 5}, -1, NULL, NULL));
    g_assert_cmpint(accept_policy_position(policy, 5), ==, 1);
    g_assert_cmpint(accept_policy_position(policy, 6), ==, -1);
    accept_policy_free(policy);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/accept-text/rules", test_rules);
    g_test_add_func("/accept-text/default", test_default);
    return g_test_run();
}
