/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One stream and the list of all: how many there may be and of whom, what a stream holds and gives
 * back, and who hears of its end. */
#include "common/base/error.h"
#include "daemon/stream/struct.h"

#include <sys/socket.h>
#include <unistd.h>

#define ALICE 1000
#define BOB 1001
#define ALL 6
#define PER_UID 3

typedef struct {
    Runtime *runtime;
    StreamTable *table;
    guint64 last_id;
    guint removed, moved, ended, cancelled;
    guint32 before;
} Fixture;

static void
ignore(Stream *stream, void *data)
{
}

static void
on_removed(Stream *stream, void *data)
{
    ((Fixture *)data)->removed++;
}

static void
on_moved(Stream *stream, guint32 before, void *data)
{
    ((Fixture *)data)->moved++;
    ((Fixture *)data)->before = before;
}

static const StreamTableEvents events = {ignore, ignore, on_removed, on_moved};

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->runtime = runtime_new(1);
    fixture->table = stream_table_new(fixture->runtime, ALL, PER_UID, &events, fixture);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    stream_table_close_all(fixture->table, REASON_STOPPING);
    runtime_free(fixture->runtime);
    stream_table_free(fixture->table);
}

static void
on_ended(Stream *stream, void *data)
{
    ((Fixture *)data)->ended++;
}

static Stream *
make(Fixture *fixture, StreamRole role, guint32 uid, GError **error)
{
    const StreamInfo info = {
        .id = ++fixture->last_id,
        .role = role,
        .hub = "home",
        .device = "dev1",
        .name = "ssh",
        .owner_uid = uid,
        .ended = on_ended,
        .data = fixture,
    };

    return stream_new(fixture->table, &info, error);
}

/* So many of a user, and in all; one that has ended makes room. Those that came to a device are
 * nobody's until an app takes them. */
static void
test_room(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) over = NULL, all = NULL, taken = NULL;
    Stream *streams[ALL];

    for (guint i = 0; i < PER_UID; i++)
        g_assert_nonnull(streams[i] = make(fixture, STREAM_ROLE_SERVICE, ALICE, NULL));
    g_assert_null(make(fixture, STREAM_ROLE_SERVICE, ALICE, &over));
    g_assert_error(over, STREAMD_ERROR, STREAMD_ERROR_LIMIT);
    for (guint i = PER_UID; i < ALL; i++)
        g_assert_nonnull(streams[i] = make(fixture, STREAM_ROLE_DEVICE, ALICE, NULL));
    g_assert_null(make(fixture, STREAM_ROLE_DEVICE, BOB, &all));
    g_assert_error(all, STREAMD_ERROR, STREAMD_ERROR_LIMIT);
    g_assert_false(stream_take(streams[PER_UID], ALICE, &taken));
    g_assert_error(taken, STREAMD_ERROR, STREAMD_ERROR_LIMIT);
    g_assert_cmpuint(fixture->moved, ==, 0);
    stream_close(streams[0], REASON_CANCELLED);
    g_assert_true(stream_take(streams[PER_UID], ALICE, NULL)); /* and that one counts now */
    g_assert_cmpuint(fixture->moved, ==, 0);                   /* it was hers before, by name */
    g_assert_null(make(fixture, STREAM_ROLE_SERVICE, ALICE, NULL));
    g_assert_true(stream_take(streams[PER_UID + 1], BOB, NULL));
    g_assert_cmpuint(fixture->moved, ==, 1);
    g_assert_cmpuint(fixture->before, ==, ALICE);
    g_assert_nonnull(make(fixture, STREAM_ROLE_SERVICE, BOB, NULL));
    g_assert_null(make(fixture, STREAM_ROLE_SERVICE, BOB, NULL)); /* in all */
    g_assert_cmpuint(stream_table_open(fixture->table), ==, ALL);
}

/* It ends once, and what was on its way for it is stopped once. */
static void
on_cancel(void *data)
{
    ((Fixture *)data)->cancelled++;
}

static void
test_ends_once(Fixture *fixture, gconstpointer data)
{
    Stream *stream = make(fixture, STREAM_ROLE_SERVICE, ALICE, NULL);

    stream_set_handshake(stream, on_cancel, fixture);
    stream_close(stream, REASON_CLOSED_BY_USER);
    g_assert_cmpuint(fixture->ended, ==, 1);
    g_assert_cmpuint(fixture->cancelled, ==, 1);
    stream_close(stream, REASON_HUB_STOPPING);
    g_assert_cmpuint(fixture->ended, ==, 1);
    g_assert_cmpuint(fixture->cancelled, ==, 1);
    g_assert_cmpint(stream_reason(stream), ==, REASON_CLOSED_BY_USER);
    g_assert_cmpuint(stream_table_open(fixture->table), ==, 0);
}

/* Of several limits the tighter one holds, whichever came first; what was counted is given back. */
static void
test_limits(Fixture *fixture, gconstpointer data)
{
    const Limits one = {.of = {[LIMIT_STREAMS] = 1, [LIMIT_BYTES] = 500, [LIMIT_IDLE] = 9}};
    const Limits other = {.of = {[LIMIT_BYTES] = 700, [LIMIT_DURATION] = 5, [LIMIT_IDLE] = 7}};
    g_autoptr(GError) error = NULL;
    Stream *first = make(fixture, STREAM_ROLE_DEVICE, ALICE, NULL);
    Stream *second = make(fixture, STREAM_ROLE_DEVICE, ALICE, NULL);

    g_assert_true(stream_limit(first, "rule 1", &one, NULL));
    g_assert_true(stream_limit(first, "target t", &other, NULL));
    g_assert_cmpuint(first->limits.of[LIMIT_BYTES], ==, 500);
    g_assert_cmpuint(first->limits.of[LIMIT_DURATION], ==, 5);
    g_assert_cmpuint(first->limits.of[LIMIT_IDLE], ==, 7);
    g_assert_false(stream_limit(second, "rule 1", &one, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT);
    stream_close(first, REASON_CANCELLED);
    g_assert_true(stream_limit(second, "rule 1", &one, NULL));
}

static gboolean
is_cut(gpointer data)
{
    const Stream *stream = data;

    return stream_has_ended(stream) && stream_reason(stream) == REASON_LOCAL_CUT;
}

/* Runs the main loop until the stream is cut, or for a while. */
static gboolean
is_cut_soon(Stream *stream)
{
    gint64 until = g_get_monotonic_time() + 200 * G_TIME_SPAN_MILLISECOND;

    while (!is_cut(stream) && g_get_monotonic_time() < until) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(1000);
    }
    return is_cut(stream);
}

/* An app that closes its socket while its stream is being opened waits for nothing; unless it has
 * left bytes for the other end. A target that does so is told of by its relay. */
static void
test_an_app_gives_up(Fixture *fixture, gconstpointer data)
{
    static const struct {
        StreamRole role;
        gboolean unread, half, cut;
    } rows[] = {
        {STREAM_ROLE_SERVICE, FALSE, FALSE, TRUE},
        {STREAM_ROLE_SERVICE, TRUE, FALSE, FALSE},
        {STREAM_ROLE_SERVICE, FALSE, TRUE, FALSE},
        {STREAM_ROLE_DEVICE, FALSE, FALSE, FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        Stream *stream = make(fixture, rows[i].role, ALICE + i, NULL);
        int fds[2];

        g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
        stream_set_local(stream, connection_new(fds[0]));
        if (rows[i].unread)
            g_assert_cmpint(write(fds[1], "x", 1), ==, 1);
        if (rows[i].half)
            g_assert_no_errno(shutdown(fds[1], SHUT_WR));
        else
            close(fds[1]);
        g_test_message("row %u", i);
        g_assert_cmpint(is_cut_soon(stream), ==, rows[i].cut);
        if (rows[i].half)
            close(fds[1]);
        stream_close(stream, REASON_CANCELLED);
    }
}

/* From the start the end of this process would be a reset for the app. */
static void
test_the_process_may_end(Fixture *fixture, gconstpointer data)
{
    Stream *stream = make(fixture, STREAM_ROLE_SERVICE, ALICE, NULL);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct linger linger = {0};
    socklen_t len = sizeof linger;

    stream_set_local(stream, connection_new(fd));
    g_assert_no_errno(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len));
    g_assert_cmpint(linger.l_onoff, !=, 0);
    g_assert_cmpint(linger.l_linger, ==, 0);
}

/* While it is open its relay is away on a reactor, and comes home with the reason. */
static void
test_away(Fixture *fixture, gconstpointer data)
{
    Stream *stream = make(fixture, STREAM_ROLE_DEVICE, ALICE, NULL);
    gint64 until = g_get_monotonic_time() + 10 * G_TIME_SPAN_SECOND;
    int local[2], leg[2];

    g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, local));
    g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, leg));
    stream_set_handshake(stream, on_cancel, fixture);
    stream_set_local(stream, connection_new(local[0]));
    stream_attach_leg(stream, connection_new(leg[0]), runtime_pick(fixture->runtime), 0);
    g_assert_cmpuint(fixture->runtime->away, ==, 1);
    g_assert_cmpint(stream_state(stream), ==, STREAM_OPEN);
    stream_close(stream, REASON_CLOSED_BY_USER);
    g_assert_cmpint(stream_state(stream), ==, STREAM_CLOSING);
    while (!stream_has_ended(stream)) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_main_context_iteration(NULL, FALSE);
        g_usleep(1000);
    }
    g_assert_cmpuint(fixture->runtime->away, ==, 0);
    g_assert_cmpuint(fixture->cancelled, ==, 0); /* the handshake was over */
    g_assert_cmpuint(fixture->ended, ==, 1);
    g_assert_cmpint(stream_reason(stream), ==, REASON_CLOSED_BY_USER);
    close(local[1]);
    close(leg[1]);
}

/* So many that have ended are remembered, and then the oldest goes. */
static void
test_history(Fixture *fixture, gconstpointer data)
{
    for (guint i = 0; i < STREAM_HISTORY_MAX; i++)
        stream_close(make(fixture, STREAM_ROLE_DEVICE, ALICE, NULL), REASON_CANCELLED);
    g_assert_cmpuint(fixture->removed, ==, 0);
    g_assert_nonnull(stream_table_find(fixture->table, 1));
    stream_close(make(fixture, STREAM_ROLE_DEVICE, ALICE, NULL), REASON_CANCELLED);
    g_assert_cmpuint(fixture->removed, ==, 1);
    g_assert_null(stream_table_find(fixture->table, 1));
    g_assert_nonnull(stream_table_find(fixture->table, 2));
}

#define ADD(name, func) g_test_add("/stream/" name, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("room", test_room);
    ADD("ends-once", test_ends_once);
    ADD("limits", test_limits);
    ADD("gives-up", test_an_app_gives_up);
    ADD("process-may-end", test_the_process_may_end);
    ADD("away", test_away);
    ADD("history", test_history);
    return g_test_run();
}
