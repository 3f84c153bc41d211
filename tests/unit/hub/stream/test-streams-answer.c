/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What devices answer, what they never answer, and what is left of a stream afterwards. */
#include "tests/unit/hub/stream/streams-fixture.h"

#include <string.h>

typedef struct {
    Hub *hub;
    Session *session;
} Fixture;

static void
fixture_setup(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    f->hub = hub_new(NULL);
    f->session = hub_device(f->hub, "dev1", CAPS_ALL);
}

static void
fixture_teardown(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    hub_free(f->hub);
}

static const Post capable = {.extended = TRUE, .caps = CAP_REASON | CAP_HALF_CLOSE};

static void
expect_close(Asked *leg, guint code, const char *text)
{
    g_autofree char *got_text = NULL;
    guint got_code;

    g_free(peer_read(leg, &got_code, &got_text));
    g_assert_cmpuint(got_code, ==, code);
    g_assert_cmpstr(got_text, ==, text);
}

/* What the device gave as its reason, and its words, reach a service that knows them; a plain one
 * is told no. */
static void
test_rejected(Fixture *f, gconstpointer data)
{
    static const struct {
        Reason reason;
        const char *text;
        const char *told;
    } rows[] = {
        {REASON_POLICY, NULL, "policy"},
        {REASON_NO_TARGET, "no camera here", "no-target no camera here"},
        {REASON_POLICY, "", "policy"},
        {REASON_NONE, NULL, "rejected"},
        {REASON_NONE, "not today", "rejected not today"},
        {REASON_POLICY, "a line\r\nEvil: 1", "policy"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (guint plain = 0; plain < 2; plain++) {
            Asked *post = hub_post(f->hub, plain ? &(Post){0} : &capable);
            g_autofree char *accepted = NULL, *told = NULL;

            session_reject_with(f->session, rows[i].reason, rows[i].text, f->hub);
            g_assert_cmpuint(post->status, ==, 200);
            accepted = asked_field(post, "iothub-streaming-is-accepted");
            told = asked_field(post, "streamd-reject-reason");
            g_assert_cmpstr(accepted, ==, "False");
            g_assert_cmpstr(told, ==, plain ? NULL : rows[i].told);
        }
    }
    g_assert_cmpuint(streams_count(f->hub->streams), ==, 0);
}

/* The leg of a device that came first and then says no: in order, so a plain one is told nothing
 * but 1000. */
static void
test_rejected_with_leg(Fixture *f, gconstpointer data)
{
    Session *plain = hub_device(f->hub, "dev2", 0);
    Asked *leg;

    (void)hub_post(f->hub, &capable);
    leg = hub_device_leg(f->hub, f->session);
    session_reject(f->session, REASON_POLICY, f->hub);
    expect_close(leg, 1000, "rejected");
    (void)hub_post(f->hub, &(Post){.device = "dev2"});
    leg = hub_device_leg(f->hub, plain);
    session_reject(plain, REASON_NONE, f->hub);
    expect_close(leg, 1000, "");
}

/* It never answers: 504 after the time-out of the request, whoever asked, and not 1 µs before. */
static void
test_never(Fixture *f, gconstpointer data)
{
    for (guint plain = 0; plain < 2; plain++) {
        Post post = {.extended = !plain, .response_timeout = 7 * SECOND};
        Asked *asked = hub_post(f->hub, &post);

        clock_pass(f->hub->clock, 7 * SECOND - 1);
        g_assert_cmpuint(asked->status, ==, 0);
        clock_pass(f->hub->clock, TIMER_WHEEL_TICK + 1);
        g_assert_cmpuint(asked->status, ==, 504);
        g_assert_nonnull(strstr(asked->body, "504101"));
    }
}

/* Of a plain service, too, the time for the answer goes on when the device comes back. */
static void
test_time_goes_on(Fixture *f, gconstpointer data)
{
    g_auto(StreamRequest) first = {0}, again = {0};
    Asked *post;

    clock_pass(f->hub->clock, 1); /* so that ticks of the timers are not its times */
    post = hub_post(f->hub, &(Post){.response_timeout = 10 * SECOND});
    first = session_request(f->session);
    clock_pass(f->hub->clock, 4 * SECOND);
    f->session = hub_device(f->hub, "dev1", CAPS_ALL);
    again = session_request(f->session);
    g_assert_cmpint(first.deadline, ==, 10 * 1000);
    g_assert_cmpint(again.deadline, ==, 6 * 1000);
    /* Its end is seen a little late: nothing is left then, and that is told. */
    clock_pass(f->hub->clock, 6 * SECOND + 2000);
    g_assert_cmpuint(post->status, ==, 0);
    f->session = hub_device(f->hub, "dev1", CAPS_ALL);
    stream_request_clear(&again);
    again = session_request(f->session);
    g_assert_cmpint(again.deadline, ==, 0);
    clock_pass(f->hub->clock, TIMER_WHEEL_TICK);
    g_assert_cmpuint(post->status, ==, 504);
}

/* The text of the device's token is kept to be sent again, and not for longer. */
static void
test_token_wiped(Fixture *f, gconstpointer data)
{
    HubStream *stream = hub_post(f->hub, &capable)->stream;

    g_assert_cmpuint(strlen(stream->device_token), ==, TOKEN_TEXT);
    session_accept(f->session, CAP_REASON, f->hub);
    g_assert_cmpuint(strlen(stream->device_token), ==, 0);
    stream = hub_post(f->hub, &capable)->stream;
    session_reject(f->session, REASON_POLICY, f->hub);
    g_assert_cmpint(stream->state, ==, STREAM_ENDED); /* and waits for a leg that comes too late */
    g_assert_cmpuint(strlen(stream->device_token), ==, 0);
    stream = hub_post(f->hub, &capable)->stream;
    clock_pass(f->hub->clock, 31 * SECOND);
    g_assert_cmpint(stream->state, ==, STREAM_ENDED);
    g_assert_cmpuint(strlen(stream->device_token), ==, 0);
}

/* Says no to a stream that is open: from a device with reasons, for one of a cut, that is the end;
 * anything else is counted and nothing more. */
static void
test_no_after_yes(Fixture *f, gconstpointer data)
{
    static const struct {
        Caps agreed;
        Reason reason;
        gboolean ends;
    } rows[] = {
        {CAP_REASON, REASON_LOCAL_CUT, TRUE},    {CAP_REASON, REASON_BYTE_LIMIT, TRUE},
        {CAP_REASON, REASON_COMPLETED, FALSE},   {CAP_REASON, REASON_DEVICE_CLOSED, FALSE},
        {CAP_REASON, REASON_NONE, FALSE},        {0, REASON_LOCAL_CUT, FALSE},
        {CAP_HALF_CLOSE, REASON_STALLED, FALSE},
    };

    f->hub->settings->end_wait = 50 * G_TIME_SPAN_MILLISECOND; /* the device's leg stands still */
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        Asked *post = hub_post(f->hub, &capable), *service;
        guint64 ignored = streams_ignored(f->hub->streams);

        session_accept(f->session, rows[i].agreed, f->hub);
        (void)hub_device_leg(f->hub, f->session);
        service = hub_service_leg(f->hub, post);
        while (!post->stream->relay)
            g_main_context_iteration(NULL, TRUE);
        session_reject(f->session, rows[i].reason, f->hub);
        g_test_message("%s", reason_code(rows[i].reason));
        g_assert_cmpuint(streams_ignored(f->hub->streams), ==, ignored + (rows[i].ends ? 0 : 1));
        if (rows[i].ends)
            expect_close(service, reason_close_code(rows[i].reason), reason_code(rows[i].reason));
        else
            g_assert_cmpint(post->stream->state, ==, STREAM_OPEN);
    }
}

/* The hub's first word on a leg that knows reasons is a ping; a plain one hears what the other side
 * sends. */
static void
test_first_word(Fixture *f, gconstpointer data)
{
    Asked *post = hub_post(f->hub, &capable), *device, *service;

    session_accept(f->session, 0, f->hub);
    device = hub_device_leg(f->hub, f->session);
    service = hub_service_leg(f->hub, post);
    peer_send(service, "hello");
    g_assert_cmphex(peer_first(service), ==, 0x89);
    g_assert_cmphex(peer_first(device), ==, 0x82);
}

/* A leg whose peer goes before its 101: there is no bridge, and the other one is told. */
static void
test_gone_before_101(Fixture *f, gconstpointer data)
{
    Asked *post = hub_post(f->hub, &capable), *device;

    session_accept(f->session, CAP_REASON, f->hub);
    device = hub_device_leg(f->hub, f->session);
    hub_settle(f->hub);
    f->hub->peers_gone = TRUE;
    (void)hub_service_leg(f->hub, post);
    expect_close(device, 1011, "cut");
    g_assert_cmpuint(streams_count(f->hub->streams), ==, 0);
}

/* The peer goes, and before that is heard of the leg is closed: nobody is told any more. */
static void
test_closed_while_lost(Fixture *f, gconstpointer data)
{
    Asked *leg;

    (void)hub_post(f->hub, &capable);
    leg = hub_device_leg(f->hub, f->session);
    hub_settle(f->hub);
    peer_leave(leg);
    while (!g_main_context_pending(NULL))
        g_usleep(1000);
    streams_revoke_policy(f->hub->streams, "anna");
    hub_settle(f->hub);
    g_assert_cmpuint(streams_count(f->hub->streams), ==, 0);
}

/* The hub goes down with a stream in each state: who waits is answered, and no timer is left. */
static void
test_freed(Fixture *f, gconstpointer data)
{
    Asked *waiting = hub_post(f->hub, &(Post){.device = "dev2", .connect_timeout = SECOND});
    Asked *asked = hub_post(f->hub, &capable), *accepted, *leg;

    (void)hub_post(f->hub, &capable);
    session_reject(f->session, REASON_POLICY, f->hub);
    accepted = hub_post(f->hub, &capable);
    session_accept(f->session, CAP_REASON, f->hub);
    leg = hub_service_leg(f->hub, accepted);
    hub_settle(f->hub);
    g_assert_false(clock_is_idle(f->hub->clock));
    streams_free(g_steal_pointer(&f->hub->streams));
    g_assert_true(clock_is_idle(f->hub->clock));
    g_assert_cmpuint(waiting->status, ==, 503);
    g_assert_cmpuint(asked->status, ==, 503);
    expect_close(leg, 1001, "");
}

#define ADD(name, func)                                                                            \
    g_test_add("/streams-answer/" name, Fixture, NULL, fixture_setup, func, fixture_teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("rejected", test_rejected);
    ADD("rejected-with-leg", test_rejected_with_leg);
    ADD("never", test_never);
    ADD("time-goes-on", test_time_goes_on);
    ADD("token-wiped", test_token_wiped);
    ADD("no-after-yes", test_no_after_yes);
    ADD("first-word", test_first_word);
    ADD("gone-before-101", test_gone_before_101);
    ADD("closed-while-lost", test_closed_while_lost);
    ADD("freed", test_freed);
    return g_test_run();
}
