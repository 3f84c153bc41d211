/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/error.h"
#include "hub/base/paths.h"
#include "hub/base/settings.h"

#include "hub/base/address.h"

#include <string.h>

static Settings *
parse(const char *text, GError **error)
{
    return settings_parse(text, strlen(text), "hub.conf", error);
}

static void
test_defaults(void)
{
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(Settings) empty = parse("", NULL);

    g_assert_true(memcmp(settings, empty, sizeof *settings) == 0);
    g_assert_cmpint(settings->stream_deadline, ==, 60 * G_TIME_SPAN_SECOND);
    g_assert_cmpuint(settings->unauthenticated_max, ==, 1024);
    g_assert_cmpint(settings->telemetry, ==, TELEMETRY_DROP);
    g_assert_null(settings->records);
    g_assert_null(settings->records_folder);
    g_assert_cmpuint(settings->records_size, ==, 64 << 20);
    g_assert_cmpuint(settings->records_files, ==, 10);
}

static void
test_overlay(void)
{
    g_autoptr(Settings) settings = parse("# of ours\n[other]\nx=1\n[hub]\nstream-deadline = 1.5\n"
                                         "streams-max=7\ntelemetry=refuse\n",
                                         NULL);

    g_assert_nonnull(settings);
    g_assert_cmpint(settings->stream_deadline, ==, 1500 * G_TIME_SPAN_MILLISECOND);
    g_assert_cmpuint(settings->streams_max, ==, 7);
    g_assert_cmpint(settings->telemetry, ==, TELEMETRY_REFUSE);
    g_assert_cmpuint(settings->pending_per_device, ==, 1024);
}

/* Addresses are in lower case, and take force without a start; limits do not. */
static void
test_addresses(void)
{
    g_autoptr(Settings) settings = parse("[hub]\nstreams-max=7\n", NULL);
    g_autoptr(Settings) next = parse("[hub]\npublic-address = Hub.Example.org:8443\n"
                                     "streams-max=7\nproxy-protocol-from=10.0.0.0/8, ::1\n",
                                     NULL);
    g_autoptr(Settings) other = parse("[hub]\npublic-address=\nstreams-max=8\n", NULL);

    g_assert_nonnull(next);
    g_assert_true(settings_limits_equal(settings, next));
    settings_take_reloaded(settings, next);
    g_assert_cmpstr(settings->public_address, ==, "hub.example.org:8443");
    g_assert_cmpstr(settings->proxy_protocol_from, ==, "10.0.0.0/8, ::1");
    g_assert_null(settings->streaming_host);
    g_assert_false(settings_limits_equal(settings, other));
    settings_take_reloaded(settings, other);
    g_assert_null(settings->public_address);
    g_assert_cmpuint(settings->streams_max, ==, 7);
}

/* How much is kept of the records takes force without a start; where they are does not. */
static void
test_records(void)
{
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(Settings) sizes = parse("[hub]\nrecords-size=1M\nrecords-files=3\n", NULL);
    g_autoptr(Settings) off = parse("[hub]\nrecords=OFF\n", NULL);
    g_autoptr(Settings) folder = parse("[hub]\nrecords-folder=/var/log/Hub\n", NULL);

    g_assert_true(settings_limits_equal(settings, sizes));
    settings_take_reloaded(settings, sizes);
    g_assert_cmpuint(settings->records_size, ==, 1 << 20);
    g_assert_cmpuint(settings->records_files, ==, 3);
    g_assert_cmpstr(off->records, ==, "off");
    g_assert_false(settings_limits_equal(settings, off));
    g_assert_cmpstr(folder->records_folder, ==, "/var/log/Hub");
    g_assert_false(settings_limits_equal(settings, folder));
    settings_take_reloaded(settings, folder);
    g_assert_null(settings->records_folder);
}

/* What 0.1.0 called it is still understood, and told about by its new name. */
static void
test_renamed(void)
{
    g_autoptr(Settings) settings = parse("[hub]\npending-per-policy=7\n", NULL);
    g_autofree char *described = settings_describe();

    g_assert_nonnull(settings);
    g_assert_cmpuint(settings->pending_per_user_and_device, ==, 7);
    g_assert_null(strstr(described, "pending-per-policy"));
    g_assert_nonnull(strstr(described, "#pending-per-user-and-device=256\n"));
}

/* A switch of 0.1.0 that is a choice now, and a limit that is kept in another way. */
static void
test_renamed_choice(void)
{
    static const struct {
        const char *text;
        TelemetryRule rule;
    } rows[] = {
        {"[hub]\ndiscard-telemetry=no\n", TELEMETRY_REFUSE},
        {"[hub]\ndiscard-telemetry=false\n", TELEMETRY_REFUSE},
        {"[hub]\ndiscard-telemetry=yes\n", TELEMETRY_DROP},
        {"[hub]\ndiscard-telemetry=true\n", TELEMETRY_DROP},
        {"[hub]\ntelemetry = drop \n", TELEMETRY_DROP},
    };
    g_autoptr(Settings) settings = parse("[hub]\ntakeovers-per-minute=7\n", NULL);
    g_autofree char *described = settings_describe();

    g_assert_cmpuint(settings->reconnects_per_minute, ==, 7);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Settings) one = parse(rows[i].text, NULL);

        g_assert_nonnull(one);
        g_assert_cmpint(one->telemetry, ==, rows[i].rule);
    }
    g_assert_nonnull(strstr(described, "drop or refuse\n#telemetry=drop\n"));
    g_assert_null(strstr(described, "discard-telemetry"));
}

/* A quarter by default, rounded down, and never nothing. */
static void
test_user_share(void)
{
    static const struct {
        guint percent, most, share;
    } rows[] = {{25, 16384, 4096}, {25, 7, 1}, {25, 3, 1}, {100, 7, 7}, {1, 1000000, 10000}};
    g_autoptr(Settings) settings = settings_new();

    g_assert_cmpuint(settings->user_share, ==, 25);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        settings->user_share = rows[i].percent;
        g_assert_cmpuint(settings_user_share(settings, rows[i].most), ==, rows[i].share);
    }
}

static void
test_refused(void)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"[hub]\nstreams-max=7\nstream-max=7\n", "hub.conf:3: no such setting: stream-max"},
        {"[hub]\n\n  stream-deadline=61\n",
         "hub.conf:3: stream-deadline wants seconds from 1 to 60"},
        {"[hub]\nstream-deadline=-1\n", "hub.conf:2: stream-deadline wants"},
        {"[hub]\nstream-deadline=\n", "hub.conf:2: stream-deadline wants"},
        {"[hub]\nstream-deadline=1s\n", "hub.conf:2: stream-deadline wants"},
        {"[hub]\nstream-deadline=nan\n", "hub.conf:2: stream-deadline wants"},
        {"[hub]\nstream-deadline=0x10\n", "hub.conf:2: stream-deadline wants"},
        {"[hub]\nstreams-max=1.5\n", "hub.conf:2: streams-max wants a whole number"},
        {"[hub]\nstreams-max=1e99\n", "hub.conf:2: streams-max wants"},
        {"[hub]\nrekey=maybe\n", "hub.conf:2: rekey wants yes or no"},
        {"[hub]\ntelemetry=no\n", "hub.conf:2: telemetry wants drop or refuse"},
        {"[hub]\ntelemetry=\n", "hub.conf:2: telemetry wants drop or refuse"},
        {"[hub]\ndiscard-telemetry=maybe\n", "hub.conf:2: discard-telemetry wants drop or refuse"},
        {"[other]\nstreams-max=1\n[hub]\nstreams-max=0\n", "hub.conf:4: streams-max wants"},
        {"[hub]\nstreams-max=0\ntokens=1\n",
         "hub.conf:2: streams-max wants a whole number from 1 to 1000000\n"
         "hub.conf:3: no such setting: tokens"},
        {"[hub]\npublic-address=https://hub\n",
         "hub.conf:2: public-address wants a host name or an IPv4 address, maybe with :PORT"},
        {"[hub]\nstreaming-host=[::1]\n", "hub.conf:2: streaming-host wants a host name"},
        {"[hub]\nproxy-protocol-from=10.0.0.1/8\n",
         "hub.conf:2: proxy-protocol-from wants IP addresses and networks"},
        {"[hub]\nrecords=yes\n", "hub.conf:2: records wants file or off"},
        {"[hub]\nrecords-folder=here\n", "hub.conf:2: records-folder wants an absolute path"},
        {"[hub]\nrecords-size=65535\n", "hub.conf:2: records-size wants a size from 64K to 1T"},
        {"[hub]\nrecords-size=1025G\n", "hub.conf:2: records-size wants a size from 64K to 1T"},
        {"[hub]\nrecords-push-url=http://example.org/\n",
         "hub.conf:2: records-push-url wants a url of https://"},
        {"[hub]\nrecords-push-token-file=token\n",
         "hub.conf:2: records-push-token-file wants an absolute path"},
        {"[hub\n", "hub.conf: "},
        {"streams-max=1\n", "hub.conf: "},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Settings) settings = parse(rows[i].text, &error);

        g_assert_null(settings);
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
        if (!g_str_has_prefix(error->message, rows[i].says))
            g_error("\"%s\" instead of \"%s\"", error->message, rows[i].says);
    }
}

/* With the comment signs before them taken away, all settings are there with their defaults. */
static void
test_described(void)
{
    g_autofree char *text = settings_describe();
    g_autoptr(GRegex) regex = g_regex_new("^#(?=[a-z-]+=)", G_REGEX_MULTILINE, 0, NULL);
    g_autofree char *file = g_regex_replace_literal(regex, text, -1, 0, "", 0, NULL);
    g_autoptr(Settings) defaults = settings_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) as_is = parse(text, &error);
    g_autoptr(Settings) settings = parse(file, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(strlen(file) + 25, <, strlen(text)); /* it was more than 25 settings */
    g_assert_true(memcmp(as_is, defaults, sizeof *settings) == 0);
    g_assert_true(memcmp(settings, defaults, sizeof *settings) == 0);
}

static void
test_paths(void)
{
    static const char *const bad[] = {"ca.pem", "/a,b", "/a,", ",", "/a,,/b", " "};
    g_autoptr(GString) many = g_string_new("/0");
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings =
        parse("[hub]\ndevice-ca = /a/B.pem , /c d\ndevice-crl=\n", &error);
    g_auto(GStrv) two = NULL, none = NULL;

    g_assert_no_error(error);
    two = paths_split(settings->device_ca);
    none = paths_split(settings->device_crl);
    g_assert_cmpuint(g_strv_length(two), ==, 2);
    g_assert_cmpstr(two[0], ==, "/a/B.pem");
    g_assert_cmpstr(two[1], ==, "/c d");
    g_assert_cmpuint(g_strv_length(none), ==, 0);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(paths_are_good(bad[i]));
    g_assert_null(parse("[hub]\ndevice-ca=ca.pem\n", NULL));
    for (guint i = 1; i < PATHS_MAX; i++)
        g_string_append_printf(many, ",/%u", i);
    g_assert_true(paths_are_good(many->str));
    g_string_append(many, ",/more");
    g_assert_false(paths_are_good(many->str));
}

/* The listener of the metrics is off by default, wants an address in numbers, and its token. */
static void
test_metrics(void)
{
    static const char *const good[] = {"127.0.0.1:0", "0.0.0.0:65535", "[::1]:9464", "[::]:1"};
    static const char *const bad[] = {"127.0.0.1",      "127.0.0.1:", "127.0.0.1:65536", "::1:80",
                                      "[::1]",          "[]:80",      "localhost:80",    ":80",
                                      "[127.0.0.1]:80", "[::1:80",    "127.0.0.1:-1"};
    g_autoptr(Settings) none = parse("[hub]\nmetrics-token-file = /t\n", NULL);

    g_assert_nonnull(none);
    g_assert_null(none->metrics_listen);
    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *alone = g_strdup_printf("[hub]\nmetrics-listen = %s\n", good[i]);
        g_autofree char *text = g_strconcat(alone, "metrics-token-file = /A b\n", NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(Settings) settings = parse(text, &error);

        g_assert_no_error(error);
        g_assert_cmpstr(settings->metrics_listen, ==, good[i]);
        g_assert_cmpstr(settings->metrics_token_file, ==, "/A b");
        g_assert_null(parse(alone, &error));
        g_assert_cmpstr(error->message, ==, "hub.conf:2: metrics-listen needs metrics-token-file");
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(address_can_listen(bad[i]));
    g_assert_null(parse("[hub]\nmetrics-token-file = t\n", NULL));
}

/* Each text of the table, so that one that is new is in here by itself. */
static void
test_without_texts(void)
{
    g_autofree char *described = settings_describe();
    g_auto(GStrv) lines = g_strsplit(described, "\n", -1);
    g_autoptr(GString) text = g_string_new("[hub]\nstreams-max=7\nmetrics-token-file=/t\n");
    g_autoptr(Settings) all = NULL, none = parse("[hub]\nstreams-max=7\n", NULL);
    static const char *const values[] = {
        "/a", "hub.example", "127.0.0.1", "127.0.0.1:9464", "https://a.example", "off"};
    guint texts = 0;
    Settings copy;

    for (guint i = 0; lines[i]; i++) {
        const char *equals = strchr(lines[i], '=');

        for (guint j = 0; lines[i][0] == '#' && equals && j < G_N_ELEMENTS(values); j++) {
            g_autofree char *line =
                g_strdup_printf("%.*s=%s\n", (int)(equals - lines[i] - 1), lines[i] + 1, values[j]);
            g_autofree char *one = g_strconcat("[hub]\nmetrics-token-file=/t\n", line, NULL);
            g_autoptr(Settings) fits = parse(one, NULL);

            if (!fits)
                continue;
            g_string_append(text, line);
            texts++;
            break;
        }
    }
    all = parse(text->str, NULL);
    g_assert_nonnull(all);
    g_assert_cmpuint(texts, >=, 13);
    g_assert_nonnull(all->records_push_url);
    copy = settings_without_texts(all);
    g_assert_true(memcmp(&copy, none, sizeof copy) == 0);
    g_assert_cmpuint(copy.streams_max, ==, 7);
    g_assert_nonnull(all->records_push_url); /* it keeps its own */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/settings/records", test_records);
    g_test_add_func("/settings/defaults", test_defaults);
    g_test_add_func("/settings/overlay", test_overlay);
    g_test_add_func("/settings/addresses", test_addresses);
    g_test_add_func("/settings/renamed", test_renamed);
    g_test_add_func("/settings/renamed-choice", test_renamed_choice);
    g_test_add_func("/settings/user-share", test_user_share);
    g_test_add_func("/settings/refused", test_refused);
    g_test_add_func("/settings/described", test_described);
    g_test_add_func("/settings/paths", test_paths);
    g_test_add_func("/settings/metrics", test_metrics);
    g_test_add_func("/settings/without-texts", test_without_texts);
    return g_test_run();
}
