/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which topics and filters are those of streams, which are telemetry, and which lead a stream back.
 */
#include "common/topic/stream-topic.h"

#define POST "$iothub/streams/POST/"
#define RES "$iothub/streams/res/"
#define RKEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define GOOD POST "s/?$rid=1&$url=wss%3A%2F%2Fh%3A1%2Fp&$auth=t&$streamd=reason"

static void
test_filters_and_kinds(void)
{
    g_assert_true(stream_filter_is_requests(slice_of("$iothub/streams/POST/#")));
    g_assert_true(stream_filter_is_answers(slice_of("$iothub/streams/res/#")));
    g_assert_false(stream_filter_is_requests(slice_of("$iothub/streams/res/#")));
    g_assert_false(stream_filter_is_answers(slice_of("$iothub/streams/RES/#")));
    g_assert_false(stream_filter_is_requests(slice_of("#")));
    g_assert_false(stream_filter_is_requests(slice_of("$iothub/streams/POST/+/?")));
    g_assert_false(stream_filter_is_requests(slice_of("$iothub/streams/POST/##")));
    g_assert_true(stream_topic_is_answer(slice_of(RES "anything")));
    g_assert_false(stream_topic_is_answer(slice_of("$iothub/streams/res")));
    g_assert_false(stream_topic_is_answer(slice_of(POST "ssh/?$rid=1")));
    g_assert_nonnull(stream_topic_result_text((StreamTopicResult)99));
}

static void
test_telemetry(void)
{
    static const struct {
        const char *topic;
        const char *module;
        gboolean is;
    } rows[] = {
        {"devices/dev1/messages/events/", NULL, TRUE},
        {"devices/dev1/messages/events", NULL, TRUE},
        {"devices/dev1/messages/events/a=b&$.mid=1", NULL, TRUE},
        {"devices/dev1/messages/eventsX", NULL, FALSE},
        {"devices/dev1/messages/", NULL, FALSE},
        {"devices/dev10/messages/events/", NULL, FALSE},
        {"devices/dev/messages/events/", NULL, FALSE},
        {"devices/DEV1/messages/events/", NULL, FALSE},
        {"devices//messages/events/", NULL, FALSE},
        {"/devices/dev1/messages/events/", NULL, FALSE},
        {"devices/dev1/modules/m/messages/events/", NULL, FALSE},
        {"devices/dev1/modules/m/messages/events/", "m", TRUE},
        {"devices/dev1/modules/m2/messages/events/", "m", FALSE},
        {"devices/dev1/messages/events/", "m", FALSE},
        {"", NULL, FALSE},
        {"", "m", FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (stream_topic_is_telemetry(slice_of(rows[i].topic), "dev1", rows[i].module) !=
            rows[i].is)
            g_error("'%s' %s", rows[i].topic, rows[i].is ? "is" : "is not");
}

/* The key may come alone; which stream is led back comes with the key. */
static void
test_resume(void)
{
    static const struct {
        const char *rkey, *resume, *text;
        StreamTopicResult result;
    } rows[] = {
        {NULL, NULL, "", STREAM_TOPIC_OK},
        {RKEY, NULL, "&$rkey=" RKEY, STREAM_TOPIC_OK},
        {RKEY, "a.b-c_d.7", "&$rkey=" RKEY "&$resume=a.b-c_d.7", STREAM_TOPIC_OK},
        {NULL, "a.1", "&$resume=a.1", STREAM_TOPIC_BAD_EXTENSION},
        {RKEY, "a.0", "&$rkey=" RKEY "&$resume=a.0", STREAM_TOPIC_BAD_EXTENSION},
        {RKEY, "a", "&$resume=a&$rkey=" RKEY, STREAM_TOPIC_BAD_EXTENSION},
        {RKEY "A", NULL, "&$rkey=" RKEY "A", STREAM_TOPIC_BAD_EXTENSION},
        {"", NULL, "&$rkey=", STREAM_TOPIC_BAD_EXTENSION},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strconcat(GOOD, rows[i].text, NULL);
        g_autoptr(GString) out = g_string_new(NULL);
        g_auto(StreamRequest) read = {0};
        const StreamRequest request = {.name = "s",
                                       .rid = "1",
                                       .url = "wss://h:1/p",
                                       .token = "t",
                                       .capable = TRUE,
                                       .caps = CAP_REASON,
                                       .deadline = -1,
                                       .rkey = rows[i].rkey,
                                       .resume = rows[i].resume};

        g_test_message("row %u", i);
        g_assert_cmpint(stream_request_build(out, &request), ==, rows[i].result);
        g_assert_cmpstr(out->str, ==, rows[i].result == STREAM_TOPIC_OK ? text : "");
        g_assert_cmpint(stream_request_parse(slice_of(text), &read), ==, rows[i].result);
        if (rows[i].result != STREAM_TOPIC_OK)
            continue;
        g_assert_cmpstr(read.rkey, ==, rows[i].rkey);
        g_assert_cmpstr(read.resume, ==, rows[i].resume);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stream-topic/kinds", test_filters_and_kinds);
    g_test_add_func("/stream-topic/telemetry", test_telemetry);
    g_test_add_func("/stream-topic/resume", test_resume);
    return g_test_run();
}
