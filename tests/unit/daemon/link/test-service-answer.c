/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a hub's answer to the POST means (docs/wire-protocol.md, section 3), and what a device says
 * about itself in CONNECT (section 1.2). */
#include "common/base/error.h"
#include "daemon/link/device-session.h"
#include "daemon/link/service-open.h"

#include <string.h>

typedef struct {
    const char *head;
    int code; /* -1: accepted */
    Reason reason;
    const char *says;
} AnswerCase;

#define OK "HTTP/1.1 200 OK\r\n"
#define NO OK "iothub-streaming-is-accepted: False\r\n"

static const AnswerCase cases[] = {
    {OK "iothub-streaming-is-accepted: True\r\n", -1, REASON_NONE, NULL},
    {NO, STREAMD_ERROR_REJECTED, REASON_REJECTED, "rejected"},
    {NO "Content-Type: text/html\r\n", STREAMD_ERROR_PROTOCOL, REASON_HUB_ERROR, "web page"},
    {OK, STREAMD_ERROR_PROTOCOL, REASON_HUB_ERROR, "not a hub"},
    {OK "Content-Type: text/html\r\n", STREAMD_ERROR_PROTOCOL, REASON_HUB_ERROR, "web page"},
    {OK "iothub-streaming-is-accepted: perhaps\r\n", STREAMD_ERROR_REJECTED, REASON_REJECTED,
     "rejected"},
    {NO "streamd-reject-reason: policy\r\n", STREAMD_ERROR_REJECTED, REASON_POLICY, "policy"},
    {NO "streamd-reject-reason: policy ask Ann\r\n", STREAMD_ERROR_REJECTED, REASON_POLICY,
     ": ask Ann"},
    {NO "streamd-reject-reason: target-refused\r\n", STREAMD_ERROR_REJECTED, REASON_TARGET_REFUSED,
     "refused the connection"},
    {NO "streamd-reject-reason: lunch break\r\n", STREAMD_ERROR_REJECTED, REASON_REJECTED,
     ": lunch break"},
    {NO "streamd-reject-reason: 100% full %s\r\n", STREAMD_ERROR_REJECTED, REASON_REJECTED,
     ": 100% full %s"},
    {"HTTP/1.1 404 x\r\niothub-errorcode: DeviceNotFound\r\n", STREAMD_ERROR_NOT_FOUND,
     REASON_NOT_FOUND, "no such device"},
    {"HTTP/1.1 404 x\r\niothub-errorcode: ModuleNotFound\r\n", STREAMD_ERROR_NOT_FOUND,
     REASON_NOT_FOUND, "module"},
    {"HTTP/1.1 404 x\r\niothub-errorcode: DeviceNotOnline\r\n", STREAMD_ERROR_OFFLINE,
     REASON_OFFLINE, "not connected"},
    {"HTTP/1.1 404 x\r\n", STREAMD_ERROR_NOT_FOUND, REASON_NOT_FOUND, "no such device"},
    {"HTTP/1.1 401 x\r\niothub-errorcode: IotHubUnauthorizedAccess\r\n", STREAMD_ERROR_UNAUTHORIZED,
     REASON_UNAUTHORIZED, "wrong key"},
    {"HTTP/1.1 401 x\r\niothub-errorcode: IotHubUnauthorizedAccess\r\n"
     "streamd-reject-reason: revoked\r\n",
     STREAMD_ERROR_UNAUTHORIZED, REASON_REVOKED, "disabled at the hub"},
    {"HTTP/1.1 401 x\r\n", STREAMD_ERROR_UNAUTHORIZED, REASON_UNAUTHORIZED, "key"},
    {"HTTP/1.1 429 x\r\niothub-errorcode: ThrottlingException\r\n", STREAMD_ERROR_LIMIT,
     REASON_LIMIT, "at its limit"},
    {"HTTP/1.1 429 x\r\niothub-errorcode: ThrottlingException\r\nRetry-After: 5\r\n",
     STREAMD_ERROR_BUSY, REASON_LIMIT, "asks to wait"},
    {"HTTP/1.1 503 x\r\n", STREAMD_ERROR_UNREACHABLE, REASON_HUB_STOPPING, "stopping"},
    {"HTTP/1.1 504 x\r\niothub-errorcode: GatewayTimeout\r\n", STREAMD_ERROR_TIMED_OUT,
     REASON_TIMED_OUT, "in time"},
    {"HTTP/1.1 302 x\r\nLocation: https://elsewhere.example/\r\n", STREAMD_ERROR_PROTOCOL,
     REASON_HUB_ERROR, "302"}, /* not followed */
    {"HTTP/1.1 418 x\r\niothub-errorcode: Teapot\r\n", STREAMD_ERROR_PROTOCOL, REASON_HUB_ERROR,
     "418"},
};

static void
test_answers(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *head = g_strconcat(cases[i].head, "Content-Length: 0\r\n\r\n", NULL);
        g_autoptr(GError) error = NULL;
        HttpResponse response;
        HttpRefusal refusal;
        Reason reason = REASON_NONE;

        g_assert_cmpint(http_response_parse(head, strlen(head), &response, &refusal), ==,
                        HTTP_HEAD_OK);
        g_assert_cmpint(service_answer_check(&response, &reason, &error), ==, cases[i].code < 0);
        if (cases[i].code < 0)
            continue;
        g_assert_error(error, STREAMD_ERROR, cases[i].code);
        g_assert_cmpint(reason, ==, cases[i].reason);
        g_assert_nonnull(strstr(error->message, cases[i].says));
    }
}

/* A text for people is not believed without end. */
static void
test_long_text(void)
{
    g_autofree char *text = g_strnfill(4000, 'x');
    g_autofree char *head = g_strconcat(NO "streamd-reject-reason: ", text, "\r\n\r\n", NULL);
    g_autoptr(GError) error = NULL;
    HttpResponse response;
    HttpRefusal refusal;
    Reason reason = REASON_NONE;

    g_assert_cmpint(http_response_parse(head, strlen(head), &response, &refusal), ==, HTTP_HEAD_OK);
    g_assert_false(service_answer_check(&response, &reason, &error));
    g_assert_cmpuint(strlen(error->message), <, 256);
}

static void
test_user_name(void)
{
    g_autoptr(ConnectionString) device = connection_string_parse(
        "HostName=h.example:8443;DeviceId=dev1;SharedAccessKey=c2VjcmV0", -1, NULL);
    g_autoptr(ConnectionString) module = connection_string_parse(
        "HostName=h.example;DeviceId=dev1;ModuleId=m;SharedAccessKey=c2VjcmV0", -1, NULL);
    g_autofree char *plain = device_user_name(device, CAPS_ALL, "0123456789abcdef");
    g_autofree char *of_module = device_user_name(module, 0, NULL);

    g_assert_cmpstr(
        plain, ==,
        "h.example/dev1/?api-version=2021-04-12&DeviceClientType=streamd%2F" STREAMD_VERSION
        "%20%28caps%3Dhalf-close%2Creason%2Cdeadline%2Cinitiator%2Csid%2Corder%2Cnotice%29%20%"
        "28instance%3D0123456789abcdef%29");
    g_assert_true(g_str_has_prefix(of_module, "h.example/dev1/m/?api-version="));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/service-answer/answers", test_answers);
    g_test_add_func("/service-answer/long-text", test_long_text);
    g_test_add_func("/device-session/user-name", test_user_name);
    return g_test_run();
}
