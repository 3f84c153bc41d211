/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line: verbs, words, options, and what is refused. */
#include "client/cli/cli.h"
#include "client/cli/nearest.h"

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
    REFUSED("'hub frob'; after 'hub' comes one of: add, list", "hub", "frob");
    REFUSED("'hub lst'; did you mean 'hub list'?", "hub", "lst");
    REFUSED("'hubs'; did you mean 'hub'?", "hubs");
    REFUSED("'hbu'; did you mean 'hub add'?", "hbu", "add");
    REFUSED("'stauts'; did you mean 'status'?", "stauts");
    REFUSED("no option --frob", "status", "--frob");
    REFUSED("--jsn; did you mean --json?", "status", "--jsn");
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

/* Caller frees. */
static char *
help_of(char **argv)
{
    g_auto(Cli) cli = {0};
    g_autoptr(GError) error = NULL;

    g_assert_true(cli_parse(&cli, verbs, "status", argv, &error));
    g_assert_no_error(error);
    g_assert_true(cli.given[OPTION_HELP] || cli.noun_only);
    return cli_help(verbs, &cli);
}

#define HELP_OF(...) help_of((char *[]){(char *)"streamctl", __VA_ARGS__, NULL})

static void
test_help_has_every_verb(void)
{
    g_autofree char *all = HELP_OF("--help");

    for (const Verb *verb = verbs; verb->name != NULL; verb++)
        g_assert_nonnull(g_strstr_len(all, -1, verb->name));
}

static void
test_help_of_a_verb_is_its_own(void)
{
    g_autofree char *one = HELP_OF("hub", "add", "-h");
    g_autofree char *same = HELP_OF("help", "hub", "add");

    g_assert_true(g_str_has_prefix(one, "streamctl hub add NAME [--ca FILE]\n\nAdd\n\nOptions:\n"));
    g_assert_nonnull(g_strstr_len(one, -1, "  --ca=FILE  The certificates"));
    g_assert_nonnull(g_strstr_len(one, -1, "  -j, --json "));
    g_assert_null(g_strstr_len(one, -1, "--listen"));
    g_assert_null(g_strstr_len(one, -1, "hub list"));
    g_assert_cmpstr(one, ==, same);
}

static void
test_help_of_a_noun_lists_its_verbs(void)
{
    g_autofree char *asked = HELP_OF("hub", "--help");
    g_autofree char *alone = HELP_OF("hub");

    g_assert_nonnull(g_strstr_len(asked, -1, "  hub add NAME [--ca FILE]\n      Add\n"));
    g_assert_nonnull(g_strstr_len(asked, -1, "  hub list\n"));
    g_assert_null(g_strstr_len(asked, -1, "connect"));
    g_assert_cmpstr(asked, ==, alone);
}

static void
test_every_option_is_explained(void)
{
    for (guint i = 0; i < OPTION_LAST; i++) {
        const OptionRow *row = option_row((Option)i);

        g_assert_nonnull(row->name);
        if (row->help == NULL || (row->kind == VALUE_NONE) != (row->value == NULL))
            g_error("--%s needs its help, and a name for its value if it takes one", row->name);
    }
}

static void
test_nearest(void)
{
    const char *best = NULL;
    guint distance = 0;

    g_assert_cmpuint(nearest_distance("", ""), ==, 0);
    g_assert_cmpuint(nearest_distance("abc", ""), ==, 3);
    g_assert_cmpuint(nearest_distance("stauts", "status"), ==, 1);
    g_assert_cmpuint(nearest_distance("kitten", "sitting"), ==, 3);
    nearest_consider("lst", "close", &best, &distance);
    g_assert_null(best);
    nearest_consider("lst", "list", &best, &distance);
    nearest_consider("lst", "last", &best, &distance);
    g_assert_cmpstr(best, ==, "list");
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
    g_test_add_func("/cli/help-of-a-verb", test_help_of_a_verb_is_its_own);
    g_test_add_func("/cli/help-of-a-noun", test_help_of_a_noun_lists_its_verbs);
    g_test_add_func("/cli/options-explained", test_every_option_is_explained);
    g_test_add_func("/cli/nearest", test_nearest);
    return g_test_run();
}
