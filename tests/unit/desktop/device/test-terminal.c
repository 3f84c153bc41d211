/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which terminal is taken, and that no name of a device or user is an option of ssh or a word of a
 * shell. */
#include "desktop/device/terminal.h"

#include <string.h>

static char *
only_konsole(const char *program)
{
    return g_str_equal(program, "konsole") ? g_strdup("/usr/bin/konsole") : NULL;
}

static char *
all(const char *program)
{
    return g_strconcat("/bin/", program, NULL);
}

static char *
none(const char *program)
{
    return NULL;
}

static void
check(TerminalFind find, const char *wanted)
{
    static const char *const command[] = {"streamctl", "ssh", "a b;c", NULL};
    g_auto(GStrv) argv = terminal_argv(find, command);
    g_autofree char *text = argv == NULL ? NULL : g_strjoinv("|", argv);

    g_assert_cmpstr(text, ==, wanted);
}

static void
test_choice(void)
{
    check(all, "/bin/xdg-terminal-exec|streamctl|ssh|a b;c");
    check(only_konsole, "/usr/bin/konsole|-e|streamctl|ssh|a b;c");
    check(none, NULL);
}

static void
test_ssh(void)
{
    static const struct {
        const char *user, *device, *wanted; /* NULL: refused */
    } rows[] = {
        {"", "gw-1", "/b/streamctl|ssh|--user|--hub=office|--|gw-1"},
        {"root", "gw-1/edge", "/b/streamctl|ssh|--user|--hub=office|--|root@gw-1/edge"},
        {"", "Pump_7.north:2", "/b/streamctl|ssh|--user|--hub=office|--|Pump_7.north:2"},
        {"", "-oProxyCommand=touch x", NULL},
        {"", "-gw", NULL},
        {"", "", NULL},
        {"", "gw 1", NULL},
        {"", "$(reboot)", NULL},
        {"", "gw\n1", NULL},
        {"-oProxyCommand=x", "gw-1", NULL},
        {"a b", "gw-1", NULL},
        {"a@b", "gw-1", NULL},
        {"$(x)", "gw-1", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(GStrv) argv =
            terminal_ssh("/b/streamctl", "--user", "office", rows[i].user, rows[i].device, &error);
        g_autofree char *text = argv == NULL ? NULL : g_strjoinv("|", argv);

        g_assert_cmpstr(text, ==, rows[i].wanted);
        g_assert_true((error == NULL) == (argv != NULL));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/terminal/choice", test_choice);
    g_test_add_func("/terminal/ssh", test_ssh);
    return g_test_run();
}
