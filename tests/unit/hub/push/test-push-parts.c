/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of the push: how much goes out at once, how long it waits, how far it has come. */
#include "common/base/error.h"
#include "hub/base/push-url.h"
#include "hub/push/answer.h"
#include "hub/push/batch.h"

#include <glib/gstdio.h>

#define SECOND G_TIME_SPAN_SECOND

static void
add(Batch *batch, gsize len)
{
    g_autofree char *line = g_strnfill(len - 1, 'x'); /* and its end */

    batch_add(batch, line, len - 1, &(Place){.line = batch_count(batch) + 1});
}

static void
test_records(void)
{
    g_autoptr(Batch) batch = batch_new();

    for (guint i = 1; i <= BATCH_RECORDS; i++) {
        g_assert_false(batch_is_full(batch));
        add(batch, 100);
        g_assert_cmpuint(batch_share(batch, BATCH_RECORDS), ==, i);
    }
    g_assert_true(batch_is_full(batch));
    g_assert_cmpuint(batch_share(batch, 7), ==, 7);
    g_assert_cmpuint(batch_place(batch, 7)->line, ==, 7);
    batch_drop(batch, 7);
    g_assert_cmpuint(batch_count(batch), ==, BATCH_RECORDS - 7);
    g_assert_cmpuint(batch_place(batch, 1)->line, ==, 8);
    g_assert_false(batch_is_full(batch));
}

static void
test_bytes(void)
{
    for (gssize over = -1; over <= 1; over++) {
        g_autoptr(Batch) batch = batch_new();
        g_autoptr(GBytes) text = NULL;

        for (gsize left = BATCH_BYTES; left > LOG_LINE_MAX; left -= LOG_LINE_MAX)
            add(batch, LOG_LINE_MAX);
        add(batch, LOG_LINE_MAX / 2);
        add(batch, (gsize)(LOG_LINE_MAX / 2 + over));
        g_assert_cmpuint(batch_share(batch, BATCH_RECORDS), ==,
                         batch_count(batch) - (over > 0 ? 1 : 0));
        g_assert_true(batch_is_full(batch) == (over >= 0));
        text = batch_text(batch, batch_share(batch, BATCH_RECORDS));
        g_assert_cmpuint(g_bytes_get_size(text), <=, BATCH_BYTES);
        batch_drop(batch, batch_share(batch, BATCH_RECORDS));
        g_assert_cmpuint(batch_count(batch), ==, over > 0 ? 1 : 0);
    }
}

static void
test_waits(void)
{
    static const gint64 most[] = {1, 2, 4, 8, 16, 32, 60, 60};

    for (guint i = 0; i < G_N_ELEMENTS(most); i++) {
        g_assert_cmpint(push_wait(i + 1, 0, 0), ==, most[i] * SECOND);
        g_assert_cmpint(push_wait(i + 1, 0, 1), ==, most[i] * SECOND / 2);
    }
    g_assert_cmpint(push_wait(G_MAXUINT, 0, 0), ==, 60 * SECOND);
    g_assert_cmpint(push_wait(1, 30 * SECOND, 0.5), ==, 30 * SECOND);
    g_assert_cmpint(push_wait(9, 3 * SECOND, 0), ==, 60 * SECOND);
}

static void
test_retry_after(void)
{
    static const struct {
        const char *text;
        gint64 seconds;
    } rows[] = {
        {NULL, 0},
        {"", 0},
        {"0", 0},
        {"120", 120},
        {"3600", 3600},
        {"3601", 3600},
        {"4294967295", 3600},
        {"99999999999999999999", 0},
        {"-1", 0},
        {"soon", 0},
        {"1.5", 0},
        {"Mon, 30 Nov 2026 18:43:28 GMT", 60},
        {"Mon, 30 Nov 2026 18:41:28 GMT", 0},
        {"Tue, 30 Nov 2027 18:41:28 GMT", 3600},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpint(push_retry_after(rows[i].text, G_GINT64_CONSTANT(1796064148) * SECOND), ==,
                        rows[i].seconds * SECOND);
    g_assert_true(push_answer_is_good(200) && push_answer_is_good(204) && push_answer_is_good(299));
    g_assert_false(push_answer_is_good(0) || push_answer_is_good(199) || push_answer_is_good(300) ||
                   push_answer_is_good(307));
}

/* What Retry-After counts with, and what is the fault of the records: of all statuses. */
static void
test_statuses(void)
{
    for (guint status = 0; status < 1000; status++) {
        g_assert_true(push_answer_asks_to_wait(status) == (status == 429 || status == 503));
        g_assert_true(push_answer_blames_records(status) == (status == 400 || status == 413));
    }
}

static void
test_urls(void)
{
    static const struct {
        const char *url;
        gboolean good;
    } rows[] = {
        {"https://siem.example.org/records", TRUE},
        {"https://siem.example.org:8443/a?b=c", TRUE},
        {"https://192.0.2.1/", TRUE},
        {"HTTPS://siem.example.org/", TRUE},
        {"http://127.0.0.1:8080/", TRUE},
        {"http://127.255.0.1/", TRUE},
        {"http://[::1]:8080/", TRUE},
        {"http://localhost/", TRUE},
        {"http://siem.example.org/", FALSE},
        {"http://localhost.example.org/", FALSE},
        {"http://128.0.0.1/", FALSE},
        {"http://0.0.0.0/", FALSE},
        {"http://127.0.0.1.example.org/", FALSE},
        {"https://user@siem.example.org/", FALSE},
        {"https://user:secret@siem.example.org/", FALSE},
        {"https://siem.example.org/#x", FALSE},
        {"https://", FALSE},
        {"https:///path", FALSE},
        {"ftp://siem.example.org/", FALSE},
        {"siem.example.org", FALSE},
        {"", FALSE},
        {"https://exa mple.org/", FALSE},
    };
    g_autofree char *tail = g_strnfill(2048 - strlen("https://a/"), 'x');
    g_autofree char *longest = g_strconcat("https://a/", tail, NULL);
    g_autofree char *longer = g_strconcat(longest, "x", NULL);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("%s", rows[i].url);
        g_assert_true(push_url_is_good(rows[i].url) == rows[i].good);
    }
    g_assert_true(push_url_is_good(longest));
    g_assert_false(push_url_is_good(longer));
}

/* What stands in the file is taken, or is an error; nothing else. */
static void
test_position(void)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"inode\":1,\"offset\":2,\"line\":3,\"hash\":\"ab\",\"first\":\"\",\"waiting\":[]}",
        "{\"inode\":-1,\"offset\":2,\"line\":3,\"hash\":\"\",\"first\":\"\",\"waiting\":[]}",
        "{\"inode\":1,\"offset\":2,\"line\":3,\"hash\":\"\",\"first\":\"\"}",
        "{\"inode\":1,\"offset\":2,\"line\":3,\"hash\":\"\",\"waiting\":[]}",
        "{\"inode\":1,\"offset\":2,\"line\":3,\"hash\":\"\",\"first\":\"x\",\"waiting\":[]}",
        "{\"inode\":1,\"offset\":2,\"line\":3,\"hash\":\"\",\"first\":\"\",\"waiting\":[1]}",
        "{\"inode\":1,\"offset\":2,\"line\":3,\"hash\":\"\",\"first\":\"\",\"waiting\":[{"
        "\"number\":1}]}",
        "{\"inode\":1,\"inode\":1,\"offset\":2,\"line\":3,\"hash\":\"\",\"first\":\"\",\"waiting\":"
        "[]}",
    };
    g_autofree char *folder = g_dir_make_tmp("push-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, POSITION_FILE, NULL);
    const Place place = {
        .inode = 7, .offset = 8, .line = 9, .hash = LOG_HASH_NONE, .first = LOG_HASH_NONE};
    g_autoptr(GError) error = NULL;
    g_autoptr(Position) position = position_load(folder, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(position_place(position)->hash, ==, "");
    position_set_place(position, &place);
    g_assert_true(position_save(position, &error));
    g_clear_pointer(&position, position_free);
    position = position_load(folder, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(position_place(position)->inode, ==, place.inode);
    g_assert_cmpuint(position_place(position)->offset, ==, place.offset);
    g_assert_cmpuint(position_place(position)->line, ==, place.line);
    g_assert_cmpstr(position_place(position)->hash, ==, place.hash);
    g_assert_cmpstr(position_place(position)->first, ==, place.first);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) damaged = NULL;

        g_assert_true(g_file_set_contents(path, bad[i], -1, NULL));
        g_test_message("%s", bad[i]);
        g_assert_null(position_load(folder, &damaged));
        g_assert_error(damaged, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    }
    (void)g_unlink(path);
    (void)g_rmdir(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/push/records", test_records);
    g_test_add_func("/push/bytes", test_bytes);
    g_test_add_func("/push/waits", test_waits);
    g_test_add_func("/push/retry-after", test_retry_after);
    g_test_add_func("/push/statuses", test_statuses);
    g_test_add_func("/push/urls", test_urls);
    g_test_add_func("/push/position", test_position);
    return g_test_run();
}
