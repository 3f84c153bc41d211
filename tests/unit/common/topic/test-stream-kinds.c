/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which topics and filters are those of streams, and which are telemetry. */
#include "common/topic/stream-topic.h"

#define POST "$iothub/streams/POST/"
#define RES "$iothub/streams/res/"

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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stream-topic/kinds", test_filters_and_kinds);
    g_test_add_func("/stream-topic/telemetry", test_telemetry);
    return g_test_run();
}
