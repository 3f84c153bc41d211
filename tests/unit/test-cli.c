/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line: verbs, words, options, and what is refused. */
#include "client/cli.h"

static ExitCode
run_nothing(Cli *cli, GError **error)
{
    return EXIT_CODE_OK;
}

static const Verb verbs[] = {
    {"status", 0, 0, 0, run_nothing, "", "Show"},
    {"hub add", 1, 1, OPTION_BIT(OPTION_CA), run_nothing, "NAME [--ca FILE]", "Add"},
    {"hub list", 0, 0, 0, run_nothing, "", "List"},
    {"connect", 2, 2, OPTION_BIT(OPTION_WAIT) | OPTION_BIT(OPTION_HUB), run_nothing,
     "DEVICE STREAM", "Connect"},
    {NULL},
};

#define PARSE(cli, error, ...)                                                                     \
    cli_parse(cli, verbs, "status", (char *[]){(char *)"streamctl", __VA_ARGS__, NULL}, error)

static void
test_verbs(void)
{
    g_auto(Cli) cli = {0}, other = {0}, empty = {0};
    g_autoptr(GError) error = NULL;
    char *nothing[] = {(char *)"streamctl", NULL};

    g_assert_true(PARSE(&cli, &error, "hub", "add", "--ca", "x.pem", "home"));
    g_assert_cmpstr(cli.verb->name, ==, "hub add");
    g_assert_cmpuint(cli.count, ==, 1);
    g_assert_cmpstr(cli.words[0], ==, "home");
    g_assert_null(cli.words[1]);
    g_assert_cmpstr(cli.values[OPTION_CA], ==, "x.pem");
    g_assert_true(PARSE(&other, &error, "--json", "hub", "list"));
    g_assert_cmpstr(other.verb->name, ==, "hub list");
    g_assert_true(other.given[OPTION_JSON]);
    g_assert_true(cli_parse(&empty, verbs, "status", nothing, &error));
    g_assert_cmpstr(empty.verb->name, ==, "status");
    g_assert_no_error(error);
}

static void
test_optional_values(void)
{
    g_auto(Cli) bare = {0}, given = {0};
    g_autoptr(GError) error = NULL;
    guint64 wait = 9;

    /* An optional value is never the next word: "--wait dev" is the device. */
    g_assert_true(PARSE(&bare, &error, "connect", "--wait", "dev", "ssh"));
    g_assert_true(bare.given[OPTION_WAIT]);
    g_assert_null(bare.values[OPTION_WAIT]);
    g_assert_true(PARSE(&given, &error, "connect", "dev", "ssh", "--wait=30"));
    g_assert_true(cli_number(&given, OPTION_WAIT, 0, 60, &wait, &error));
    g_assert_cmpuint(wait, ==, 30);
    g_assert_no_error(error);
}

static void
test_words_after_two_dashes(void)
{
    g_auto(Cli) cli = {0};
    g_autoptr(GError) error = NULL;

    g_assert_true(PARSE(&cli, &error, "connect", "--", "--wait", "-x"));
    g_assert_false(cli.given[OPTION_WAIT]);
    g_assert_cmpstr(cli.words[0], ==, "--wait");
    g_assert_cmpstr(cli.words[1], ==, "-x");
}

static void
assert_refused(const char *text, char **argv)
{
    g_auto(Cli) cli = {0};
    g_autoptr(GError) error = NULL;

    g_assert_false(cli_parse(&cli, verbs, "status", argv, &error));
    g_assert_error(error, EXIT_ERROR, EXIT_CODE_USAGE);
    if (g_strstr_len(error->message, -1, text) == NULL)
        g_error("'%s' does not say '%s'", error->message, text);
}

#define REFUSED(text, ...) assert_refused(text, (char *[]){(char *)"streamctl", __VA_ARGS__, NULL})

static void
test_refusals_say_what_is_wrong(void)
{
    REFUSED("no verb 'frob'", "frob");
    REFUSED("add, list", "hub");
    REFUSED("'hub frob'", "hub", "frob");
    REFUSED("no option --frob", "status", "--frob");
    REFUSED("no option -x", "status", "-x");
    REFUSED("--ca takes a value", "hub", "add", "home", "--ca");
    REFUSED("--json takes no value", "status", "--json=yes");
    REFUSED("--ca does not go with 'status'", "status", "--ca", "x");
    REFUSED("--hub is given twice", "connect", "--hub", "a", "--hub=b", "d", "s");
    REFUSED("DEVICE STREAM", "connect", "dev");
    REFUSED("too much", "hub", "add", "a", "b");
    REFUSED("exclude each other", "status", "--user", "--system");
}

static void
test_numbers(void)
{
    const char *wrong[] = {"", "-1", "61", "1x", " 1", "1.5", NULL};
    guint64 number = 77;

    for (guint i = 0; wrong[i] != NULL; i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(cli_parse_number("N", wrong[i], 0, 60, &number, &error));
        g_assert_error(error, EXIT_ERROR, EXIT_CODE_USAGE);
        g_assert_cmpuint(number, ==, 77);
    }
}

static void
test_help_has_every_verb(void)
{
    g_autofree char *all = cli_help(verbs, NULL);
    g_autofree char *one = cli_help(verbs, &verbs[1]);

    for (const Verb *verb = verbs; verb->name != NULL; verb++)
        g_assert_nonnull(g_strstr_len(all, -1, verb->name));
    g_assert_cmpstr(one, ==, "streamctl hub add NAME [--ca FILE]\n\nAdd\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/verbs", test_verbs);
    g_test_add_func("/cli/optional-values", test_optional_values);
    g_test_add_func("/cli/two-dashes", test_words_after_two_dashes);
    g_test_add_func("/cli/refusals", test_refusals_say_what_is_wrong);
    g_test_add_func("/cli/numbers", test_numbers);
    g_test_add_func("/cli/help", test_help_has_every_verb);
    return g_test_run();
}
