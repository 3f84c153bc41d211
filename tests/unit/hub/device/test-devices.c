/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is connected, what is kept of who is away, who is thrown out. Sessions and the clock are
 * stand-ins; the linker counts what the table of devices forgets. */
#include "tests/unit/hub/base/clock-fixture.h"
#include "hub/device/reconnects.h"
#include "tests/unit/hub/device/session-fixture.h"

#define SECOND G_TIME_SPAN_SECOND

gboolean __real_g_hash_table_remove(GHashTable *table, gconstpointer key);
gboolean __wrap_g_hash_table_remove(GHashTable *table, gconstpointer key);

static guint forgotten;

gboolean
__wrap_g_hash_table_remove(GHashTable *table, gconstpointer key)
{
    forgotten++;
    return __real_g_hash_table_remove(table, key);
}

typedef struct {
    Settings *settings;
    Clock *clock;
    Devices *devices;
    GPtrArray *sessions;
    GString *told; /* "+dev1 " subscribed, "-dev1 " link lost, "=dev1 " answer */
    guint forgotten;
} Fixture;

static void
on_subscribed(const char *client_id, void *data)
{
    g_string_append_printf(((Fixture *)data)->told, "+%s ", client_id);
}

static void
on_link_lost(const char *client_id, void *data)
{
    Fixture *f = data;

    g_assert_false(devices_is_connected(f->devices, client_id));
    g_string_append_printf(f->told, "-%s ", client_id);
}

static void
on_answer(const char *client_id, const StreamAnswer *answer G_GNUC_UNUSED, void *data)
{
    g_string_append_printf(((Fixture *)data)->told, "=%s ", client_id);
}

static const DevicesEvents events = {
    .subscribed = on_subscribed, .link_lost = on_link_lost, .answer = on_answer};

static void
session_drop(gpointer data)
{
    session_free(data);
}

static void
fixture_setup(Fixture *f, gconstpointer data)
{
    f->settings = settings_new();
    f->clock = clock_new();
    f->devices = devices_new(f->settings, &events, f);
    f->sessions = g_ptr_array_new_with_free_func(session_drop);
    f->told = g_string_new(NULL);
    f->forgotten = forgotten;
}

static void
fixture_teardown(Fixture *f, gconstpointer data)
{
    devices_close_all(f->devices);
    g_assert_cmpuint(devices_count(f->devices), ==, 0);
    devices_free(f->devices);
    clock_free(f->clock);
    settings_free(f->settings);
    g_ptr_array_unref(f->sessions);
    g_string_free(f->told, TRUE);
}

static void
expect_told(Fixture *f, const char *what)
{
    g_assert_cmpstr(f->told->str, ==, what);
    g_string_truncate(f->told, 0);
}

static void
expect_forgotten(Fixture *f, guint count)
{
    g_assert_cmpuint(forgotten - f->forgotten, ==, count);
    f->forgotten = forgotten;
}

/* PRESENT: what it is to be told of kept subscriptions. NULL: refused. */
static Session *
connect_by(Fixture *f, const char *client_id, const char *policy, gboolean clean, gboolean present)
{
    Session *session = session_new(f->devices, client_id, policy, CAPS_ALL);
    gboolean kept = !present;

    g_ptr_array_add(f->sessions, session);
    if (!devices_connect(f->devices, &session->link, clean, &kept))
        return NULL;
    g_assert_cmpint(kept, ==, present);
    devices_connected(f->devices, &session->link);
    return session;
}

static Session *
connect_clean(Fixture *f, const char *client_id)
{
    return connect_by(f, client_id, NULL, TRUE, FALSE);
}

static void
subscribe(Fixture *f, Session *session, DeviceFeeds feeds)
{
    devices_subscribe(f->devices, &session->link, feeds);
}

static void
test_online(Fixture *f, gconstpointer data)
{
    const StreamRequest request = {
        .name = "s", .rid = "1", .url = "wss://hub.example:443/bridges/x", .token = "t"};
    Session *session;

    g_assert_false(devices_is_connected(f->devices, "dev1"));
    g_assert_cmpuint(devices_caps(f->devices, "dev1"), ==, 0);
    session = connect_clean(f, "dev1");
    expect_told(f, "");
    g_assert_true(devices_is_connected(f->devices, "dev1"));
    g_assert_false(devices_is_connected(f->devices, "dev1/m"));
    g_assert_cmpuint(devices_caps(f->devices, "dev1"), ==, CAPS_ALL);
    g_assert_cmpuint(devices_count(f->devices), ==, 1);
    subscribe(f, session, DEVICE_FEED_ANSWERS);
    expect_told(f, "");
    g_assert_false(devices_is_online(f->devices, "dev1"));
    g_assert_false(devices_request(f->devices, "dev1", &request));
    subscribe(f, session, DEVICE_FEED_REQUESTS);
    expect_told(f, "+dev1 ");
    g_assert_true(devices_is_online(f->devices, "dev1"));
    g_assert_true(devices_request(f->devices, "dev1", &request));
    g_assert_cmpuint(session->topics->len, ==, 1);
    devices_unsubscribe(f->devices, &session->link, DEVICE_FEED_ANSWERS);
    g_assert_true(devices_is_online(f->devices, "dev1"));
    devices_unsubscribe(f->devices, &session->link, DEVICE_FEED_REQUESTS);
    g_assert_false(devices_is_online(f->devices, "dev1"));
    g_assert_true(devices_is_connected(f->devices, "dev1"));
    devices_answer(f->devices, &session->link, &(StreamAnswer){.rid = "1"});
    expect_told(f, "=dev1 ");
    devices_disconnect(f->devices, &session->link);
    devices_disconnect(f->devices, &session->link);
    expect_told(f, "-dev1 ");
    g_assert_false(devices_is_connected(f->devices, "dev1"));
    g_assert_cmpuint(devices_caps(f->devices, "dev1"), ==, 0);
    g_assert_cmpuint(devices_count(f->devices), ==, 0);
    g_assert_false(devices_request(f->devices, "dev1", &request));
    expect_forgotten(f, 1);
}

/* Clean session 0: each of the two subscriptions outlives the connection, and is what the next one
 * is told of; clean session 1 ends that, at the beginning and at the end. */
static void
test_kept(Fixture *f, gconstpointer data)
{
    static const DeviceFeeds filters[] = {DEVICE_FEED_REQUESTS, DEVICE_FEED_ANSWERS};
    Session *session;

    for (guint i = 0; i < 2; i++) {
        gboolean requests = i == 0;

        session = connect_by(f, "dev1", NULL, FALSE, FALSE);
        subscribe(f, session, filters[i]);
        devices_disconnect(f->devices, &session->link);
        g_assert_false(devices_is_online(f->devices, "dev1"));
        expect_forgotten(f, 0);
        g_string_truncate(f->told, 0);
        session = connect_by(f, "dev1", NULL, FALSE, TRUE);
        expect_told(f, requests ? "+dev1 " : "");
        g_assert_cmpint(devices_is_online(f->devices, "dev1"), ==, requests);
        devices_disconnect(f->devices, &session->link);
        session = connect_by(f, "dev1", NULL, TRUE, FALSE);
        g_assert_false(devices_is_online(f->devices, "dev1"));
        subscribe(f, session, filters[i]);
        devices_disconnect(f->devices, &session->link);
        expect_forgotten(f, 1);
        devices_disconnect(f->devices, &connect_by(f, "dev1", NULL, FALSE, FALSE)->link);
        expect_forgotten(f, 1);
    }
}

/* What a clean session subscribed to ends with it. */
static void
test_clean_is_not_kept(Fixture *f, gconstpointer data)
{
    Session *session;

    (void)connect_clean(f, "dev1");
    session = connect_clean(f, "dev1");
    subscribe(f, session, DEVICE_FEED_REQUESTS);
    subscribe(f, session, DEVICE_FEED_ANSWERS);
    devices_disconnect(f->devices, &session->link);
    expect_forgotten(f, 1);
    g_string_truncate(f->told, 0);
    g_assert_nonnull(connect_by(f, "dev1", NULL, FALSE, FALSE));
    g_assert_false(devices_is_online(f->devices, "dev1"));
    expect_told(f, "");
}

/* The newer wins; what the older one says still is not the device's any more. */
static void
test_taken_over(Fixture *f, gconstpointer data)
{
    Session *older = connect_by(f, "dev1", NULL, FALSE, FALSE), *newer;

    subscribe(f, older, DEVICE_FEED_REQUESTS);
    g_string_truncate(f->told, 0);
    newer = connect_by(f, "dev1", NULL, FALSE, TRUE);
    expect_told(f, "-dev1 +dev1 ");
    g_assert_cmpstr(older->closed, ==, "taken over by a newer connection");
    g_assert_cmpuint(devices_count(f->devices), ==, 1);
    devices_unsubscribe(f->devices, &older->link, DEVICE_FEED_REQUESTS);
    g_assert_true(devices_is_online(f->devices, "dev1"));
    devices_unsubscribe(f->devices, &newer->link, DEVICE_FEED_REQUESTS);
    subscribe(f, older, DEVICE_FEED_REQUESTS);
    g_assert_false(devices_is_online(f->devices, "dev1"));
    devices_connected(f->devices, &older->link);
    devices_disconnect(f->devices, &older->link);
    g_assert_true(devices_is_connected(f->devices, "dev1"));
    expect_told(f, "");
    g_assert_null(newer->closed);
}

/* One that has authenticated; *ret_wait: for how long it waits. */
static Session *
wait_by(Fixture *f, const char *client_id, const char *policy, gint64 *ret_wait)
{
    Session *session = session_new(f->devices, client_id, policy, CAPS_ALL);

    g_ptr_array_add(f->sessions, session);
    session->link.keys = REGISTRY_KEY_PRIMARY;
    *ret_wait = devices_wait(f->devices, &session->link);
    return session;
}

/* Nine connections that are over at once: the next one waits. */
static void
be_busy(Fixture *f, const char *client_id)
{
    for (guint i = 0; i < 9; i++) {
        gint64 wait;
        Session *session = wait_by(f, client_id, NULL, &wait);

        g_assert_cmpint(wait, ==, 0);
        devices_disconnect(f->devices, &session->link);
    }
}

/* The tenth of a minute waits, without taking the place of who is there; a newer one takes its
 * place among those that wait, and its time; then it is let in, and the former one ends. */
static void
test_waits(Fixture *f, gconstpointer data)
{
    Session *there, *first, *second;
    gboolean present;
    gint64 wait;

    be_busy(f, "dev1");
    there = connect_clean(f, "dev1");
    first = wait_by(f, "dev1", NULL, &wait);
    g_assert_cmpint(wait, ==, RECONNECTS_WAIT);
    g_assert_cmpuint(devices_waiting(f->devices), ==, 1);
    g_assert_cmpuint(devices_count(f->devices), ==, 1);
    clock_pass(f->clock, RECONNECTS_WAIT / 2);
    second = wait_by(f, "dev1", NULL, &wait);
    g_assert_cmpint(wait, <=, RECONNECTS_WAIT / 2);
    g_assert_cmpstr(first->closed, ==, "taken over by a newer connection");
    g_assert_null(there->closed);
    g_assert_cmpuint(devices_waiting(f->devices), ==, 1);
    (void)wait_by(f, "dev2", NULL, &wait);
    g_assert_cmpint(wait, ==, 0);
    g_assert_cmpuint(devices_waiting(f->devices), ==, 1);
    expect_told(f, "");
    g_assert_cmpuint(devices_waits(f->devices), ==, 2);
    g_assert_true(devices_connect(f->devices, &second->link, TRUE, &present));
    expect_told(f, "-dev1 ");
    g_assert_nonnull(there->closed);
    g_assert_null(second->closed);
    g_assert_cmpuint(devices_waiting(f->devices), ==, 0);
    g_assert_cmpuint(devices_count(f->devices), ==, 1);
}

/* It goes by itself: nobody was told of it, and what the device kept stays. */
static void
test_waits_in_vain(Fixture *f, gconstpointer data)
{
    Session *kept = connect_by(f, "dev1", NULL, FALSE, FALSE), *session;
    gint64 wait;

    subscribe(f, kept, DEVICE_FEED_REQUESTS);
    be_busy(f, "dev1");
    g_string_truncate(f->told, 0);
    session = wait_by(f, "dev1", NULL, &wait);
    devices_disconnect(f->devices, &session->link);
    g_assert_cmpuint(devices_waiting(f->devices), ==, 0);
    g_assert_true(devices_is_online(f->devices, "dev1"));
    expect_told(f, "");
}

/* What ends who is connected ends who waits, and nobody else: by device, module, user, key, at a
 * stop. Each row: what is done, and whether dev1, dev1/m and the one of "fleet" end. */
static void
test_waiting_revoked(Fixture *f, gconstpointer data)
{
    static const char *const ids[] = {"dev1", "dev1/m", "dev2"};
    static const char *const gone[] = {"xx.", ".x.", "..x", "..x", "..x", "x..", ".x.", "xxx"};

    for (guint row = 0; row < G_N_ELEMENTS(gone); row++) {
        Session *sessions[3];
        gint64 wait;

        for (guint i = 0; i < 3; i++) {
            be_busy(f, ids[i]);
            sessions[i] = wait_by(f, ids[i], i == 2 ? "fleet" : NULL, &wait);
            g_assert_cmpint(wait, >, 0);
        }
        if (row == 0)
            devices_revoke(f->devices, "dev1", NULL);
        else if (row == 1)
            devices_revoke(f->devices, "dev1", "m");
        else if (row == 2)
            devices_revoke_policy(f->devices, "fleet");
        else if (row == 3)
            devices_judge_again(f->devices, "dev2", NULL);
        else if (row == 4)
            devices_revoke_policy_keys(f->devices, "fleet", REGISTRY_KEY_PRIMARY);
        else if (row == 5)
            devices_revoke_keys(f->devices, "dev1", REGISTRY_KEY_PRIMARY);
        else if (row == 6)
            devices_refuse_waiting_client(f->devices, "dev1/m", NULL, "because");
        else
            devices_close_all(f->devices);
        for (guint i = 0; i < 3; i++) {
            g_test_message("row %u: %s", row, ids[i]);
            g_assert_cmpint(sessions[i]->closed != NULL, ==, gone[row][i] == 'x');
        }
        devices_revoke_keys(f->devices, "dev1", REGISTRY_KEY_SECONDARY); /* another key */
        devices_revoke_policy_keys(f->devices, "fleet", REGISTRY_KEY_SECONDARY);
        g_assert_cmpuint(devices_waiting(f->devices), ==,
                         (gone[row][0] == '.' ? 1u : 0u) + (gone[row][1] == '.' ? 1u : 0u) +
                             (gone[row][2] == '.' ? 1u : 0u));
        devices_close_all(f->devices);
        clock_pass(f->clock, 61 * SECOND);
    }
}

/* Who waits by what (an own key, two certificates of known thumbprint, one of an authority, a
 * user's key), and what still counts with keys, the first thumbprint, an authority. */
static const struct {
    int certificate; /* of the two; -1: a key */
    gboolean by_authority;
    const char *policy;
    const char *counts;
} ways[] = {
    {-1, FALSE, NULL, "x.."}, {0, FALSE, NULL, ".x."},     {1, FALSE, NULL, "..."},
    {1, TRUE, NULL, "..x"},   {-1, FALSE, "fleet", "xxx"},
};

static void
add_id(const char *client_id, TlsClient *client, void *data)
{
    g_string_append_printf(data, "%s by %d ", client_id, client->sha256[0]);
}

/* A link that waits is judged as one that is connected, and on its own where one is: then that one
 * decides whether the client is there, and goes on. A review of certificates asks about both. */
static void
test_waiting_certificates(Fixture *f, gconstpointer data)
{
    TlsClient clients[] = {{.sha256 = {1}}, {.sha256 = {2}}};
    RegistryAuth auth = {.thumbprints = {{.bytes = {1}, .len = TLS_SHA256_SIZE}}};

    for (guint row = 0; row < 2 * G_N_ELEMENTS(ways); row++) {
        const guint way = row / 2;
        g_autoptr(GString) asked = g_string_new(NULL);
        TlsClient *client = ways[way].certificate < 0 ? NULL : &clients[ways[way].certificate];
        Session *there = row % 2 ? connect_by(f, "dev1", "fleet", TRUE, FALSE) : NULL;
        Session *session = session_new(f->devices, "dev1", ways[way].policy, CAPS_ALL);

        g_ptr_array_add(f->sessions, session);
        be_busy(f, "dev1");
        session->link.client = client;
        session->link.by_authority = ways[way].by_authority;
        g_assert_cmpint(devices_wait(f->devices, &session->link), >, 0);
        for (guint kind = 0; kind < 3; kind++) {
            auth.kind = (RegistryAuthKind)kind;
            g_test_message("way %u, kind %u, %s", way, kind, there ? "beside one" : "alone");
            g_assert_cmpint(devices_still_counts(f->devices, "dev1", &auth), ==,
                            there || ways[way].counts[kind] == 'x');
        }
        g_assert_cmpint(devices_is_client(f->devices, "dev1", &clients[0]), ==,
                        !there && client == clients);
        devices_each_by_authority(f->devices, add_id, asked);
        g_assert_cmpstr(asked->str, ==, ways[way].by_authority ? "dev1 by 2 " : "");
        if (!there)
            devices_revoke_client(f->devices, "dev1", "because");
        devices_refuse_waiting(f->devices, "dev1", &auth, "because");
        g_assert_cmpint(!session->closed, ==, ways[way].counts[auth.kind] == 'x');
        devices_refuse_waiting_client(f->devices, "dev1", client, "because");
        g_assert_true(session->closed && !(there && there->closed));
        g_assert_false(devices_is_client(f->devices, "dev1", client ? client : clients));
        devices_close_all(f->devices);
        clock_pass(f->clock, 61 * SECOND);
    }
}

#define NAMES 6

static const struct {
    const char *device, *module;
    const char *gone; /* of the names: x is closed */
} revoked[] = {
    {"dev1", NULL, "xxx..."},  {"dev1", "m", ".x...."},    {"dev1", "m2", "..x..."},
    {"dev10", NULL, "...xx."}, {"dev", NULL, ".....x"},    {"dev1", "m3", "......"},
    {"dev", "1", "......"},    {"dev1/m", NULL, ".x...."},
};

static const char *const names[NAMES] = {"dev1", "dev1/m", "dev1/m2", "dev10", "dev10/m", "dev"};

/* Those are closed and their subscriptions go, of those that are away too; the others stay. */
static void
test_revoke(Fixture *f, gconstpointer data)
{
    for (guint row = 0; row < G_N_ELEMENTS(revoked); row++) {
        for (guint away = 0; away < 2; away++) {
            Session *sessions[NAMES];

            for (guint i = 0; i < NAMES; i++) {
                (void)connect_clean(f, names[i]);
                sessions[i] = connect_by(f, names[i], NULL, FALSE, FALSE);
                subscribe(f, sessions[i], DEVICE_FEED_REQUESTS);
                subscribe(f, sessions[i], DEVICE_FEED_ANSWERS);
                if (away)
                    devices_disconnect(f->devices, &sessions[i]->link);
            }
            devices_revoke(f->devices, revoked[row].device, revoked[row].module);
            for (guint i = 0; i < NAMES; i++) {
                gboolean gone = revoked[row].gone[i] == 'x';

                g_test_message("%s %s: %s", revoked[row].device, revoked[row].module, names[i]);
                g_assert_cmpstr(sessions[i]->closed, ==,
                                gone && !away ? "the device was revoked" : NULL);
                g_assert_cmpint(devices_is_connected(f->devices, names[i]), ==, !gone && !away);
                if (!gone && !away)
                    devices_disconnect(f->devices, &sessions[i]->link);
                g_assert_nonnull(connect_by(f, names[i], NULL, FALSE, !gone));
            }
            devices_close_all(f->devices);
            for (guint i = 0; i < NAMES; i++)
                devices_revoke(f->devices, names[i], NULL);
            clock_pass(f->clock, 61 * SECOND);
        }
    }
}

/* Only those that it signed; what they subscribed to is the device's, and stays. */
static void
test_revoke_policy(Fixture *f, gconstpointer data)
{
    Session *own = connect_by(f, "dev1", NULL, FALSE, FALSE);
    Session *by = connect_by(f, "dev2", "fleet", FALSE, FALSE);
    Session *other = connect_by(f, "dev3", "fleet2", FALSE, FALSE);

    subscribe(f, by, DEVICE_FEED_REQUESTS);
    g_string_truncate(f->told, 0);
    devices_revoke_policy(f->devices, "fleet");
    expect_told(f, "-dev2 ");
    g_assert_null(own->closed);
    g_assert_cmpstr(by->closed, ==, "the user was removed");
    g_assert_null(other->closed);
    g_assert_cmpuint(devices_count(f->devices), ==, 2);
    g_assert_nonnull(connect_by(f, "dev2", NULL, FALSE, TRUE));
    devices_revoke_policy(f->devices, "fleet"); /* it is another's now */
    g_assert_true(devices_is_connected(f->devices, "dev2"));
}

static void
test_close_all(Fixture *f, gconstpointer data)
{
    Session *one = connect_by(f, "dev1", NULL, FALSE, FALSE), *two = connect_clean(f, "dev2");

    subscribe(f, one, DEVICE_FEED_ANSWERS);
    devices_close_all(f->devices);
    g_assert_cmpstr(one->closed, ==, "the hub is stopping");
    g_assert_cmpstr(two->closed, ==, "the hub is stopping");
    g_assert_cmpuint(devices_count(f->devices), ==, 0);
    expect_forgotten(f, 1); /* what dev1 subscribed to is kept */
    g_assert_nonnull(connect_by(f, "dev1", NULL, FALSE, TRUE));
}

/* One that connects as INSTANCE, by wss or not. NULL: refused. */
static Session *
connect_as(Fixture *f, const char *instance, gboolean framed)
{
    Session *session = session_new(f->devices, "dev1", NULL, CAPS_ALL);
    gboolean kept;

    session->link.instance = instance;
    session->framed = framed;
    g_ptr_array_add(f->sessions, session);
    if (!devices_connect(f->devices, &session->link, TRUE, &kept))
        return NULL;
    devices_connected(f->devices, &session->link);
    return session;
}

#define A "aaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbb"

/* A comes back after B: B is told by its close frame, or at its next link; A is told nothing. */
static void
test_cloned(Fixture *f, gconstpointer data)
{
    for (guint framed = 0; framed < 2; framed++) {
        Session *first = connect_as(f, A, framed > 0), *second, *third, *fourth;
        CloneReport report;

        second = connect_as(f, B, framed > 0);
        g_assert_false(first->taken_over);
        g_assert_false(devices_is_cloned(f->devices, "dev1", &report));
        third = connect_as(f, A, framed > 0);
        g_assert_true(second->taken_over);
        g_assert_cmpuint(third->notices->len, ==, 0);
        g_assert_true(devices_is_cloned(f->devices, "dev1", &report));
        g_assert_cmpuint(devices_cloned(f->devices), ==, 1);
        if (framed) /* it was told, and this is too soon */
            g_assert_null(connect_as(f, B, TRUE));
        g_assert_nonnull(connect_as(f, A, framed > 0));
        clock_pass(f->clock, framed ? CLONES_HOLD + 1000 : 0);
        fourth = connect_as(f, B, framed > 0);
        g_assert_nonnull(fourth);
        g_assert_cmpuint(fourth->notices->len, ==, framed ? 0 : 1);
        if (!framed)
            g_assert_cmpint(strncmp(fourth->notices->pdata[0], "{\"kind\":\"taken-over\"", 20), ==,
                            0);
        g_assert_cmpuint(connect_as(f, B, framed > 0)->notices->len, ==, 0); /* once */
        devices_revoke(f->devices, "dev1", NULL);
        g_assert_false(devices_is_cloned(f->devices, "dev1", &report));
        clock_pass(f->clock, 3600 * SECOND);
    }
}

/* Who is connected and takes notices gets them, and is known to be there; nobody else. */
static void
test_notices(Fixture *f, gconstpointer data)
{
    Session *one = connect_clean(f, "dev1"), *module = connect_clean(f, "dev1/m");
    Session *old = connect_clean(f, "dev2");

    old->link.caps = CAPS_ALL & ~CAP_NOTICE;
    g_assert_true(devices_notify(f->devices, "dev1", "{}"));
    g_assert_false(devices_notify(f->devices, "dev2", "{}"));
    g_assert_false(devices_notify(f->devices, "dev3", "{}"));
    g_assert_cmpuint(devices_notify_all(f->devices, "{1}"), ==, 2);
    g_assert_cmpuint(one->notices->len, ==, 2);
    g_assert_cmpstr(one->notices->pdata[1], ==, "{1}");
    g_assert_cmpuint(module->notices->len, ==, 1);
    g_assert_cmpuint(old->notices->len, ==, 0);
    devices_disconnect(f->devices, &one->link);
    g_assert_false(devices_notify(f->devices, "dev1", "{}"));
    g_assert_cmpuint(devices_notify_all(f->devices, "{}"), ==, 1);
}

#define ADD(path, func)                                                                            \
    g_test_add("/devices/" path, Fixture, NULL, fixture_setup, func, fixture_teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("online", test_online);
    ADD("kept", test_kept);
    ADD("clean-is-not-kept", test_clean_is_not_kept);
    ADD("taken-over", test_taken_over);
    ADD("waits", test_waits);
    ADD("waits-in-vain", test_waits_in_vain);
    ADD("waiting-revoked", test_waiting_revoked);
    ADD("waiting-certificates", test_waiting_certificates);
    ADD("revoke", test_revoke);
    ADD("revoke-policy", test_revoke_policy);
    ADD("cloned", test_cloned);
    ADD("notices", test_notices);
    ADD("close-all", test_close_all);
    return g_test_run();
}
