/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who leads a stream back: after which failures, and how soon (docs/wire-protocol.md, section 8a).
 */
#include "common/codec/http-head.h"
#include "daemon/link/service-resume.h"

#include <string.h>

#define NO "HTTP/1.1 200 OK\r\niothub-streaming-is-accepted: False\r\n"

static const struct {
    const char *head;
    gboolean final;
    Reason ended; /* service_answer_ended() */
} answers[] = {
    {NO "streamd-reject-reason: resume-unknown\r\n", TRUE, REASON_NONE},
    {NO "streamd-reject-reason: resume-stale\r\n", TRUE, REASON_NONE},
    {NO "streamd-reject-reason: policy not now\r\n", TRUE, REASON_NONE},
    {NO "streamd-reject-reason: ended completed\r\n", TRUE, REASON_COMPLETED},
    {NO "streamd-reject-reason: ended local-cut\r\n", TRUE, REASON_LOCAL_CUT},
    {NO "streamd-reject-reason: ended nonsense\r\n", TRUE, REASON_NONE},
    {NO "streamd-reject-reason: ended \r\n", TRUE, REASON_NONE},
    {NO "streamd-reject-reason: ended\r\n", TRUE, REASON_NONE},
    {NO "streamd-reject-reason: endedxcompleted\r\n", TRUE, REASON_NONE},
    {NO, TRUE, REASON_NONE},
    {NO "streamd-reject-reason: limit\r\n", FALSE, REASON_NONE}, /* the device is busy */
    {NO "streamd-reject-reason: limits\r\n", TRUE, REASON_NONE},
    {"HTTP/1.1 200 OK\r\n", FALSE, REASON_NONE},
    {NO "Content-Type: text/html\r\n", FALSE, REASON_NONE},
    {"HTTP/1.1 400 x\r\n", TRUE, REASON_NONE},
    {"HTTP/1.1 401 x\r\n", TRUE, REASON_NONE},
    {"HTTP/1.1 403 x\r\n", TRUE, REASON_NONE},
    {"HTTP/1.1 403 x\r\nContent-Type: text/html\r\n", FALSE, REASON_NONE},
    {"HTTP/1.1 404 x\r\niothub-errorcode: DeviceNotFound\r\n", TRUE, REASON_NONE},
    {"HTTP/1.1 404 x\r\niothub-errorcode: ModuleNotFound\r\n", TRUE, REASON_NONE},
    {"HTTP/1.1 404 x\r\niothub-errorcode: DeviceNotOnline\r\n", FALSE, REASON_NONE},
    {"HTTP/1.1 404 x\r\n", FALSE, REASON_NONE},
    {"HTTP/1.1 403 x\r\niothub-errorcode: IotHubQuotaExceeded\r\n", TRUE, REASON_NONE},
    {"HTTP/1.1 429 x\r\n", FALSE, REASON_NONE},
    {"HTTP/1.1 500 x\r\n", FALSE, REASON_NONE},
    {"HTTP/1.1 503 x\r\n", FALSE, REASON_NONE},
    {"HTTP/1.1 504 x\r\n", FALSE, REASON_NONE},
};

static void
test_answers(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_autofree char *head = g_strconcat(answers[i].head, "Content-Length: 0\r\n\r\n", NULL);
        HttpResponse response;
        HttpRefusal refusal;
        ServiceOutcome outcome = {.stage = SERVICE_ASKS, .answered = TRUE, .response = &response};

        g_test_message("answer %u: %s", i, head);
        g_assert_cmpint(http_response_parse(head, strlen(head), &response, &refusal), ==,
                        HTTP_HEAD_OK);
        (void)service_answer_check(&response, &outcome.reason, NULL);
        g_assert_cmpint(service_resume_is_final(&outcome), ==, answers[i].final);
        g_assert_cmpint(service_answer_ended(&response), ==, answers[i].ended);
    }
}

static void
test_legs(void)
{
    static const struct {
        ServiceStage stage;
        Reason reason;
        gboolean final;
    } rows[] = {
        {SERVICE_DIALS, REASON_HUB_UNREACHABLE, FALSE},
        {SERVICE_DIALS, REASON_HUB_UNTRUSTED, FALSE},
        {SERVICE_DIALS, REASON_PROXY_REFUSED, FALSE},
        {SERVICE_ASKS, REASON_HUB_UNREACHABLE, FALSE},
        {SERVICE_ASKS, REASON_BAD_URL, TRUE},
        {SERVICE_CONNECTS, REASON_HUB_ERROR, FALSE},
        {SERVICE_PAIRS, REASON_HUB_STOPPING, FALSE}, /* 1001 */
        {SERVICE_PAIRS, REASON_CUT, FALSE},          /* 1011 */
        {SERVICE_PAIRS, REASON_NOT_PAIRED, FALSE},   /* 1011 */
        {SERVICE_PAIRS, REASON_REVOKED, TRUE},       /* 1008 */
        {SERVICE_PAIRS, REASON_CLOSED_BY_OPERATOR, TRUE},
        {SERVICE_PAIRS, REASON_PROTOCOL, TRUE}, /* 1002 */
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const ServiceOutcome outcome = {.stage = rows[i].stage, .reason = rows[i].reason};

        g_test_message("row %u", i);
        g_assert_cmpint(service_resume_is_final(&outcome), ==, rows[i].final);
    }
}

/* The first within a second, then longer and longer, up to 3 s. */
static void
test_pauses(void)
{
    const double most = 0.999999;
    static const guint ceilings[] = {1000, 1000, 2000, 3000, 3000};

    for (guint i = 0; i < G_N_ELEMENTS(ceilings); i++) {
        g_assert_cmpuint(service_resume_pause(i, 0, most), <=, ceilings[i]);
        g_assert_cmpuint(service_resume_pause(i, 0, most), >=, ceilings[i] - 2);
        g_assert_cmpuint(service_resume_pause(i, 0, 0), ==, i == 0 ? 0 : ceilings[i] / 2);
    }
    g_assert_cmpuint(service_resume_pause(G_MAXUINT, 0, most), <=, SERVICE_RESUME_PAUSE_MAX);
    /* Who answered wants a longer one, and not from all at the same moment; or a shorter one. */
    g_assert_cmpuint(service_resume_pause(2, 10000, 0), ==, 10000);
    g_assert_cmpuint(service_resume_pause(2, 10000, most), >=, 10998);
    g_assert_cmpuint(service_resume_pause(2, 10000, most), <, 11000);
    g_assert_cmpuint(service_resume_pause(0, 10000, 0), ==, 10000);
    g_assert_cmpuint(service_resume_pause(5, 1000, most), >=, SERVICE_RESUME_PAUSE_MAX - 2);
}

static gboolean
count_try(Stream *stream G_GNUC_UNUSED, ServiceOpenOptions *options G_GNUC_UNUSED, void *data)
{
    (*(guint *)data)++;
    return FALSE; /* the hub cannot be used just now */
}

static void
ignore(Stream *stream G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
}

static Stream *
stream_of(StreamTable *table, guint64 id, const char *hub_id)
{
    const StreamInfo info = {
        .id = id,
        .role = STREAM_ROLE_SERVICE,
        .hub = "home",
        .device = "dev1",
        .name = "ssh",
        .hub_id = hub_id,
    };

    return stream_new(table, &info, NULL);
}

/* Nothing is tried once they are stopped, by what waited and by what comes, nor for a stream of
 * which the hub has told no id. Another one's tries show that theirs would have come by then. */
static void
test_stopped(void)
{
    static const StreamTableEvents events = {ignore, ignore, ignore, NULL, ignore};
    Runtime *runtime = runtime_new(1);
    StreamTable *table = stream_table_new(runtime, 10, 10, &events, NULL);
    Stream *stream = stream_of(table, 1, "a"), *later = stream_of(table, 2, "b");
    guint stopped_tries = 0, tries = 0;
    ServiceResumes *stopped =
        service_resumes_new(&(ServiceResumeContext){count_try, &stopped_tries});
    ServiceResumes *nameless =
        service_resumes_new(&(ServiceResumeContext){count_try, &stopped_tries});
    ServiceResumes *others = service_resumes_new(&(ServiceResumeContext){count_try, &tries});

    service_resumes_lead(stopped, stream);
    service_resumes_stop(stopped);
    service_resumes_lead(stopped, later);
    service_resumes_lead(others, stream);
    service_resumes_lead(nameless, stream_of(table, 3, NULL));
    while (tries < 3)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpuint(stopped_tries, ==, 0);
    service_resumes_stop(others);
    service_resumes_free(others);
    service_resumes_free(nameless);
    service_resumes_free(stopped);
    stream_table_close_all(table, REASON_STOPPING);
    runtime_free(runtime);
    stream_table_free(table);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/service-resume/answers", test_answers);
    g_test_add_func("/service-resume/legs", test_legs);
    g_test_add_func("/service-resume/pauses", test_pauses);
    g_test_add_func("/service-resume/stopped", test_stopped);
    return g_test_run();
}
