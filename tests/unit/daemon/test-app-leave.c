/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an app leaves to the next one, and what that makes of it, with a service manager that keeps
 * the descriptors. The test is the other end of streams. */
#include "common/codec/ws-frame.h"
#include "common/resume/stored.h"
#include "daemon/app-handover.h"
#include "daemon/app-private.h"
#include "daemon/handover/fd-store.h"
#include "daemon/handover/sealed.h"
#include "tests/unit/daemon/change-fixture.h"
#include "tests/unit/daemon/handover/manager-fixture.h"
#include "tests/unit/daemon/local/user-fixture.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CAPS (CAP_HALF_CLOSE | CAP_REASON | CAP_SID | CAP_RESUME)
#define RUN_UNTIL(condition)                                                                       \
    while (!(condition))                                                                           \
    g_main_context_iteration(NULL, TRUE)

static void
on_left(void *data)
{
    (*(guint *)data)++;
}

static void
leave(App *app)
{
    guint left = 0;

    g_assert_true(app_leave(app, G_MAXUINT, on_left, &left));
    RUN_UNTIL(left > 0);
    g_assert_cmpuint(left, ==, 1);
    (void)fd_store_sync(NULL);
}

/* The app ends, and one begins that has what MANAGER keeps, but for one socket of NAME. */
static void
succeed(ChangeFixture *fixture, Manager *manager, const char *without)
{
    const AppOptions options = {
        .config_file = fixture->file, .state_dir = fixture->dir, .threads = 1};
    GArray *items = manager_take(manager);
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < items->len; i++)
        if (g_strcmp0(g_array_index(items, FdStoreItem, i).name, without) == 0) {
            g_array_remove_index(items, i);
            break;
        }
    app_free(fixture->app);
    fixture->app = app_new(&options, &error);
    g_assert_no_error(error);
    app_inherit(fixture->app, items);
    g_assert_cmpuint(manager_kept_as(manager, "l-1"), ==, 0);
    app_start(fixture->app);
}

static Tunnel *
keep(ChangeFixture *fixture)
{
    Awaited kept = {0};

    return await_well(change_keep_tunnel(fixture, "a", "one", &kept), &kept);
}

/* On both loopback addresses, at once. */
static void
check_listens(ChangeFixture *fixture, const char *address)
{
    g_autoptr(GPtrArray) tunnels = app_list_tunnels(fixture->app);
    g_autofree char *other = g_strconcat("tcp:[::1]", strrchr(address, ':'), NULL);

    g_assert_cmpuint(tunnels->len, ==, 1);
    g_assert_cmpstr(tunnel_last_error(tunnels->pdata[0]), ==, "");
    g_assert_cmpstr(tunnel_listen_address(tunnels->pdata[0]), ==, address);
    close(client_connect(address));
    close(client_connect(other));
}

static void
test_tunnel(ChangeFixture *fixture, gconstpointer data)
{
    g_autoptr(Manager) manager = manager_new(10);
    g_autofree char *address = NULL;

    g_assert_false(app_may_leave(fixture->app)); /* there is nothing */
    address = g_strdup(tunnel_listen_address(keep(fixture)));
    g_assert_true(app_may_leave(fixture->app));
    g_assert_false(app_leave(fixture->app, 1, on_left, NULL)); /* room for the state alone */
    g_assert_false(app_leave_now(fixture->app));
    leave(fixture->app);
    g_assert_cmpuint(manager_kept_as(manager, "l-1"), ==, 2);
    g_assert_cmpuint(manager_kept_as(manager, "state"), ==, 1);
    succeed(fixture, manager, NULL);
    check_listens(fixture, address);
    g_assert_nonnull(app_find_tunnel(fixture->app, 1));
}

/* Who connects once it is held is taken by the next one, and by nobody before. */
static void
test_waits(ChangeFixture *fixture, gconstpointer data)
{
    g_autoptr(Manager) manager = manager_new(10);
    Tunnel *tunnel = keep(fixture);
    int client;

    app_hold_tunnels(fixture->app);
    client = client_connect(tunnel_listen_address(tunnel));
    leave(fixture->app);
    g_assert_cmpuint(tunnel_accepted(tunnel), ==, 0);
    succeed(fixture, manager, NULL);
    tunnel = app_find_tunnel(fixture->app, 1);
    RUN_UNTIL(tunnel_accepted(tunnel) == 1);
    close(client);
}

/* A part of its sockets is none: it listens anew, on both addresses. */
static void
test_fewer_sockets(ChangeFixture *fixture, gconstpointer data)
{
    g_autoptr(Manager) manager = manager_new(10);
    g_autofree char *address = g_strdup(tunnel_listen_address(keep(fixture)));

    leave(fixture->app);
    succeed(fixture, manager, "l-1");
    check_listens(fixture, address);
}

/* Sockets whose state has not come must not be in the way of the tunnel. */
static void
test_no_state(ChangeFixture *fixture, gconstpointer data)
{
    g_autoptr(Manager) manager = manager_new(10);
    g_autofree char *address = g_strdup(tunnel_listen_address(keep(fixture)));

    leave(fixture->app);
    succeed(fixture, manager, "state");
    check_listens(fixture, address);
}

/* Which tunnels there are changes no more once it leaves; a second wish does not wait. */
static void
test_changes_end(ChangeFixture *fixture, gconstpointer data)
{
    g_autoptr(Manager) manager = manager_new(10);
    const guint64 id = tunnel_id(keep(fixture));
    g_autofree char *waiting = NULL, *late = NULL;
    Awaited dropped = {0}, again = {0};
    AppChange *change = app_drop_tunnel(fixture->app, id, AWAIT(&dropped));
    guint left = 0;

    g_assert_false(app_leave_now(fixture->app));
    g_assert_true(app_leave(fixture->app, G_MAXUINT, on_left, &left));
    g_assert_true(dropped.ended);
    waiting = await_fails(change, &dropped, STREAMD_ERROR_CANCELLED);
    late =
        await_fails(app_drop_tunnel(fixture->app, id, AWAIT(&again)), &again, STREAMD_ERROR_BUSY);
    g_assert_true(app_leave_now(fixture->app));
    g_assert_true(app_leave_now(fixture->app));
    g_assert_cmpuint(left, ==, 1);
    (void)fd_store_sync(NULL);
    g_assert_cmpuint(manager_kept_as(manager, "l-1"), ==, 2);
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

/* One of a device, whose other end has talked. RET_APP: the app's end. */
static Stream *
open_stream(App *app, const char *id, const char *initiator, int *ret_app)
{
    static const guint8 secret[STREAM_RESUME_KEY] = "0123456789abcdef0123456789abcde";
    const StreamInfo info = {.id = app_next_stream(app),
                             .role = STREAM_ROLE_DEVICE,
                             .hub = "a",
                             .device = "d",
                             .name = "n",
                             .initiator = initiator,
                             .hub_id = id};
    Stream *stream = stream_new(app->streams, &info, NULL);
    guint8 frame[WS_MAX_CONTROL_FRAME];
    gsize len = ws_control_write(frame, WS_OP_TEXT, "r 0 262144", 10, NULL);
    int local[2], leg[2];

    tcp_pair(local);
    tcp_pair(leg);
    stream_set_resume(stream, secret, STREAM_RESUME_TIME);
    stream_set_local(stream, connection_new(local[1]));
    stream_attach_leg(stream, connection_new(leg[1]), runtime_pick(app->runtime), CAPS);
    g_assert_cmpint(send(leg[0], frame, len, MSG_NOSIGNAL), ==, (gssize)len);
    RUN_UNTIL(stream_is_resumable(stream));
    *ret_app = local[0]; /* the leg stays open: that it is lost is not what is tested */
    return stream;
}

static gboolean
is_reset(int fd)
{
    char byte;

    return recv(fd, &byte, 1, 0) < 0 && errno == ECONNRESET;
}

/* The state that MANAGER keeps has the stream ID alone, and the tombstone of the other one. */
static void
check_state(Manager *manager, const char *id, const char *buried, Reason reason)
{
    g_autoptr(GArray) items = manager_take(manager);
    g_autoptr(Stored) stored = NULL;
    g_autoptr(GBytes) bytes = NULL;
    gsize size;
    const guint8 *data;

    for (guint i = 0; i < items->len; i++)
        if (g_str_equal(g_array_index(items, FdStoreItem, i).name, "state"))
            bytes = sealed_read(g_array_index(items, FdStoreItem, i).fd, 1 << 20, NULL);
    g_assert_nonnull(bytes);
    g_assert_cmpuint(items->len, ==, 2);
    data = g_bytes_get_data(bytes, &size);
    g_assert_cmpint(stored_parse(data, size, &stored), ==, STORED_OK);
    g_assert_cmpuint(stored->streams->len, ==, 1);
    g_assert_cmpstr(((StoredStream *)stored->streams->pdata[0])->hub_id, ==, id);
    g_assert_cmpuint(stored->tombs->len, ==, 1);
    g_assert_cmpstr(((StoredTomb *)stored->tombs->pdata[0])->hub_id, ==, buried);
    g_assert_cmpint(((StoredTomb *)stored->tombs->pdata[0])->reason, ==, reason);
}

/* At the bound of a text it is left, one past it it is cut, and no other. */
static void
test_one_is_cut(ChangeFixture *fixture, gconstpointer data)
{
    g_autoptr(Manager) manager = manager_new(10);
    g_autofree char *most = g_strnfill(STORED_TEXT_MAX, 'x');
    g_autofree char *more = g_strnfill(STORED_TEXT_MAX + 1, 'x');
    int good, bad;
    Stream *cut;

    cut = open_stream(fixture->app, "bad", more, &bad);
    (void)open_stream(fixture->app, "good", most, &good);
    leave(fixture->app);
    g_assert_cmpint(stream_reason(cut), ==, REASON_STOPPING);
    g_assert_true(is_reset(bad));
    check_state(manager, "good", "bad", REASON_STOPPING);
    close(good);
    close(bad);
}

static void
test_closed_meanwhile(ChangeFixture *fixture, gconstpointer data)
{
    g_autoptr(Manager) manager = manager_new(10);
    int good, bad;
    guint left = 0;
    Stream *closed;

    (void)open_stream(fixture->app, "good", "s", &good);
    closed = open_stream(fixture->app, "bad", "s", &bad);
    g_assert_true(app_leave(fixture->app, G_MAXUINT, on_left, &left));
    g_assert_true(app_leave_now(fixture->app)); /* freezes */
    stream_close(closed, REASON_CLOSED_BY_USER);
    RUN_UNTIL(left > 0);
    (void)fd_store_sync(NULL);
    g_assert_cmpint(stream_reason(closed), ==, REASON_CLOSED_BY_USER);
    g_assert_true(is_reset(bad));
    check_state(manager, "good", "bad", REASON_CLOSED_BY_USER);
    close(good);
    close(bad);
}

/* The second wish comes before it is frozen: it is cut when it is, and the rest was left. */
static void
test_frozen_too_late(ChangeFixture *fixture, gconstpointer data)
{
    g_autoptr(Manager) manager = manager_new(10);
    int app;
    Stream *stream = open_stream(fixture->app, "late", "s", &app);
    guint left = 0;

    g_assert_true(app_leave(fixture->app, G_MAXUINT, on_left, &left));
    g_assert_true(app_leave_now(fixture->app));
    g_assert_true(app_leave_now(fixture->app));
    g_assert_cmpuint(left, ==, 1);
    RUN_UNTIL(stream_has_ended(stream));
    g_assert_cmpint(stream_reason(stream), ==, REASON_STOPPING);
    g_assert_true(is_reset(app));
    (void)fd_store_sync(NULL);
    g_assert_cmpuint(manager_kept(manager), ==, 1);
    close(app);
}

/* Nobody takes what is frozen: it ends, and what is kept by then is without a state. */
static void
test_push_fails(ChangeFixture *fixture, gconstpointer data)
{
    g_autoptr(Manager) manager = manager_new(10);
    int app;
    Stream *stream = open_stream(fixture->app, "good", "s", &app);
    guint left = 0;

    g_assert_true(app_leave(fixture->app, G_MAXUINT, on_left, &left));
    g_setenv("NOTIFY_SOCKET", "/nonexistent/notify", TRUE);
    RUN_UNTIL(left > 0);
    g_assert_true(stream_has_ended(stream));
    g_assert_cmpint(stream_reason(stream), ==, REASON_STOPPING);
    g_assert_true(is_reset(app));
    g_assert_cmpuint(manager_kept(manager), ==, 0);
    close(app);
}

/* What a device remembers of ended streams is worth to be left, while it is remembered. */
static void
test_tombstones(ChangeFixture *fixture, gconstpointer data)
{
    g_autoptr(Manager) manager = manager_new(10);
    Tombstone tombstone = {.hub = "a", .id = "x", .reason = REASON_CUT};

    tombstones_add(app_resume_tombstones(fixture->app->resumes), &tombstone);
    g_assert_false(app_may_leave(fixture->app)); /* its time is over */
    tombstone.until = g_get_monotonic_time() + G_TIME_SPAN_MINUTE;
    tombstones_add(app_resume_tombstones(fixture->app->resumes), &tombstone);
    g_assert_true(app_may_leave(fixture->app));
    leave(fixture->app);
    succeed(fixture, manager, NULL);
    g_assert_nonnull(tombstones_find(app_resume_tombstones(fixture->app->resumes), "a", "x",
                                     g_get_monotonic_time()));
}

#define ADD(name, function)                                                                        \
    g_test_add("/app-leave/" name, ChangeFixture, NULL, change_set_up, function, change_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK); /* what is cut is a warning */
    ADD("tunnel", test_tunnel);
    ADD("waits", test_waits);
    ADD("fewer-sockets", test_fewer_sockets);
    ADD("no-state", test_no_state);
    ADD("changes-end", test_changes_end);
    ADD("one-is-cut", test_one_is_cut);
    ADD("closed-meanwhile", test_closed_meanwhile);
    ADD("frozen-too-late", test_frozen_too_late);
    ADD("push-fails", test_push_fails);
    ADD("tombstones", test_tombstones);
    return g_test_run();
}
