/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/error.h"
#include "daemon/local/target-private.h"

static void
test_good(void)
{
    static const struct {
        const char *text, *host;
        guint16 port;
        const char *path;
    } rows[] = {
        {"tcp:127.0.0.1:22", "127.0.0.1", 22, NULL},
        {"tcp:localhost:65535", "localhost", 65535, NULL},
        {"tcp:web_1.example-2.org:80", "web_1.example-2.org", 80, NULL},
        {"tcp:[::1]:22", "::1", 22, NULL},
        {"tcp:[2001:db8::7]:443", "2001:db8::7", 443, NULL},
        {"unix:/run/app.sock", NULL, 0, "/run/app.sock"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(LocalAddress) address = {0};
        g_autoptr(GError) error = NULL;

        g_assert_true(local_address_parse(rows[i].text, FALSE, &address, &error));
        g_assert_no_error(error);
        g_assert_cmpstr(address.host, ==, rows[i].host);
        g_assert_cmpuint(address.port, ==, rows[i].port);
        g_assert_cmpstr(address.path, ==, rows[i].path);
        g_assert_true(target_check_address(rows[i].text, NULL));
    }
}

static void
test_bad(void)
{
    static const char *const rows[] = {
        "",
        "tcp:",
        "tcp:localhost",
        "tcp:localhost:",
        "tcp:localhost:0",
        "tcp:localhost:65536",
        "tcp:localhost:+22",
        "tcp:localhost: 22",
        "tcp:localhost:22x",
        "tcp::22",
        "tcp:-host:22",
        "tcp:ho st:22",
        "tcp:a/b:22",
        "tcp:::1:22",
        "tcp:[::1]",
        "tcp:[::1]22",
        "tcp:[::1:22",
        "tcp:[127.0.0.1]:22",
        "tcp:[localhost]:22",
        "tcp:host\n:22",
        "TCP:localhost:22",
        "udp:localhost:22",
        "unix:",
        "unix:relative",
        "unix:@abstract",
        "localhost:22",
    };
    g_autofree char *path = g_strnfill(108, 'p');
    g_autofree char *long_unix = g_strdup_printf("unix:/%s", path);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(target_check_address(rows[i], &error));
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, "unix:PATH")); /* says what is right */
    }
    g_assert_false(target_check_address(long_unix, NULL));
}

static void
test_listen(void)
{
    g_auto(LocalAddress) address = {0};

    g_assert_true(local_address_parse("tcp:127.0.0.1:0", TRUE, &address, NULL));
    g_assert_cmpuint(address.port, ==, 0);
}

static void
test_names(void)
{
    g_autofree char *longest = g_strnfill(TARGET_NAME_MAX, 'n');
    g_autofree char *too_long = g_strnfill(TARGET_NAME_MAX + 1, 'n');

    g_assert_true(target_check_name("ssh", NULL));
    g_assert_true(target_check_name("web~1:x.y_z-", NULL));
    g_assert_true(target_check_name(longest, NULL));
    g_assert_false(target_check_name(too_long, NULL));
    g_assert_false(target_check_name("", NULL));
    g_assert_false(target_check_name("..", NULL));
    g_assert_false(target_check_name("a/b", NULL));
}

static void
count_ready(void *data)
{
    ++*(guint *)data;
}

/* The ninth waits until a place is given back; one that stops waiting is not called. */
static void
test_places(void)
{
    g_autoptr(Target) target =
        target_new(&(TargetSettings){.name = "ssh", .address = "tcp:127.0.0.1:22"}, NULL);
    guint ready[3] = {0};
    TargetWaiter waiters[3];

    for (guint i = 0; i < 3; i++)
        waiters[i] = (TargetWaiter){.ready = count_ready, .data = &ready[i]};
    for (guint i = 0; i < TARGET_WAITING_MAX; i++) {
        TargetWaiter waiter = {0};

        g_assert_true(target_take_place(target, &waiter));
    }
    for (guint i = 0; i < 3; i++)
        g_assert_false(target_take_place(target, &waiters[i]));
    target_stop_waiting(target, &waiters[0]);
    target_give_place(target);
    g_assert_cmpuint(ready[0], ==, 0);
    g_assert_cmpuint(ready[1], ==, 1);
    g_assert_cmpuint(ready[2], ==, 0);
    g_assert_cmpuint(target_waiting(target), ==, TARGET_WAITING_MAX);
    target_give_place(target);
    g_assert_cmpuint(ready[2], ==, 1);
    target_give_place(target);
    g_assert_cmpuint(target_waiting(target), ==, TARGET_WAITING_MAX - 1);
}

static void
test_failures(void)
{
    g_autoptr(GError) timed_out = g_error_new_literal(STREAMD_ERROR, STREAMD_ERROR_TIMED_OUT, "");
    g_autoptr(GError) refused = g_error_new_literal(G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED, "");
    g_autoptr(GError) no_host =
        g_error_new_literal(G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "");

    g_assert_cmpint(target_failure(timed_out), ==, REASON_TARGET_TIMED_OUT);
    g_assert_cmpint(target_failure(refused), ==, REASON_TARGET_REFUSED);
    g_assert_cmpint(target_failure(no_host), ==, REASON_TARGET_UNREACHABLE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/target/good", test_good);
    g_test_add_func("/target/bad", test_bad);
    g_test_add_func("/target/listen", test_listen);
    g_test_add_func("/target/names", test_names);
    g_test_add_func("/target/places", test_places);
    g_test_add_func("/target/failures", test_failures);
    return g_test_run();
}
