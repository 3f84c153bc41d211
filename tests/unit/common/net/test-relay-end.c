/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both directions stand still, and then one end goes: everybody on the way lets go within the
 * bound, and an end in order waits for its reader (docs/wire-protocol.md, "The end of a stream").
 */
#include "common/net/relay-private.h"
#include "tests/unit/common/net/peer-fixture.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define MS G_TIME_SPAN_MILLISECOND
#define BOTH (CAP_HALF_CLOSE | CAP_REASON)
#define WAIT (800 * MS)

/* Three relays in a row, each later by a quarter, and a busy machine. */
#define MARGIN (10 * G_TIME_SPAN_SECOND)

static const RelayTimes times = {RELAY_QUIET, 200 * MS, RELAY_DEAD, {0}, WAIT, 0};

typedef enum {
    UP = 1,   /* from the app to the target */
    DOWN = 2, /* the other way */
} Full;

typedef struct {
    int fd;
    atomic_bool leaves; /* its owner wants the socket back */
    GThread *thread;
} Flood;

/* Sends for as long as that can be done, and waits for room until there is an end. */
static void *
flood_run(void *data)
{
    static const char block[65536];
    Flood *flood = data;
    ssize_t n;

    do {
        struct pollfd room = {.fd = flood->fd, .events = POLLOUT};

        (void)poll(&room, 1, 20);
        n = send(flood->fd, block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (!atomic_load(&flood->leaves) && (n > 0 || errno == EAGAIN));
    return NULL;
}

static void
flood_start(Flood *flood, int fd)
{
    flood->fd = fd;
    flood->thread = g_thread_new("flood", flood_run, flood);
}

static void
flood_leave(Flood *flood)
{
    atomic_store(&flood->leaves, TRUE);
    if (flood->thread)
        g_thread_join(g_steal_pointer(&flood->thread));
}

typedef struct {
    Chain *chain;
    Flood up, down;
} Run;

static guint64
carried(const Chain *chain)
{
    guint64 sum = 0;

    for (guint i = 0; i < G_N_ELEMENTS(chain->hops); i++)
        for (guint from = 0; from < 2; from++)
            sum += atomic_load(&chain->hops[i].meter.bytes[from]);
    return sum;
}

/* Until nothing moves any more. */
static void
wait_full(const Chain *chain)
{
    guint64 before;

    do {
        before = carried(chain);
        g_usleep(300 * 1000);
    } while (carried(chain) != before);
}

typedef void (*Goes)(Run *run);

/* Killed: what it has not read makes that a reset. */
static void
app_closes(Run *run)
{
    flood_leave(&run->up);
    stand_close(&run->chain->app);
}

static void
app_resets(Run *run)
{
    flood_leave(&run->up);
    stand_reset(&run->chain->app);
}

static void
target_resets(Run *run)
{
    flood_leave(&run->down);
    stand_reset(&run->chain->target);
}

static void
user_at_service(Run *run)
{
    relay_close(run->chain->hops[0].relay, REASON_CLOSED_BY_USER);
}

static void
user_at_device(Run *run)
{
    relay_close(run->chain->hops[2].relay, REASON_CLOSED_BY_USER);
}

static void
service_stops(Run *run)
{
    relay_close(run->chain->hops[0].relay, REASON_STOPPING);
}

static void
device_stops(Run *run)
{
    relay_close(run->chain->hops[2].relay, REASON_STOPPING);
}

static void
hub_revokes(Run *run)
{
    relay_close(run->chain->hops[1].relay, REASON_REVOKED);
}

static void
hub_stops(Run *run)
{
    relay_close(run->chain->hops[1].relay, REASON_HUB_STOPPING);
}

/* The device tells on its control link what its leg cannot carry. */
static void
device_tells(Run *run)
{
    user_at_device(run);
    relay_ended_by(run->chain->hops[1].relay, 1, REASON_CLOSED_BY_USER);
}

typedef struct {
    const char *name;
    Goes goes;
    guint hop; /* where it begins, and for which reason */
    Reason reason;
} Cell;

static const Cell cells[] = {
    {"app-closes", app_closes, 0, REASON_LOCAL_CUT},
    {"app-resets", app_resets, 0, REASON_LOCAL_CUT},
    {"target-resets", target_resets, 2, REASON_LOCAL_CUT},
    {"user-at-service", user_at_service, 0, REASON_CLOSED_BY_USER},
    {"user-at-device", user_at_device, 2, REASON_CLOSED_BY_USER},
    {"service-stops", service_stops, 0, REASON_STOPPING},
    {"device-stops", device_stops, 2, REASON_STOPPING},
    {"hub-revokes", hub_revokes, 1, REASON_REVOKED},
    {"hub-stops", hub_stops, 1, REASON_HUB_STOPPING},
    {"device-tells", device_tells, 1, REASON_CLOSED_BY_USER},
};

static gboolean
all_ended(const Chain *chain)
{
    for (guint i = 0; i < G_N_ELEMENTS(chain->hops); i++)
        if (chain->hops[i].reason == REASON_NONE)
            return FALSE;
    return TRUE;
}

static void
expect_ends(Chain *chain, const Cell *cell)
{
    gint64 until = g_get_monotonic_time() + WAIT + MARGIN;

    while (!all_ended(chain) && g_get_monotonic_time() < until) {
        g_main_context_iteration(chain->context, FALSE);
        g_usleep(1000);
    }
    for (guint i = 0; i < G_N_ELEMENTS(chain->hops); i++) {
        Reason reason = chain->hops[i].reason;

        if (reason == REASON_NONE)
            g_error("%s: hop %u has not ended", cell->name, i);
        /* The same everywhere, where there was a way to say it; in order nowhere. */
        g_assert_true(reason == cell->reason || (i != cell->hop && reason == REASON_CUT));
        g_assert_false(reason_is_orderly(reason));
    }
    g_assert_cmpint(chain->hops[cell->hop].reason, ==, cell->reason);
}

/* What is still open of it is reset, whatever came before that. */
static void
expect_reset(int fd)
{
    struct pollfd end = {.fd = fd, .events = POLLRDHUP};

    if (fd < 0)
        return;
    g_assert_cmpint(poll(&end, 1, 2000), ==, 1);
    g_assert_true(end.revents & (POLLERR | POLLHUP));
}

typedef struct {
    const Cell *cell;
    guint full;
} CellRun;

/* In a thread of its own: the cells wait side by side. */
static void *
run_cell(void *data)
{
    const CellRun *self = data;
    g_autoptr(Chain) chain = chain_new(TRUE, BOTH, BOTH, &times);
    Run run = {.chain = chain};

    if (self->full & UP)
        flood_start(&run.up, chain->app);
    if (self->full & DOWN)
        flood_start(&run.down, chain->target);
    wait_full(chain);
    self->cell->goes(&run);
    expect_ends(chain, self->cell);
    expect_reset(chain->app);
    expect_reset(chain->target);
    flood_leave(&run.up);
    flood_leave(&run.down);
    return NULL;
}

static void
test_cells(gconstpointer data)
{
    CellRun runs[G_N_ELEMENTS(cells)];
    GThread *threads[G_N_ELEMENTS(cells)] = {NULL};

    for (guint i = 0; i < G_N_ELEMENTS(cells); i++) {
        runs[i] = (CellRun){&cells[i], GPOINTER_TO_UINT(data)};
        /* With nothing unread it has ended in order, and the target is waited for. */
        if (cells[i].goes != app_closes || runs[i].full != UP)
            threads[i] = g_thread_new("cell", run_cell, &runs[i]);
    }
    for (guint i = 0; i < G_N_ELEMENTS(cells); i++)
        if (threads[i])
            g_thread_join(threads[i]);
}

/* Two pieces, of which the target's small buffers leave the second in the relay, and then an end.
 */
static void
fill_target(Stand *stand, guint8 last, gsize piece)
{
    g_autofree guint8 *bytes = g_malloc(piece);

    for (guint i = 0; i < 2; i++) {
        peer_fill(bytes, i * piece, piece);
        peer_send(stand->peer, PEER_FIN | PEER_BINARY, bytes, piece);
        stand_wait_taken(stand, (i + 1) * piece);
        g_usleep(50 * 1000);
    }
    if (last != 0)
        peer_send(stand->peer, last, "\x03\xe8", last == (PEER_FIN | PEER_CLOSE) ? 2 : 0);
}

#define PIECE 60000

static void
wait_acknowledged(int fd)
{
    int left;

    while (ioctl(fd, SIOCOUTQ, &left) == 0 && left > 0)
        g_usleep(1000);
}

/* In order, and the reader rests for much longer than the bound: every byte arrives. */
static void
test_an_orderly_end_waits(void)
{
    g_autoptr(Stand) stand = stand_new(BOTH, &times, TRUE);

    fill_target(stand, PEER_FIN | PEER_CLOSE, PIECE);
    shutdown(stand->peer, SHUT_WR);
    g_usleep(3 * WAIT);
    g_assert_cmpint(stand->hop.reason, ==, REASON_NONE);
    peer_expect(stand->target, 0, 2 * PIECE);
    peer_expect_end(stand->target);
    g_assert_cmpint(stand_wait(stand), ==, REASON_SERVICE_CLOSED);
}

/* The same when it closed its socket altogether and our pings were answered by resets. */
static void
test_an_orderly_end_that_is_reset_later(void)
{
    g_autoptr(Stand) stand = stand_new(BOTH, &times, TRUE);
    guint8 got[64];

    fill_target(stand, PEER_FIN | PEER_CLOSE, PIECE);
    while (recv(stand->peer, got, sizeof got, MSG_DONTWAIT) > 0) /* pings */
        continue;
    shutdown(stand->peer, SHUT_WR);
    g_usleep(50 * 1000);
    while (recv(stand->peer, got, sizeof got, MSG_DONTWAIT) > 0)
        continue;
    stand_close(&stand->peer);
    chain_write_all(stand->target, "too late", 8);
    g_usleep(3 * WAIT);
    peer_expect(stand->target, 0, 2 * PIECE);
    peer_expect_end(stand->target);
    g_assert_cmpint(stand_wait(stand), ==, REASON_SERVICE_CLOSED);
}

/* A reader that takes something now and then gets what came before the cut, beyond the bound. */
static void
test_a_cut_waits_for_a_reader_that_moves(void)
{
    g_autoptr(Stand) stand = stand_new(BOTH, &times, TRUE);

    fill_target(stand, 0, PIECE);
    stand_reset(&stand->peer);
    for (guint i = 0; i < 8; i++) {
        g_usleep(WAIT / 5);
        peer_expect(stand->target, i * 9000, 9000);
        g_main_context_iteration(stand->context, FALSE);
        g_assert_cmpint(stand->hop.reason, ==, REASON_NONE);
    }
    peer_expect_reset(stand->target); /* behind what the kernel has by then */
    g_assert_cmpint(stand_wait(stand), ==, REASON_CUT);
}

/* What was said last is found behind what nobody takes. */
static void
test_the_reason_behind_undelivered_bytes(void)
{
    g_autoptr(Stand) stand = stand_new(BOTH, &times, TRUE);

    fill_target(stand, 0, PIECE);
    peer_send(stand->peer, PEER_FIN | PEER_BINARY, "more", 4);
    peer_send(stand->peer, PEER_FIN | PEER_CLOSE, "\x03\xf0revoked", 9);
    wait_acknowledged(stand->peer); /* what is still in its kernel goes with the reset */
    stand_reset(&stand->peer);
    g_assert_cmpint(stand_wait(stand), ==, REASON_REVOKED);
    peer_expect_reset(stand->target);
}

/* But what looks whole was not delivered whole. */
static void
test_an_orderly_word_behind_undelivered_bytes(void)
{
    g_autoptr(Stand) stand = stand_new(BOTH, &times, TRUE);

    fill_target(stand, PEER_FIN | PEER_CLOSE, PIECE);
    wait_acknowledged(stand->peer);
    stand_reset(&stand->peer);
    g_assert_cmpint(stand_wait(stand), ==, REASON_CUT);
    peer_expect_reset(stand->target);
}

/* An app is never told by a reset: it sees the end of its socket, and what it sends is refused. */
static void
test_an_app_is_let_go(void)
{
    g_autoptr(Stand) stand = stand_new_app_times(BOTH, &times);
    Flood up = {0};

    flood_start(&up, stand->target);
    g_usleep(300 * 1000);
    stand_reset(&stand->peer);
    g_assert_cmpint(stand_wait(stand), ==, REASON_CUT);
    flood_leave(&up);
}

/* The app goes with bytes unread while the leg takes nothing. */
static void
test_an_app_that_goes(void)
{
    g_autoptr(Stand) stand = stand_new_app_times(BOTH, &times);
    const struct timeval patience = {0, 300000};
    static const char block[65536];
    gint64 since;

    peer_send(stand->peer, PEER_FIN | PEER_BINARY, "unread", 6);
    stand_wait_taken(stand, 6);
    setsockopt(stand->target, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    while (send(stand->target, block, sizeof block, MSG_NOSIGNAL) > 0)
        continue;
    since = g_get_monotonic_time();
    stand_close(&stand->target);
    g_assert_cmpint(stand_wait(stand), ==, REASON_LOCAL_CUT);
    g_assert_cmpint(g_get_monotonic_time() - since, >=, WAIT);
    g_assert_cmpint(g_get_monotonic_time() - since, <, WAIT + MARGIN);
}

/* The peer has read what it was told, or is reset: it never takes a cut for an orderly end. */
static void
test_a_cut_is_not_ended_with_fin(void)
{
    g_autoptr(Stand) stand = stand_new(BOTH, &times, FALSE);
    struct pollfd end = {.fd = stand->peer, .events = POLLRDHUP};

    stand_reset(&stand->target);
    g_assert_cmpint(stand_wait(stand), ==, REASON_LOCAL_CUT);
    g_assert_cmpint(poll(&end, 1, (int)(WAIT / MS / 2)), ==, 0);
    g_assert_cmpint(poll(&end, 1, (int)((WAIT + MARGIN) / MS)), ==, 1);
    g_assert_true(end.revents & POLLERR);
}

/* At the bound, and one past it. */
static void
test_bound(void)
{
    const gint64 wait = RELAY_WAIT;
    Flow flow = {.moved = 1000};

    g_assert_cmpint(flow_give_up_at(&flow, wait), ==, 1000 + RELAY_PATIENCE);
    flow.hurried = 500;
    g_assert_cmpint(flow_give_up_at(&flow, wait), ==, 1000 + wait);
    flow.hurried = 2000;
    g_assert_cmpint(flow_give_up_at(&flow, wait), ==, 2000 + wait);
    flow.moved = 2000 + RELAY_PATIENCE - wait;
    g_assert_cmpint(flow_give_up_at(&flow, wait), ==, 2000 + RELAY_PATIENCE);
    flow.moved++;
    g_assert_cmpint(flow_give_up_at(&flow, wait), ==, 2000 + RELAY_PATIENCE);
    g_assert_cmpint(RELAY_WAIT, ==, 10 * G_TIME_SPAN_SECOND);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/relay-end/full/up", GUINT_TO_POINTER(UP), test_cells);
    g_test_add_data_func("/relay-end/full/down", GUINT_TO_POINTER(DOWN), test_cells);
    g_test_add_data_func("/relay-end/full/both", GUINT_TO_POINTER(UP | DOWN), test_cells);
    g_test_add_func("/relay-end/bound", test_bound);
    g_test_add_func("/relay-end/orderly/waits", test_an_orderly_end_waits);
    g_test_add_func("/relay-end/orderly/reset-later", test_an_orderly_end_that_is_reset_later);
    g_test_add_func("/relay-end/cut/moves", test_a_cut_waits_for_a_reader_that_moves);
    g_test_add_func("/relay-end/cut/reason", test_the_reason_behind_undelivered_bytes);
    g_test_add_func("/relay-end/cut/orderly", test_an_orderly_word_behind_undelivered_bytes);
    g_test_add_func("/relay-end/cut/no-fin", test_a_cut_is_not_ended_with_fin);
    g_test_add_func("/relay-end/app/let-go", test_an_app_is_let_go);
    g_test_add_func("/relay-end/app/goes", test_an_app_that_goes);
    return g_test_run();
}
