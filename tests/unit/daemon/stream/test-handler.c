/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams that an app takes: how the app is called is played here. */
#include "common/base/error.h"
#include "tests/unit/daemon/stream/device-fixture.h"

#include "common/extension/resume-ask.h"
#include "daemon/stream/handover.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ALICE 2001
#define BOB 2002
#define RULE ACCEPT_FIRST_RUNTIME_ID /* of the only one */

static const guint8 resume_key[RESUME_KEY_LEN] = "0123456789abcdef0123456789abcde";

/* An app: what it was asked last. */
typedef struct {
    gboolean deaf; /* it cannot be called */
    HandlerAsk *ask;
    guint asked, cancelled;
    guint32 owner; /* of the stream, when it was asked */
} Play;

static gpointer
play_ask(const HandlerStream *what, HandlerAsk *ask, void *data)
{
    Play *play = data;

    if (play->deaf)
        return NULL;
    play->ask = ask;
    play->asked++;
    play->owner = stream_owner_uid(what->stream);
    g_assert_cmpuint(what->deadline, >, (guint64)g_get_real_time());
    return play;
}

static void
play_cancel(gpointer call, void *data)
{
    ((Play *)data)->cancelled++;
    ((Play *)data)->ask = NULL;
}

static void
play_deliver(const HandlerStream *what, int fd, void *data)
{
    g_assert_not_reached(); /* the leg never comes up here */
}

static const HandlerOps ops = {play_ask, play_cancel, play_deliver};

static Handler *
add(Fixture *fixture, guint32 uid, Play *play)
{
    Handler *handler = handlers_add(fixture->handlers, uid, "echo", &ops, play, NULL);

    g_assert_nonnull(handler);
    return handler;
}

static void
add_rule(Fixture *fixture)
{
    const AcceptRule rule = {.kind = ACCEPT_HANDLER, .handler = "echo", .handler_uid = ALICE};

    g_assert_true(accept_policy_add(fixture->policy, &rule, -1, NULL, NULL));
}

/* A stream is asked for that is for ALICE's app, which is there. */
static Handler *
request(Fixture *fixture, Play *play)
{
    Handler *handler = add(fixture, ALICE, play);

    add_rule(fixture);
    device_request(fixture, "x", "1", TRUE);
    return handler;
}

static void
assert_rejected(Fixture *fixture, Reason reason, const char *answer)
{
    g_assert_cmpstr(strstr(device_wait_answer(fixture, 0), "&$reason="), ==, answer);
    g_assert_cmpint(stream_reason(device_only_stream(fixture)), ==, reason);
    g_assert_cmpuint(device_streams_pending(fixture->streams), ==, 0);
}

/* A handler of that name, but of another user, is none. */
static void
test_not_registered(Fixture *fixture, gconstpointer data)
{
    Play play = {0};
    Handler *handler = add(fixture, BOB, &play);

    add_rule(fixture);
    device_request(fixture, "x", "1", TRUE);
    assert_rejected(fixture, REASON_NO_HANDLER, "&$reason=no-handler");
    g_assert_cmpuint(play.asked, ==, 0);
    g_assert_cmpuint(stream_owner_uid(device_only_stream(fixture)), ==, getuid());
    handler_remove(handler);
}

static void
test_yes(Fixture *fixture, gconstpointer data)
{
    Play play = {0};
    Handler *handler = request(fixture, &play);

    g_assert_cmpuint(play.owner, ==, ALICE);
    g_assert_cmpuint(fixture->owners, ==, 1);
    g_assert_cmpuint(fixture->answers->len, ==, 0);
    handler_ask_answer(play.ask, TRUE, "ignored");
    g_assert_nonnull(strstr(device_wait_answer(fixture, 0), "/200/"));
    g_assert_cmpint(stream_state(device_only_stream(fixture)), ==, STREAM_CONNECTING);
    /* It leaves: the stream goes on until it is open, since the hub was told yes. */
    handler_remove(handler);
    g_assert_cmpint(stream_state(device_only_stream(fixture)), ==, STREAM_CONNECTING);
    g_assert_cmpuint(play.cancelled, ==, 0);
}

/* What an app says to the initiator is cut, and nothing in it breaks a line. */
static void
test_no(Fixture *fixture, gconstpointer data)
{
    g_autofree char *tail = g_strnfill(500, '-');
    g_autofree char *text = g_strconcat("no\n\x1b[1m\xc3\xbc", tail, NULL);
    Play play = {0};
    Handler *handler = request(fixture, &play);
    const char *message;

    handler_ask_answer(play.ask, FALSE, text);
    g_assert_cmpint(stream_reason(device_only_stream(fixture)), ==, REASON_REJECTED);
    message = stream_message(device_only_stream(fixture));
    g_assert_true(g_str_has_prefix(message, "no"
                                            "??"
                                            "[1m"
                                            "??"
                                            "---"));
    g_assert_cmpuint(strlen(message), ==, ACCEPT_TEXT_MAX);
    g_assert_nonnull(strstr(device_wait_answer(fixture, 0), "&$reason=rejected%20no"));
    handler_remove(handler);
}

static void
test_no_without_a_word(Fixture *fixture, gconstpointer data)
{
    Play play = {0};
    Handler *handler = request(fixture, &play);

    handler_ask_answer(play.ask, FALSE, "");
    assert_rejected(fixture, REASON_REJECTED, "&$reason=rejected");
    handler_remove(handler);
}

static void
test_leaves(Fixture *fixture, gconstpointer data)
{
    Play play = {0};
    Handler *handler = request(fixture, &play);

    handler_remove(handler);
    g_assert_cmpuint(play.cancelled, ==, 1);
    g_assert_true(g_str_has_prefix(strstr(device_wait_answer(fixture, 0), "&$reason="),
                                   "&$reason=no-handler%20"));
    g_assert_cmpint(stream_reason(device_only_stream(fixture)), ==, REASON_NO_HANDLER);
}

/* Within the hub's time, and not one's own of 20 s. */
static void
test_silent(Fixture *fixture, gconstpointer data)
{
    Play play = {0};
    Handler *handler = add(fixture, ALICE, &play);

    add_rule(fixture);
    device_request_by(fixture, "x", "1", TRUE, 800);
    (void)device_wait_answer(fixture, 0);
    g_assert_cmpuint(play.cancelled, ==, 1);
    g_assert_cmpint(stream_reason(device_only_stream(fixture)), ==, REASON_NO_HANDLER);
    handler_remove(handler);
}

static void
test_deaf(Fixture *fixture, gconstpointer data)
{
    Play play = {.deaf = TRUE};
    Handler *handler = request(fixture, &play);

    (void)device_wait_answer(fixture, 0);
    g_assert_cmpint(stream_reason(device_only_stream(fixture)), ==, REASON_NO_HANDLER);
    handler_remove(handler);
}

static void
test_closed(Fixture *fixture, gconstpointer data)
{
    Play play = {0};
    Handler *handler = request(fixture, &play);

    stream_close(device_only_stream(fixture), REASON_CLOSED_BY_USER);
    g_assert_cmpuint(play.cancelled, ==, 1);
    g_assert_nonnull(strstr(device_wait_answer(fixture, 0), "&$reason=rejected"));
    handler_remove(handler);
}

/* Four streams a user may have here; the fifth is not even asked about. */
static void
test_over_quota(Fixture *fixture, gconstpointer data)
{
    Play play = {0};
    Handler *handler = add(fixture, ALICE, &play);

    add_rule(fixture);
    for (guint i = 0; i < 5; i++) {
        g_autofree char *rid = g_strdup_printf("%u", i);

        device_request(fixture, "x", rid, TRUE);
    }
    g_assert_cmpuint(play.asked, ==, 4);
    g_assert_nonnull(strstr(device_wait_answer(fixture, 0), "&$reason=limit"));
    handler_remove(handler);
}

/* A suspended stream of ALICE's app, which a former process had; the app's end. TAKEN: it has it.
 */
static int
inherit(Fixture *fixture, gboolean taken)
{
    g_autofree char *digest = accept_policy_digest(fixture->policy, RULE);
    g_autofree char *grant = g_strdup_printf("%u %s ", RULE, digest);
    StoredStream from = {
        .id = 7,
        .role = STREAM_ROLE_DEVICE,
        .hub = (char[]){"home"},
        .device = (char[]){"dev1"},
        .name = (char[]){"x"},
        .hub_id = (char[]){"sid-1"},
        .rule = grant,
        .owner_uid = ALICE,
        .caps = CAP_REASON | CAP_HALF_CLOSE | CAP_SID | CAP_RESUME,
        .time = STREAM_RESUME_TIME,
        .time_left = STREAM_RESUME_TIME,
        .saved = {.limit = RESUME_FIRST, .told_limit = RESUME_FIRST},
    };
    int fds[2];

    resume_key_digest(resume_key, from.secret);
    g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
    g_assert_nonnull(stream_restore(fixture->table, &from, fds[1], taken));
    return fds[0];
}

/* The service leads it back. */
static void
lead_back(Fixture *fixture)
{
    const char *port = strrchr(listener_address(fixture->silent), ':') + 1;
    g_autofree char *url = g_strdup_printf("wss://127.0.0.1:%s/bridges/1", port);
    g_autofree char *key = resume_key_format(resume_key);

    device_streams_request(fixture->streams, &(StreamRequest){.name = "x",
                                                              .rid = "1",
                                                              .url = url,
                                                              .token = "token",
                                                              .capable = TRUE,
                                                              .caps = CAP_REASON | CAP_HALF_CLOSE |
                                                                      CAP_SID | CAP_RESUME,
                                                              .deadline = -1,
                                                              .sid = "sid-2",
                                                              .rkey = key,
                                                              .resume = "sid-1.1"});
}

/* The app holds its end over a restart, and has not registered again yet. */
static void
test_held(Fixture *fixture, gconstpointer data)
{
    int app;

    add_rule(fixture);
    app = inherit(fixture, TRUE);
    lead_back(fixture);
    g_assert_nonnull(strstr(device_wait_answer(fixture, 0), "/200/"));
    stream_close(device_only_stream(fixture), REASON_CUT);
    (void)close(app);
}

/* Nobody holds it: its app has to be there. */
static void
test_not_held(Fixture *fixture, gconstpointer data)
{
    int app;

    add_rule(fixture);
    app = inherit(fixture, FALSE);
    lead_back(fixture);
    g_assert_nonnull(strstr(device_wait_answer(fixture, 0), "&$reason=no-handler"));
    stream_close(device_only_stream(fixture), REASON_CUT);
    (void)close(app);
}

static void
assert_not_added(Fixture *fixture, guint32 uid, const char *name, gint code)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(handlers_add(fixture->handlers, uid, name, &ops, NULL, &error));
    g_assert_error(error, STREAMD_ERROR, code);
}

static void
test_registering(Fixture *fixture, gconstpointer data)
{
    g_autofree char *longest = g_strnfill(ACCEPT_HANDLER_MAX, 'x');
    g_autofree char *too_long = g_strnfill(ACCEPT_HANDLER_MAX + 1, 'x');
    g_autoptr(GPtrArray) all = g_ptr_array_new();

    g_ptr_array_add(all, add(fixture, ALICE, NULL));
    g_ptr_array_add(all, add(fixture, BOB, NULL));
    assert_not_added(fixture, ALICE, "echo", STREAMD_ERROR_EXISTS);
    assert_not_added(fixture, ALICE, "", STREAMD_ERROR_INVALID);
    assert_not_added(fixture, ALICE, "a b", STREAMD_ERROR_INVALID);
    assert_not_added(fixture, ALICE, "\xc3\xbc", STREAMD_ERROR_INVALID);
    assert_not_added(fixture, ALICE, too_long, STREAMD_ERROR_INVALID);
    g_ptr_array_add(all, handlers_add(fixture->handlers, ALICE, longest, &ops, NULL, NULL));
    for (guint i = 2; i < HANDLERS_PER_UID; i++) {
        g_autofree char *name = g_strdup_printf("%u", i);

        g_ptr_array_add(all, handlers_add(fixture->handlers, ALICE, name, &ops, NULL, NULL));
    }
    assert_not_added(fixture, ALICE, "more", STREAMD_ERROR_LIMIT);
    for (guint i = 0; i < all->len; i++)
        handler_remove(all->pdata[i]);
    g_assert_null(handlers_find(fixture->handlers, ALICE, "echo"));
}

#define ADD(name, func)                                                                            \
    g_test_add("/handler/" name, Fixture, NULL, device_set_up, func, device_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("not-registered", test_not_registered);
    ADD("yes", test_yes);
    ADD("no", test_no);
    ADD("no-without-a-word", test_no_without_a_word);
    ADD("leaves", test_leaves);
    ADD("silent", test_silent);
    ADD("deaf", test_deaf);
    ADD("closed", test_closed);
    ADD("over-quota", test_over_quota);
    ADD("held", test_held);
    ADD("not-held", test_not_held);
    ADD("registering", test_registering);
    return g_test_run();
}
