/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A leg that is up, until the hub's first word (docs/wire-protocol.md, section 8). */
#include "daemon/net/pair-wait.h"

#include "common/codec/ws-frame.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    Runtime *runtime;
    Reactor *reactor;
    int hub; /* its end of the leg */
    PairWait *wait;
    gboolean done;
    Connection *connection;
    Reason reason;
} Fixture;

static void
waited(Connection *connection, Reason reason, void *data)
{
    Fixture *f = data;

    f->wait = NULL;
    f->done = TRUE;
    f->connection = connection;
    f->reason = reason;
}

static void
begin(Fixture *f, gint64 limit)
{
    int fds[2];

    f->done = FALSE;
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    f->hub = fds[1];
    f->wait = pair_wait_new(f->runtime, f->reactor, connection_new(fds[0]), limit, waited, f);
}

static void
set_up(Fixture *f, gconstpointer data)
{
    f->runtime = runtime_new(1);
    f->reactor = runtime_pick(f->runtime);
    f->hub = -1;
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    pair_wait_cancel(f->wait);
    connection_free(f->connection);
    if (f->hub >= 0)
        close(f->hub);
    runtime_free(f->runtime);
}

static void
finish(Fixture *f)
{
    while (!f->done)
        g_main_context_iteration(NULL, TRUE);
}

/* The connection comes back with all that the hub said still in it. */
static void
check_unread(Fixture *f, const guint8 *bytes, gsize len)
{
    guint8 got[256];
    gsize have = 0;

    g_assert_nonnull(f->connection);
    g_assert_cmpint(f->reason, ==, REASON_NONE);
    while (have < len) {
        ssize_t n = connection_read(f->connection, got + have, sizeof got - have);

        g_assert_cmpint(n, >, 0);
        have += (gsize)n;
    }
    g_assert_cmpuint(have, ==, len);
    g_assert_true(memcmp(got, bytes, len) == 0);
    g_clear_pointer(&f->connection, connection_free);
}

typedef struct {
    guint8 bytes[WS_MAX_CONTROL_FRAME];
    gsize len;
} Frame;

static Frame
control(WsOpcode opcode)
{
    Frame frame;

    frame.len = ws_control_write(frame.bytes, opcode, "x", 1, NULL);
    return frame;
}

static Frame
closing(guint16 code, const char *text)
{
    Frame frame;

    frame.len = ws_close_write(frame.bytes, code, text, NULL);
    return frame;
}

static Frame
data_of(gsize len)
{
    Frame frame = {.bytes = "..........."};

    frame.len = ws_header_write(frame.bytes, WS_OP_BINARY, len, NULL) + len;
    return frame;
}

/* Whole, byte by byte, and with something behind it. */
static void
check_word(Fixture *f, const Frame *frame, gboolean pairs, Reason reason)
{
    for (guint way = 0; way < 2; way++) {
        gsize step = way == 0 ? frame->len : 1;

        begin(f, 20 * G_TIME_SPAN_SECOND);
        for (gsize at = 0; at < frame->len && !f->done; at += step) {
            (void)!send(f->hub, frame->bytes + at, step, MSG_NOSIGNAL);
            if (step == 1)
                for (guint i = 0; i < 5 && !f->done; i++) {
                    g_usleep(500);
                    g_main_context_iteration(NULL, FALSE);
                }
        }
        finish(f);
        if (pairs && step > 1) {
            check_unread(f, frame->bytes, frame->len);
        } else if (pairs) {
            g_assert_nonnull(f->connection);
            g_clear_pointer(&f->connection, connection_free);
        } else {
            g_assert_null(f->connection);
            g_assert_cmpstr(reason_code(f->reason), ==, reason_code(reason));
        }
        close(f->hub);
        f->hub = -1;
    }
}

static void
test_words(Fixture *f, gconstpointer data)
{
    const struct {
        Frame frame;
        gboolean pairs;
        Reason reason;
    } rows[] = {
        {control(WS_OP_PING), TRUE, REASON_NONE},
        {control(WS_OP_PONG), TRUE, REASON_NONE},
        {data_of(5), TRUE, REASON_NONE},
        {data_of(0), TRUE, REASON_NONE},
        {closing(1000, "device-closed"), TRUE, REASON_NONE}, /* it had been open */
        {closing(0, NULL), TRUE, REASON_NONE},
        {closing(1011, "not-paired"), FALSE, REASON_NOT_PAIRED},
        {closing(1011, "device-closed"), FALSE, REASON_CUT}, /* a code that is not the reason's */
        {closing(1011, "WS disconnected"), FALSE, REASON_CUT},
        {closing(1001, "hub-stopping"), FALSE, REASON_HUB_STOPPING},
        {closing(1001, NULL), FALSE, REASON_HUB_STOPPING},
        {closing(1008, "revoked"), FALSE, REASON_REVOKED},
        {closing(1008, NULL), FALSE, REASON_REVOKED},
        {{.bytes = {0xf2, 0x00}, .len = 2}, FALSE, REASON_PROTOCOL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        check_word(f, &rows[i].frame, rows[i].pairs, rows[i].reason);
}

/* It asks: an older hub says nothing of its own accord. */
static void
test_asks(Fixture *f, gconstpointer data)
{
    guint8 got[64];

    begin(f, 20 * G_TIME_SPAN_SECOND);
    g_assert_cmpint(recv(f->hub, got, sizeof got, 0), ==, 2 + 4); /* empty, with its mask */
    g_assert_cmphex(got[0], ==, 0x80 | WS_OP_PING);
    g_assert_false(f->done);
}

/* Nothing comes until the limit; the connection ends without a word. */
static void
test_limits(Fixture *f, gconstpointer data)
{
    gint64 start = g_get_monotonic_time();

    begin(f, 100 * G_TIME_SPAN_MILLISECOND);
    finish(f);
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 100 * G_TIME_SPAN_MILLISECOND);
    g_assert_cmpint(f->reason, ==, REASON_NOT_PAIRED);
    g_assert_null(f->connection);
    close(f->hub);
    begin(f, 20 * G_TIME_SPAN_SECOND);
    close(f->hub);
    f->hub = -1;
    finish(f);
    g_assert_cmpint(f->reason, ==, REASON_CUT);
}

/* Nobody waits any more: the hub sees the end. */
static void
test_cancelled(Fixture *f, gconstpointer data)
{
    guint8 got[64];
    ssize_t n;

    begin(f, 20 * G_TIME_SPAN_SECOND);
    pair_wait_cancel(g_steal_pointer(&f->wait));
    do {
        while (g_main_context_iteration(NULL, FALSE))
            continue;
        n = recv(f->hub, got, sizeof got, MSG_DONTWAIT);
    } while (n != 0);
    g_assert_false(f->done);
}

#define ADD(name, func) g_test_add("/pair-wait/" name, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("words", test_words);
    ADD("asks", test_asks);
    ADD("limits", test_limits);
    ADD("cancelled", test_cancelled);
    return g_test_run();
}
