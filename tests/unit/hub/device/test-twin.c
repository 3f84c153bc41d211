/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/device/twin.h"

#include <string.h>

#define GET "$iothub/twin/GET/"
#define PATCH "$iothub/twin/PATCH/properties/reported/"

static const struct {
    const char *topic;
    TwinResult result;
    const char *answer;
} rows[] = {
    {GET "?$rid=1", TWIN_ANSWER, "$iothub/twin/res/200/?$rid=1"},
    {GET "?$rid=0a-b_C.~%20", TWIN_ANSWER, "$iothub/twin/res/200/?$rid=0a-b_C.~%20"},
    {GET "?$rid=1&more=2", TWIN_ANSWER, "$iothub/twin/res/200/?$rid=1"},
    {PATCH "?$rid=7", TWIN_ANSWER, "$iothub/twin/res/501/?$rid=7"},
    {GET, TWIN_SILENT, NULL},
    {GET "?$rid=", TWIN_SILENT, NULL},
    {GET "?$rid=&x=1", TWIN_SILENT, NULL},
    {GET "?rid=1", TWIN_SILENT, NULL},
    {GET "?x=1&$rid=1", TWIN_SILENT, NULL},
    {GET "?$rid=a/b", TWIN_SILENT, NULL},
    {GET "?$rid=#", TWIN_SILENT, NULL},
    {GET "?$rid=+", TWIN_SILENT, NULL},
    {GET "?$rid=\xc3\xbc", TWIN_SILENT, NULL},
    {"$iothub/twin/DELETE/?$rid=1", TWIN_SILENT, NULL},
    {"$iothub/methods/res/200/?$rid=1", TWIN_SILENT, NULL},
    {"$iothub/methods/POST/reboot/?$rid=1", TWIN_OTHER, NULL},
    {"$iothub/streams/res/200/?$rid=1", TWIN_OTHER, NULL},
    {"$iothub/twi", TWIN_OTHER, NULL},
    {"devices/d/messages/events/", TWIN_OTHER, NULL},
    {"", TWIN_OTHER, NULL},
};

static void
test_rows(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *topic = NULL;
        const char *payload = NULL;

        g_test_message("%s", rows[i].topic);
        g_assert_cmpint(twin_answer(slice_of(rows[i].topic), &topic, &payload), ==, rows[i].result);
        g_assert_cmpstr(topic, ==, rows[i].answer);
        g_assert_cmpint(payload != NULL, ==, rows[i].answer != NULL);
    }
}

/* A $rid of 64 bytes is repeated, one more is not. */
static void
test_rid_bound(void)
{
    for (gsize len = TWIN_RID_MAX; len <= TWIN_RID_MAX + 1; len++) {
        g_autofree char *rid = g_strnfill(len, 'r');
        g_autofree char *asked = g_strconcat(GET "?$rid=", rid, NULL);
        g_autofree char *topic = NULL;
        const char *payload = NULL;

        g_assert_cmpint(twin_answer(slice_of(asked), &topic, &payload), ==,
                        len == TWIN_RID_MAX ? TWIN_ANSWER : TWIN_SILENT);
    }
}

static void
test_filters(void)
{
    g_assert_true(twin_filter_is_known(slice_of("$iothub/twin/res/#")));
    g_assert_true(twin_filter_is_known(slice_of("$iothub/twin/PATCH/properties/desired/#")));
    g_assert_false(twin_filter_is_known(slice_of("$iothub/twin/#")));
    g_assert_false(twin_filter_is_known(slice_of("$iothub/methods/POST/#")));
    g_assert_false(twin_filter_is_known(slice_of("#")));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/twin/rows", test_rows);
    g_test_add_func("/twin/rid-bound", test_rid_bound);
    g_test_add_func("/twin/filters", test_filters);
    return g_test_run();
}
