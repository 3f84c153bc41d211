/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every subset of the capabilities, on both sides (docs/wire-protocol.md, section 8): what the
 * device is told with the request, what the service with the answer, and both with the end. */
#include "tests/unit/hub/stream/streams-fixture.h"

#include <string.h>

#define LEG_CAPS (CAP_HALF_CLOSE | CAP_REASON)

typedef struct {
    Caps device;       /* at CONNECT */
    gboolean extended; /* the service sent streamd-caps */
    Caps service;      /* of LEG_CAPS: what stood in it */
    Caps answer;       /* of LEG_CAPS: in the device's answer */
} Case;

/* Section 8, in its own words. */
static Caps
due_to_service(const Case *c)
{
    gboolean half = c->device & c->answer & c->service & CAP_HALF_CLOSE;

    return (half ? CAP_HALF_CLOSE : 0) | (c->service & CAP_REASON);
}

static void
expect_request(const StreamRequest *request, const Case *c, const Asked *post)
{
    const gboolean capable = c->device != 0;

    g_assert_cmpint(request->capable, ==, capable);
    g_assert_cmpuint(request->caps, ==,
                     capable ? CAP_REASON | (c->device & c->service & CAP_HALF_CLOSE) : 0);
    g_assert_cmpint(request->deadline, ==, c->device & CAP_DEADLINE ? 20 * 1000 : -1);
    g_assert_cmpstr(request->initiator, ==, c->device & CAP_INITIATOR ? "anna" : NULL);
    g_assert_cmpstr(request->from, ==, c->device & CAP_INITIATOR ? post->request.peer : NULL);
    g_assert_cmpstr(request->sid, ==, c->device & CAP_SID ? post->stream->id : NULL);
    g_assert_cmpstr(request->order, ==, c->device & CAP_ORDER ? "tunnel.1" : NULL);
}

static void
expect_answer(const Asked *post, const Case *c)
{
    g_autofree char *caps = asked_field(post, "streamd-caps");
    g_autofree char *id = asked_field(post, "streamd-stream-id");

    g_assert_cmpuint(post->status, ==, 200);
    g_assert_cmpstr(id, ==, c->extended ? post->stream->id : NULL);
    g_assert_cmpuint(caps ? caps_parse(caps, strlen(caps)) : 0, ==,
                     c->extended ? due_to_service(c) : 0);
    if (caps)
        g_assert_cmpstr(caps, !=, "");
}

static Asked *
post_of(Hub *hub, const Case *c)
{
    return hub_post(hub, &(Post){.extended = c->extended,
                                 .caps = c->service,
                                 .order = "tunnel.1",
                                 .response_timeout = 20 * SECOND});
}

static void
try_handshake(Hub *hub, Session *session, const Case *c)
{
    Asked *post = post_of(hub, c);
    g_auto(StreamRequest) request = {0};

    g_assert_nonnull(post->stream);
    request = session_request(session);
    expect_request(&request, c, post);
    session_accept(session, c->answer, hub);
    expect_answer(post, c);
}

/* 64 devices, 5 services, 4 answers. */
static void
test_handshake(void)
{
    g_autoptr(Settings) settings = settings_new();
    Hub *hub;
    guint cases = 0;

    settings->streams_burst = settings->streams_per_user_and_device = 100000;
    settings->pending_per_user_and_device = settings->pending_per_device = 100000;
    settings->streams_per_device = 100000;
    hub = hub_new(settings);
    for (guint device = 0; device <= CAPS_ALL; device++) {
        g_autofree char *id = g_strdup_printf("dev1");
        Session *session = hub_device(hub, id, device);

        for (guint i = 0; i < 5 * 4; i++) {
            const guint service = i / 4;
            const Case c = {.device = device,
                            .extended = service > 0,
                            .service = service > 0 ? service - 1 : 0,
                            .answer = i % 4};

            try_handshake(hub, session, &c);
            cases++;
        }
        devices_disconnect(hub->devices, &session->link);
    }
    g_assert_cmpuint(cases, ==, (CAPS_ALL + 1) * 20);
    hub_free(hub);
}

/* The end of a leg that waits, for REVOKED: a peer with `reason` is told code and reason, a plain
 * one 1008 and what Azure says. */
static void
expect_end(Asked *leg, gboolean capable, guint code, const char *reason)
{
    g_autofree char *text = NULL;
    guint got;

    g_free(peer_read(leg, &got, &text));
    g_assert_cmpuint(got, ==, code);
    g_assert_cmpstr(text, ==, capable ? reason : "WS disconnected");
}

/* What the device's leg shares with the hub is what its answer says, and before that what it said
 * at CONNECT; that of the service what its request says. */
static void
test_ends(void)
{
    for (guint i = 0; i < 4 * 5 * 4; i++) {
        const guint service = i / 4 % 5;
        const Case c = {.device = i / 20,
                        .extended = service > 0,
                        .service = service > 0 ? service - 1 : 0,
                        .answer = i % 4};
        Hub *hub = hub_new(NULL);
        Session *session = hub_device(hub, "dev1", c.device);
        Asked *early, *leg, *post;

        (void)post_of(hub, &c);
        early = hub_device_leg(hub, session); /* and no answer */
        post = post_of(hub, &c);
        session_accept(session, c.answer, hub);
        leg = i % 2 ? hub_device_leg(hub, session) : hub_service_leg(hub, post);
        hub_settle(hub);
        streams_revoke_device(hub->streams, "dev1", NULL, REST_DEVICE_NOT_FOUND);
        expect_end(early, c.device & CAP_REASON, 1008, "revoked");
        expect_end(leg, (i % 2 ? c.device & c.answer : c.service) & CAP_REASON, 1008, "revoked");
        /* The other one comes too late: 1011 whatever the reason. */
        leg = i % 2 ? hub_service_leg(hub, post) : hub_device_leg(hub, session);
        expect_end(leg, (i % 2 ? c.service : c.device & c.answer) & CAP_REASON, 1011, "revoked");
        hub_free(hub);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/streams-caps/handshake", test_handshake);
    g_test_add_func("/streams-caps/ends", test_ends);
    return g_test_run();
}
