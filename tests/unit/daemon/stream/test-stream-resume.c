/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream that survives its legs, as the rest of the daemon sees it: suspended, gone on with,
 * given up, closed. The test is the other end, on a socket. */
#include "daemon/stream/inspect.h"
#include "daemon/stream/struct.h"

#include "common/codec/ws-frame.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CAPS (CAP_HALF_CLOSE | CAP_REASON | CAP_SID | CAP_RESUME)

typedef struct {
    Runtime *runtime;
    StreamTable *table;
    Stream *stream;
    int app, leg; /* our ends; leg -1: there is none */
    guint changed, suspended, ended;
    GString *told;
} Fixture;

static void
ignore(Stream *stream G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
}

static void
on_changed(Stream *stream G_GNUC_UNUSED, void *data)
{
    ((Fixture *)data)->changed++;
}

static void
on_suspended(Stream *stream, void *data)
{
    g_assert_cmpint(stream_state(stream), ==, STREAM_SUSPENDED);
    ((Fixture *)data)->suspended++;
}

static void
on_ended(Stream *stream G_GNUC_UNUSED, void *data)
{
    ((Fixture *)data)->ended++;
}

static const StreamTableEvents events = {
    .added = ignore, .changed = on_changed, .removed = ignore, .suspended = on_suspended};

static void
set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    fixture->runtime = runtime_new(1);
    fixture->table = stream_table_new(fixture->runtime, 10, 10, &events, fixture);
    fixture->app = fixture->leg = -1;
}

static void
tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    stream_table_close_all(fixture->table, REASON_STOPPING);
    runtime_free(fixture->runtime);
    stream_table_free(fixture->table);
    if (fixture->app >= 0)
        close(fixture->app);
    if (fixture->leg >= 0)
        close(fixture->leg);
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
leg_new(Fixture *fixture)
{
    int fds[2];

    if (fixture->leg >= 0)
        close(fixture->leg);
    tcp_pair(fds);
    fixture->leg = fds[0];
    return connection_new(fds[1]);
}

static void
say(Fixture *fixture, const char *text)
{
    guint8 frame[WS_MAX_CONTROL_FRAME];
    gsize len = ws_control_write(frame, WS_OP_TEXT, text, strlen(text), NULL);

    g_assert_cmpint(send(fixture->leg, frame, len, MSG_NOSIGNAL), ==, (gssize)len);
}

static void
lose_leg(Fixture *fixture)
{
    const struct linger hard = {.l_onoff = 1};

    (void)setsockopt(fixture->leg, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fixture->leg);
    fixture->leg = -1;
}

/* The next word of the stream on its leg; frees the last one. */
static void
expect_word(Fixture *fixture, const char *prefix)
{
    guint8 head[2 + WS_MASK_KEY_LEN], text[WS_MAX_CONTROL + 1] = {0};
    size_t len;

    g_assert_cmpint(recv(fixture->leg, head, sizeof head, MSG_WAITALL), ==, sizeof head);
    g_assert_cmpint(head[0], ==, 0x80 | WS_OP_TEXT);
    len = head[1] & 0x7f;
    g_assert_cmpint(recv(fixture->leg, text, len, MSG_WAITALL), ==, (gssize)len);
    ws_mask(text, text, len, ws_key_load(head + 2), 0);
    g_assert_true(g_str_has_prefix((const char *)text, prefix));
}

#define AWAIT(condition)                                                                           \
    while (!(condition))                                                                           \
    g_main_context_iteration(NULL, TRUE)

/* An open stream whose other end has talked; TIME: that it may be suspended. */
static Stream *
open_stream(Fixture *fixture, StreamRole role, gint64 time)
{
    static const guint8 secret[STREAM_RESUME_KEY] = "0123456789abcdef0123456789abcde";
    const StreamInfo info = {
        .id = 7,
        .role = role,
        .hub = "home",
        .device = "dev1",
        .name = "ssh",
        .hub_id = "sid-1",
        .ended = on_ended,
        .data = fixture,
    };
    Stream *stream = fixture->stream = stream_new(fixture->table, &info, NULL);
    int fds[2];

    tcp_pair(fds);
    fixture->app = fds[0];
    g_assert_null(stream_resume_secret(stream));
    stream_set_resume(stream, secret, time);
    g_assert_true(memcmp(stream_resume_secret(stream), secret, sizeof secret) == 0);
    stream_set_local(stream, connection_new(fds[1]));
    stream_attach_leg(stream, leg_new(fixture), runtime_pick(fixture->runtime), CAPS);
    g_assert_cmpint(stream_state(stream), ==, STREAM_OPEN);
    g_assert_false(stream_is_resumable(stream));
    expect_word(fixture, "r 0 ");
    say(fixture, "r 0 262144");
    AWAIT(stream_is_resumable(stream));
    return stream;
}

static void
suspend(Fixture *fixture)
{
    lose_leg(fixture);
    AWAIT(stream_state(fixture->stream) == STREAM_SUSPENDED);
}

/* It is suspended by each loss, and open again with the other end's first word on the next leg. */
static void
test_goes_on(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Stream *stream = open_stream(fixture, STREAM_ROLE_DEVICE, STREAM_RESUME_TIME);
    guint64 opened = stream_opened_at(stream);

    g_assert_cmpint(stream_suspended_for(stream), ==, REASON_NONE);
    for (guint i = 1; i <= 3; i++) {
        suspend(fixture);
        g_assert_cmpuint(fixture->suspended, ==, i);
        g_assert_cmpuint(stream_suspended_since(stream), >=, opened);
        g_assert_cmpint(stream_suspended_for(stream), ==, REASON_CUT);
        g_assert_cmpint(stream_resume_left(stream), >, STREAM_RESUME_TIME / 2);
        g_assert_cmpuint(stream_table_open(fixture->table), ==, 1);
        g_assert_true(stream_table_find_resume(fixture->table, "home", "sid-1") == stream);
        stream_resume_leg(stream, leg_new(fixture));
        expect_word(fixture, "r 0 ");
        g_assert_cmpint(stream_state(stream), ==, STREAM_SUSPENDED);
        say(fixture, "r 0 262144");
        AWAIT(stream_state(stream) == STREAM_OPEN);
        g_assert_cmpuint(stream_resumes(stream), ==, i);
        g_assert_cmpuint(stream_suspended_since(stream), ==, 0);
        g_assert_cmpint(stream_resume_left(stream), ==, 0);
    }
    g_assert_cmpuint(stream_opened_at(stream), ==, opened);
    g_assert_null(stream_table_find_resume(fixture->table, "work", "sid-1"));
    g_assert_null(stream_table_find_resume(fixture->table, "home", "sid-2"));
}

/* A leg that is lost before the other end talks is told as well, so that the next one is tried; the
 * pause is one. */
static void
test_loses_again(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Stream *stream = open_stream(fixture, STREAM_ROLE_SERVICE, STREAM_RESUME_TIME);
    guint64 since;

    suspend(fixture);
    since = stream_suspended_since(stream);
    stream_resume_leg(stream, leg_new(fixture));
    expect_word(fixture, "r 0 ");
    lose_leg(fixture);
    AWAIT(fixture->suspended == 2);
    g_assert_cmpuint(stream_suspended_since(stream), ==, since);
    g_assert_cmpuint(stream_resumes(stream), ==, 0);
}

/* It goes on, and is lost again at once: its time is that of the first loss, until the other end
 * has consumed more. */
static void
test_goes_on_in_vain(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Stream *stream = open_stream(fixture, STREAM_ROLE_SERVICE, STREAM_RESUME_TIME);
    gint64 left = STREAM_RESUME_TIME;
    guint8 frame[2 + WS_MASK_KEY_LEN + 4];

    g_assert_cmpint(send(fixture->app, "data", 4, 0), ==, 4);
    for (guint i = 0; i < 4; i++) {
        suspend(fixture);
        g_assert_cmpint(stream_is_settled(stream), ==, i == 0 || i == 3);
        g_usleep(30000);
        if (i == 1 || i == 2)
            g_assert_cmpint(stream_resume_left(stream), <, left - 20000);
        left = stream_resume_left(stream);
        if (i == 3)
            break;
        stream_resume_leg(stream, leg_new(fixture));
        expect_word(fixture, "r 0 ");
        say(fixture, i == 2 ? "r 4 262144" : "r 0 262144");
        AWAIT(stream_state(stream) == STREAM_OPEN);
        if (i < 2) /* a frame of the four bytes */
            g_assert_cmpint(recv(fixture->leg, frame, sizeof frame, MSG_WAITALL), ==, sizeof frame);
    }
    g_assert_cmpint(left, >, STREAM_RESUME_TIME - 60000);
}

static void
test_settled(Fixture *fixture G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
    g_assert_true(stream_has_settled(0, 1, FALSE)); /* its first leg */
    g_assert_true(stream_has_settled(5, 5, TRUE));
    g_assert_true(stream_has_settled(5, 5 + STREAM_SETTLED, FALSE));
    g_assert_false(stream_has_settled(5, 5 + STREAM_SETTLED - 1, FALSE));
}

/* The application's socket: reset, or ended in order. */
/* An attempt counts until it has brought its leg, and none counts again behind a higher one. What a
 * leg before was lost for is not said of the next one. */
static void
test_attempts(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Stream *stream;
    StreamAnswer lost;

    open_stream(fixture, STREAM_ROLE_DEVICE, G_TIME_SPAN_MINUTE);
    stream = fixture->stream;
    stream_set_leg_request(stream, "1", "a");
    g_assert_false(stream_lost_leg(stream, &lost));
    suspend(fixture);
    g_assert_true(stream_lost_leg(stream, &lost));
    g_assert_cmpstr(lost.rid, ==, "1");
    g_assert_cmpint(lost.reason, ==, REASON_CUT);
    g_assert_true(stream_awaits_attempt(stream, 1));
    stream_set_resume_attempt(stream, 2);
    g_assert_false(stream_awaits_attempt(stream, 1));
    g_assert_true(stream_awaits_attempt(stream, 2)); /* its answer may have been lost */
    stream_set_leg_request(stream, "2", "b");
    g_assert_false(stream_lost_leg(stream, &lost));
    g_assert_cmpint(stream_suspended_for(stream), ==, REASON_CUT);
    g_assert_false(stream_awaits_attempt(stream, 2));
    g_assert_true(stream_awaits_attempt(stream, 3));
}

static void
expect_app(Fixture *fixture, gboolean reset)
{
    char byte;

    g_assert_cmpint(recv(fixture->app, &byte, 1, 0), ==, reset ? -1 : 0);
}

/* When its time is over it ends with the reason of the first loss. */
static void
test_gives_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Stream *stream = open_stream(fixture, STREAM_ROLE_DEVICE, 300 * G_TIME_SPAN_MILLISECOND);
    gint64 start;

    stream_drop_leg(stream, REASON_SILENT);
    AWAIT(stream_state(stream) == STREAM_SUSPENDED);
    start = g_get_monotonic_time();
    AWAIT(fixture->ended);
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 250 * G_TIME_SPAN_MILLISECOND);
    g_assert_cmpint(stream_reason(stream), ==, REASON_SILENT);
    g_assert_cmpuint(stream_suspended_since(stream), ==, 0);
    expect_app(fixture, TRUE);
    g_assert_null(stream_table_find_resume(fixture->table, "home", "sid-1"));
}

/* Of a hub that goes: that its streams end, too, whether or not they have a leg. */
static void
test_closes(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Stream *stream = open_stream(fixture, STREAM_ROLE_DEVICE, STREAM_RESUME_TIME);
    char byte;

    suspend(fixture);
    stream_table_close_hub(fixture->table, "home", REASON_CLOSED_BY_USER);
    g_assert_cmpint(stream_state(stream), ==, STREAM_CLOSING);
    AWAIT(fixture->ended);
    g_assert_cmpint(stream_reason(stream), ==, REASON_CLOSED_BY_USER);
    g_assert_cmpint(stream_state(stream), ==, STREAM_CLOSED);
    expect_app(fixture, TRUE);
    /* A leg that comes now is nobody's. */
    stream_resume_leg(stream, leg_new(fixture));
    g_assert_cmpint(recv(fixture->leg, &byte, 1, 0), <=, 0);
}

/* With a leg the other end is told by `c`. */
static void
test_says_close(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Stream *stream = open_stream(fixture, STREAM_ROLE_DEVICE, STREAM_RESUME_TIME);

    stream_close(stream, REASON_CLOSED_BY_USER);
    AWAIT(fixture->ended);
    expect_word(fixture, "c closed-by-user");
    g_assert_cmpint(stream_reason(stream), ==, REASON_CLOSED_BY_USER);
}

static void
test_ended_there(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Stream *stream = open_stream(fixture, STREAM_ROLE_SERVICE, STREAM_RESUME_TIME);

    suspend(fixture);
    stream_ended_there(stream, REASON_LOCAL_CUT);
    AWAIT(fixture->ended);
    g_assert_cmpint(stream_reason(stream), ==, REASON_LOCAL_CUT);
    expect_app(fixture, TRUE);
}

/* The application resets its connection meanwhile: nothing is left to go on with. */
static void
test_app_resets(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Stream *stream = open_stream(fixture, STREAM_ROLE_SERVICE, STREAM_RESUME_TIME);
    const struct linger hard = {.l_onoff = 1};

    suspend(fixture);
    (void)setsockopt(fixture->app, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fixture->app);
    fixture->app = -1;
    AWAIT(fixture->ended);
    g_assert_cmpint(stream_reason(stream), ==, REASON_LOCAL_CUT);
}

/* Without the capability, or without a key, a stream ends with its leg. */
static void
test_plain(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    const StreamInfo info = {.id = 8,
                             .role = STREAM_ROLE_DEVICE,
                             .hub = "home",
                             .device = "dev1",
                             .name = "ssh",
                             .hub_id = "sid-1",
                             .ended = on_ended,
                             .data = fixture};
    Stream *stream = stream_new(fixture->table, &info, NULL);
    int fds[2];

    tcp_pair(fds);
    fixture->app = fds[0];
    stream_set_local(stream, connection_new(fds[1]));
    stream_attach_leg(stream, leg_new(fixture), runtime_pick(fixture->runtime), CAPS);
    g_assert_null(stream_reactor(stream));
    g_assert_null(stream_table_find_resume(fixture->table, "home", "sid-1"));
    lose_leg(fixture);
    AWAIT(fixture->ended);
    g_assert_cmpint(stream_reason(stream), ==, REASON_CUT);
    g_assert_cmpuint(fixture->suspended, ==, 0);
}

static void
on_text(const char *name, const char *text, void *data)
{
    g_string_append_printf(data, "%s=%s ", name, text);
}

static void
on_name(const char *name, void *data)
{
    g_string_append_printf(data, "%s{ ", name);
}

static void
on_end(void *data)
{
    g_string_append(data, "} ");
}

static void
on_number(const char *name, guint64 number, void *data)
{
    g_string_append_printf(data, "%s=%" G_GUINT64_FORMAT " ", name, number);
}

static void
on_boolean(const char *name, gboolean value, void *data)
{
    g_string_append_printf(data, "%s=%s ", name, value ? "yes" : "no");
}

static void
on_inspected(const Inspection *inspection, void *data)
{
    Fixture *fixture = data;
    const Report report = {.begin = on_name,
                           .end = on_end,
                           .text = on_text,
                           .number = on_number,
                           .boolean = on_boolean,
                           .data = fixture->told = g_string_new(NULL)};

    inspection_report(inspection, &report);
}

static void
test_inspect(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Stream *stream = open_stream(fixture, STREAM_ROLE_SERVICE, STREAM_RESUME_TIME);

    (void)inspection_new(stream, on_inspected, fixture);
    AWAIT(fixture->told);
    g_assert_nonnull(strstr(fixture->told->str, "state=open waits-for=data "));
    g_assert_nonnull(strstr(fixture->told->str, "survives{ kept=0 credit=262144 window="));
    g_string_free(g_steal_pointer(&fixture->told), TRUE);
    suspend(fixture);
    (void)inspection_new(stream, on_inspected, fixture);
    AWAIT(fixture->told);
    g_assert_nonnull(strstr(fixture->told->str, "state=suspended waits-for=leg "));
    g_assert_nonnull(strstr(fixture->told->str, "survives{ suspended-for="));
    g_assert_nonnull(strstr(fixture->told->str, "hub{ open=no lost=yes "));
    g_string_free(g_steal_pointer(&fixture->told), TRUE);
}

#define ADD(name, test) g_test_add(name, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/stream-resume/goes-on", test_goes_on);
    ADD("/stream-resume/loses-again", test_loses_again);
    ADD("/stream-resume/goes-on-in-vain", test_goes_on_in_vain);
    ADD("/stream-resume/settled", test_settled);
    ADD("/stream-resume/attempts", test_attempts);
    ADD("/stream-resume/gives-up", test_gives_up);
    ADD("/stream-resume/closes", test_closes);
    ADD("/stream-resume/says-close", test_says_close);
    ADD("/stream-resume/ended-there", test_ended_there);
    ADD("/stream-resume/app-resets", test_app_resets);
    ADD("/stream-resume/plain", test_plain);
    ADD("/stream-resume/inspect", test_inspect);
    return g_test_run();
}
