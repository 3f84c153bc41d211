/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line: verbs, words, options, and what is refused. */
#include "common/cli/cli.h"

#include "common/base/nearest.h"

static ExitCode
run_nothing(Cli *cli, GError **error)
{
    return EXIT_CODE_OK;
}

enum { OWN_USER = OPTION_OWN, OWN_SYSTEM, OWN_CA, OWN_WAIT, OWN_HUB, OWN_LISTEN, OWN_LAST };

static const OptionRow own[] = {
    {"user", VALUE_NONE, NULL, "Mine", NULL},
    {"system", VALUE_NONE, NULL, "The machine's", NULL},
    {"ca", VALUE_REQUIRED, "FILE", "The certificates", NULL},
    {"wait", VALUE_OPTIONAL, "SECONDS", "Wait", NULL},
    {"hub", VALUE_REQUIRED, "NAME", "Through it", NULL},
    {"listen", VALUE_REPEATED, "ADDR", "Here", NULL},
};

static const Verb verbs[] = {
    {.name = "status", .run = run_nothing, .arguments = "", .help = "Show", .json = "{...}"},
    {"hub add", 1, 1, OPTION_LIST(OWN_CA), run_nothing, "NAME [--ca FILE]", "Add", NULL, NULL},
    {"hub list", 0, 0, NULL, run_nothing, "", "List", NULL, "[{...}, ...]"},
    {"connect", 2, 2, OPTION_LIST(OWN_WAIT, OWN_HUB), run_nothing, "DEVICE STREAM", "Connect", NULL,
     JSON_REFUSED},
    {"serve", 0, 0, OPTION_LIST(OWN_LISTEN), run_nothing, "", "Serve", NULL, NULL},
    {.name = NULL},
};

static const VerbAlias aliases[] = {
    {{"peer", NULL}, {"hub", NULL}},
    {{"join", "stream"}, {"hub", "add"}},
    {{NULL, NULL}, {NULL, NULL}},
};

static gboolean
check_one(Cli *cli, GError **error)
{
    if (!cli->given[OWN_USER] || !cli->given[OWN_SYSTEM])
        return TRUE;
    cli_fail(error, EXIT_CODE_USAGE, "--user and --system exclude each other");
    return FALSE;
}

static const Program program = {
    .name = "streamtest",
    .manual = "streamtest(1)",
    .verbs = verbs,
    .options = {own, G_N_ELEMENTS(own), OPTION_LIST(OWN_USER, OWN_SYSTEM)},
    .aliases = aliases,
    .default_verb = "status",
    .check = check_one,
};

#define PARSE(cli, error, ...)                                                                     \
    cli_parse(cli, &program, (char *[]){(char *)"streamtest", __VA_ARGS__, NULL}, error)

static void
test_verbs(void)
{
    g_auto(Cli) cli = {0}, other = {0}, empty = {0};
    g_autoptr(GError) error = NULL;
    char *nothing[] = {(char *)"streamtest", NULL};

    g_assert_true(PARSE(&cli, &error, "hub", "add", "--ca", "x.pem", "home"));
    g_assert_cmpstr(cli.verb->name, ==, "hub add");
    g_assert_cmpuint(cli.count, ==, 1);
    g_assert_cmpstr(cli.words[0], ==, "home");
    g_assert_null(cli.words[1]);
    g_assert_cmpstr(cli.values[OWN_CA], ==, "x.pem");
    g_assert_true(PARSE(&other, &error, "--json", "hub", "list"));
    g_assert_cmpstr(other.verb->name, ==, "hub list");
    g_assert_true(other.given[OPTION_JSON]);
    g_assert_true(cli_parse(&empty, &program, nothing, &error));
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
    g_assert_true(bare.given[OWN_WAIT]);
    g_assert_null(bare.values[OWN_WAIT]);
    g_assert_true(PARSE(&given, &error, "connect", "dev", "ssh", "--wait=30"));
    g_assert_true(cli_number(&given, OWN_WAIT, 0, 60, &wait, &error));
    g_assert_cmpuint(wait, ==, 30);
    g_assert_no_error(error);
}

static void
test_words_after_two_dashes(void)
{
    g_auto(Cli) cli = {0};
    g_autoptr(GError) error = NULL;

    g_assert_true(PARSE(&cli, &error, "connect", "--", "--wait", "-x"));
    g_assert_false(cli.given[OWN_WAIT]);
    g_assert_cmpstr(cli.words[0], ==, "--wait");
    g_assert_cmpstr(cli.words[1], ==, "-x");
}

static void
assert_refused(const char *text, char **argv)
{
    g_auto(Cli) cli = {0};
    g_autoptr(GError) error = NULL;

    g_assert_false(cli_parse(&cli, &program, argv, &error));
    g_assert_error(error, EXIT_ERROR, EXIT_CODE_USAGE);
    if (g_strstr_len(error->message, -1, text) == NULL)
        g_error("'%s' does not say '%s'", error->message, text);
}

#define REFUSED(text, ...) assert_refused(text, (char *[]){(char *)"streamtest", __VA_ARGS__, NULL})

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
    REFUSED("--json does not go with 'connect'", "connect", "d", "s", "--json");
    REFUSED("--listen takes a value", "serve", "--listen");
    REFUSED("no verb 'join'", "join", "nothing");
    REFUSED("see streamtest --help", "frob");
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

    g_assert_true(cli_parse(&cli, &program, argv, &error));
    g_assert_no_error(error);
    g_assert_true(cli.given[OPTION_HELP] || cli.noun_only);
    return cli_help(&program, &cli);
}

#define HELP_OF(...) help_of((char *[]){(char *)"streamtest", __VA_ARGS__, NULL})

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

    g_assert_true(
        g_str_has_prefix(one, "streamtest hub add NAME [--ca FILE]\n\nAdd\n\nOptions:\n"));
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
test_help_has_the_exit_codes(void)
{
    g_autofree char *all = g_strdelimit(HELP_OF("--help"), "\n", ' ');

    g_assert_nonnull(g_strstr_len(all, -1, "Exit codes: 0 ok, 1 failed, "));
    for (const ExitCodeRow *row = exit_code_rows(); row->word != NULL; row++) {
        g_autofree char *code = g_strdup_printf(" %d ", (int)row->code);

        g_assert_nonnull(g_strstr_len(all, -1, code));
    }
}

static void
test_repeated_values(void)
{
    g_auto(Cli) cli = {0}, none = {0};
    g_autoptr(GError) error = NULL;
    const char *const *list;

    g_assert_true(PARSE(&cli, &error, "serve", "--listen", "a", "--listen=b", "--listen", "c"));
    list = cli_list(&cli, OWN_LISTEN);
    g_assert_cmpuint(g_strv_length((char **)(guintptr)list), ==, 3);
    g_assert_cmpstr(list[0], ==, "a");
    g_assert_cmpstr(list[1], ==, "b");
    g_assert_cmpstr(list[2], ==, "c");
    g_assert_true(PARSE(&none, &error, "serve"));
    g_assert_null(cli_list(&none, OWN_LISTEN));
    g_assert_no_error(error);
}

static void
test_old_words_work_and_are_not_named(void)
{
    g_auto(Cli) noun = {0}, both = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *all = HELP_OF("--help");
    g_autofree char *asked = HELP_OF("peer", "--help");

    g_assert_true(PARSE(&noun, &error, "--json", "peer", "list"));
    g_assert_cmpstr(noun.verb->name, ==, "hub list");
    g_assert_true(PARSE(&both, &error, "join", "stream", "home"));
    g_assert_cmpstr(both.verb->name, ==, "hub add");
    g_assert_cmpstr(both.words[0], ==, "home");
    g_assert_no_error(error);
    g_assert_null(g_strstr_len(all, -1, "peer"));
    g_assert_null(g_strstr_len(all, -1, "join"));
    g_assert_nonnull(g_strstr_len(asked, -1, "The verbs of 'hub'"));
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

/* As many options as a program may have: each is known, to the verbs that list it alone. */
static void
test_many_options(void)
{
    const guint count = OPTIONS_MAX - OPTION_OWN;
    g_autofree OptionRow *rows = g_new0(OptionRow, count);
    const Option last = OPTIONS_MAX - 1, none[] = {OPTION_NONE};
    const Option list[] = {OPTION_OWN, last, OPTION_NONE};
    const Verb few[] = {{.name = "one", .options = list, .run = run_nothing, .arguments = ""},
                        {.name = "other", .run = run_nothing, .arguments = ""},
                        {.name = NULL}};
    const Program many = {.name = "streamtest", .verbs = few, .options = {rows, count, none}};
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *given = g_strdup_printf("--o%u", last);
    g_auto(Cli) cli = {0}, refused = {0};
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < count; i++) {
        g_ptr_array_add(names, g_strdup_printf("o%u", OPTION_OWN + i));
        rows[i].name = g_ptr_array_index(names, i);
    }
    g_assert_true(cli_parse(&cli, &many,
                            (char *[]){(char *)"streamtest", (char *)"one", given, NULL}, &error));
    g_assert_no_error(error);
    g_assert_true(cli_has_any(&cli, list));
    g_assert_false(cli_has_any(&cli, none));
    for (Option option = 0; option < OPTIONS_MAX; option++) {
        gboolean listed = option == OPTION_OWN || option == last;

        g_assert_cmpint(cli.given[option], ==, option == last);
        g_assert_cmpint(program_takes(&many, &few[0], option), ==, option < OPTION_OWN || listed);
        g_assert_cmpint(program_takes(&many, &few[1], option), ==, option < OPTION_OWN);
    }
    g_assert_false(cli_parse(
        &refused, &many, (char *[]){(char *)"streamtest", (char *)"other", given, NULL}, &error));
    g_assert_error(error, EXIT_ERROR, EXIT_CODE_USAGE);
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
    g_test_add_func("/cli/help-exit-codes", test_help_has_the_exit_codes);
    g_test_add_func("/cli/repeated-values", test_repeated_values);
    g_test_add_func("/cli/old-words", test_old_words_work_and_are_not_named);
    g_test_add_func("/cli/nearest", test_nearest);
    g_test_add_func("/cli/many-options", test_many_options);
    return g_test_run();
}
