/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a next authority is trusted alone: the time and the proof, each at its bound and one before.
 */
#include "daemon/link/hub-pending.h"

#define SINCE 1800000000

static void
test_ripe(void)
{
    static const struct {
        gint64 after; /* s */
        gboolean proved, pending, ripe;
    } rows[] = {
        {0, TRUE, TRUE, FALSE},
        {HUB_PENDING_S - 1, TRUE, TRUE, FALSE},
        {HUB_PENDING_S, TRUE, TRUE, TRUE},
        {HUB_PENDING_S + 1, TRUE, TRUE, TRUE},
        {HUB_PENDING_S, FALSE, TRUE, FALSE},
        {HUB_PENDING_S * 100, FALSE, TRUE, FALSE},
        {HUB_PENDING_S, TRUE, FALSE, FALSE},
        {-HUB_PENDING_S, TRUE, TRUE, FALSE}, /* the clock was set back */
    };

    g_assert_cmpint(HUB_PENDING_S, ==, 7 * 24 * 3600);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        const HubPending pending = {.next_ca = rows[i].pending ? "x" : NULL,
                                    .next_since = SINCE,
                                    .next_proved = rows[i].proved};

        g_assert_cmpint(hub_pending_is_ripe(&pending, SINCE + rows[i].after), ==, rows[i].ripe);
    }
}

static void
test_copy(void)
{
    HubPending one = {.authority_serial = 7,
                      .next_ca = g_strdup("ca"),
                      .next_since = 8,
                      .next_proved = TRUE,
                      .address_serial = 9,
                      .next_host = g_strdup("host"),
                      .next_port = 10};
    HubPending two = hub_pending_copy(&one);

    g_assert_true(two.next_ca != one.next_ca && two.next_host != one.next_host);
    hub_pending_clear(&one);
    g_assert_null(one.next_ca);
    g_assert_cmpuint(one.authority_serial, ==, 0);
    g_assert_cmpstr(two.next_ca, ==, "ca");
    g_assert_cmpstr(two.next_host, ==, "host");
    g_assert_true(two.authority_serial == 7 && two.next_since == 8 && two.next_proved &&
                  two.address_serial == 9 && two.next_port == 10);
    hub_pending_clear(&two);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hub-pending/ripe", test_ripe);
    g_test_add_func("/hub-pending/copy", test_copy);
    return g_test_run();
}
