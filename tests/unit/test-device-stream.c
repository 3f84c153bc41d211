/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The accepting side up to its answer (docs/wire-protocol.md, sections 1.5, 1.6 and 8). */
#include "daemon/device-stream.h"
#include "daemon/listener.h"

#include <string.h>

static guint
count_open(StreamTable *table)
{
    g_autoptr(GPtrArray) list = stream_table_list(table);
    guint open = 0;

    for (guint i = 0; i < list->len; i++)
        open += stream_has_ended(list->pdata[i]) ? 0 : 1;
    return open;
}

/* A listener of this process's own user. */
static Listener *
listen_on(const char *address, gboolean shared, GError **error)
{
    const ListenerOptions options = {address, shared, getuid()};

    return listener_new(&options, error);
}

typedef struct {
    Runtime *runtime;
    StreamTable *table;
    AcceptPolicy *policy;
    TlsContext *tls;
    Listener *open;   /* a target that takes connections */
    Listener *silent; /* where the leg goes: takes the connection and says nothing */
    GPtrArray *targets;
    GPtrArray *answers; /* topics */
    gboolean connected;
    guint64 last_id;
    Requests *requests;
    Handlers *handlers;
    guint added, removed;
    RequestEnd end; /* of the last one */
    DeviceStreams *streams;
} Fixture;

static guint64
next_id(void *data)
{
    Fixture *fixture = data;

    return ++fixture->last_id;
}

static Target *
find_target(const char *name, void *data)
{
    Fixture *fixture = data;

    for (guint i = 0; i < fixture->targets->len; i++)
        if (g_str_equal(target_name(fixture->targets->pdata[i]), name))
            return fixture->targets->pdata[i];
    return NULL;
}

static gboolean
publish(const char *topic, void *data)
{
    Fixture *fixture = data;

    if (fixture->connected)
        g_ptr_array_add(fixture->answers, g_strdup(topic));
    return fixture->connected;
}

static void
ignore_stream(Stream *stream, void *data)
{
}

static void
request_added(Request *request, void *data)
{
    ((Fixture *)data)->added++;
}

static void
request_removed(Request *request, void *data)
{
    ((Fixture *)data)->removed++;
    ((Fixture *)data)->end = request_end(request);
}

static const RequestsEvents request_events = {request_added, request_removed};

static const StreamTableEvents events = {ignore_stream, ignore_stream, ignore_stream};

static void
free_target(void *target)
{
    target_unref(target);
}

static void
add_target(Fixture *fixture, const char *name, const char *address)
{
    Target *target = target_new(name, address, FALSE, NULL);

    g_assert_nonnull(target);
    g_ptr_array_add(fixture->targets, target);
}

/* A port on which nobody listens any more. */
static char *
closed_address(void)
{
    g_autoptr(Listener) listener = listen_on(NULL, FALSE, NULL);

    return g_strdup(listener_address(listener));
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
    g_autofree char *closed = closed_address();
    DeviceStreamsContext context = {
        .hub = "home",
        .device = "dev1",
        .next_id = next_id,
        .find_target = find_target,
        .publish = publish,
        .data = fixture,
    };

    context.runtime = fixture->runtime = runtime_new(1);
    context.table = fixture->table = stream_table_new(fixture->runtime, 100, 100, &events, NULL);
    context.policy = fixture->policy = accept_policy_new();
    context.requests = fixture->requests = requests_new(&request_events, fixture);
    context.handlers = fixture->handlers = handlers_new();
    context.tls = fixture->tls = tls_context_new_client(NULL, NULL, NULL);
    fixture->open = listen_on(NULL, FALSE, NULL);
    fixture->silent = listen_on(NULL, FALSE, NULL);
    fixture->targets = g_ptr_array_new_with_free_func(free_target);
    fixture->answers = g_ptr_array_new_with_free_func(g_free);
    fixture->connected = TRUE;
    add_target(fixture, "up", listener_address(fixture->open));
    add_target(fixture, "down", closed);
    (void)accept_policy_set_default(fixture->policy, TRUE, NULL, NULL);
    fixture->streams = device_streams_new(&context);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    device_streams_free(fixture->streams);
    runtime_free(fixture->runtime);
    stream_table_free(fixture->table);
    requests_free(fixture->requests);
    handlers_free(fixture->handlers);
    accept_policy_free(fixture->policy);
    tls_context_unref(fixture->tls);
    listener_free(fixture->open);
    listener_free(fixture->silent);
    g_ptr_array_unref(fixture->targets);
    g_ptr_array_unref(fixture->answers);
}

static void
request(Fixture *fixture, const char *name, const char *rid, gboolean capable)
{
    const char *port = strrchr(listener_address(fixture->silent), ':') + 1;
    g_autofree char *url = g_strdup_printf("wss://127.0.0.1:%s/bridges/1", port);
    const StreamRequest asked = {
        .name = name,
        .rid = rid,
        .url = url,
        .token = "token",
        .capable = capable,
        .caps = capable ? CAP_REASON | CAP_HALF_CLOSE : 0,
        .deadline = -1,
    };

    device_streams_request(fixture->streams, &asked);
}

static const char *
wait_answer(Fixture *fixture, guint index)
{
    while (fixture->answers->len <= index)
        g_main_context_iteration(NULL, TRUE);
    return fixture->answers->pdata[index];
}

static Stream *
only_stream(Fixture *fixture)
{
    g_autoptr(GPtrArray) list = stream_table_list(fixture->table);

    g_assert_cmpuint(list->len, ==, 1);
    return list->pdata[0];
}

static void
test_rejected_by_policy(Fixture *fixture, gconstpointer data)
{
    (void)accept_policy_set_default(fixture->policy, FALSE, "ask Ann", NULL);
    request(fixture, "up", "7", TRUE);
    g_assert_cmpstr(wait_answer(fixture, 0), ==,
                    "$iothub/streams/res/400/?$rid=7&$reason=policy%20ask%20Ann");
    g_assert_cmpint(stream_reason(only_stream(fixture)), ==, REASON_POLICY);
    g_assert_cmpint(stream_state(only_stream(fixture)), ==, STREAM_CLOSED);
    g_assert_cmpstr(stream_message(only_stream(fixture)), ==, "ask Ann");
    g_assert_cmpuint(device_streams_pending(fixture->streams), ==, 0);
}

/* A plain hub is told nothing that it does not know. */
static void
test_plain(Fixture *fixture, gconstpointer data)
{
    (void)accept_policy_set_default(fixture->policy, FALSE, "ask Ann", NULL);
    request(fixture, "up", "7", FALSE);
    g_assert_cmpstr(wait_answer(fixture, 0), ==, "$iothub/streams/res/400/?$rid=7");
    (void)accept_policy_set_default(fixture->policy, TRUE, NULL, NULL);
    request(fixture, "up", "8", FALSE);
    g_assert_cmpstr(wait_answer(fixture, 1), ==, "$iothub/streams/res/200/?$rid=8");
}

static void
test_no_target(Fixture *fixture, gconstpointer data)
{
    request(fixture, "nothing", "1", TRUE);
    g_assert_true(g_str_has_suffix(wait_answer(fixture, 0), "&$reason=no-target"));
    g_assert_cmpint(stream_reason(only_stream(fixture)), ==, REASON_NO_TARGET);
}

static void
test_target_down(Fixture *fixture, gconstpointer data)
{
    request(fixture, "down", "1", TRUE);
    g_assert_true(g_str_has_suffix(wait_answer(fixture, 0), "&$reason=target-refused"));
    g_assert_cmpint(stream_reason(only_stream(fixture)), ==, REASON_TARGET_REFUSED);
    g_assert_cmpuint(target_waiting(find_target("down", fixture)), ==, 0);
}

/* 200 as soon as the target is there, though the leg is still on its way. */
static void
test_accepted(Fixture *fixture, gconstpointer data)
{
    request(fixture, "up", "1", TRUE);
    g_assert_true(
        g_str_has_prefix(wait_answer(fixture, 0), "$iothub/streams/res/200/?$rid=1&$streamd="));
    g_assert_cmpint(stream_state(only_stream(fixture)), ==, STREAM_CONNECTING);
    g_assert_cmpstr(stream_target(only_stream(fixture)), ==, "up");
    g_assert_cmpuint(target_waiting(find_target("up", fixture)), ==, 1);
    stream_close(only_stream(fixture), REASON_CLOSED_BY_USER);
    g_assert_cmpuint(target_waiting(find_target("up", fixture)), ==, 0);
    g_assert_cmpuint(device_streams_pending(fixture->streams), ==, 0);
    g_assert_cmpint(stream_reason(only_stream(fixture)), ==, REASON_CLOSED_BY_USER);
}

/* The hub publishes again after a reconnect: the answer is repeated, the stream is not doubled. */
static void
test_repeated(Fixture *fixture, gconstpointer data)
{
    request(fixture, "up", "1", TRUE);
    request(fixture, "up", "1", TRUE);
    (void)wait_answer(fixture, 0);
    request(fixture, "up", "1", TRUE);
    g_assert_cmpstr(wait_answer(fixture, 1), ==, fixture->answers->pdata[0]);
    g_assert_cmpuint(fixture->answers->len, ==, 2);
    (void)only_stream(fixture);
}

/* The answer was found while the control link was down. */
static void
test_answered_late(Fixture *fixture, gconstpointer data)
{
    fixture->connected = FALSE;
    request(fixture, "nothing", "1", TRUE);
    g_assert_cmpuint(fixture->answers->len, ==, 0);
    fixture->connected = TRUE;
    request(fixture, "nothing", "1", TRUE);
    g_assert_true(g_str_has_suffix(wait_answer(fixture, 0), "&$reason=no-target"));
}

/* The acceptance went out on a link that was lost, and the leg is there: the hub does not ask
 * again. */
static void
test_said_again(Fixture *fixture, gconstpointer data)
{
    request(fixture, "up", "1", TRUE);
    (void)wait_answer(fixture, 0);
    device_streams_link_ready(fixture->streams);
    g_assert_cmpuint(fixture->answers->len, ==, 2);
    g_assert_cmpstr(fixture->answers->pdata[1], ==, fixture->answers->pdata[0]);
    stream_close(only_stream(fixture), REASON_CLOSED_BY_USER);
    device_streams_link_ready(fixture->streams);
    g_assert_cmpuint(fixture->answers->len, ==, 2);
}

static void
test_bad_name(Fixture *fixture, gconstpointer data)
{
    request(fixture, "a b", "1", TRUE);
    g_assert_true(strstr(wait_answer(fixture, 0), "/400/") != NULL);
    g_assert_cmpuint(count_open(fixture->table), ==, 0);
}

/* Freed with streams under way: nothing is left, and they have ended. */
static void
test_freed(Fixture *fixture, gconstpointer data)
{
    for (guint i = 0; i < 2 * TARGET_WAITING_MAX; i++) {
        g_autofree char *rid = g_strdup_printf("%u", i);

        request(fixture, "up", rid, TRUE);
    }
    g_assert_cmpuint(target_waiting(find_target("up", fixture)), ==, TARGET_WAITING_MAX);
    g_assert_cmpuint(device_streams_pending(fixture->streams), ==, 2 * TARGET_WAITING_MAX);
    g_clear_pointer(&fixture->streams, device_streams_free);
    g_assert_cmpuint(count_open(fixture->table), ==, 0);
    g_assert_cmpuint(target_waiting(find_target("up", fixture)), ==, 0);
}

#define ADD(name, func) g_test_add("/device-stream/" name, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("rejected-by-policy", test_rejected_by_policy);
    ADD("plain", test_plain);
    ADD("no-target", test_no_target);
    ADD("target-down", test_target_down);
    ADD("accepted", test_accepted);
    ADD("repeated", test_repeated);
    ADD("answered-late", test_answered_late);
    ADD("said-again", test_said_again);
    ADD("bad-name", test_bad_name);
    ADD("freed", test_freed);
    return g_test_run();
}
