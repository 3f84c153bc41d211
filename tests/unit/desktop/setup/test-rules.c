/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When the rules are read, and when a person may be asked for a password: of streamd there is here
 * only what is called. */
#include "desktop/setup/rules.h"
#include "desktop/bus/failure.h"

struct Daemon {
    guint calls, asking; /* asking: those for which a password may be asked */
    gboolean allows;
};

DaemonState
daemon_state(Daemon *daemon)
{
    return DAEMON_PRESENT;
}

void
daemon_call(Daemon *daemon, const DaemonCall *call, GCancellable *cancellable, DaemonDone done,
            void *data)
{
    const gboolean list = g_str_equal(call->method, "List");
    g_autoptr(GVariant) args = call->args == NULL ? NULL : g_variant_ref_sink(call->args);
    g_autoptr(GVariant) result = NULL;
    g_autoptr(GError) error = NULL;

    daemon->calls += list ? 1 : 0;
    daemon->asking += list && !call->unasked ? 1 : 0;
    daemon->allows = daemon->allows || (list && !call->unasked); /* it is the right password */
    if (!daemon->allows)
        error = g_error_new_literal(FAILURE, FAILURE_UNASKED, "this needs an authentication");
    else
        result = g_variant_ref_sink(
            list ? g_variant_new_parsed("([(uint64 7, {'verdict': <'accept'>})],)")
                 : g_variant_new_parsed("({'DefaultVerdict': <'reject'>},)"));
    done(result, NULL, error, data);
}

static guint
count(Rules *rules)
{
    return g_list_model_get_n_items(G_LIST_MODEL(rules_store(rules)));
}

/* The page is shown for a while, and nobody is asked until the user wants it. */
static void
test_denied(void)
{
    Daemon daemon = {0};
    g_autoptr(Rules) rules = rules_new(&daemon);
    g_autoptr(Item) item = NULL;

    rules_set_wanted(rules, TRUE);
    for (guint i = 0; i < 10; i++)
        rules_refresh(rules);
    g_assert_cmpuint(daemon.calls, ==, 1);
    g_assert_cmpuint(daemon.asking, ==, 0);
    g_assert_cmpuint(count(rules), ==, 1);
    item = g_list_model_get_item(G_LIST_MODEL(rules_store(rules)), 0);
    g_assert_cmpstr(item_path(item), ==, RULES_DENIED);
    rules_ask(rules);
    g_assert_cmpuint(daemon.asking, ==, 1);
    g_assert_cmpuint(count(rules), ==, 2); /* one, and the default */
    rules_refresh(rules);
    g_assert_cmpuint(daemon.calls, ==, 3);
    g_assert_cmpuint(daemon.asking, ==, 1);
    daemon.allows = FALSE; /* the password is forgotten after a while */
    rules_refresh(rules);
    g_assert_cmpuint(daemon.asking, ==, 1);
    g_assert_cmpuint(count(rules), ==, 1);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/desktop/rules/denied", test_denied);
    return g_test_run();
}
