/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* io.streamd.Streamd1.Policy with all that a rule can say, and the limits of targets. */
#include "tests/bus/bus-fixture.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define DAY_USEC ((guint64)24 * 60 * 60 * G_TIME_SPAN_SECOND)

static void
append_array(sd_bus_message *message, GString *text, const char *type)
{
    const char *string;
    uint64_t number;

    g_assert_cmpint(sd_bus_message_enter_container(message, 'a', type), >=, 0);
    g_string_append_c(text, '[');
    if (*type == 's')
        while (sd_bus_message_read(message, "s", &string) > 0)
            g_string_append_printf(text, "%s ", string);
    else
        while (sd_bus_message_read(message, "t", &number) > 0)
            g_string_append_printf(text, "%" G_GUINT64_FORMAT " ", (guint64)number);
    g_string_append_c(text, ']');
    g_assert_cmpint(sd_bus_message_exit_container(message), >=, 0);
}

static char *
read_pair(sd_bus_message *message)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const char *key, *type, *string;
    uint64_t large;
    uint32_t small;

    g_assert_cmpint(sd_bus_message_read(message, "s", &key), >, 0);
    g_string_append_printf(text, "%s=", key);
    g_assert_cmpint(sd_bus_message_peek_type(message, NULL, &type), >, 0);
    g_assert_cmpint(sd_bus_message_enter_container(message, 'v', type), >, 0);
    if (strcmp(type, "s") == 0 && sd_bus_message_read(message, "s", &string) > 0)
        g_string_append(text, string);
    else if (strcmp(type, "u") == 0 && sd_bus_message_read(message, "u", &small) > 0)
        g_string_append_printf(text, "u%u", small);
    else if (strcmp(type, "t") == 0 && sd_bus_message_read(message, "t", &large) > 0)
        g_string_append_printf(text, "t%" G_GUINT64_FORMAT, (guint64)large);
    else
        append_array(message, text, type + 1);
    g_assert_cmpint(sd_bus_message_exit_container(message), >=, 0);
    return g_strdup(text->str);
}

static gint
compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* An a{sv} as "key=value; key=value", in the order of the keys. */
static char *
read_pairs(sd_bus_message *message)
{
    g_autoptr(GPtrArray) pairs = g_ptr_array_new_with_free_func(g_free);

    g_assert_cmpint(sd_bus_message_enter_container(message, 'a', "{sv}"), >=, 0);
    while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
        g_ptr_array_add(pairs, read_pair(message));
        g_assert_cmpint(sd_bus_message_exit_container(message), >=, 0);
    }
    g_assert_cmpint(sd_bus_message_exit_container(message), >=, 0);
    g_ptr_array_sort(pairs, compare_texts);
    g_ptr_array_add(pairs, NULL);
    return g_strjoinv("; ", (char **)pairs->pdata);
}

/* What List says, a rule per line. */
static char *
list_rules(sd_bus *bus)
{
    g_autoptr(sd_bus_message) reply = fixture_call(bus, BUS_ROOT, BUS_POLICY, "List", NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    uint64_t id;

    g_assert_cmpint(sd_bus_message_enter_container(reply, 'a', "(ta{sv})"), >=, 0);
    while (sd_bus_message_enter_container(reply, 'r', "ta{sv}") > 0) {
        g_autofree char *pairs = NULL;

        g_assert_cmpint(sd_bus_message_read(reply, "t", &id), >, 0);
        pairs = read_pairs(reply);
        g_string_append_printf(text, "%u: %s\n", (guint)id, pairs);
        g_assert_cmpint(sd_bus_message_exit_container(reply), >=, 0);
    }
    return g_strdup(text->str);
}

static void
start_again(Fixture *fixture, sd_bus *bus, const char *config)
{
    g_autofree char *path = g_build_filename(fixture->dir, "streamd.conf", NULL);
    const char *const arguments[] = {"--user", "--threads=1", "--config", path, NULL};

    g_assert_true(g_file_set_contents(path, config, -1, NULL));
    g_assert_cmpint(kill(fixture->streamd, SIGTERM), ==, 0);
    g_assert_cmpint(fixture_wait_exit(fixture->streamd), ==, 0);
    fixture->streamd = fixture_spawn(fixture, arguments);
    fixture_wait_name(bus);
}

static void
add_rules(sd_bus *bus)
{
    g_autoptr(sd_bus_message) all = NULL, handler = NULL, other = NULL, ask = NULL, never = NULL;

    all = fixture_call(bus, BUS_ROOT, BUS_POLICY, "Add", "a{sv}", 14, "hub", "s", "office",
                       "stream", "s", "web-*", "initiator", "s", "ops", "address", "s",
                       "10.0.0.0/8", "weekdays", "s", "mon-fri", "time", "s", "08:00-18:00",
                       "verdict", "s", "accept", "target", "s", "www", "max-streams", "u", 4,
                       "max-rate", "u", 30, "max-bytes", "t", (uint64_t)1 << 40, "max-duration",
                       "t", (uint64_t)7200000000, "idle-timeout", "t", (uint64_t)600000000,
                       "stall-timeout", "t", (uint64_t)60000000);
    handler = fixture_call(bus, BUS_ROOT, BUS_POLICY, "Add", "a{sv}", 3, "stream", "s", "app",
                           "verdict", "s", "accept", "handler", "s", "echo");
    other = fixture_call(bus, BUS_ROOT, BUS_POLICY, "Add", "a{sv}", 4, "stream", "s", "theirs",
                         "verdict", "s", "accept", "handler", "s", "echo", "handler-uid", "u", 7);
    ask =
        fixture_call(bus, BUS_ROOT, BUS_POLICY, "Add", "a{sv}", 3, "verdict", "s", "ask",
                     "ask-timeout", "t", (uint64_t)20000000, "resume-time", "t", (uint64_t)5000000);
    never = fixture_call(bus, BUS_ROOT, BUS_POLICY, "Add", "a{sv}", 2, "verdict", "s", "accept",
                         "resume-time", "t", (uint64_t)0);
}

/* Everything that is said comes back, also after a restart, behind what is in the configuration. */
static void
test_rules(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *own = g_strdup_printf("handler-uid=u%u", getuid());
    g_autofree char *before = NULL, *after = NULL;
    g_auto(GStrv) lines = NULL;

    add_rules(bus);
    before = list_rules(bus);
    lines = g_strsplit(before, "\n", -1);
    g_assert_cmpstr(lines[0], ==,
                    "1000: address=10.0.0.0/8; hub=office; idle-timeout=t600000000; initiator=ops; "
                    "max-bytes=t1099511627776; max-duration=t7200000000; max-rate=u30; "
                    "max-streams=u4; source=bus; stall-timeout=t60000000; stream=web-*; "
                    "target=www; time=08:00-18:00; verdict=accept; weekdays=mon-fri");
    g_assert_nonnull(strstr(lines[1], own));
    g_assert_nonnull(strstr(lines[2], "handler-uid=u7"));
    g_assert_cmpstr(lines[3], ==,
                    "1003: ask-timeout=t20000000; resume-time=t5000000; source=bus; verdict=ask");
    g_assert_cmpstr(lines[4], ==, "1004: resume-time=t0; source=bus; verdict=accept");
    start_again(fixture, bus, "[rule 3]\nStream=ssh\nVerdict=ask\nMaxBytes=1K\n");
    after = list_rules(bus);
    g_assert_true(g_str_has_prefix(after, "3: ask-timeout=t30000000; max-bytes=t1024; "
                                          "source=config; stream=ssh; verdict=ask\n"));
    g_assert_true(g_str_has_suffix(after, before));
}

static char *
test_rule(sd_bus *bus, const char *stream, const char *address, uint64_t at)
{
    g_autoptr(sd_bus_message) reply =
        fixture_call(bus, BUS_ROOT, BUS_POLICY, "Test", "sa{sv}", stream, 3, "hub", "s", "office",
                     "address", "s", address, "at", "t", at);
    g_autofree char *details = NULL;
    const char *verdict;
    uint64_t rule;

    g_assert_cmpint(sd_bus_message_read(reply, "st", &verdict, &rule), >, 0);
    details = read_pairs(reply);
    return g_strdup_printf("%s by %u: %s", verdict, (guint)rule, details);
}

/* The first condition that does not hold, of each rule before the one that decides. */
static void
test_why(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autoptr(sd_bus_message) never = NULL, network = NULL, far = NULL;
    g_autofree char *app = NULL, *inside = NULL, *outside = NULL, *late = NULL;

    never = fixture_call(bus, BUS_ROOT, BUS_POLICY, "Add", "a{sv}", 2, "hub", "s", "home",
                         "verdict", "s", "accept");
    network = fixture_call(bus, BUS_ROOT, BUS_POLICY, "Add", "a{sv}", 3, "address", "s",
                           "2001:db8::/32", "verdict", "s", "ask", "max-streams", "u", 1);
    /* Whatever the zone is, two moments half a day apart are not both in one half of the day. */
    far = fixture_call(bus, BUS_ROOT, BUS_POLICY, "Add", "a{sv}", 4, "time", "s", "00:00-12:00",
                       "verdict", "s", "reject", "reason", "s", "not now", "stream", "s", "x*");
    inside = test_rule(bus, "x", "[2001:db8::7]:1", 0);
    g_assert_cmpstr(inside, ==, "ask by 1001: max-streams=u1; target=x; tried=[1000 ]; why=[hub ]");
    app = test_rule(bus, "app", "192.0.2.1", 0);
    g_assert_cmpstr(app, ==, "reject by 0: tried=[1000 1001 1002 ]; why=[hub address stream ]");
    outside = test_rule(bus, "x", "192.0.2.1", 0);
    late = test_rule(bus, "x", "192.0.2.1", (uint64_t)12 * G_TIME_SPAN_HOUR);
    g_assert_cmpstr(outside, !=, late);
    g_assert_true(strstr(outside, "why=[hub address time ]") ||
                  strstr(late, "why=[hub address time ]"));
    g_assert_true(strstr(outside, "reason=not now") || strstr(late, "reason=not now"));
}

/* ADD: the pairs after verdict. */
static void
refused(sd_bus *bus, const char *verdict, const char *key, const char *type, uint64_t number,
        const char *string, const char *says)
{
    g_autofree char *text =
        string ? fixture_fails(bus, "Invalid", BUS_ROOT, BUS_POLICY, "Add", "a{sv}", 2, "verdict",
                               "s", verdict, key, type, string)
        : *type == 'u' ? fixture_fails(bus, "Invalid", BUS_ROOT, BUS_POLICY, "Add", "a{sv}", 2,
                                       "verdict", "s", verdict, key, type, (guint32)number)
                       : fixture_fails(bus, "Invalid", BUS_ROOT, BUS_POLICY, "Add", "a{sv}", 2,
                                       "verdict", "s", verdict, key, type, number);

    if (strstr(text, says) == NULL)
        g_error("\"%s\" does not say \"%s\"", text, says);
}

static void
test_refused(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *after = NULL, *late = NULL;

    refused(bus, "accept", "address", "s", 0, "10.0.0.1/8", "bits set after its prefix");
    refused(bus, "accept", "weekdays", "s", 0, "always", "weekdays are written");
    refused(bus, "accept", "time", "s", 0, "9-5", "a time is written");
    refused(bus, "accept", "ask-timeout", "t", 1000000, NULL, "verdict ask");
    refused(bus, "accept", "handler-uid", "u", 0, NULL, "goes with handler");
    refused(bus, "accept", "reason", "s", 0, "no", "verdict reject");
    refused(bus, "accept", "max-streams", "u", 0, NULL, "at least 1");
    refused(bus, "accept", "max-streams", "u", 16385, NULL, "max-streams is 1 to 16384");
    refused(bus, "accept", "max-streams", "t", 1, NULL, "has the type 't', it takes 'u'");
    refused(bus, "accept", "max-bytes", "t", G_MAXUINT64, NULL, "max-bytes is 1 to");
    refused(bus, "accept", "idle-timeout", "t", 999999, NULL, "idle-timeout is 1000000 to");
    refused(bus, "accept", "idle", "t", 1, NULL, "unknown option 'idle'");
    refused(bus, "reject", "max-rate", "u", 1, NULL, "a rule that rejects has no limits");
    refused(bus, "reject", "handler", "s", 0, "h", "verdict accept");
    refused(bus, "ask", "handler", "s", 0, "h", "verdict accept");
    refused(bus, "ask", "ask-timeout", "t", 50000001, NULL, "1 to 50 seconds");
    refused(bus, "ask", "ask-timeout", "t", G_MAXUINT64, NULL, "1 to 50 seconds");
    refused(bus, "accept", "resume-time", "t", DAY_USEC + 1, NULL, "at most 24 hours");
    refused(bus, "reject", "resume-time", "t", 1, NULL, "a rule that rejects has no time to resume");
    refused(bus, "perhaps", "stream", "s", 0, "x", "'accept', 'reject' or 'ask'");
    late = fixture_fails(bus, "Invalid", BUS_ROOT, BUS_POLICY, "Test", "sa{sv}", "x", 1, "at", "t",
                         G_MAXUINT64);
    after = list_rules(bus);
    g_assert_cmpstr(after, ==, "");
}

static void
test_targets(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autoptr(sd_bus_message) added = NULL;
    g_autofree char *zero = NULL, *unknown = NULL;
    const char *path = BUS_PATH_TARGET "/a";

    added =
        fixture_call(bus, BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", "a", "tcp:127.0.0.1:1",
                     6, "max-streams", "u", 1, "max-rate", "u", 2, "max-bytes", "t", (uint64_t)3,
                     "max-duration", "t", (uint64_t)4000000, "idle-timeout", "t", (uint64_t)5000000,
                     "stall-timeout", "t", (uint64_t)6000000);
    for (guint i = 0; i < 2; i++) {
        g_assert_cmpuint(fixture_number(bus, path, BUS_TARGET, "MaxStreams", 'u'), ==, 1);
        g_assert_cmpuint(fixture_number(bus, path, BUS_TARGET, "MaxRate", 'u'), ==, 2);
        g_assert_cmpuint(fixture_number(bus, path, BUS_TARGET, "MaxBytes", 't'), ==, 3);
        g_assert_cmpuint(fixture_number(bus, path, BUS_TARGET, "MaxDuration", 't'), ==, 4000000);
        g_assert_cmpuint(fixture_number(bus, path, BUS_TARGET, "IdleTimeout", 't'), ==, 5000000);
        g_assert_cmpuint(fixture_number(bus, path, BUS_TARGET, "StallTimeout", 't'), ==, 6000000);
        start_again(fixture, bus, "[target b]\nAddress=tcp:127.0.0.1:1\nIdleTimeout=2min\n");
    }
    g_assert_cmpuint(fixture_number(bus, BUS_PATH_TARGET "/b", BUS_TARGET, "IdleTimeout", 't'), ==,
                     120000000);
    g_assert_cmpuint(fixture_number(bus, BUS_PATH_TARGET "/b", BUS_TARGET, "MaxStreams", 'u'), ==,
                     0);
    zero = fixture_fails(bus, "Invalid", BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", "c",
                         "tcp:127.0.0.1:1", 1, "max-bytes", "t", (uint64_t)0);
    unknown = fixture_fails(bus, "Invalid", BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", "c",
                            "tcp:127.0.0.1:1", 1, "max-lines", "t", (uint64_t)1);
}

#define ADD(path, function)                                                                        \
    g_test_add(path, Fixture, NULL, fixture_set_up, function, fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/policy/rules", test_rules);
    ADD("/policy/why", test_why);
    ADD("/policy/refused", test_refused);
    ADD("/policy/targets", test_targets);
    return g_test_run();
}
