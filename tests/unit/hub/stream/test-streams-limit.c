/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits of streams (requirement R10), each at the bound and one past it, and what is given back.
 */
#include "tests/unit/hub/stream/streams-fixture.h"

#include <string.h>

#define MANY 1000000

/* The limits as they are in no one's way, but one. */
static Settings *
wide(void)
{
    Settings *settings = settings_new();

    settings->streams_max = settings->streams_per_device = settings->pending_per_device = MANY;
    settings->streams_per_user_and_device = settings->pending_per_user_and_device = MANY;
    settings->streams_burst = settings->streams_per_second = MANY;
    settings->user_share = 100;
    return settings;
}

typedef struct {
    const char *name;
    gsize offset;       /* of the setting, a guint: MOST in these tests */
    gboolean device;    /* each is to a device of its own */
    gboolean user;      /* each is a user's of its own */
    gboolean pending;   /* it counts only those that are not open */
    gboolean never;     /* an end does not give it back */
    const char *denied; /* what the next one is told */
} Limit;

#define MOST 3
#define AT(member) G_STRUCT_OFFSET(Settings, member)

static const Limit limits[] = {
    {"streams-max", AT(streams_max), TRUE, TRUE, FALSE, FALSE,
     "The hub is at its limit of streams."},
    {"streams-per-device", AT(streams_per_device), FALSE, TRUE, FALSE, FALSE,
     "The device is at its limit of streams."},
    {"pending-per-device", AT(pending_per_device), FALSE, TRUE, TRUE, FALSE,
     "The device is at its limit of waiting streams."},
    {"streams-per-user-and-device", AT(streams_per_user_and_device), FALSE, FALSE, FALSE, FALSE,
     "This user is at the limit of streams to this device."},
    {"pending-per-user-and-device", AT(pending_per_user_and_device), FALSE, FALSE, TRUE, FALSE,
     "This user is at the limit of waiting streams to this device."},
    {"streams-burst", AT(streams_burst), TRUE, FALSE, FALSE, TRUE,
     "This user opens streams too fast."},
};

static Asked *
post_number(Hub *hub, const Limit *limit, guint number)
{
    g_autofree char *device = g_strdup_printf("dev%u", limit->device ? number : 0);
    g_autofree char *user = g_strdup_printf("user%u", limit->user ? number : 0);

    return hub_post(hub, &(Post){.device = device, .user = user, .connect_timeout = 10 * SECOND});
}

static void
expect_denied(const Asked *asked, const char *why)
{
    g_assert_cmpuint(asked->status, ==, 429);
    g_assert_null(asked->stream);
    g_assert_nonnull(strstr(asked->body, why));
}

static void
cancel(Asked *asked)
{
    asked->request.gone(&asked->request, asked->request.data);
}

/* N are taken, the next is not; one that ends makes room for one. */
static void
test_bound(gconstpointer data)
{
    const Limit *limit = data;
    g_autoptr(Settings) settings = wide();
    Hub *hub;
    Asked *first = NULL;

    *(guint *)(void *)((char *)settings + limit->offset) = MOST;
    if (limit->never)
        settings->streams_per_second = 1;
    hub = hub_new(settings);
    for (guint i = 0; i < MOST; i++) {
        Asked *asked = post_number(hub, limit, i);

        g_assert_cmpuint(asked->status, ==, 0);
        g_assert_nonnull(asked->stream);
        first = first ? first : asked;
    }
    g_assert_cmpuint(streams_count(hub->streams), ==, MOST);
    expect_denied(post_number(hub, limit, 100), limit->denied);
    expect_denied(post_number(hub, limit, 101), limit->denied);
    cancel(first);
    g_assert_cmpuint(streams_count(hub->streams), ==, MOST - 1);
    if (limit->never)
        expect_denied(post_number(hub, limit, 102), limit->denied);
    else
        g_assert_cmpuint(post_number(hub, limit, 102)->status, ==, 0);
    expect_denied(post_number(hub, limit, 103), limit->denied);
    hub_free(hub);
}

/* Opens what POST asked for; both legs' peers stay. */
static void
open_fully(Hub *hub, Session *session, const Asked *post)
{
    Asked *device, *service;

    session_accept(session, 0, hub);
    device = hub_device_leg(hub, session);
    service = hub_service_leg(hub, post);
    g_assert_cmpuint(device->status, ==, 101);
    g_assert_cmpuint(service->status, ==, 101);
    g_assert_cmpint(post->stream->state, ==, STREAM_OPEN);
}

/* One that is open waits no more, but is a stream still: of the limits on those that wait it gives
 * its share back, of the others not. */
static void
test_open_waits_no_more(gconstpointer data)
{
    const Limit *limit = data;
    g_autoptr(Settings) settings = wide();
    Session *session;
    Hub *hub;
    Asked *last;

    *(guint *)(void *)((char *)settings + limit->offset) = MOST;
    hub = hub_new(settings);
    session = hub_device(hub, "dev0", 0);
    for (guint i = 0; i < MOST; i++)
        last = post_number(hub, limit, i);
    expect_denied(post_number(hub, limit, 100), limit->denied);
    open_fully(hub, session, last);
    if (limit->pending)
        g_assert_cmpuint(post_number(hub, limit, 101)->status, ==, 0);
    else
        expect_denied(post_number(hub, limit, 101), limit->denied);
    expect_denied(post_number(hub, limit, 102), limit->denied);
    hub_free(hub);
}

/* Each user has its own three of one device, and of each device. */
static void
test_user_and_device(gconstpointer data)
{
    const Limit *limit = data;
    g_autoptr(Settings) settings = wide();
    Hub *hub;

    *(guint *)(void *)((char *)settings + limit->offset) = MOST;
    hub = hub_new(settings);
    for (guint i = 0; i < 4; i++) {
        const Post post = {.device = i % 2 ? "dev1" : "dev2",
                           .user = i / 2 ? "anna" : "berta",
                           .connect_timeout = SECOND};

        for (guint j = 0; j < MOST; j++)
            g_assert_cmpuint(hub_post(hub, &post)->status, ==, 0);
        expect_denied(hub_post(hub, &post), limit->denied);
    }
    hub_free(hub);
}

/* A quarter of eight: two of one user, on whichever device; the others have theirs. */
static void
test_user_share(void)
{
    static const char *const why = "This user is at the limit of streams.";
    const Limit apart = {.device = TRUE};
    g_autoptr(Settings) settings = wide();
    Asked *first;
    Hub *hub;

    settings->streams_max = 8;
    settings->user_share = 25;
    hub = hub_new(settings);
    first = post_number(hub, &apart, 0);
    g_assert_cmpuint(post_number(hub, &apart, 1)->status, ==, 0);
    expect_denied(post_number(hub, &apart, 2), why);
    g_assert_cmpuint(hub_post(hub, &(Post){.user = "berta", .connect_timeout = SECOND})->status, ==,
                     0);
    cancel(first);
    g_assert_cmpuint(post_number(hub, &apart, 3)->status, ==, 0);
    expect_denied(post_number(hub, &apart, 4), why);
    hub_free(hub);
}

/* Two at once, then one each half second, and never more than two saved up; each user for itself.
 */
static void
test_rate(void)
{
    static const char *const why = "This user opens streams too fast.";
    const Limit apart = {.device = TRUE};
    g_autoptr(Settings) settings = wide();
    Hub *hub;

    settings->streams_burst = 2;
    settings->streams_per_second = 2;
    hub = hub_new(settings);
    for (guint round = 0; round < 2; round++) {
        g_assert_cmpuint(post_number(hub, &apart, 0)->status, ==, 0);
        g_assert_cmpuint(post_number(hub, &apart, 1)->status, ==, 0);
        expect_denied(post_number(hub, &apart, 2), why);
        clock_pass(hub->clock, SECOND / 2 - 1000);
        expect_denied(post_number(hub, &apart, 3), why);
        clock_pass(hub->clock, 1001);
        g_assert_cmpuint(post_number(hub, &apart, 4)->status, ==, 0);
        expect_denied(post_number(hub, &apart, 5), why);
        g_assert_cmpuint(hub_post(hub, &(Post){.user = "berta", .connect_timeout = SECOND})->status,
                         ==, 0);
        clock_pass(hub->clock, MINUTE);
    }
    hub_free(hub);
}

/* Whoever is refused leaves nothing behind: neither an entry of the device, nor a count. */
static void
test_refused_leaves_nothing(void)
{
    g_autoptr(Settings) settings = wide();
    Hub *hub;

    settings->streams_max = 1;
    hub = hub_new(settings);
    (void)hub_post(hub, &(Post){.device = "dev0", .connect_timeout = SECOND});
    g_assert_cmpuint(hub_devices_known(), ==, 1);
    for (guint i = 1; i < 100; i++) {
        g_autofree char *device = g_strdup_printf("dev%u", i);

        g_assert_cmpuint(hub_post(hub, &(Post){.device = device})->status, ==, 429);
    }
    g_assert_cmpuint(hub_devices_known(), ==, 1);
    g_assert_cmpuint(streams_total(hub->streams), ==, 1);
    /* Offline: ended at once, and nothing is known of the device any more. */
    clock_pass(hub->clock, 2 * SECOND);
    g_assert_cmpuint(hub_devices_known(), ==, 0);
    g_assert_cmpuint(streams_count(hub->streams), ==, 0);
    hub_free(hub);
}

/* Ends COUNT streams whose device may still send a leg. */
static void
end_many(Hub *hub, Session *session, guint count)
{
    for (guint i = 0; i < count; i++) {
        (void)hub_post(hub, &(Post){.response_timeout = 30 * SECOND});
        session_reject(session, REASON_POLICY, hub);
    }
}

/* 16,384 that have ended are remembered for their late legs; with one more the oldest is forgotten,
 * but not one whose bridge still delivers. */
static void
test_remembered(void)
{
    g_autoptr(Settings) settings = wide();
    g_autofree char *data = NULL, *text = NULL;
    Hub *hub = hub_new(settings);
    Session *session = hub_device(hub, "dev1", CAPS_ALL);
    const guint before = hub_streams_freed();
    g_auto(StreamRequest) oldest = {0}, next = {0};
    HubStream *stream;
    Asked *device;
    guint code;

    stream = hub_post(hub, &(Post){.extended = TRUE, .caps = CAP_REASON})->stream;
    session_accept(session, CAP_REASON, hub);
    device = hub_device_leg(hub, session);
    (void)hub_service_leg(hub, hub->asked->pdata[0]);
    while (!stream->relay)
        g_main_context_iteration(NULL, TRUE);
    streams_revoke_policy(hub->streams,
                          "anna"); /* its bridge tells both, and is there until then */
    g_assert_nonnull(stream->relay);
    g_assert_cmpint(stream->state, ==, STREAM_ENDED);
    end_many(hub, session, 1);
    oldest = session_request(session);
    end_many(hub, session, 1);
    next = session_request(session);
    end_many(hub, session, STREAMS_ENDED_MAX - 3);
    g_assert_cmpuint(hub_streams_freed(), ==, before);
    g_assert_cmpuint(hub_tokens_known(), ==, STREAMS_ENDED_MAX - 1);
    end_many(hub, session, 1);
    g_assert_cmpuint(hub_streams_freed(), ==, before + 1);
    g_assert_cmpuint(hub_tokens_known(), ==, STREAMS_ENDED_MAX - 1);
    g_assert_true(hub_last_freed() != stream);
    g_assert_cmpuint(hub_leg(hub, oldest.url, oldest.token)->status, ==, 401);
    g_assert_cmpuint(hub_leg(hub, next.url, next.token)->status, ==, 101);
    data = peer_read(device, &code, &text);
    g_assert_cmpuint(code, ==, 1008);
    g_assert_cmpstr(text, ==, "revoked");
    hub_free(hub);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(limits); i++) {
        g_autofree char *path = g_strconcat("/streams-limit/bound/", limits[i].name, NULL);

        g_test_add_data_func(path, &limits[i], test_bound);
    }
    for (guint i = 0; i < G_N_ELEMENTS(limits); i++) {
        g_autofree char *path = g_strconcat("/streams-limit/open/", limits[i].name, NULL);

        if (!limits[i].device)
            g_test_add_data_func(path, &limits[i], test_open_waits_no_more);
    }
    for (guint i = 0; i < G_N_ELEMENTS(limits); i++) {
        g_autofree char *path = g_strconcat("/streams-limit/each/", limits[i].name, NULL);

        if (strstr(limits[i].name, "user-and-device"))
            g_test_add_data_func(path, &limits[i], test_user_and_device);
    }
    g_test_add_func("/streams-limit/user-share", test_user_share);
    g_test_add_func("/streams-limit/rate", test_rate);
    g_test_add_func("/streams-limit/refused-leaves-nothing", test_refused_leaves_nothing);
    g_test_add_func("/streams-limit/remembered", test_remembered);
    return g_test_run();
}
