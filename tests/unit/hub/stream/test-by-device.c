/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ids of requests: where they begin, how they wrap, when they are used again, and which answers
 * they are matched with (docs/wire-protocol.md, sections 4a and 8). */
#include "hub/stream/by-device.h"

#include "hub/stream/stream.h"

#define MINUTE (60 * G_TIME_SPAN_SECOND)

static const guint most[] = {RID_PLAIN_MAX, RID_CAPABLE_MAX};

/* Begins at random: of so many devices hardly two begin alike, and both halves are used. */
static void
test_begins_at_random(void)
{
    enum { DEVICES = 200 };
    g_autoptr(ByDevice) table = by_device_new();
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    for (gsize capable = 0; capable < 2; capable++) {
        guint low = 0;

        g_hash_table_remove_all(seen);
        for (guint i = 0; i < DEVICES; i++) {
            g_autofree char *id = g_strdup_printf("dev%u", i);
            guint rid = stream_device_next_rid(by_device_entry(table, id), capable == 1, 1);

            g_assert_cmpuint(rid, >=, 1);
            g_assert_cmpuint(rid, <=, most[capable]);
            low += rid <= most[capable] / 2 ? 1 : 0;
            g_hash_table_add(seen, GUINT_TO_POINTER(rid));
        }
        g_assert_cmpuint(g_hash_table_size(seen), >=, DEVICES - 10);
        g_assert_true(low > DEVICES / 4 && low < DEVICES * 3 / 4);
    }
}

static void
test_counts_and_wraps(void)
{
    g_autoptr(ByDevice) table = by_device_new();
    StreamDevice *device = by_device_entry(table, "dev1");

    for (gsize capable = 0; capable < 2; capable++) {
        device->last_rid[capable] = most[capable] - 2;
        g_assert_cmpuint(stream_device_next_rid(device, capable == 1, 1), ==, most[capable] - 1);
        g_assert_cmpuint(stream_device_next_rid(device, capable == 1, 1), ==, most[capable]);
        g_assert_cmpuint(stream_device_next_rid(device, capable == 1, 1), ==, 1);
    }
}

/* Those that streams still have are passed over, also where the numbers wrap. */
static void
test_passes_over(void)
{
    static const guint used[] = {RID_PLAIN_MAX, 1, 3};
    g_autoptr(ByDevice) table = by_device_new();
    StreamDevice *device = by_device_entry(table, "dev1");
    HubStream streams[G_N_ELEMENTS(used)] = {0};

    for (guint i = 0; i < G_N_ELEMENTS(used); i++) {
        streams[i].rid = used[i];
        streams[i].by_device.data = &streams[i];
        g_queue_push_tail_link(&device->streams, &streams[i].by_device);
    }
    device->last_rid[0] = RID_PLAIN_MAX - 1;
    g_assert_cmpuint(stream_device_next_rid(device, FALSE, 1), ==, 2);
    g_assert_cmpuint(stream_device_next_rid(device, FALSE, 1), ==, 4);
    g_assert_true(stream_device_by_rid(device, 3) == &streams[2]);
    g_assert_null(stream_device_by_rid(device, 2));
    for (guint i = 0; i < G_N_ELEMENTS(used); i++)
        g_queue_unlink(&device->streams, &streams[i].by_device);
}

/* A device that has gone is remembered for RID_REST after its last request, and then forgotten. */
static void
test_remembered(void)
{
    g_autoptr(ByDevice) table = by_device_new();
    StreamDevice *device = by_device_entry(table, "dev1");
    gint64 start = 5 * MINUTE;
    guint rid = stream_device_next_rid(device, TRUE, start);

    by_device_settle(table, device, TRUE, start + 1);
    g_assert_cmpuint(by_device_size(table), ==, 1);
    by_device_settle(table, device, FALSE, start + 1);
    by_device_settle(table, device, FALSE, start + 2); /* twice is once */
    /* Another one that comes and goes is what makes the time pass. */
    by_device_settle(table, by_device_entry(table, "dev2"), FALSE, start + RID_REST);
    g_assert_true(by_device_find(table, "dev1") == device);
    g_assert_null(by_device_find(table, "dev2")); /* it never had a request */
    g_assert_true(by_device_entry(table, "dev1") == device);
    g_assert_cmpuint(stream_device_next_rid(device, TRUE, start + RID_REST), ==,
                     rid % RID_CAPABLE_MAX + 1);
    by_device_settle(table, device, FALSE, start + RID_REST);
    by_device_settle(table, by_device_entry(table, "dev2"), FALSE, start + 2 * RID_REST - 1);
    g_assert_nonnull(by_device_find(table, "dev1"));
    by_device_settle(table, by_device_entry(table, "dev2"), FALSE, start + 2 * RID_REST);
    g_assert_null(by_device_find(table, "dev1"));
    g_assert_cmpuint(by_device_size(table), ==, 0);
}

/* One whose last request is long ago goes at once; one with a stream never. */
static void
test_forgotten(void)
{
    g_autoptr(ByDevice) table = by_device_new();
    StreamDevice *device = by_device_entry(table, "dev1");
    HubStream stream = {.by_device.data = &stream};

    (void)stream_device_next_rid(device, TRUE, 1);
    g_queue_push_tail_link(&device->streams, &stream.by_device);
    by_device_settle(table, device, FALSE, 3 * RID_REST);
    g_assert_nonnull(by_device_find(table, "dev1"));
    g_queue_unlink(&device->streams, &stream.by_device);
    by_device_settle(table, device, FALSE, 3 * RID_REST);
    g_assert_null(by_device_find(table, "dev1"));
}

/* One that was never asked goes at once, also when the machine has just started; and of those whose
 * time is over all go. */
static void
test_all_at_once(void)
{
    g_autoptr(ByDevice) table = by_device_new();

    by_device_settle(table, by_device_entry(table, "dev0"), FALSE, 1);
    g_assert_cmpuint(by_device_size(table), ==, 0);
    for (guint i = 0; i < 5; i++) {
        g_autofree char *id = g_strdup_printf("dev%u", i);
        StreamDevice *device = by_device_entry(table, id);

        (void)stream_device_next_rid(device, TRUE, 1 + i);
        by_device_settle(table, device, FALSE, 1 + i);
    }
    g_assert_cmpuint(by_device_size(table), ==, 5);
    by_device_settle(table, by_device_entry(table, "late"), FALSE, 3 + RID_REST);
    g_assert_cmpuint(by_device_size(table), ==, 2);
}

/* Which answers with the right rid are the stream's: what the device said it can do, what it says.
 */
static void
test_meant(void)
{
    static const struct {
        Caps caps;
        const char *sid;
        gboolean meant;
    } rows[] = {
        {CAPS_ALL, "0a", TRUE},
        {CAPS_ALL, "0b", FALSE},
        {CAPS_ALL, "0A", FALSE},
        {CAPS_ALL, "0a0", FALSE},
        {CAPS_ALL, NULL, FALSE},
        {CAPS_ALL & ~CAP_SID, NULL, TRUE}, /* an older streamd */
        {CAPS_ALL & ~CAP_SID, "0a", TRUE},
        {CAPS_ALL & ~CAP_SID, "0b", FALSE},
        {0, NULL, TRUE}, /* a plain device */
        {0, "0b", FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const HubStream stream = {.id = "0a", .capable = rows[i].caps};
        const StreamAnswer answer = {.accepted = TRUE, .rid = "1", .sid = rows[i].sid};

        g_assert_cmpint(hub_stream_is_meant(&stream, &answer), ==, rows[i].meant);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/by-device/begins-at-random", test_begins_at_random);
    g_test_add_func("/by-device/counts-and-wraps", test_counts_and_wraps);
    g_test_add_func("/by-device/passes-over", test_passes_over);
    g_test_add_func("/by-device/remembered", test_remembered);
    g_test_add_func("/by-device/forgotten", test_forgotten);
    g_test_add_func("/by-device/all-at-once", test_all_at_once);
    g_test_add_func("/by-device/meant", test_meant);
    return g_test_run();
}
