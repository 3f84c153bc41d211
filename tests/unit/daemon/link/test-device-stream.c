/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The accepting side up to its answer (docs/wire-protocol.md, sections 1.5, 1.6 and 8). */
#include "tests/unit/daemon/stream/device-fixture.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
test_rejected_by_policy(Fixture *fixture, gconstpointer data)
{
    (void)accept_policy_set_default(fixture->policy, FALSE, "ask Ann", NULL);
    device_request(fixture, "up", "7", TRUE);
    g_assert_cmpstr(device_wait_answer(fixture, 0), ==,
                    "$iothub/streams/res/400/?$rid=7&$reason=policy%20ask%20Ann");
    g_assert_cmpint(stream_reason(device_only_stream(fixture)), ==, REASON_POLICY);
    g_assert_cmpint(stream_state(device_only_stream(fixture)), ==, STREAM_CLOSED);
    g_assert_cmpstr(stream_message(device_only_stream(fixture)), ==, "ask Ann");
    g_assert_cmpuint(device_streams_pending(fixture->streams), ==, 0);
}

/* A plain hub is told nothing that it does not know. */
static void
test_plain(Fixture *fixture, gconstpointer data)
{
    (void)accept_policy_set_default(fixture->policy, FALSE, "ask Ann", NULL);
    device_request(fixture, "up", "7", FALSE);
    g_assert_cmpstr(device_wait_answer(fixture, 0), ==, "$iothub/streams/res/400/?$rid=7");
    (void)accept_policy_set_default(fixture->policy, TRUE, NULL, NULL);
    device_request(fixture, "up", "8", FALSE);
    g_assert_cmpstr(device_wait_answer(fixture, 1), ==, "$iothub/streams/res/200/?$rid=8");
}

static void
test_no_target(Fixture *fixture, gconstpointer data)
{
    device_request(fixture, "nothing", "1", TRUE);
    g_assert_true(g_str_has_suffix(device_wait_answer(fixture, 0), "&$reason=no-target"));
    g_assert_cmpint(stream_reason(device_only_stream(fixture)), ==, REASON_NO_TARGET);
}

static void
test_target_down(Fixture *fixture, gconstpointer data)
{
    device_request(fixture, "down", "1", TRUE);
    g_assert_true(g_str_has_suffix(device_wait_answer(fixture, 0), "&$reason=target-refused"));
    g_assert_cmpint(stream_reason(device_only_stream(fixture)), ==, REASON_TARGET_REFUSED);
    g_assert_cmpuint(target_waiting(device_find_target("down", fixture)), ==, 0);
}

/* A url that is not the hub's is refused before the policy or the target are asked; only a hub that
 * understands it is told why, and none is told where we are. */
static void
test_bad_url(Fixture *fixture, gconstpointer data)
{
    static const char *const urls[] = {"wss://192.168.1.1:443/x", "wss://127.0.0.1:22/x",
                                       "wss://localhost:443/x", "wss://[::1]:443/x"};

    for (guint i = 0; i < G_N_ELEMENTS(urls); i++) {
        g_autofree char *rid = g_strdup_printf("%u", i);
        g_autofree char *answer =
            g_strdup_printf("$iothub/streams/res/400/?$rid=%u&$reason=bad-url", i);

        device_request_to(fixture, "up", rid, TRUE, -1, urls[i]);
        g_assert_cmpstr(device_wait_answer(fixture, i), ==, answer);
    }
    device_request_to(fixture, "up", "plain", FALSE, -1, urls[0]);
    g_assert_cmpstr(device_wait_answer(fixture, G_N_ELEMENTS(urls)), ==,
                    "$iothub/streams/res/400/?$rid=plain");
    g_assert_cmpuint(device_count_open(fixture->table), ==, 0);
    g_assert_cmpuint(target_waiting(device_find_target("up", fixture)), ==, 0);
    g_assert_cmpuint(device_streams_pending(fixture->streams), ==, 0);
}

/* A listener whose queue is full: whoever connects now waits. */
static int
full_listener(char **ret_address, int *ret_client)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(bind(fd, (struct sockaddr *)&at, size), ==, 0);
    g_assert_cmpint(listen(fd, 0), ==, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)&at, &size), ==, 0);
    *ret_address = g_strdup_printf("tcp:127.0.0.1:%u", ntohs(at.sin_port));
    *ret_client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(*ret_client, (struct sockaddr *)&at, size), ==, 0);
    return fd;
}

/* Why the leg did not come up says something about where we are: the hub gets a code, the owner all
 * of it. */
static void
test_leg_down(Fixture *fixture, gconstpointer data)
{
    g_autofree char *address = NULL;
    int client, fd = full_listener(&address, &client);
    const char *answer;

    device_add_target(fixture, "slow", address);
    device_request_to(fixture, "slow", "1", TRUE, -1, "wss://127.0.0.1:443/x");
    answer = device_wait_answer(fixture, 0);
    g_assert_true(g_str_has_prefix(answer, "$iothub/streams/res/400/?$rid=1&$reason=hub-"));
    g_assert_null(strchr(answer, '%'));
    g_assert_nonnull(strstr(stream_message(device_only_stream(fixture)), "127.0.0.1 port 443"));
    close(client);
    close(fd);
}

/* 200 as soon as the target is there, though the leg is still on its way. */
static void
test_accepted(Fixture *fixture, gconstpointer data)
{
    device_request(fixture, "up", "1", TRUE);
    g_assert_true(g_str_has_prefix(device_wait_answer(fixture, 0),
                                   "$iothub/streams/res/200/?$rid=1&$streamd="));
    g_assert_cmpint(stream_state(device_only_stream(fixture)), ==, STREAM_CONNECTING);
    g_assert_cmpstr(stream_target(device_only_stream(fixture)), ==, "up");
    g_assert_cmpuint(target_waiting(device_find_target("up", fixture)), ==, 1);
    stream_close(device_only_stream(fixture), REASON_CLOSED_BY_USER);
    g_assert_cmpuint(target_waiting(device_find_target("up", fixture)), ==, 0);
    g_assert_cmpuint(device_streams_pending(fixture->streams), ==, 0);
    g_assert_cmpint(stream_reason(device_only_stream(fixture)), ==, REASON_CLOSED_BY_USER);
}

/* The hub publishes again after a reconnect: the answer is repeated, the stream is not doubled. */
static void
test_repeated(Fixture *fixture, gconstpointer data)
{
    device_request(fixture, "up", "1", TRUE);
    device_request(fixture, "up", "1", TRUE);
    (void)device_wait_answer(fixture, 0);
    device_request(fixture, "up", "1", TRUE);
    g_assert_cmpstr(device_wait_answer(fixture, 1), ==, fixture->answers->pdata[0]);
    g_assert_cmpuint(fixture->answers->len, ==, 2);
    (void)device_only_stream(fixture);
}

/* A process that leaves its streams to the next one answers nobody who leads one back: the hub asks
 * the next one. New streams are answered as ever. */
static void
test_leaves(Fixture *fixture, gconstpointer data)
{
    const char *port = strrchr(listener_address(fixture->silent), ':') + 1;
    g_autofree char *url = g_strdup_printf("wss://127.0.0.1:%s/bridges/1", port);
    StreamRequest asked = {
        .name = "up",
        .rid = "1",
        .url = url,
        .token = "token",
        .capable = TRUE,
        .caps = CAP_REASON | CAP_HALF_CLOSE | CAP_RESUME,
        .deadline = -1,
        .sid = "a",
        .rkey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        .resume = "b.1",
    };

    device_streams_request(fixture->streams, &asked);
    g_assert_true(g_str_has_suffix(device_wait_answer(fixture, 0), "&$reason=resume-unknown"));
    stream_table_leave(fixture->table);
    asked.rid = "2";
    device_streams_request(fixture->streams, &asked);
    g_assert_cmpuint(fixture->answers->len, ==, 1);
    device_request(fixture, "nothing", "3", TRUE);
    g_assert_true(g_str_has_suffix(device_wait_answer(fixture, 1), "&$reason=no-target"));
}

/* The answer was found while the control link was down. */
static void
test_answered_late(Fixture *fixture, gconstpointer data)
{
    fixture->connected = FALSE;
    device_request(fixture, "nothing", "1", TRUE);
    g_assert_cmpuint(fixture->answers->len, ==, 0);
    fixture->connected = TRUE;
    device_request(fixture, "nothing", "1", TRUE);
    g_assert_true(g_str_has_suffix(device_wait_answer(fixture, 0), "&$reason=no-target"));
}

/* The acceptance went out on a link that was lost, and the leg is not up yet. */
static void
test_said_again(Fixture *fixture, gconstpointer data)
{
    device_request(fixture, "up", "1", TRUE);
    (void)device_wait_answer(fixture, 0);
    device_streams_link_ready(fixture->streams);
    g_assert_cmpuint(fixture->answers->len, ==, 2);
    g_assert_cmpstr(fixture->answers->pdata[1], ==, fixture->answers->pdata[0]);
    stream_close(device_only_stream(fixture), REASON_CLOSED_BY_USER);
    device_streams_link_ready(fixture->streams);
    g_assert_cmpuint(fixture->answers->len, ==, 2);
}

/* After the time for the answer nobody waits for it: the hub may be another one by now. */
static void
test_not_said_too_late(Fixture *fixture, gconstpointer data)
{
    gint64 start = g_get_monotonic_time();

    device_request_by(fixture, "up", "1", TRUE, 300);
    (void)device_wait_answer(fixture, 0);
    device_streams_link_ready(fixture->streams);
    if (g_get_monotonic_time() - start < 290 * G_TIME_SPAN_MILLISECOND)
        g_assert_cmpuint(fixture->answers->len, ==, 2);
    while (g_get_monotonic_time() - start < 310 * G_TIME_SPAN_MILLISECOND)
        g_main_context_iteration(NULL, FALSE);
    g_ptr_array_set_size(fixture->answers, 0);
    g_assert_cmpuint(device_streams_pending(fixture->streams), ==, 1); /* its leg may come yet */
    device_streams_link_ready(fixture->streams);
    g_assert_cmpuint(fixture->answers->len, ==, 0);
}

/* Every answer carries the stream's id, if the request did. */
static void
test_sid(Fixture *fixture, gconstpointer data)
{
    fixture->sid = "0a";
    device_request(fixture, "up", "1", TRUE);
    g_assert_cmpstr(device_wait_answer(fixture, 0), ==,
                    "$iothub/streams/res/200/?$rid=1&$sid=0a&$streamd=half-close.reason");
    device_streams_link_ready(fixture->streams);
    g_assert_cmpstr(device_wait_answer(fixture, 1), ==, fixture->answers->pdata[0]);
    fixture->sid = "0b";
    device_request(fixture, "nothing", "2", TRUE);
    g_assert_cmpstr(device_wait_answer(fixture, 2), ==,
                    "$iothub/streams/res/400/?$rid=2&$sid=0b&$reason=no-target");
}

static void
expect_limited(Fixture *fixture, guint index, const char *rid)
{
    g_autofree char *expected =
        g_strdup_printf("$iothub/streams/res/400/?$rid=%s&$reason=limit", rid);

    g_assert_cmpstr(device_wait_answer(fixture, index), ==, expected);
}

/* Streams of a rule count from the decision on. The hub reads that there is a limit, and whose it
 * is stays here. */
static void
test_rule_limit(Fixture *fixture, gconstpointer data)
{
    const AcceptRule rule = {
        .id = 7, .stream = "up", .kind = ACCEPT_TARGET, .limits.of[LIMIT_STREAMS] = 1};
    Stream *first;

    g_assert_true(accept_policy_add(fixture->policy, &rule, -1, NULL, NULL));
    device_request(fixture, "up", "1", TRUE);
    (void)device_wait_answer(fixture, 0);
    first = device_only_stream(fixture);
    device_request(fixture, "up", "2", TRUE);
    expect_limited(fixture, 1, "2");
    g_assert_cmpint(stream_reason(stream_table_find(fixture->table, 2)), ==, REASON_LIMIT);
    g_assert_cmpstr(stream_message(stream_table_find(fixture->table, 2)), ==,
                    "rule 7 allows 1 streams at once");
    /* Another rule decides the rest, and has none. */
    device_request(fixture, "down", "3", TRUE);
    g_assert_true(g_str_has_suffix(device_wait_answer(fixture, 2), "&$reason=target-refused"));
    stream_close(first, REASON_CLOSED_BY_USER);
    device_request(fixture, "up", "4", TRUE);
    g_assert_nonnull(strstr(device_wait_answer(fixture, 3), "/200/"));
}

/* Starts of a target, which are counted whether they succeed or not. */
static void
test_target_limit(Fixture *fixture, gconstpointer data)
{
    device_find_target("down", fixture)->limits.of[LIMIT_RATE] = 2;
    device_request(fixture, "down", "1", TRUE);
    (void)device_wait_answer(fixture, 0);
    device_request(fixture, "down", "2", TRUE);
    (void)device_wait_answer(fixture, 1);
    device_request(fixture, "down", "3", TRUE);
    expect_limited(fixture, 2, "3");
    g_assert_cmpstr(stream_message(stream_table_find(fixture->table, 3)), ==,
                    "target down allows 2 new streams a minute");
    device_request(fixture, "up", "4", TRUE);
    g_assert_nonnull(strstr(device_wait_answer(fixture, 3), "/200/"));
}

/* What the rule asks for, when it is told. */
static void
test_address(Fixture *fixture, gconstpointer data)
{
    const AcceptRule rule = {.address = "192.0.2.0/24", .kind = ACCEPT_TARGET, .target = "up"};

    (void)accept_policy_set_default(fixture->policy, FALSE, NULL, NULL);
    g_assert_true(accept_policy_add(fixture->policy, &rule, -1, NULL, NULL));
    fixture->from = "192.0.3.1:1";
    device_request(fixture, "x", "1", TRUE);
    fixture->from = NULL;
    device_request(fixture, "x", "2", TRUE);
    fixture->from = "192.0.2.1:1";
    device_request(fixture, "x", "3", TRUE);
    g_assert_true(g_str_has_suffix(device_wait_answer(fixture, 0), "&$reason=policy"));
    g_assert_true(g_str_has_suffix(device_wait_answer(fixture, 1), "&$reason=policy"));
    g_assert_nonnull(strstr(device_wait_answer(fixture, 2), "/200/"));
    g_assert_cmpstr(stream_address(stream_table_find(fixture->table, 3)), ==, "192.0.2.1:1");
}

static void
test_bad_name(Fixture *fixture, gconstpointer data)
{
    device_request(fixture, "a b", "1", TRUE);
    g_assert_true(strstr(device_wait_answer(fixture, 0), "/400/") != NULL);
    g_assert_cmpuint(device_count_open(fixture->table), ==, 0);
}

/* Freed with streams under way: nothing is left, and they have ended. */
static void
test_freed(Fixture *fixture, gconstpointer data)
{
    for (guint i = 0; i < 2 * TARGET_WAITING_MAX; i++) {
        g_autofree char *rid = g_strdup_printf("%u", i);

        device_request(fixture, "up", rid, TRUE);
    }
    g_assert_cmpuint(target_waiting(device_find_target("up", fixture)), ==, TARGET_WAITING_MAX);
    g_assert_cmpuint(device_streams_pending(fixture->streams), ==, 2 * TARGET_WAITING_MAX);
    g_clear_pointer(&fixture->streams, device_streams_free);
    g_assert_cmpuint(device_count_open(fixture->table), ==, 0);
    g_assert_cmpuint(target_waiting(device_find_target("up", fixture)), ==, 0);
}

#define ADD(name, func)                                                                            \
    g_test_add("/device-stream/" name, Fixture, NULL, device_set_up, func, device_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("rejected-by-policy", test_rejected_by_policy);
    ADD("plain", test_plain);
    ADD("no-target", test_no_target);
    ADD("target-down", test_target_down);
    ADD("bad-url", test_bad_url);
    ADD("leg-down", test_leg_down);
    ADD("accepted", test_accepted);
    ADD("repeated", test_repeated);
    ADD("leaves", test_leaves);
    ADD("answered-late", test_answered_late);
    ADD("said-again", test_said_again);
    ADD("not-said-too-late", test_not_said_too_late);
    ADD("sid", test_sid);
    ADD("rule-limit", test_rule_limit);
    ADD("target-limit", test_target_limit);
    ADD("address", test_address);
    ADD("bad-name", test_bad_name);
    ADD("freed", test_freed);
    return g_test_run();
}
