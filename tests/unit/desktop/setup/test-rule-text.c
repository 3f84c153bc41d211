/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules in words. */
#include "desktop/setup/rule-text.h"
#include "desktop/base/item.h"

static const struct {
    const char *rule, *when, *outcome, *limits;
} rows[] = {
    {"{'verdict': <'accept'>}", "every stream", "accepted, to the service of the same name", ""},
    {"{'stream': <'ssh'>, 'initiator': <'alice'>, 'hub': <'office'>, 'verdict': <'accept'>, "
     "'target': <'ssh'>, 'max-streams': <uint32 3>, 'max-duration': <uint64 600000000>}",
     "streams named ssh, opened by alice, through the hub office", "accepted, to the service ssh",
     "at most 3 at once, 10 minutes long"},
    {"{'address': <'10.0.0.0/8'>, 'weekdays': <'mon-fri'>, 'time': <'08:00-18:00'>, 'verdict': "
     "<'reject'>, 'reason': <'not %s'>}",
     "every stream, from the address 10.0.0.0/8, on the days mon-fri, at the time 08:00-18:00",
     "rejected: “not %s”", ""},
    {"{'stream': <'%s'>, 'verdict': <'ask'>, 'target': <'desk'>, 'idle-timeout': <uint64 "
     "1000000>, 'max-rate': <uint32 9>}",
     "streams named %s", "a person is asked, then to the service desk",
     "at most 9 a minute, ended after 1 second without a byte"},
    {"{'verdict': <'accept'>, 'handler': <'notes'>}", "every stream", "accepted, to the app notes",
     ""},
    {"{'verdict': <'later'>}", "every stream", "later", ""},
};

static void
test_words(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GVariant) rule =
            g_variant_parse(G_VARIANT_TYPE_VARDICT, rows[i].rule, NULL, NULL, NULL);
        g_autofree char *when = rule_text_when(rule), *limits = rule_text_limits(rule);
        g_autofree char *outcome = rule_text_outcome(properties_string(rule, "verdict"), rule);

        g_assert_cmpstr(when, ==, rows[i].when);
        g_assert_cmpstr(outcome, ==, rows[i].outcome);
        g_assert_cmpstr(limits, ==, rows[i].limits);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rule-text/words", test_words);
    return g_test_run();
}
