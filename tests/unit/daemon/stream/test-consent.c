/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams that wait for a person's decision: who may answer is not known here. */
#include "common/base/error.h"
#include "tests/unit/daemon/stream/device-fixture.h"

#include <string.h>
#include <unistd.h>

#define ALICE 2001

static guint32
ask(Fixture *fixture)
{
    const AcceptRule rule = {.kind = ACCEPT_ASK, .target = "up"};
    guint32 id;

    g_assert_true(accept_policy_add(fixture->policy, &rule, -1, &id, NULL));
    consents_set_agents(fixture->consents, 1);
    return id;
}

static Consent *
only_request(Fixture *fixture)
{
    g_autoptr(GPtrArray) list = consents_list(fixture->consents);

    g_assert_cmpuint(list->len, ==, 1);
    return list->pdata[0];
}

static Consent *
wait_for_one(Fixture *fixture)
{
    (void)ask(fixture);
    device_request(fixture, "ssh", "1", TRUE);
    return only_request(fixture);
}

/* It is over, was told once, and left nothing. */
static void
assert_ended(Fixture *fixture, ConsentEnd end, Reason reason)
{
    g_assert_cmpuint(fixture->added, ==, 1);
    g_assert_cmpuint(fixture->removed, ==, 1);
    g_assert_cmpint(fixture->end, ==, end);
    g_assert_cmpint(stream_reason(device_only_stream(fixture)), ==, reason);
    g_assert_cmpuint(device_streams_pending(fixture->streams), ==, 0);
}

/* Who waits for an answer counts: a crowd of questions is held off as a crowd of streams is. */
static void
test_limits(Fixture *fixture, gconstpointer data)
{
    const AcceptRule rule = {
        .id = 7, .kind = ACCEPT_ASK, .target = "up", .limits.of[LIMIT_STREAMS] = 2};
    g_autoptr(GPtrArray) list = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(accept_policy_add(fixture->policy, &rule, -1, NULL, NULL));
    consents_set_agents(fixture->consents, 1);
    device_find_target("up", fixture)->limits.of[LIMIT_STREAMS] = 1;
    device_request(fixture, "ssh", "1", TRUE);
    device_request(fixture, "ssh", "2", TRUE);
    device_request(fixture, "ssh", "3", TRUE);
    g_assert_nonnull(strstr(device_wait_answer(fixture, 0), "/400/?$rid=3&$reason=limit"));
    g_assert_cmpuint(fixture->added, ==, 2);
    /* Both are let in, and the target takes one: whoever answers hears that. */
    list = consents_list(fixture->consents);
    g_assert_true(consent_accept_to(list->pdata[0], ALICE, "", &error));
    g_assert_nonnull(strstr(device_wait_answer(fixture, 1), "/200/"));
    g_assert_false(consent_accept_to(list->pdata[1], ALICE, "", &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT);
    g_assert_cmpuint(fixture->removed, ==, 1);
    stream_close(stream_table_find(fixture->table, 1), REASON_CLOSED_BY_USER);
    g_assert_true(consent_accept_to(list->pdata[1], ALICE, "", NULL));
    g_assert_cmpuint(fixture->removed, ==, 2);
}

static void
test_no_agent(Fixture *fixture, gconstpointer data)
{
    (void)ask(fixture);
    consents_set_agents(fixture->consents, 0);
    device_request(fixture, "ssh", "1", TRUE);
    g_assert_nonnull(strstr(device_wait_answer(fixture, 0), "/400/?$rid=1&$reason=no-consent"));
    g_assert_cmpuint(fixture->added, ==, 0);
    g_assert_cmpint(stream_reason(device_only_stream(fixture)), ==, REASON_NO_CONSENT);
}

static void
test_waits(Fixture *fixture, gconstpointer data)
{
    Consent *request = wait_for_one(fixture);
    gint64 left = (gint64)consent_deadline(request) - g_get_real_time();

    g_assert_cmpint(left, <=, ACCEPT_ASK_TIMEOUT);
    g_assert_cmpint(left, >, ACCEPT_ASK_TIMEOUT - 10 * G_TIME_SPAN_SECOND);
    g_assert_cmpstr(consent_target(request), ==, "up");
    g_assert_cmpuint(consent_rule(request), ==, ACCEPT_FIRST_RUNTIME_ID);
    g_assert_cmpuint(fixture->answers->len, ==, 0);
    g_assert_cmpint(stream_state(consent_stream(request)), ==, STREAM_DECIDING);
    /* Said again by the hub, after a reconnect: still one. */
    device_request(fixture, "ssh", "1", TRUE);
    (void)only_request(fixture);
}

/* The hub leaves less time than the rule would: the answer still comes before the hub gives up. */
static void
test_timed_out(Fixture *fixture, gconstpointer data)
{
    (void)ask(fixture);
    device_request_by(fixture, "ssh", "1", TRUE, 800);
    g_assert_cmpint((gint64)consent_deadline(only_request(fixture)) - g_get_real_time(), <=,
                    600 * G_TIME_SPAN_MILLISECOND);
    g_assert_nonnull(strstr(device_wait_answer(fixture, 0), "&$reason=no-consent"));
    assert_ended(fixture, CONSENT_TIMED_OUT, REASON_NO_CONSENT);
}

static void
test_accept_to(Fixture *fixture, gconstpointer data)
{
    Consent *request = wait_for_one(fixture);
    g_autoptr(GError) error = NULL;

    g_assert_false(consent_accept_to(request, ALICE, "nowhere", &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND);
    g_assert_true(only_request(fixture) == request);
    g_assert_true(consent_accept_to(request, ALICE, "", NULL));
    g_assert_cmpint(fixture->end, ==, CONSENT_DECIDED);
    g_assert_nonnull(strstr(device_wait_answer(fixture, 0), "/200/"));
    g_assert_cmpstr(stream_target(device_only_stream(fixture)), ==, "up");
    g_assert_cmpuint(fixture->owners, ==, 0);
}

static void
test_rejected(Fixture *fixture, gconstpointer data)
{
    Consent *request = wait_for_one(fixture);
    g_autoptr(GError) error = NULL;

    g_assert_false(consent_reject(request, ALICE, "not\nnow", &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    g_assert_true(consent_reject(request, ALICE, "not now", NULL));
    g_assert_cmpstr(device_wait_answer(fixture, 0), ==,
                    "$iothub/streams/res/400/?$rid=1&$reason=rejected%20not%20now");
    assert_ended(fixture, CONSENT_DECIDED, REASON_REJECTED);
    g_assert_cmpstr(stream_message(device_only_stream(fixture)), ==, "not now");
}

typedef struct {
    guint calls;
    int fd;
    GError *error;
} Got;

static void
got(Stream *stream, int fd, const GError *error, void *data)
{
    Got *it = data;

    it->calls++;
    it->fd = fd;
    it->error = error ? g_error_copy(error) : NULL;
}

static void
test_accept(Fixture *fixture, gconstpointer data)
{
    Consent *request = wait_for_one(fixture);
    Got it = {0};

    g_assert_nonnull(consent_accept(request, ALICE, got, &it, NULL));
    g_assert_nonnull(strstr(device_wait_answer(fixture, 0), "/200/"));
    g_assert_cmpuint(stream_owner_uid(device_only_stream(fixture)), ==, ALICE);
    g_assert_cmpuint(fixture->owners, ==, 1);
    g_assert_cmpuint(it.calls, ==, 0);
    /* The leg never comes up here. */
    stream_close(device_only_stream(fixture), REASON_CLOSED_BY_USER);
    g_assert_cmpuint(it.calls, ==, 1);
    g_assert_cmpint(it.fd, ==, -1);
    g_assert_error(it.error, STREAMD_ERROR, STREAMD_ERROR_CANCELLED);
    assert_ended(fixture, CONSENT_DECIDED, REASON_CLOSED_BY_USER);
    g_error_free(it.error);
}

/* Whoever accepted has gone before the stream was open. */
static void
test_accept_cancelled(Fixture *fixture, gconstpointer data)
{
    Consent *request = wait_for_one(fixture);
    Got it = {0};

    app_end_cancel(consent_accept(request, ALICE, got, &it, NULL));
    g_assert_cmpint(stream_state(device_only_stream(fixture)), ==, STREAM_CONNECTING);
    stream_close(device_only_stream(fixture), REASON_CLOSED_BY_USER);
    g_assert_cmpuint(it.calls, ==, 0);
    assert_ended(fixture, CONSENT_DECIDED, REASON_CLOSED_BY_USER);
}

/* The streams of one user count together, whoever opened them: the request stays. */
static void
test_accept_over_quota(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    Got it = {0};

    (void)ask(fixture);
    for (guint i = 0; i < 5; i++) {
        g_autofree char *rid = g_strdup_printf("%u", i);

        device_request(fixture, "ssh", rid, TRUE);
        g_assert_true((consent_accept(only_request(fixture), ALICE, got, &it, &error) != NULL) ==
                      (i < 4));
    }
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT);
    g_assert_true(consent_accept_to(only_request(fixture), ALICE, "up", NULL));
    stream_table_close_all(fixture->table, REASON_STOPPING);
    g_assert_cmpuint(it.calls, ==, 4);
    g_clear_error(&it.error);
}

static void
test_closed(Fixture *fixture, gconstpointer data)
{
    (void)wait_for_one(fixture);
    stream_close(device_only_stream(fixture), REASON_CLOSED_BY_USER);
    g_assert_nonnull(strstr(device_wait_answer(fixture, 0), "/400/?$rid=1&$reason=rejected"));
    assert_ended(fixture, CONSENT_WITHDRAWN, REASON_CLOSED_BY_USER);
}

/* The hub is removed. */
static void
test_freed(Fixture *fixture, gconstpointer data)
{
    (void)wait_for_one(fixture);
    g_clear_pointer(&fixture->streams, device_streams_free);
    g_assert_cmpuint(fixture->removed, ==, 1);
    g_assert_cmpint(fixture->end, ==, CONSENT_WITHDRAWN);
    g_assert_cmpuint(device_count_open(fixture->table), ==, 0);
}

static void
test_rule_removed(Fixture *fixture, gconstpointer data)
{
    guint32 rule = ask(fixture);
    const AcceptRule other = {.kind = ACCEPT_REJECT};

    device_request(fixture, "ssh", "1", TRUE);
    g_assert_true(accept_policy_add(fixture->policy, &other, 0, NULL, NULL));
    consents_check_policy(fixture->consents, fixture->policy);
    (void)only_request(fixture); /* what was decided before is not decided again */
    g_assert_true(accept_policy_remove(fixture->policy, rule, NULL));
    consents_check_policy(fixture->consents, fixture->policy);
    g_assert_nonnull(strstr(device_wait_answer(fixture, 0), "&$reason=no-consent"));
    assert_ended(fixture, CONSENT_WITHDRAWN, REASON_NO_CONSENT);
}

/* The configuration is read again, and the rule with that number does not ask any more. */
static void
test_rule_changed(Fixture *fixture, gconstpointer data)
{
    g_autoptr(AcceptPolicy) other = accept_policy_new();
    guint32 rule = ask(fixture), id = 0;
    const AcceptRule changed = {.kind = ACCEPT_REJECT};

    device_request(fixture, "ssh", "1", TRUE);
    accept_policy_set_next_id(other, rule);
    g_assert_true(accept_policy_add(other, &changed, 0, &id, NULL));
    g_assert_cmpuint(id, ==, rule);
    accept_policy_swap(fixture->policy, other);
    consents_check_policy(fixture->consents, fixture->policy);
    assert_ended(fixture, CONSENT_WITHDRAWN, REASON_NO_CONSENT);
}

static void
ignore_refusal(Reason reason, const char *text, void *data)
{
    ++*(guint *)data;
}

static void
ignore_stream(Stream *stream, void *data)
{
}

static void
ignore_owner(Stream *stream, guint32 before, void *data)
{
}

/* Of all hubs together; and one that is decided has no time limit any more. */
static void
test_bounded_in_all(Fixture *fixture, gconstpointer data)
{
    static const StreamTableEvents events = {ignore_stream, ignore_stream, ignore_stream,
                                             ignore_owner};
    static const ConsentOps ops = {.refuse = ignore_refusal};
    gint64 until = g_get_monotonic_time() + 200 * G_TIME_SPAN_MILLISECOND;
    StreamTable *table = stream_table_new(fixture->runtime, 1000, 1000, &events, NULL);
    guint made = 0, refused = 0;

    for (guint i = 0; i <= CONSENTS_MAX; i++) {
        g_autofree char *hub = g_strdup_printf("h%u", i / CONSENTS_PER_HUB);
        const StreamInfo info = {.id = i + 1, .hub = hub, .device = "d", .name = "s"};
        const ConsentInfo asked = {.stream = stream_new(table, &info, NULL),
                                   .target = "",
                                   .timeout = 50 * G_TIME_SPAN_MILLISECOND};

        made += consent_new(fixture->consents, &asked, &ops, &refused) ? 1 : 0;
    }
    g_assert_cmpuint(made, ==, CONSENTS_MAX);
    g_assert_true(consent_reject(consents_find(fixture->consents, 1), 0, "", NULL));
    g_assert_nonnull(consents_find(fixture->consents, 2));
    while (g_get_monotonic_time() < until)
        g_main_context_iteration(NULL, FALSE);
    g_assert_cmpuint(refused, ==, CONSENTS_MAX);
    g_assert_cmpuint(fixture->removed, ==, CONSENTS_MAX);
    stream_table_close_all(table, REASON_STOPPING);
    stream_table_free(table);
}

static void
test_bounded(Fixture *fixture, gconstpointer data)
{
    (void)ask(fixture);
    for (guint i = 0; i <= CONSENTS_PER_HUB; i++) {
        g_autofree char *rid = g_strdup_printf("%u", i);

        device_request(fixture, "ssh", rid, TRUE);
    }
    g_assert_cmpuint(fixture->added, ==, CONSENTS_PER_HUB);
    g_assert_cmpuint(fixture->answers->len, ==, 1);
    g_assert_nonnull(strstr(device_wait_answer(fixture, 0), "&$reason=limit"));
}

#define ADD(name, func)                                                                            \
    g_test_add("/consent/" name, Fixture, NULL, device_set_up, func, device_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("limits", test_limits);
    ADD("no-agent", test_no_agent);
    ADD("waits", test_waits);
    ADD("timed-out", test_timed_out);
    ADD("accept-to", test_accept_to);
    ADD("rejected", test_rejected);
    ADD("accept", test_accept);
    ADD("accept-cancelled", test_accept_cancelled);
    ADD("accept-over-quota", test_accept_over_quota);
    ADD("closed", test_closed);
    ADD("freed", test_freed);
    ADD("rule-removed", test_rule_removed);
    ADD("rule-changed", test_rule_changed);
    ADD("bounded", test_bounded);
    ADD("bounded-in-all", test_bounded_in_all);
    return g_test_run();
}
