/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/records/chain.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define WHEN G_GINT64_CONSTANT(1796064148123456) /* 2026-11-30T18:42:28.123Z */

static JsonObject *
read_object(const char *text)
{
    g_autoptr(JsonNode) root = json_from_string(text, NULL);

    g_assert_nonnull(root);
    g_assert_true(JSON_NODE_HOLDS_OBJECT(root));
    return json_object_ref(json_node_get_object(root));
}

static void
test_time(void)
{
    char text[RECORD_TIME_SIZE];

    record_time(WHEN, text);
    g_assert_cmpstr(text, ==, "2026-11-30T18:42:28.123Z");
    record_time(0, text);
    g_assert_cmpstr(text, ==, "1970-01-01T00:00:00.000Z");
    record_time(999999, text);
    g_assert_cmpstr(text, ==, "1970-01-01T00:00:00.999Z");
}

static const RecordStream stream = {.hub = "hub.example",
                                    .device = "gw",
                                    .name = "ssh",
                                    .id = "00ff",
                                    .user = "alice",
                                    .address = "192.0.2.1:5"};

/* Byte for byte what the protocol's document and the reader expect. */
static void
test_shape(void)
{
    const RecordInvoke good = {
        .stream = stream, .version = "2018-08-30-preview", .duration = 74999};
    const RecordInvoke bad = {
        .stream = stream, .code = 404103, .code_name = "DeviceNotOnline", .reason = "offline"};
    const RecordEnd end = {.stream = stream,
                           .duration = 2000,
                           .to_device = 7,
                           .to_service = 9,
                           .reason = "cut",
                           .device_address = "192.0.2.2:6"};
    const RecordChange change = {
        .operation = "device.add", .by = "uid:0", .what = "gw", .detail = "keys"};
    const RecordChange hub = {.operation = "drain", .of_hub = TRUE, .by = "uid:0", .detail = "on"};
    g_autofree char *one = record_invoke(WHEN, &good), *two = record_invoke(WHEN, &bad),
                    *three = record_end(WHEN, &end), *four = record_change(WHEN, &change),
                    *five = record_change(WHEN, &hub),
                    *six = record_start(WHEN, "1.2", CHAIN_NONE, TRUE, 0),
                    *seven = record_file(WHEN, CHAIN_NONE, 12),
                    *anew = record_start(WHEN, "1.2", CHAIN_NONE, FALSE, 12),
                    *eight = record_lost(WHEN, 3, WHEN - 1000000);

    g_assert_cmpstr(
        one, ==,
        "{\"time\":\"2026-11-30T18:42:28.123Z\",\"operationName\":\"invoke\",\"category\":"
        "\"DeviceStreams\",\"resourceId\":\"/streamhub/hub.example\",\"resultType\":\"Success\","
        "\"resultDescription\":\"\",\"level\":\"Information\",\"durationMs\":\"74\",\"properties\":"
        "\"{\\\"deviceId\\\":\\\"gw\\\",\\\"moduleId\\\":\\\"\\\",\\\"sdkVersion\\\":"
        "\\\"2018-08-30-preview\\\",\\\"requestSize\\\":\\\"0\\\",\\\"responseSize\\\":\\\"0\\\","
        "\\\"statusCode\\\":null,\\\"requestName\\\":\\\"ssh\\\",\\\"direction\\\":\\\"c2d\\\"}\","
        "\"location\":\"\",\"streamId\":\"00ff\",\"user\":\"alice\",\"address\":\"192.0.2.1:5\","
        "\"reason\":\"\"");
    g_assert_nonnull(strstr(two, "\"resultType\":\"404103\",\"resultDescription\":"
                                 "\"DeviceNotOnline\",\"level\":\"Error\""));
    g_assert_true(g_str_has_suffix(two, "\"reason\":\"offline\""));
    g_assert_true(g_str_has_suffix(
        three, "\"streamId\":\"00ff\",\"user\":\"alice\",\"address\":\"192.0.2.1:5\","
               "\"deviceAddress\":\"192.0.2.2:6\",\"bytesToDevice\":7,\"bytesToService\":9,"
               "\"reason\":\"cut\",\"detail\":\"\",\"rule\":\"\""));
    g_assert_cmpstr(four, ==,
                    "{\"time\":\"2026-11-30T18:42:28.123Z\",\"operationName\":\"device.add\","
                    "\"category\":\"Registry\",\"by\":\"uid:0\",\"address\":\"\",\"what\":\"gw\","
                    "\"detail\":\"keys\"");
    g_assert_true(
        g_str_has_suffix(five, "\"category\":\"Hub\",\"by\":\"uid:0\",\"detail\":\"on\""));
    g_assert_true(
        g_str_has_suffix(six, "\"version\":\"1.2\",\"previous\":\"" CHAIN_NONE "\",\"torn\":true"));
    g_assert_true(g_str_has_suffix(anew, "\"torn\":false,\"number\":12"));
    g_assert_true(g_str_has_suffix(seven, "\"previous\":\"" CHAIN_NONE "\",\"number\":12"));
    g_assert_true(g_str_has_suffix(eight, "\"count\":3,\"since\":\"2026-11-30T18:42:27.123Z\""));
}

/* RECORD is taken. Whatever is in it: it fits in a line, and is JSON. */
static void
check_whole(char *record)
{
    g_autofree char *line = g_strconcat(record, "}", NULL);
    g_autoptr(JsonObject) object = read_object(line);

    g_assert_cmpuint(strlen(record), <=, CHAIN_RECORD_MAX);
    g_assert_null(strchr(record, '\n'));
    if (json_object_has_member(object, "properties"))
        json_object_unref(read_object(json_object_get_string_member(object, "properties")));
    g_free(record);
}

static void
check_text(const char *text)
{
    const RecordStream most = {text, text, text, text, text, text, text};
    const RecordInvoke invoke = {most,   text, G_MAXUINT64, G_MAXUINT64,
                                 999999, text, text,        G_MAXINT64};
    const RecordEnd end = {most, G_MAXINT64, text, G_MAXUINT64, G_MAXUINT64,
                           text, FALSE,      text, text,        text};
    const RecordChange change = {text, FALSE, text, text, text, text};

    check_whole(record_invoke(WHEN, &invoke));
    check_whole(record_end(WHEN, &end));
    check_whole(record_change(WHEN, &change));
}

static void
test_texts(void)
{
    static const char *const texts[] = {
        "",           "a\"b\\c",      "a\nb\x01\x7f",        "\xff\xc3\x28",
        "gr\xc3\xbc", "\xe2\x80\xae", "{}\"},{\"hash\":\"00"};
    static const gsize lengths[] = {RECORD_TEXT_MAX - 1, RECORD_TEXT_MAX,       RECORD_TEXT_MAX + 1,
                                    RECORD_DETAIL_MAX,   RECORD_DETAIL_MAX + 1, 100000};

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        check_text(texts[i]);
    for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++)
        for (const char *c = "\"\\\n\xff"
                             "a";
             *c; c++) {
            g_autofree char *text = g_strnfill(lengths[i], *c);

            check_text(text);
        }
}

/* At the bound a text is whole, and one past it it says that it was cut. */
static void
test_cut(void)
{
    g_autofree char *whole = g_strnfill(RECORD_TEXT_MAX, 'x');
    g_autofree char *more = g_strnfill(RECORD_TEXT_MAX + 1, 'x');
    const RecordChange at = {.operation = "device.add", .what = whole};
    const RecordChange past = {.operation = "device.add", .what = more};
    g_autofree char *one = record_change(WHEN, &at), *two = record_change(WHEN, &past);

    g_assert_nonnull(strstr(one, whole));
    g_assert_null(strstr(two, whole));
    g_assert_nonnull(strstr(two, "xxx...\""));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/record/time", test_time);
    g_test_add_func("/record/shape", test_shape);
    g_test_add_func("/record/texts", test_texts);
    g_test_add_func("/record/cut", test_cut);
    return g_test_run();
}
