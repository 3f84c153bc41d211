/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which records are taken: every filter, on every kind of record. */
#include "hub/log/filter.h"

#include "log-fixture.h"

/* A line without its end, at a time of 30 November; caller frees. */
static char *
line_of(const char *time, const char *operation, const char *category, const char *more)
{
    g_autoptr(GString) out = g_string_new(NULL);
    char head[LOG_HASH_LEN + 1] = LOG_HASH_NONE;

    fixture_add(out, head, operation, category, more);
    g_string_truncate(out, out->len - 1);
    memcpy(out->str + strlen("{\"time\":\"2026-11-30T"), time, strlen("12:00:00"));
    memcpy(out->str + strlen("{\"time\":\"2026-11-30T12:00:00."), "000", 3);
    return g_strdup(out->str);
}

static gboolean
takes(const LogFilter *filter, const char *line)
{
    LogRecord record;

    g_assert_true(log_record_parse(line, strlen(line), &record));
    return log_filter_takes(filter, &record, line, strlen(line));
}

/* a request of 12 o'clock that failed, the end at 14 o'clock of a stream that was open for an hour
 * and a half, changes of a device, a user and the hub at 16 o'clock */
#define PROPERTIES(device, module)                                                                 \
    "\"properties\":\"{\\\"deviceId\\\":\\\"" device "\\\",\\\"moduleId\\\":\\\"" module "\\\"}\""
enum { REQUEST, END, DEVICE, USER, HUB, REKEY, COUNT };

static char **
lines_new(void)
{
    char **lines = g_new0(char *, COUNT + 1);

    lines[REQUEST] = line_of(
        "12:00:00", "invoke", "DeviceStreams",
        ",\"resultType\":\"404103\",\"resultDescription\":\"DeviceNotOnline\",\"level\":\"Error\","
        "\"durationMs\":\"74\"," PROPERTIES("gw-7",
                                            "") ",\"user\":\"anna\",\"reason\":\"offline\"");
    lines[END] = line_of("14:00:00", "end", "DeviceStreams",
                         ",\"level\":\"Information\",\"durationMs\":\"5400000\"," PROPERTIES(
                             "gw-7", "logger") ",\"user\":\"bob\",\"reason\":\"closed\"");
    lines[DEVICE] = line_of("16:00:00", "device.set", "Registry",
                            ",\"by\":\"anna\",\"what\":\"gw-7/logger\",\"detail\":\"status\"");
    lines[USER] = line_of("16:00:00", "user.add", "Registry",
                          ",\"by\":\"uid:0\",\"what\":\"gw-7\",\"detail\":\"\"");
    lines[HUB] = line_of("16:00:00", "reload", "Hub", ",\"by\":\"uid:0\",\"detail\":\"gw-7 anna\"");
    lines[REKEY] = line_of("16:00:00", "device.rekey", "Registry",
                           ",\"by\":\"device:gw-7\",\"what\":\"gw-70\",\"detail\":\"\"");
    return lines;
}

#define BIT(line) (1U << (line))
#define ALL (BIT(COUNT) - 1)
#define DAY(time) "2026-11-30T" time ".000Z"

static void
test_matrix(void)
{
    static const struct {
        LogFilter filter;
        guint takes; /* BITs of the lines */
    } cells[] = {
        {{.kinds = LOG_KINDS_ALL}, ALL},
        {{.kinds = LOG_KIND_REQUEST}, BIT(REQUEST)},
        {{.kinds = LOG_KIND_END}, BIT(END)},
        {{.kinds = LOG_KIND_CHANGE}, BIT(DEVICE) | BIT(USER) | BIT(HUB) | BIT(REKEY)},
        {{.device = "gw-7", .kinds = LOG_KINDS_ALL},
         BIT(REQUEST) | BIT(END) | BIT(DEVICE) | BIT(REKEY)},
        {{.device = "gw-7", .module = "logger", .kinds = LOG_KINDS_ALL}, BIT(END) | BIT(DEVICE)},
        {{.device = "gw", .kinds = LOG_KINDS_ALL}, 0},
        {{.device = "gw-70", .kinds = LOG_KINDS_ALL}, BIT(REKEY)},
        {{.device = "logger", .kinds = LOG_KINDS_ALL}, 0},
        {{.user = "anna", .kinds = LOG_KINDS_ALL}, BIT(REQUEST) | BIT(DEVICE)},
        {{.user = "bob", .kinds = LOG_KINDS_ALL}, BIT(END)},
        {{.user = "gw-7", .kinds = LOG_KINDS_ALL}, BIT(USER)},
        {{.user = "uid:0", .kinds = LOG_KINDS_ALL}, BIT(USER) | BIT(HUB)},
        {{.result = "ok", .kinds = LOG_KINDS_ALL}, BIT(END)},
        {{.result = "failed", .kinds = LOG_KINDS_ALL}, BIT(REQUEST)},
        {{.result = "404103", .kinds = LOG_KINDS_ALL}, BIT(REQUEST)},
        {{.result = "DeviceNotOnline", .kinds = LOG_KINDS_ALL}, BIT(REQUEST)},
        {{.result = "offline", .kinds = LOG_KINDS_ALL}, BIT(REQUEST)},
        {{.result = "closed", .kinds = LOG_KINDS_ALL}, BIT(END)},
        {{.result = "404", .kinds = LOG_KINDS_ALL}, 0},
        {{.kinds = LOG_KINDS_ALL, .since = DAY("14:00:00")}, ALL & ~BIT(REQUEST)},
        {{.kinds = LOG_KINDS_ALL, .since = DAY("14:00:01")}, ALL & ~BIT(REQUEST) & ~BIT(END)},
        {{.kinds = LOG_KINDS_ALL, .until = DAY("16:00:01")}, ALL},
        /* the end tells of a stream from half past twelve to two */
        {{.kinds = LOG_KINDS_ALL, .until = DAY("13:00:00")}, BIT(REQUEST) | BIT(END)},
        {{.kinds = LOG_KINDS_ALL, .since = DAY("12:45:00"), .until = DAY("13:00:00")}, BIT(END)},
        {{.kinds = LOG_KINDS_ALL, .until = DAY("12:30:01")}, BIT(REQUEST) | BIT(END)},
        {{.kinds = LOG_KINDS_ALL, .until = DAY("12:29:59")}, BIT(REQUEST)},
        {{.device = "gw-8", .kinds = LOG_KINDS_ALL, .until = DAY("13:00:00")}, 0},
        {{.device = "gw-7", .user = "bob", .result = "ok", .kinds = LOG_KIND_END}, BIT(END)},
    };
    g_auto(GStrv) lines = lines_new();

    for (guint i = 0; i < G_N_ELEMENTS(cells); i++)
        for (guint line = 0; line < COUNT; line++) {
            g_test_message("cell %u, line %u", i, line);
            g_assert_cmpint(takes(&cells[i].filter, lines[line]), ==,
                            (cells[i].takes & BIT(line)) != 0);
        }
}

/* What looks like a record but is no JSON is never shown for its members. */
static void
test_not_json(void)
{
    g_autofree char *line = line_of("12:00:00", "end", "DeviceStreams", ",\"user\":\"bob\"garbage");

    g_assert_null(log_entry_parse(line, strlen(line)));
    g_assert_false(takes(&(LogFilter){.user = "bob", .kinds = LOG_KINDS_ALL}, line));
}

static void
test_entry(void)
{
    g_auto(GStrv) lines = lines_new();
    g_autoptr(LogEntry) end = log_entry_parse(lines[END], strlen(lines[END]));
    g_autoptr(LogEntry) change = log_entry_parse(lines[DEVICE], strlen(lines[DEVICE]));
    g_autofree char *odd =
        line_of("12:00:00", "end", "DeviceStreams",
                ",\"durationMs\":\"-1\",\"properties\":\"[1]\",\"bytesToDevice\":-5,\"user\":7");
    g_autoptr(LogEntry) strange = log_entry_parse(odd, strlen(odd));

    g_assert_cmpstr(end->device, ==, "gw-7");
    g_assert_cmpstr(end->module, ==, "logger");
    g_assert_cmpint(end->duration, ==, 5400000);
    g_assert_cmpint(end->to_device, ==, -1);
    g_assert_false(end->failed);
    g_assert_cmpstr(change->user, ==, "anna");
    g_assert_cmpstr(change->what, ==, "gw-7/logger");
    g_assert_cmpstr(change->device, ==, "");
    g_assert_nonnull(strange);
    g_assert_cmpint(strange->duration, ==, -1);
    g_assert_cmpint(strange->to_device, ==, -1);
    g_assert_cmpstr(strange->device, ==, "");
    g_assert_cmpstr(strange->user, ==, "");
}

static void
test_times(void)
{
    char text[LOG_TIME_SIZE];
    gint64 time = 0;

    log_time_format(G_GINT64_CONSTANT(1796064148123456), text);
    g_assert_cmpstr(text, ==, "2026-11-30T18:42:28.123Z");
    g_assert_true(log_time_parse(text, &time));
    g_assert_cmpint(time, ==, G_GINT64_CONSTANT(1796064148123000));
    log_time_format(-1, text);
    g_assert_cmpstr(text, ==, "1970-01-01T00:00:00.000Z");
    log_time_format(G_MAXINT64, text);
    g_assert_cmpstr(text, ==, "9999-12-31T23:59:59.999Z");
    g_assert_false(log_time_parse("2026-13-30T18:42:28.123Z", &time));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log-filter/matrix", test_matrix);
    g_test_add_func("/log-filter/not-json", test_not_json);
    g_test_add_func("/log-filter/entry", test_entry);
    g_test_add_func("/log-filter/times", test_times);
    return g_test_run();
}
