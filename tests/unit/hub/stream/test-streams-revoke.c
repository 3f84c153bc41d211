/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What ends when a device, a module or a user is revoked, and what does not; and what is known of
 * them afterwards. */
#include "tests/unit/hub/stream/streams-fixture.h"

#define DEVICES 6

/* Names that begin alike, and modules of the same name. */
static const struct {
    const char *client_id;
    const char *device;
    const char *module;
} devices[DEVICES] = {
    {"dev1", "dev1", NULL},   {"dev1/m", "dev1", "m"},   {"dev1/m2", "dev1", "m2"},
    {"dev10", "dev10", NULL}, {"dev10/m", "dev10", "m"}, {"dev", "dev", NULL},
};

static const struct {
    const char *device;
    const char *module;
    const char *gone; /* for each of them: x is revoked */
} rows[] = {
    {"dev1", NULL, "xxx..."},  {"dev1", "m", ".x...."},  {"dev1", "m2", "..x..."},
    {"dev10", NULL, "...xx."}, {"dev", NULL, ".....x"},  {"dev1", "m3", "......"},
    {"dev", "1", "......"},    {"dev2", NULL, "......"},
};

/* One stream that waits for its device, one that is asked and one that is open, of each. */
typedef struct {
    Asked *waiting, *asked, *open;
    Asked *device_leg, *service_leg;
} Three;

static Three
three_of(Hub *hub, guint i, const char *user)
{
    const Post post = {.device = devices[i].device,
                       .module = devices[i].module,
                       .user = user,
                       .connect_timeout = 10 * SECOND,
                       .extended = TRUE,
                       .caps = CAP_REASON};
    Three three = {.waiting = hub_post(hub, &post)};
    Session *session = hub_device(hub, devices[i].client_id, CAPS_ALL);

    /* What waited was asked when it came: that is the one that becomes open. */
    three.open = three.waiting;
    session_accept(session, CAP_REASON, hub);
    three.device_leg = hub_device_leg(hub, session);
    three.service_leg = hub_service_leg(hub, three.open);
    g_assert_cmpint(three.open->stream->state, ==, STREAM_OPEN);
    three.asked = hub_post(hub, &post);
    g_assert_cmpint(three.asked->stream->state, ==, STREAM_ASKED);
    devices_disconnect(hub->devices, &session->link);
    three.waiting = hub_post(hub, &post);
    g_assert_cmpint(three.waiting->stream->state, ==, STREAM_WAITING);
    return three;
}

static void
expect_gone(Three *three, guint status)
{
    g_autofree char *text = NULL, *other_text = NULL;
    guint code, other_code;

    g_assert_cmpuint(three->waiting->status, ==, status);
    g_assert_cmpuint(three->asked->status, ==, status);
    g_free(peer_read(three->device_leg, &code, &text));
    g_free(peer_read(three->service_leg, &other_code, &other_text));
    g_assert_cmpuint(code, ==, 1008);
    g_assert_cmpuint(other_code, ==, 1008);
    g_assert_cmpstr(text, ==, "revoked");
    g_assert_cmpstr(other_text, ==, "revoked");
}

static void
expect_there(const Three *three)
{
    g_assert_cmpuint(three->waiting->status + three->asked->status, ==, 0);
    g_assert_cmpint(three->open->stream->state, ==, STREAM_OPEN);
    g_assert_cmpint(three->asked->stream->state, ==, STREAM_ASKED);
    g_assert_cmpint(three->waiting->stream->state, ==, STREAM_WAITING);
}

static void
test_device(void)
{
    for (guint row = 0; row < G_N_ELEMENTS(rows); row++) {
        Hub *hub = hub_new(NULL);
        Three three[DEVICES];
        guint left = 0;

        for (guint i = 0; i < DEVICES; i++)
            three[i] = three_of(hub, i, "anna");
        streams_revoke_device(hub->streams, rows[row].device, rows[row].module,
                              REST_DEVICE_NOT_FOUND);
        for (guint i = 0; i < DEVICES; i++) {
            g_test_message("%s %s: %s", rows[row].device, rows[row].module, devices[i].client_id);
            if (rows[row].gone[i] == 'x') {
                expect_gone(&three[i], 404);
                continue;
            }
            expect_there(&three[i]);
            left += 3;
        }
        g_assert_cmpuint(streams_count(hub->streams), ==, left);
        hub_free(hub);
    }
}

/* Of a user all, on two devices and a module; of another none. */
static void
test_user(void)
{
    Hub *hub = hub_new(NULL);
    Three anna[DEVICES], berta;

    for (guint i = 0; i < 3; i++)
        anna[i] = three_of(hub, i, "anna");
    anna[3] = three_of(hub, 3, "anna");
    berta = three_of(hub, 4, "annabel");
    streams_revoke_policy(hub->streams, "anna");
    for (guint i = 0; i < 4; i++)
        expect_gone(&anna[i], 401);
    expect_there(&berta);
    g_assert_cmpuint(streams_count(hub->streams), ==, 3);
    streams_revoke_policy(hub->streams, "nobody");
    expect_there(&berta);
    hub_free(hub);
}

/* What a user has used up is forgotten with it: one that is made anew begins anew. */
static void
test_user_begins_anew(void)
{
    g_autoptr(Settings) settings = settings_new();
    const Post post = {.connect_timeout = 10 * SECOND};
    Hub *hub;

    settings->streams_burst = 2;
    settings->streams_per_second = 1;
    hub = hub_new(settings);
    for (guint round = 0; round < 3; round++) {
        g_assert_cmpuint(hub_post(hub, &post)->status, ==, 0);
        g_assert_cmpuint(hub_post(hub, &post)->status, ==, 0);
        g_assert_cmpuint(hub_post(hub, &post)->status, ==, 429);
        streams_revoke_policy(hub->streams, "anna");
        g_assert_cmpuint(streams_count(hub->streams), ==, 0);
    }
    hub_free(hub);
}

/* An entry of a device stays as long as the device is connected, has a stream, or was asked of
 * late, and not longer. */
static void
test_entries(void)
{
    Hub *hub = hub_new(NULL);
    Session *session = hub_device(hub, "dev1", 0);

    g_assert_cmpuint(hub_devices_known(), ==, 0);
    (void)hub_post(hub, &(Post){0});
    session_reject(session, REASON_POLICY, hub);
    g_assert_cmpuint(hub_devices_known(), ==, 1); /* connected */
    devices_disconnect(hub->devices, &session->link);
    g_assert_cmpuint(hub_devices_known(), ==, 1); /* its rids rest */
    clock_pass(hub->clock, RID_REST - 1);
    (void)hub_post(hub, &(Post){.device = "dev2"});
    g_assert_cmpuint(hub_devices_known(), ==, 1);
    clock_pass(hub->clock, 1);
    (void)hub_post(hub, &(Post){.device = "dev2"}); /* it is away: 404 at once */
    g_assert_cmpuint(hub_devices_known(), ==, 0);
    hub_free(hub);
}

/* Connected for longer than rids rest, then gone: forgotten when the link is lost. */
static void
test_entry_of_a_long_link(void)
{
    Hub *hub = hub_new(NULL);
    Session *session = hub_device(hub, "dev1", 0);

    (void)hub_post(hub, &(Post){0});
    session_reject(session, REASON_POLICY, hub);
    clock_pass(hub->clock, 2 * RID_REST);
    (void)hub_post(hub, &(Post){.device = "dev2"});
    g_assert_cmpuint(hub_devices_known(), ==, 1);
    devices_disconnect(hub->devices, &session->link);
    g_assert_cmpuint(hub_devices_known(), ==, 0);
    hub_free(hub);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/streams-revoke/device", test_device);
    g_test_add_func("/streams-revoke/user", test_user);
    g_test_add_func("/streams-revoke/user-begins-anew", test_user_begins_anew);
    g_test_add_func("/streams-revoke/entries", test_entries);
    g_test_add_func("/streams-revoke/entry-of-a-long-link", test_entry_of_a_long_link);
    return g_test_run();
}
