/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Legs that come early, late, twice or go; requests that are sent again; and the times of both
 * (docs/wire-protocol.md, section 4a). */
#include "tests/unit/hub/stream/streams-fixture.h"

#include <string.h>

typedef struct {
    Hub *hub;
    Session *session;
    guint freed; /* before */
} Fixture;

static void
fixture_setup(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    f->hub = hub_new(NULL);
    f->session = hub_device(f->hub, "dev1", CAPS_ALL);
    f->freed = hub_streams_freed();
}

static void
fixture_teardown(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    hub_free(f->hub);
}

static Asked *
post_capable(Fixture *f)
{
    return hub_post(f->hub, &(Post){.extended = TRUE,
                                    .caps = CAP_REASON | CAP_HALF_CLOSE,
                                    .connect_timeout = 5 * SECOND,
                                    .response_timeout = 20 * SECOND});
}

/* Another connection of the device takes the place of the present one. */
static Session *
come_back(Fixture *f, Caps caps)
{
    f->session = hub_device(f->hub, "dev1", caps);
    return f->session;
}

static void
expect_close(Asked *leg, const char *data, guint code, const char *text)
{
    g_autofree char *got_text = NULL, *got = NULL;
    guint got_code;

    got = peer_read(leg, &got_code, &got_text);
    g_assert_cmpstr(got, ==, data);
    g_assert_cmpuint(got_code, ==, code);
    g_assert_cmpstr(got_text, ==, text);
}

/* Bytes and end of a peer that goes while its leg is on the way into the bridge are delivered. */
static void
test_lost_on_the_way(Fixture *f, gconstpointer data)
{
    Asked *post = post_capable(f), *device;

    session_accept(f->session, 0, f->hub);
    device = hub_device_leg(f->hub, f->session);
    hub_settle(f->hub);
    peer_send(device, "all that it had to say");
    peer_leave(device);
    while (!g_main_context_pending(NULL)) /* its reactor has seen that, and we have not */
        g_usleep(1000);
    expect_close(hub_service_leg(f->hub, post), "all that it had to say", 1000, "device-closed");
    hub_settle(f->hub);
    g_assert_cmpuint(streams_count(f->hub->streams), ==, 0);
}

/* A stream that is open waits for nothing: no timer of the handshake is left. */
static void
test_open_waits_for_nothing(Fixture *f, gconstpointer data)
{
    Asked *post = post_capable(f);

    g_assert_false(clock_is_idle(f->hub->clock));
    session_accept(f->session, CAP_REASON, f->hub);
    (void)hub_device_leg(f->hub, f->session);
    g_assert_false(clock_is_idle(f->hub->clock));
    (void)hub_service_leg(f->hub, post);
    g_assert_cmpint(post->stream->state, ==, STREAM_OPEN);
    g_assert_true(clock_is_idle(f->hub->clock));
    clock_pass(f->hub->clock, 10 * MINUTE);
    g_assert_cmpint(post->stream->state, ==, STREAM_OPEN);
}

/* Held until the other one comes: what it sent before it went is delivered. */
static void
test_service_goes_first(Fixture *f, gconstpointer data)
{
    Asked *post = hub_post(f->hub, &(Post){0}), *service;

    session_accept(f->session, CAP_REASON, f->hub);
    service = hub_service_leg(f->hub, post);
    hub_settle(f->hub);
    peer_send(service, "sent before it went");
    peer_leave(service);
    hub_settle(f->hub);
    g_assert_cmpint(post->stream->state, ==, STREAM_ACCEPTED);
    expect_close(hub_device_leg(f->hub, f->session), "sent before it went", 1000, "service-closed");
    hub_settle(f->hub);
    g_assert_cmpuint(streams_count(f->hub->streams), ==, 0);
}

/* A device whose leg has come and gone is asked no more; its 200 afterwards is 404104. */
static void
test_device_goes_first(Fixture *f, gconstpointer data)
{
    Asked *post = post_capable(f), *leg = hub_device_leg(f->hub, f->session);
    Session *first = f->session;

    hub_settle(f->hub);
    peer_leave(leg);
    hub_settle(f->hub);
    g_assert_cmpint(post->stream->state, ==, STREAM_ASKED);
    g_assert_cmpuint(come_back(f, CAPS_ALL)->topics->len, ==, 0);
    session_accept(first, CAP_REASON, f->hub);
    g_assert_cmpuint(post->status, ==, 404);
    g_assert_nonnull(strstr(post->body, "404104"));
}

/* After it has said yes, its loss is the end: the service's leg comes too late for it. */
static void
test_device_goes_after_200(Fixture *f, gconstpointer data)
{
    Asked *post = post_capable(f), *device;

    session_accept(f->session, CAP_REASON, f->hub);
    device = hub_device_leg(f->hub, f->session);
    hub_settle(f->hub);
    peer_leave(device);
    hub_settle(f->hub);
    g_assert_cmpuint(streams_count(f->hub->streams), ==, 0);
    expect_close(hub_service_leg(f->hub, post), "", 1011, "device-closed");
    clock_pass(f->hub->clock, f->hub->settings->stream_deadline);
    g_assert_cmpuint(hub_streams_freed(), ==, f->freed + 1);
}

/* A token is good once, and for its own path only. */
static void
test_tokens(Fixture *f, gconstpointer data)
{
    Asked *post = post_capable(f);
    g_auto(StreamRequest) request = session_request(f->session);
    g_autofree char *other = g_strdup(request.url), *service = NULL, *token = NULL;

    session_accept(f->session, CAP_REASON, f->hub);
    service = asked_field(post, "iothub-streaming-url");
    token = asked_field(post, "iothub-streaming-auth-token");
    memcpy(strstr(other, "/dev1/") + 1, "dev2", 4);
    g_assert_cmpuint(hub_leg(f->hub, other, request.token)->status, ==, 401);
    memcpy(strstr(other, "/dev2/") + 1, "dev1", 4);
    strstr(other, "/sid/")[5] ^= 1;
    g_assert_cmpuint(hub_leg(f->hub, other, request.token)->status, ==, 401);
    g_assert_cmpuint(hub_leg(f->hub, service, request.token)->status, ==, 401);
    g_assert_cmpuint(hub_leg(f->hub, request.url, token)->status, ==, 401);
    g_assert_cmpuint(hub_leg(f->hub, request.url, "")->status, ==, 401);
    g_assert_cmpuint(hub_leg(f->hub, request.url, request.token)->status, ==, 101);
    g_assert_cmpuint(hub_leg(f->hub, request.url, request.token)->status, ==, 401);
    g_assert_cmpuint(hub_leg(f->hub, service, token)->status, ==, 101);
    g_assert_cmpuint(hub_leg(f->hub, service, token)->status, ==, 401);
    g_assert_cmpint(post->stream->state, ==, STREAM_OPEN);
}

/* Ended, and its leg may still come until `stream-deadline` after the POST: told why until then,
 * afterwards refused; and then nothing of the stream is left. */
static void
test_late_until(Fixture *f, gconstpointer data)
{
    const gint64 life = f->hub->settings->stream_deadline;
    g_auto(StreamRequest) early = {0}, late = {0};

    (void)post_capable(f);
    early = session_request(f->session);
    (void)post_capable(f);
    late = session_request(f->session);
    streams_revoke_policy(f->hub->streams, "anna");
    clock_pass(f->hub->clock, life - 1);
    g_assert_cmpuint(hub_streams_freed(), ==, f->freed);
    expect_close(hub_leg(f->hub, early.url, early.token), "", 1011, "revoked");
    clock_pass(f->hub->clock, 1);
    g_assert_cmpuint(hub_leg(f->hub, late.url, late.token)->status, ==, 401);
    clock_pass(f->hub->clock, TIMER_WHEEL_TICK);
    g_assert_cmpuint(hub_streams_freed(), ==, f->freed + 2);
    g_assert_true(clock_is_idle(f->hub->clock));
}

/* A stream that was never asked for has no tokens: it goes at once. So does one whose tokens were
 * revoked because the initiator went away. */
static void
test_gone_at_once(Fixture *f, gconstpointer data)
{
    Asked *post = hub_post(f->hub, &(Post){.device = "dev2", .connect_timeout = SECOND});
    g_auto(StreamRequest) request = {0};

    clock_pass(f->hub->clock, SECOND - 1);
    g_assert_cmpuint(post->status, ==, 0);
    clock_pass(f->hub->clock, TIMER_WHEEL_TICK + 1);
    g_assert_cmpuint(post->status, ==, 404);
    g_assert_cmpuint(hub_streams_freed(), ==, f->freed + 1);
    post = post_capable(f);
    request = session_request(f->session);
    post->request.gone(&post->request, post->request.data);
    g_assert_cmpuint(hub_streams_freed(), ==, f->freed + 2);
    g_assert_cmpuint(hub_leg(f->hub, request.url, request.token)->status, ==, 401);
    g_assert_cmpuint(post->status, ==, 504); /* nobody reads it, but it is answered */
}

/* Ended with its bridge at work still: it stays until that has delivered. */
static void
test_bridge_delivers(Fixture *f, gconstpointer data)
{
    Asked *post = post_capable(f), *device, *service;

    session_accept(f->session, CAP_REASON, f->hub);
    device = hub_device_leg(f->hub, f->session);
    service = hub_service_leg(f->hub, post);
    while (!post->stream->relay)
        g_main_context_iteration(NULL, TRUE);
    streams_revoke_device(f->hub->streams, "dev1", NULL, REST_DEVICE_NOT_FOUND);
    g_assert_cmpuint(streams_count(f->hub->streams), ==, 0);
    g_assert_cmpuint(hub_streams_freed(), ==, f->freed);
    expect_close(device, "", 1008, "revoked");
    expect_close(service, "", 1008, "revoked");
    while (hub_streams_freed() == f->freed)
        g_main_context_iteration(NULL, TRUE);
}

static void
on_empty(void *data)
{
    (*(guint *)data)++;
}

/* Empty is when the last bridge has delivered, and is said once. */
static void
test_stop_is_empty(Fixture *f, gconstpointer data)
{
    Asked *post = post_capable(f), *device, *service;
    guint empty = 0;

    session_accept(f->session, CAP_REASON, f->hub);
    device = hub_device_leg(f->hub, f->session);
    service = hub_service_leg(f->hub, post);
    while (!post->stream->relay)
        g_main_context_iteration(NULL, TRUE);
    post = hub_post(f->hub, &(Post){0});
    streams_stop(f->hub->streams, on_empty, &empty);
    g_assert_cmpuint(post->status, ==, 503); /* at once; the open one has its grace */
    g_assert_cmpuint(streams_count(f->hub->streams), ==, 1);
    g_assert_cmpuint(hub_post(f->hub, &(Post){0})->status, ==, 503);
    streams_cut(f->hub->streams);
    g_assert_cmpuint(streams_count(f->hub->streams), ==, 0);
    g_assert_cmpuint(empty, ==, 0);
    expect_close(device, "", 1001, "hub-stopping");
    expect_close(service, "", 1001, "hub-stopping");
    while (empty == 0)
        g_main_context_iteration(NULL, TRUE);
    hub_settle(f->hub);
    g_assert_cmpuint(empty, ==, 1);
}

/* Drained: nothing new, and nothing happens to the others; until it is taken back. */
static void
test_drained(Fixture *f, gconstpointer data)
{
    Asked *post = post_capable(f);

    g_assert_false(streams_is_draining(f->hub->streams));
    streams_drain(f->hub->streams, TRUE);
    g_assert_true(streams_is_draining(f->hub->streams));
    g_assert_cmpuint(post_capable(f)->status, ==, 503);
    session_accept(f->session, CAP_REASON, f->hub);
    g_assert_cmpuint(post->status, ==, 200);
    g_assert_cmpuint(hub_device_leg(f->hub, f->session)->status, ==, 101);
    g_assert_cmpuint(hub_service_leg(f->hub, post)->status, ==, 101);
    g_assert_cmpint(post->stream->state, ==, STREAM_OPEN);
    streams_drain(f->hub->streams, FALSE);
    g_assert_cmpuint(post_capable(f)->status, ==, 0);
    g_assert_cmpuint(streams_total(f->hub->streams), ==, 2);
}

static void
test_stop_of_nothing(Fixture *f, gconstpointer data)
{
    guint empty = 0;

    streams_stop(f->hub->streams, on_empty, &empty);
    g_assert_cmpuint(empty, ==, 1);
}

/* The same id, token and rid when it is sent again, and what is left of the time. */
static void
test_sent_again(Fixture *f, gconstpointer data)
{
    Asked *post = post_capable(f);
    g_auto(StreamRequest) first = session_request(f->session), again = {0}, plain = {0};

    clock_pass(f->hub->clock, 3 * SECOND);
    again = session_request(come_back(f, CAPS_ALL));
    g_assert_cmpstr(again.rid, ==, first.rid);
    g_assert_cmpstr(again.token, ==, first.token);
    g_assert_cmpstr(again.sid, ==, first.sid);
    g_assert_cmpint(first.deadline, ==, 20 * 1000);
    g_assert_cmpint(again.deadline, ==, 17 * 1000);
    /* A plain client of the same device: a number that it may have, and nothing of ours. */
    post->stream->rid = RID_PLAIN_MAX + 1;
    plain = session_request(come_back(f, 0));
    g_assert_cmpuint(strlen(plain.rid), <=, 5);
    g_assert_false(plain.capable);
    g_assert_cmpstr(plain.token, ==, first.token);
    clock_pass(f->hub->clock, 17 * SECOND - 1);
    g_assert_cmpuint(post->status, ==, 0);
    clock_pass(f->hub->clock, TIMER_WHEEL_TICK + 1);
    g_assert_cmpuint(post->status, ==, 504);
}

/* A plain number stays what it is while it may. */
static void
test_rid_stays(Fixture *f, gconstpointer data)
{
    Asked *post = post_capable(f);
    g_auto(StreamRequest) plain = {0};

    post->stream->rid = RID_PLAIN_MAX;
    plain = session_request(come_back(f, 0));
    g_assert_cmpstr(plain.rid, ==, "99999");
}

/* A device whose leg is there has accepted: a capable one may say so again, a plain one would open
 * a second leg. */
static void
test_not_again_to_plain(Fixture *f, gconstpointer data)
{
    (void)post_capable(f);
    (void)hub_device_leg(f->hub, f->session);
    g_assert_cmpuint(come_back(f, 0)->topics->len, ==, 0);
    g_assert_cmpuint(come_back(f, CAPS_ALL)->topics->len, ==, 1);
}

/* The deadline that a device is told is the least of the handshake's and of its own answer. A plain
 * service's handshake has 60 s, whatever time it names for the answer. */
static void
test_deadline_told(Fixture *f, gconstpointer data)
{
    static const struct {
        gboolean extended;
        gint64 connect, response; /* s */
        gint64 told;
        gint64 away; /* s until the device comes */
        gint64 ends; /* s after that, both legs missing */
    } rows[] = {
        {FALSE, 0, 5, 5, 0, 60},  {FALSE, 10, 5, 5, 7, 53}, {FALSE, 10, 59, 53, 7, 53},
        {TRUE, 10, 5, 5, 0, 5},   {TRUE, 10, 5, 5, 7, 5},   {TRUE, 50, 59, 53, 7, 53},
        {TRUE, 0, 60, 60, 0, 60},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        Post post = {.extended = rows[i].extended,
                     .connect_timeout = rows[i].connect * SECOND,
                     .response_timeout = rows[i].response * SECOND};
        g_auto(StreamRequest) request = {0};
        Asked *asked;

        devices_disconnect(f->hub->devices, &f->session->link);
        asked = rows[i].away > 0 ? hub_post(f->hub, &post) : NULL;
        clock_pass(f->hub->clock, rows[i].away * SECOND);
        (void)come_back(f, CAPS_ALL);
        asked = asked ? asked : hub_post(f->hub, &post);
        request = session_request(f->session);
        g_test_message("row %u", i);
        g_assert_cmpint(request.deadline, ==, MIN(rows[i].told, rows[i].response) * 1000);
        session_accept(f->session, CAP_REASON, f->hub);
        clock_pass(f->hub->clock, rows[i].ends * SECOND - 1);
        g_assert_cmpint(asked->stream->state, ==, STREAM_ACCEPTED);
        clock_pass(f->hub->clock, TIMER_WHEEL_TICK + 1);
        g_assert_cmpuint(streams_count(f->hub->streams), ==, 0);
    }
}

/* Just started: who is away is waited for as long as for an answer, and then no more. */
static void
test_just_started(void)
{
    g_autoptr(Settings) settings = settings_new();
    Asked *asked;
    Hub *hub;

    settings->device_return_time = 0;
    hub = hub_new(settings);
    g_assert_cmpuint(hub_post(hub, &(Post){0})->status, ==, 404);
    hub_free(hub);
    settings->device_return_time = 30 * SECOND;
    hub = hub_new_just_started(settings);
    asked = hub_post(hub, &(Post){.response_timeout = 10 * SECOND});
    clock_pass(hub->clock, 10 * SECOND - 1);
    g_assert_cmpuint(asked->status, ==, 0);
    clock_pass(hub->clock, TIMER_WHEEL_TICK + 1);
    g_assert_cmpuint(asked->status, ==, 404);
    asked = hub_post(hub, &(Post){.response_timeout = 59 * SECOND});
    clock_pass(hub->clock, 20 * SECOND - TIMER_WHEEL_TICK - 2);
    g_assert_cmpuint(asked->status, ==, 0);
    clock_pass(hub->clock, TIMER_WHEEL_TICK + 2);
    g_assert_cmpuint(asked->status, ==, 404);
    g_assert_cmpuint(hub_post(hub, &(Post){0})->status, ==, 404);
    hub_free(hub);
}

/* Answers that fit no stream are counted, and nothing else. */
static void
test_ignored(Fixture *f, gconstpointer data)
{
    static const char *const rids[] = {"0", "", "x", "2147483648", "99999999999999999999", "-1"};
    Asked *post = post_capable(f);
    g_auto(StreamRequest) request = session_request(f->session);
    StreamAnswer answer = {.accepted = TRUE, .sid = request.sid};
    guint64 ignored = streams_ignored(f->hub->streams);

    for (guint i = 0; i < G_N_ELEMENTS(rids); i++) {
        answer.rid = rids[i];
        streams_answer(f->hub->streams, "dev1", &answer);
        g_assert_cmpuint(streams_ignored(f->hub->streams), ==, ++ignored);
    }
    answer.rid = request.rid;
    streams_answer(f->hub->streams, "dev2", &answer);
    g_assert_cmpuint(streams_ignored(f->hub->streams), ==, ++ignored);
    answer.sid = "0123456789abcdef0123456789abcdef";
    streams_answer(f->hub->streams, "dev1", &answer);
    g_assert_cmpuint(streams_ignored(f->hub->streams), ==, ++ignored);
    answer.sid = NULL; /* it was told one */
    streams_answer(f->hub->streams, "dev1", &answer);
    g_assert_cmpuint(streams_ignored(f->hub->streams), ==, ++ignored);
    answer.sid = request.sid;
    g_assert_cmpuint(post->status, ==, 0);
    streams_answer(f->hub->streams, "dev1", &answer);
    g_assert_cmpuint(post->status, ==, 200);
    g_assert_cmpuint(streams_ignored(f->hub->streams), ==, ignored);
    streams_answer(f->hub->streams, "dev1", &answer);
    g_assert_cmpuint(streams_ignored(f->hub->streams), ==, ++ignored);
}

/* A device tells whichever hub it finds of a leg that it has lost. That hub may not know of it. */
static void
test_lost_leg_unknown(Fixture *f, gconstpointer data)
{
    static const struct {
        Reason reason;
        guint ignored;
    } rows[] = {{REASON_CUT, 0},    {REASON_SILENT, 0},       {REASON_HUB_STOPPING, 0},
                {REASON_POLICY, 1}, {REASON_RESUME_STALE, 1}, {REASON_NONE, 1}};
    StreamAnswer answer = {.rid = "7777", .sid = "0123456789abcdef0123456789abcdef"};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint64 ignored = streams_ignored(f->hub->streams);

        answer.reason = rows[i].reason;
        streams_answer(f->hub->streams, "dev1", &answer);
        g_assert_cmpuint(streams_ignored(f->hub->streams), ==, ignored + rows[i].ignored);
    }
}

#define ADD(name, func)                                                                            \
    g_test_add("/streams-leg/" name, Fixture, NULL, fixture_setup, func, fixture_teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("lost-on-the-way", test_lost_on_the_way);
    ADD("open-waits-for-nothing", test_open_waits_for_nothing);
    ADD("service-goes-first", test_service_goes_first);
    ADD("device-goes-first", test_device_goes_first);
    ADD("device-goes-after-200", test_device_goes_after_200);
    ADD("tokens", test_tokens);
    ADD("late-until", test_late_until);
    ADD("gone-at-once", test_gone_at_once);
    ADD("bridge-delivers", test_bridge_delivers);
    ADD("stop-is-empty", test_stop_is_empty);
    ADD("drained", test_drained);
    ADD("stop-of-nothing", test_stop_of_nothing);
    ADD("sent-again", test_sent_again);
    ADD("rid-stays", test_rid_stays);
    ADD("not-again-to-plain", test_not_again_to_plain);
    ADD("deadline-told", test_deadline_told);
    ADD("ignored", test_ignored);
    ADD("lost-leg-unknown", test_lost_leg_unknown);
    g_test_add_func("/streams-leg/just-started", test_just_started);
    return g_test_run();
}
