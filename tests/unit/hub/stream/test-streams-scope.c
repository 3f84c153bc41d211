/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scope of a user while streams live: its limits, a change of it or of a device's tags, its
 * end, and the bytes of a day. Which device and name are in a scope is
 * tests/unit/hub/registry/test-scope.c. */
#include "hub/stream/account.h"
#include "tests/unit/hub/stream/streams-fixture.h"

#include <string.h>

#define BERLIN "tag site=berlin\n"

static void
expect_refused(const Asked *asked, const char *why)
{
    g_assert_cmpuint(asked->status, ==, 429);
    g_assert_nonnull(strstr(asked->body, why));
}

static Asked *
post(Hub *hub, const char *scope)
{
    return hub_post(hub, &(Post){.scope = scope, .connect_timeout = 10 * MINUTE});
}

static void
test_at_once(void)
{
    static const char *const why = "as many streams at once as its scope allows";
    Hub *hub = hub_new(NULL);
    Asked *first = post(hub, "streams-max 2\n");

    g_assert_cmpuint(post(hub, "streams-max 2\n")->status, ==, 0);
    expect_refused(post(hub, "streams-max 2\n"), why);
    g_assert_cmpuint(hub_post(hub, &(Post){.user = "berta", .connect_timeout = SECOND})->status, ==,
                     0);
    first->request.gone(&first->request, first->request.data);
    g_assert_cmpuint(post(hub, "streams-max 2\n")->status, ==, 0);
    expect_refused(post(hub, "streams-max 2\n"), why);
    g_assert_cmpuint(post(hub, "streams-max 3\n")->status, ==, 0); /* widened meanwhile */
    hub_free(hub);
}

/* As many at once, then one each 20 s, and never more than a minute's worth saved up. */
static void
test_a_minute(void)
{
    static const char *const why = "more streams a minute than its scope allows";
    static const char *const scope = "opens-per-minute 3\n";
    Hub *hub = hub_new(NULL);

    for (guint round = 0; round < 2; round++) {
        for (guint i = 0; i < 3; i++)
            g_assert_cmpuint(post(hub, scope)->status, ==, 0);
        expect_refused(post(hub, scope), why);
        clock_pass(hub->clock, 20 * SECOND - 1000);
        expect_refused(post(hub, scope), why);
        clock_pass(hub->clock, 1001);
        g_assert_cmpuint(post(hub, scope)->status, ==, 0);
        expect_refused(post(hub, scope), why);
        clock_pass(hub->clock, 5 * MINUTE);
    }
    hub_free(hub);
}

/* A stream that waits for its device, one that is asked and one that is open. */
typedef struct {
    Asked *waiting, *asked, *open;
    Asked *device_leg, *service_leg;
} Three;

static Three
three_of(Hub *hub, const char *user, const char *module, const char *scope, const char *tags)
{
    g_autofree char *client_id = g_strjoin("/", "dev1", module, NULL);
    const Post what = {.module = module,
                       .user = user,
                       .scope = scope,
                       .tags = tags,
                       .connect_timeout = 10 * MINUTE,
                       .extended = TRUE,
                       .caps = CAP_REASON};
    Three three = {.open = hub_post(hub, &what)};
    Session *session = hub_device(hub, client_id, CAPS_ALL);

    session_accept(session, CAP_REASON, hub);
    three.device_leg = hub_device_leg(hub, session);
    three.service_leg = hub_service_leg(hub, three.open);
    g_assert_cmpint(three.open->stream->state, ==, STREAM_OPEN);
    three.asked = hub_post(hub, &what);
    devices_disconnect(hub->devices, &session->link);
    three.waiting = hub_post(hub, &what);
    g_assert_cmpint(three.asked->stream->state, ==, STREAM_ASKED);
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
}

/* Each scope a user may get while it has streams to dev1, site=berlin, and the same of its module.
 */
static void
test_user_changed(void)
{
    static const struct {
        const char *scope;
        gboolean gone;
    } rows[] = {
        {"", FALSE},
        {"devices dev*\n", FALSE},
        {"devices dev2\n", TRUE},
        {BERLIN, FALSE},
        {"tag site=rome\n", TRUE},
        {"streams ssh\n", FALSE},
        {"streams web\n", TRUE},
        {"expires 1\n", TRUE},
        {"expires 9000000000000000\n", FALSE},
        {"streams-max 1\n", FALSE}, /* those that are there go on */
    };

    for (gsize row = 0; row < G_N_ELEMENTS(rows); row++) {
        g_autoptr(RegistryScope) scope = scope_of(rows[row].scope);
        Hub *hub = hub_new(NULL);
        Three own = three_of(hub, "anna", NULL, "", "site=berlin");
        Three module = three_of(hub, "anna", "m", "", "site=berlin");
        Three other = three_of(hub, "berta", "n", "", "site=berlin");

        streams_user_changed(hub->streams, "nobody", scope);
        expect_there(&own);
        streams_user_changed(hub->streams, "anna", scope);
        if (rows[row].gone) {
            expect_gone(&own, 404);
            expect_gone(&module, 404);
        } else {
            expect_there(&own);
            expect_there(&module);
        }
        expect_there(&other);
        hub_free(hub);
    }
}

static void
test_device_changed(void)
{
    g_autoptr(RegistryTags) rome = registry_tags_parse("site=rome");
    g_autoptr(RegistryTags) more = registry_tags_parse("floor=1\nsite=berlin");
    Hub *hub = hub_new(NULL);
    Three narrow = three_of(hub, "anna", NULL, BERLIN, "site=berlin");
    Three module = three_of(hub, "anna", "m", BERLIN, "site=berlin");
    Three wide = three_of(hub, "berta", "n", "", "site=berlin");

    streams_device_changed(hub->streams, "dev1", more);
    streams_device_changed(hub->streams, "dev", rome);
    streams_device_changed(hub->streams, "dev10", rome);
    expect_there(&narrow);
    expect_there(&module);
    streams_device_changed(hub->streams, "dev1", rome);
    expect_gone(&narrow, 404);
    expect_gone(&module, 404);
    expect_there(&wide);
    hub_free(hub);
}

/* Not before its end, and within a second of it. */
static void
test_expires(void)
{
    gint64 until = g_get_real_time() + SECOND / 2;
    g_autofree char *scope = g_strdup_printf("expires %" G_GINT64_FORMAT "\n", until);
    Hub *hub = hub_new(NULL);
    Three own = three_of(hub, "anna", NULL, scope, NULL);
    Three other = three_of(hub, "berta", "m", "", NULL);

    clock_pass(hub->clock, 2 * SECOND);
    if (g_get_real_time() < until)
        expect_there(&own);
    while (g_get_real_time() < until)
        g_usleep(10 * 1000);
    clock_pass(hub->clock, SECOND + 1000);
    expect_gone(&own, 401);
    expect_there(&other);
    hub_free(hub);
}

/* The bytes of all streams of the user, both ways; live ones end, new ones are refused. */
static void
test_bytes(void)
{
    static const char *const scope = "bytes-per-day 10\n";
    g_autofree char *text = NULL, *got = NULL;
    Hub *hub = hub_new(NULL);
    Three own = three_of(hub, "anna", NULL, scope, NULL);
    Three other = three_of(hub, "berta", "m", "", NULL);
    guint code;

    peer_send(own.device_leg, "12345");
    peer_send(own.service_leg, "1234");
    hub_settle(hub);
    clock_pass(hub->clock, 3 * SECOND);
    expect_there(&own); /* one byte is left */
    peer_send(own.service_leg, "5");
    hub_settle(hub);
    clock_pass(hub->clock, SECOND + 1000);
    got = peer_read(own.device_leg, &code, &text);
    g_assert_cmpstr(got, ==, "12345");
    g_assert_cmpuint(code, ==, 1008);
    g_assert_cmpstr(text, ==, "byte-limit");
    g_assert_cmpuint(own.waiting->status, ==, 0); /* it carries nothing */
    expect_refused(post(hub, scope), "the bytes that its scope allows a day");
    g_assert_cmpint(other.open->stream->state, ==, STREAM_OPEN);
    hub_free(hub);
}

static void
test_day(void)
{
    const gint64 day = 24 * 60 * MINUTE;
    Settings *settings = settings_new();
    StreamAccount *account = stream_account_new("anna", settings, 0);
    RegistryScope *scope = scope_of("bytes-per-day 10\n");

    stream_account_set_scope(account, scope);
    g_assert_false(stream_account_count(account, 9, 5 * day - 1));
    g_assert_true(stream_account_count(account, 1, 5 * day - 1));
    g_assert_nonnull(stream_account_limit(account, settings, 0, 5 * day - 1));
    g_assert_null(stream_account_limit(account, settings, 0, 5 * day)); /* a new day */
    g_assert_false(stream_account_count(account, 9, 5 * day));
    g_assert_true(stream_account_count(account, 1, 5 * day));
    registry_scope_unref(scope);
    stream_account_free(account);
    settings_free(settings);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/streams/scope/at-once", test_at_once);
    g_test_add_func("/streams/scope/a-minute", test_a_minute);
    g_test_add_func("/streams/scope/user-changed", test_user_changed);
    g_test_add_func("/streams/scope/device-changed", test_device_changed);
    g_test_add_func("/streams/scope/expires", test_expires);
    g_test_add_func("/streams/scope/bytes", test_bytes);
    g_test_add_func("/streams/scope/day", test_day);
    return g_test_run();
}
