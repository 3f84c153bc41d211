/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream that survives its legs over a restart: it is frozen in one table, stored, and goes on in
 * another one, as it does from one process to the next. The test is the other end, on a socket. */
#include "daemon/stream/handover.h"
#include "daemon/stream/struct.h"

#include "common/codec/ws-frame.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CAPS (CAP_HALF_CLOSE | CAP_REASON | CAP_SID | CAP_RESUME)
#define AWAIT(condition)                                                                           \
    while (!(condition))                                                                           \
    g_main_context_iteration(NULL, TRUE)

static const guint8 secret[STREAM_RESUME_KEY] = "0123456789abcdef0123456789abcde";

typedef struct {
    Runtime *runtime;
    StreamTable *table;
    Stream *stream;
    int app, leg; /* our ends */
    guint frozen, ended;
    gboolean left;
} Side;

static void
ignore(Stream *stream G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
}

static const StreamTableEvents events = {
    .added = ignore, .changed = ignore, .removed = ignore, .suspended = ignore};

static void
on_ended(Stream *stream G_GNUC_UNUSED, void *data)
{
    ((Side *)data)->ended++;
}

static void
on_frozen(Stream *stream G_GNUC_UNUSED, gboolean left, void *data)
{
    Side *side = data;

    side->left = left;
    side->frozen++;
}

static void
side_set_up(Side *side)
{
    *side = (Side){.app = -1, .leg = -1};
    side->runtime = runtime_new(1);
    side->table = stream_table_new(side->runtime, 10, 10, &events, side);
}

static void
side_tear_down(Side *side)
{
    stream_table_close_all(side->table, REASON_STOPPING);
    runtime_free(side->runtime);
    stream_table_free(side->table);
    if (side->leg >= 0)
        close(side->leg);
}

static void
tcp_pair(int ret_fds[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_no_errno(bind(listener, (struct sockaddr *)&address, sizeof address));
    g_assert_no_errno(listen(listener, 1));
    g_assert_no_errno(getsockname(listener, (struct sockaddr *)&address, &len));
    ret_fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_no_errno(connect(ret_fds[0], (struct sockaddr *)&address, sizeof address));
    ret_fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    close(listener);
}

static Connection *
leg_new(Side *side)
{
    int fds[2];

    tcp_pair(fds);
    side->leg = fds[0];
    return connection_new(fds[1]);
}

static void
say(Side *side, const char *text)
{
    guint8 frame[WS_MAX_CONTROL_FRAME];
    gsize len = ws_control_write(frame, WS_OP_TEXT, text, strlen(text), NULL);

    g_assert_cmpint(send(side->leg, frame, len, MSG_NOSIGNAL), ==, (gssize)len);
}

/* The next short frame that the stream sends: a word, or data. */
static void
expect(Side *side, WsOpcode opcode, const char *prefix)
{
    guint8 head[2 + WS_MASK_KEY_LEN], text[WS_MAX_CONTROL + 1] = {0};
    size_t len;

    g_assert_cmpint(recv(side->leg, head, sizeof head, MSG_WAITALL), ==, sizeof head);
    g_assert_cmpint(head[0], ==, 0x80 | opcode);
    len = head[1] & 0x7f;
    g_assert_cmpuint(len, <=, WS_MAX_CONTROL);
    g_assert_cmpint(recv(side->leg, text, len, MSG_WAITALL), ==, (gssize)len);
    ws_mask(text, text, len, ws_key_load(head + 2), 0);
    g_assert_true(g_str_has_prefix((const char *)text, prefix));
}

/* An open stream whose other end has talked, with all that a stream may have. */
static void
open_stream(Side *side)
{
    const StreamInfo info = {
        .id = 7,
        .role = STREAM_ROLE_DEVICE,
        .hub = "home",
        .device = "dev1/mod1",
        .name = "ssh",
        .initiator = "service",
        .address = "192.0.2.7",
        .hub_id = "sid-1",
        .owner_uid = 1000,
        .ended = on_ended,
        .data = side,
    };
    const Limits limits = {.of = {[LIMIT_STREAMS] = 1, [LIMIT_BYTES] = 1 << 20}};
    int fds[2];

    side->stream = stream_new(side->table, &info, NULL);
    tcp_pair(fds);
    side->app = fds[0];
    g_assert_true(stream_limit(side->stream, "rule 7", &limits, NULL));
    stream_set_resume(side->stream, secret, STREAM_RESUME_TIME);
    stream_set_grant(side->stream, 7, "digest", "tcp:127.0.0.1:22");
    stream_set_target(side->stream, "ssh");
    stream_set_local(side->stream, connection_new(fds[1]));
    stream_attach_leg(side->stream, leg_new(side), runtime_pick(side->runtime), CAPS);
    expect(side, WS_OP_TEXT, "r 0 ");
    say(side, "r 0 262144");
    AWAIT(stream_is_resumable(side->stream));
    stream_set_resume_attempt(side->stream, 3);
}

/* What the next process gets: the bytes, and a copy of the socket. */
static guint8 *
leave(Side *side, gsize *ret_size, int *ret_fd)
{
    g_autoptr(Stored) stored = stored_new();
    StoredStream *to = stored_add_stream(stored);
    guint8 *bytes;

    stored->next_stream = stored->next_tunnel = 8;
    g_assert_true(stream_may_be_left(side->stream));
    stream_freeze(side->stream, on_frozen, side);
    AWAIT(side->frozen);
    g_assert_true(side->left);
    g_assert_cmpuint(side->ended, ==, 1); /* for who counts it here */
    stream_save(side->stream, to);
    to->descriptor = 1;
    *ret_fd = fcntl(stream_left_fd(side->stream), F_DUPFD_CLOEXEC, 0);
    *ret_size = stored_size(stored);
    g_assert_cmpuint(*ret_size, >, 0);
    bytes = g_malloc(*ret_size);
    stored_write(stored, bytes, *ret_size);
    stream_close(side->stream, REASON_CLOSED_BY_USER); /* it is nobody's */
    g_assert_cmpint(stream_state(side->stream), ==, STREAM_OPEN);
    return bytes;
}

static void
check_same(const Stream *stream)
{
    g_assert_cmpuint(stream_id(stream), ==, 7);
    g_assert_cmpint(stream_role(stream), ==, STREAM_ROLE_DEVICE);
    g_assert_cmpstr(stream_hub(stream), ==, "home");
    g_assert_cmpstr(stream_device(stream), ==, "dev1/mod1");
    g_assert_cmpstr(stream_name(stream), ==, "ssh");
    g_assert_cmpstr(stream_initiator(stream), ==, "service");
    g_assert_cmpstr(stream_address(stream), ==, "192.0.2.7");
    g_assert_cmpstr(stream_hub_id(stream), ==, "sid-1");
    g_assert_cmpstr(stream_target(stream), ==, "ssh");
    g_assert_cmpuint(stream_owner_uid(stream), ==, 1000);
    g_assert_cmpuint(stream_rule(stream), ==, 7);
    g_assert_cmpstr(stream_grant(stream), ==, "digest");
    g_assert_cmpstr(stream_grant_address(stream), ==, "tcp:127.0.0.1:22");
    g_assert_cmpuint(stream_resume_attempt(stream), ==, 3);
    g_assert_true(memcmp(stream_resume_secret(stream), secret, sizeof secret) == 0);
    g_assert_cmpint(stream_state(stream), ==, STREAM_SUSPENDED);
    g_assert_cmpint(stream_suspended_for(stream), ==, REASON_STOPPING);
    g_assert_cmpint(stream_resume_left(stream), >, STREAM_RESUME_TIME / 2);
    g_assert_cmpuint(stream_bytes_out(stream), ==, 5);
}

static Stored *
parse(const guint8 *bytes, gsize size)
{
    Stored *stored = NULL;

    g_assert_cmpint(stored_parse(bytes, size, &stored), ==, STORED_OK);
    g_assert_cmpuint(stored->streams->len, ==, 1);
    return stored;
}

/* It counts among those of its rule, whatever that allows now. */
static void
check_counts(Side *side)
{
    const StreamInfo info = {
        .id = 8, .role = STREAM_ROLE_DEVICE, .hub = "h", .device = "d", .name = "n"};
    const Limits one = {.of = {[LIMIT_STREAMS] = 1}};
    Stream *other = stream_new(side->table, &info, NULL);

    g_assert_false(stream_limit(other, "rule 7", &one, NULL));
    stream_fail(other, REASON_REJECTED, NULL);
}

static void
test_goes_on(void)
{
    Side before, after;
    g_autofree guint8 *bytes = NULL;
    g_autoptr(Stored) stored = NULL;
    char text[16] = "";
    gsize size;
    int fd;

    side_set_up(&before);
    side_set_up(&after);
    open_stream(&before);
    g_assert_cmpint(send(before.app, "hello", 5, 0), ==, 5);
    expect(&before, WS_OP_BINARY, "hello"); /* and it is not acknowledged */
    bytes = leave(&before, &size, &fd);
    after.app = before.app;
    side_tear_down(&before);
    g_assert_cmpint(send(after.app, " world", 6, 0), ==, 6); /* while there is nobody */

    stored = parse(bytes, size);
    after.stream = stream_restore(after.table, stored->streams->pdata[0], fd, FALSE);
    check_same(after.stream);
    check_counts(&after);
    stream_resume_leg(after.stream, leg_new(&after));
    expect(&after, WS_OP_TEXT, "r 0 ");
    say(&after, "r 2 262144"); /* "he" had been consumed */
    expect(&after, WS_OP_BINARY, "llo");
    AWAIT(stream_state(after.stream) == STREAM_OPEN);
    g_assert_cmpuint(stream_resumes(after.stream), ==, 1);
    expect(&after, WS_OP_BINARY, " world");
    g_assert_cmpint(send(after.leg,
                         "\x82\x03"
                         "bye",
                         5, MSG_NOSIGNAL),
                    ==, 5);
    g_assert_cmpint(recv(after.app, text, sizeof text, 0), ==, 3);
    g_assert_cmpstr(text, ==, "bye");
    side_tear_down(&after);
    g_assert_cmpint(recv(after.app, text, sizeof text, 0), ==, -1); /* it was cut */
    close(after.app);
}

/* The next process does not know by which request the stream was opened, and tells of the legs that
 * it loses by the request that has led the stream back. */
static void
test_told_of_lost_leg(void)
{
    Side before, after;
    g_autofree guint8 *bytes = NULL;
    g_autoptr(Stored) stored = NULL;
    StreamAnswer lost;
    gsize size;
    int fd;

    side_set_up(&before);
    side_set_up(&after);
    open_stream(&before);
    g_assert_cmpint(send(before.app, "hello", 5, 0), ==, 5);
    expect(&before, WS_OP_BINARY, "hello");
    bytes = leave(&before, &size, &fd);
    after.app = before.app;
    side_tear_down(&before);
    stored = parse(bytes, size);
    after.stream = stream_restore(after.table, stored->streams->pdata[0], fd, FALSE);
    g_assert_false(stream_lost_leg(after.stream, &lost)); /* of which the hub knows nothing */
    stream_set_leg_request(after.stream, "rid-2", "sid-2");
    stream_resume_leg(after.stream, leg_new(&after));
    expect(&after, WS_OP_TEXT, "r 0 ");
    say(&after, "r 5 262144");
    AWAIT(stream_state(after.stream) == STREAM_OPEN);
    close(after.leg);
    AWAIT(stream_state(after.stream) == STREAM_SUSPENDED);
    g_assert_true(stream_lost_leg(after.stream, &lost));
    g_assert_cmpstr(lost.rid, ==, "rid-2");
    g_assert_cmpstr(lost.sid, ==, "sid-2");
    g_assert_cmpint(lost.reason, ==, stream_suspended_for(after.stream));

    after.leg = -1;
    stream_close(after.stream, REASON_CLOSED_BY_USER);
    AWAIT(stream_has_ended(after.stream));
    after.stream->unsaid = TRUE; /* as when a frame is stuck in the leg */
    g_assert_true(stream_unsaid_end(after.stream, &lost));
    g_assert_cmpstr(lost.rid, ==, "rid-2");
    g_assert_cmpint(lost.reason, ==, REASON_CLOSED_BY_USER);
    side_tear_down(&after);
    close(after.app);
}

/* One that is there, and what contradicts itself: refused, and the socket is reset. */
static void
test_refused(void)
{
    Side before, after;
    g_autofree guint8 *bytes = NULL;
    g_autoptr(Stored) stored = NULL;
    StoredStream *from;
    gsize size;
    int fd, other;
    char byte;

    side_set_up(&before);
    side_set_up(&after);
    open_stream(&before);
    g_assert_cmpint(send(before.app, "hello", 5, 0), ==, 5);
    expect(&before, WS_OP_BINARY, "hello");
    bytes = leave(&before, &size, &fd);
    after.app = before.app;
    side_tear_down(&before);
    stored = parse(bytes, size);
    from = stored->streams->pdata[0];
    other = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    g_assert_nonnull(stream_restore(after.table, from, fd, FALSE));
    g_assert_null(stream_restore(after.table, from, other, FALSE));
    g_assert_cmpint(fcntl(other, F_GETFD), ==, -1);
    side_tear_down(&after);
    g_assert_cmpint(recv(after.app, &byte, 1, 0), ==, -1);
    close(after.app);
}

/* It ends while it is to be frozen: that is told, once. */
static void
test_ends_meanwhile(void)
{
    Side side;

    side_set_up(&side);
    open_stream(&side);
    stream_close(side.stream, REASON_CLOSED_BY_USER);
    stream_freeze(side.stream, on_frozen, &side);
    AWAIT(side.ended);
    g_assert_cmpuint(side.frozen, ==, 1);
    g_assert_false(side.left);
    g_assert_false(stream_may_be_left(side.stream));
    side_tear_down(&side);
    close(side.app);
}

static void
freeze(Side *side)
{
    stream_freeze(side->stream, on_frozen, side);
    AWAIT(side->frozen);
    g_assert_true(side->left);
}

/* Closed while it is frozen: that is remembered, the first reason. Then it ends for it, and all who
 * are told of ends are told, but for whom it was over already. */
static void
test_closed_meanwhile(void)
{
    Side side;
    StreamAnswer unsaid;
    char byte;

    side_set_up(&side);
    open_stream(&side);
    stream_set_request(side.stream, "rid-1", "sid-1");
    freeze(&side);
    g_assert_cmpint(stream_left_closed(side.stream), ==, REASON_NONE);
    stream_close(side.stream, REASON_CLOSED_BY_USER);
    stream_close(side.stream, REASON_STOPPING);
    g_assert_cmpint(stream_left_closed(side.stream), ==, REASON_CLOSED_BY_USER);
    g_assert_false(stream_has_ended(side.stream));
    stream_left_cut(side.stream, stream_left_closed(side.stream));
    g_assert_cmpint(stream_state(side.stream), ==, STREAM_CLOSED);
    g_assert_cmpint(stream_reason(side.stream), ==, REASON_CLOSED_BY_USER);
    g_assert_cmpuint(side.ended, ==, 1);
    g_assert_true(stream_unsaid_end(side.stream, &unsaid));
    g_assert_cmpstr(unsaid.rid, ==, "rid-1");
    g_assert_cmpint(recv(side.app, &byte, 1, 0), ==, -1); /* it was reset */
    g_assert_cmpint(errno, ==, ECONNRESET);
    g_assert_cmpuint(stream_table_open(side.table), ==, 0);
    side_tear_down(&side);
    close(side.app);
}

/* Closed after it was asked to freeze, and before it has: whichever comes first, it ends. */
static void
test_closed_before_frozen(void)
{
    Side side;

    side_set_up(&side);
    open_stream(&side);
    stream_freeze(side.stream, on_frozen, &side);
    stream_close(side.stream, REASON_CLOSED_BY_USER);
    AWAIT(side.frozen);
    g_assert_cmpint(stream_left_closed(side.stream), ==, REASON_CLOSED_BY_USER);
    if (side.left)
        stream_left_cut(side.stream, REASON_CLOSED_BY_USER);
    AWAIT(stream_has_ended(side.stream));
    g_assert_cmpint(stream_reason(side.stream), ==, REASON_CLOSED_BY_USER);
    side_tear_down(&side);
    close(side.app);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stream-handover/goes-on", test_goes_on);
    g_test_add_func("/stream-handover/told-of-lost-leg", test_told_of_lost_leg);
    g_test_add_func("/stream-handover/refused", test_refused);
    g_test_add_func("/stream-handover/ends-meanwhile", test_ends_meanwhile);
    g_test_add_func("/stream-handover/closed-meanwhile", test_closed_meanwhile);
    g_test_add_func("/stream-handover/closed-before-frozen", test_closed_before_frozen);
    return g_test_run();
}
