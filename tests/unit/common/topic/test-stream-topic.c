/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Topics of streams: each constraint of docs/wire-protocol.md, section 1.5, and tolerant reading.
 */
#include "common/topic/stream-topic.h"

#include "common/codec/stream-url.h"

#define POST "$iothub/streams/POST/"
#define RES "$iothub/streams/res/"
#define URL "wss://hub.example:443/b/ih/h/d/d1/sid/0/r/device"
#define URL_CODED "wss%3A%2F%2Fhub.example%3A443%2Fb%2Fih%2Fh%2Fd%2Fd1%2Fsid%2F0%2Fr%2Fdevice"
#define GOOD POST "ssh/?$rid=1&$url=" URL_CODED "&$auth=tok-en_1"

static const StreamRequest plain = {
    .name = "ssh", .rid = "1", .url = URL, .token = "tok-en_1", .deadline = -1};

static void
check_request_build(const StreamRequest *request, StreamTopicResult result, const char *expected)
{
    g_autoptr(GString) out = g_string_new("before ");

    g_assert_cmpint(stream_request_build(out, request), ==, result);
    g_assert_cmpstr(out->str, ==, expected ? expected : "before ");
}

static void
test_request_build(void)
{
    StreamRequest request = plain;

    check_request_build(&request, STREAM_TOPIC_OK, "before " GOOD);
    /* a plain device is sent nothing of ours, whatever is set */
    request.caps = CAPS_ALL & ~(CAP_SID | CAP_NOTICE);
    request.deadline = 5000;
    request.initiator = "service";
    request.from = "[2001:db8::1]:5";
    request.order = "t1.17";
    check_request_build(&request, STREAM_TOPIC_OK, "before " GOOD);
    request.capable = TRUE;
    check_request_build(&request, STREAM_TOPIC_OK,
                        "before " GOOD "&$streamd=half-close.reason.deadline.initiator.order"
                        "&$deadline=5000&$initiator=service&$from=%5B2001%3Adb8%3A%3A1%5D%3A5"
                        "&$order=t1.17");
    request.order = "t1";
    check_request_build(&request, STREAM_TOPIC_BAD_EXTENSION, NULL);
    request.order = NULL;
    request.caps = CAP_REASON;
    request.deadline = -1;
    request.initiator = NULL;
    request.from = NULL;
    check_request_build(&request, STREAM_TOPIC_OK, "before " GOOD "&$streamd=reason");
    request.deadline = 0;
    check_request_build(&request, STREAM_TOPIC_OK, "before " GOOD "&$streamd=reason&$deadline=0");
    request.deadline = G_MAXINT64;
    check_request_build(&request, STREAM_TOPIC_OK,
                        "before " GOOD "&$streamd=reason&$deadline=86400000");
}

/* Each text stands in one field; all of them break a client. */
static void
test_request_constraints(void)
{
    static const char *const names[] = {NULL,   "",   "a/b", "a b",       "a#",  "+", "a?b",
                                        "a%20", "..", "a\n", "a\xc3\xa9", "a&b", "$x"};
    static const char *const rids[] = {NULL,
                                       "",
                                       "1/2",
                                       "1&2",
                                       "1=2",
                                       "1 2",
                                       "#",
                                       "+",
                                       "%31",
                                       "1\xc3\xa9",
                                       "12345678901234567890123456789012"
                                       "345678901234567890123456789012345"};
    static const char *const urls[] = {NULL,
                                       "",
                                       "wss://h/p",
                                       "wss://h:443",
                                       "wss://h:443/",
                                       "ws://h:443/p",
                                       "WSS://h:443/p",
                                       "wss://[::1]:443/p",
                                       "wss://h:443/p?q",
                                       "https://h:443/p",
                                       "wss://h:443/p#",
                                       "h:443/p"};
    static const char *const tokens[] = {NULL,  "",    "a=",   "a/b", "a+b",      "a&b",
                                         "a b", "a~b", "a%41", "a,b", "a\xc3\xa9"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        StreamRequest request = plain;
        request.name = names[i];
        check_request_build(&request, STREAM_TOPIC_BAD_NAME, NULL);
    }
    for (guint i = 0; i < G_N_ELEMENTS(rids); i++) {
        StreamRequest request = plain;
        request.rid = rids[i];
        check_request_build(&request, STREAM_TOPIC_BAD_RID, NULL);
    }
    for (guint i = 0; i < G_N_ELEMENTS(urls); i++) {
        StreamRequest request = plain;
        request.url = urls[i];
        check_request_build(&request, STREAM_TOPIC_BAD_URL, NULL);
    }
    for (guint i = 0; i < G_N_ELEMENTS(tokens); i++) {
        StreamRequest request = plain;
        request.token = tokens[i];
        check_request_build(&request, STREAM_TOPIC_BAD_TOKEN, NULL);
    }
}

#define SID "0123456789abcdef0123456789abcdef"

static const char *const bad_sids[] = {
    "",
    "a/b",
    "a&b",
    "a=b",
    "a b",
    "a%20b",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0"}; /* 65 */

static void
test_extension_constraints(void)
{
    g_autofree char *longest = g_strnfill(STREAM_ORIGIN_MAX + 1, 'a');
    const char *const bad[] = {"", "a\nb", "a\xc3\xa9", longest};

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        StreamRequest request = plain;

        request.capable = TRUE;
        request.caps = CAP_INITIATOR;
        request.initiator = bad[i];
        check_request_build(&request, STREAM_TOPIC_BAD_EXTENSION, NULL);
        request.initiator = NULL;
        request.from = bad[i];
        check_request_build(&request, STREAM_TOPIC_BAD_EXTENSION, NULL);
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad_sids); i++) {
        StreamRequest request = plain;

        request.capable = TRUE;
        request.caps = CAP_REASON;
        request.sid = bad_sids[i];
        check_request_build(&request, STREAM_TOPIC_BAD_EXTENSION, NULL);
    }
    /* an empty $streamd= would be an empty value */
    StreamRequest request = plain;
    request.capable = TRUE;
    check_request_build(&request, STREAM_TOPIC_BAD_EXTENSION, NULL);
}

static void
test_sizes(void)
{
    g_autofree char *token = g_strnfill(STREAM_TOKEN_MAX + 1, 't');
    g_autofree char *rid = g_strnfill(STREAM_RID_MAX, '9');
    g_autofree char *colons = g_strnfill(STREAM_URL_PATH_MAX, '/');
    g_autofree char *host = g_strnfill(STREAM_URL_HOST_MAX, 'h');
    g_autofree char *url = g_strdup_printf("wss://%s:65535%s", host, colons);
    StreamRequest request = plain;

    request.token = token;
    check_request_build(&request, STREAM_TOPIC_BAD_TOKEN, NULL);
    token[STREAM_TOKEN_MAX] = '\0';
    request.rid = rid;
    request.url = url;
    g_autoptr(GString) out = g_string_new(NULL);
    g_assert_cmpint(stream_request_build(out, &request), ==, STREAM_TOPIC_OK);
    g_assert_cmpuint(out->len, <=, STREAM_TOPIC_MAX);
}

/* Constraints a, b and d over all that can be built: five levels, unique keys, one '=' each, no
 * empty value, and of the escapes none above 0x7f. */
static void
test_built_topics_are_what_clients_split(void)
{
    static const char odd[] = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    StreamRequest request = plain;
    g_autoptr(GString) out = g_string_new(NULL);

    request.capable = TRUE;
    request.caps = CAPS_ALL;
    request.initiator = odd;
    request.from = odd;
    request.deadline = 1;
    request.sid = SID;
    g_assert_cmpint(stream_request_build(out, &request), ==, STREAM_TOPIC_OK);
    g_auto(GStrv) levels = g_strsplit(out->str, "/", -1);
    g_assert_cmpuint(g_strv_length(levels), ==, 5);
    g_assert_cmpint(levels[4][0], ==, '?');
    g_auto(GStrv) properties = g_strsplit(levels[4] + 1, "&", -1);
    g_assert_cmpuint(g_strv_length(properties), ==, 8);
    for (guint i = 0; properties[i]; i++) {
        g_auto(GStrv) pair = g_strsplit(properties[i], "=", -1);
        g_assert_cmpuint(g_strv_length(pair), ==, 2);
        g_assert_cmpstr(pair[1], !=, "");
        for (const char *c = pair[1]; *c; c++)
            g_assert_true(g_ascii_isalnum(*c) || strchr("!()*-._%", *c));
    }
    g_auto(StreamRequest) back = {0};
    g_assert_cmpint(stream_request_parse(slice_of(out->str), &back), ==, STREAM_TOPIC_OK);
    g_assert_cmpstr(back.initiator, ==, odd);
    g_assert_cmpstr(back.from, ==, odd);
}

static void
test_request_comes_back(void)
{
    StreamRequest request = plain;
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(StreamRequest) back = {0};

    request.capable = TRUE;
    request.caps = CAP_REASON | CAP_DEADLINE;
    request.deadline = 59990;
    request.initiator = "iothubowner";
    request.from = "192.0.2.1:40000";
    request.sid = SID;
    g_assert_cmpint(stream_request_build(out, &request), ==, STREAM_TOPIC_OK);
    g_assert_cmpint(stream_request_parse(slice_of(out->str), &back), ==, STREAM_TOPIC_OK);
    g_assert_cmpstr(back.name, ==, "ssh");
    g_assert_cmpstr(back.rid, ==, "1");
    g_assert_cmpstr(back.url, ==, URL);
    g_assert_cmpstr(back.token, ==, "tok-en_1");
    g_assert_true(back.capable);
    g_assert_cmpint(back.caps, ==, request.caps);
    g_assert_cmpint(back.deadline, ==, 59990);
    g_assert_cmpstr(back.initiator, ==, "iothubowner");
    g_assert_cmpstr(back.from, ==, "192.0.2.1:40000");
    g_assert_cmpstr(back.sid, ==, SID);
}

/* In the shape that Azure sends: its own escapes, a JWT, its own order. */
static void
test_request_of_azure(void)
{
    static const char topic[] =
        POST "TestStream/?$rid=42&$url=wss%3a%2f%2fweu-iot.azure-devices.net%3a443%2fbridges%2fih"
             "%2fmyhub%2fd%2fdev1%2fsid%2f0123456789abcdef0123456789abcdef%2fr%2fdevice"
             "&$auth=eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJleHAiOjE1NX0.Abc-123_x";
    g_auto(StreamRequest) request = {0};

    g_assert_cmpint(stream_request_parse(slice_of(topic), &request), ==, STREAM_TOPIC_OK);
    g_assert_cmpstr(request.name, ==, "TestStream");
    g_assert_cmpstr(request.rid, ==, "42");
    g_assert_cmpstr(request.url, ==,
                    "wss://weu-iot.azure-devices.net:443/bridges/ih/myhub/d/dev1/sid/"
                    "0123456789abcdef0123456789abcdef/r/device");
    g_assert_cmpstr(request.token, ==,
                    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJleHAiOjE1NX0.Abc-123_x");
    g_assert_false(request.capable);
    g_assert_cmpint(request.deadline, ==, -1);
    g_assert_null(request.initiator);
}

#define U "&$url=wss%3A%2F%2Fh%3A1%2Fp"

static const struct {
    const char *topic;
    StreamTopicResult result;
} request_rows[] = {
    {POST "s/?$rid=1" U "&$auth=t", STREAM_TOPIC_OK},
    {POST "s/?$auth=t" U "&$rid=1", STREAM_TOPIC_OK},
    {POST "s/?$new=1&$rid=1" U "&$auth=t&$other=x%2", STREAM_TOPIC_OK},
    {POST "s/?flag&$rid=1" U "&$auth=t&&", STREAM_TOPIC_OK},
    {POST "s/?$x=1&$x=2&$rid=1" U "&$auth=t", STREAM_TOPIC_OK},
    {POST "s/?$rid=1" U "&$auth=a/b+c~d==", STREAM_TOPIC_OK},
    {POST "s/?$rid=0123abcd-4567-89ab-cdef-0123456789ab" U "&$auth=t", STREAM_TOPIC_OK},
    {POST "a%20(b)!/?$rid=1" U "&$auth=t", STREAM_TOPIC_OK},
    {POST "s/?$rid=1&$url=wss://h:1/p&$auth=t", STREAM_TOPIC_OK},
    {POST "s/?$rid=1&$url=wss%3A%2F%2Fh%2Fp%3Fq%3D1&$auth=t", STREAM_TOPIC_OK},
    {POST "s/?$rid=1" U "&$auth=t&$streamd=", STREAM_TOPIC_OK},
    {POST "s/?$rid=1" U "&$auth=t&$streamd=later.half-close", STREAM_TOPIC_OK},
    {POST "s/?$rid=1" U "&$auth=t&$deadline=soon", STREAM_TOPIC_OK}, /* not ours without $streamd */
    {POST "s/?$rid=1" U "&$auth=t&$sid=a%", STREAM_TOPIC_OK},        /* nor is this */
    {POST "s/?$rid=1" U "&$auth=t&$streamd=reason&$sid=" SID, STREAM_TOPIC_OK},
    {POST "s/?$rid=1" U "&$auth=t&$streamd=reason&$sid=", STREAM_TOPIC_BAD_EXTENSION},
    {POST "s/?$rid=1" U "&$auth=t&$streamd=reason&$sid=a%20b", STREAM_TOPIC_BAD_EXTENSION},
    {POST "s/?$rid=1" U "&$auth=t&$streamd=reason&$sid=a&$sid=a", STREAM_TOPIC_MALFORMED},
    {"", STREAM_TOPIC_OTHER},
    {"devices/d/messages/devicebound/", STREAM_TOPIC_OTHER},
    {"$iothub/streams/post/s/?$rid=1" U "&$auth=t", STREAM_TOPIC_OTHER},
    {RES "200/?$rid=1", STREAM_TOPIC_OTHER},
    {"x" POST "s/?$rid=1" U "&$auth=t", STREAM_TOPIC_OTHER},
    {POST, STREAM_TOPIC_MALFORMED},
    {POST "s", STREAM_TOPIC_MALFORMED},
    {POST "s/", STREAM_TOPIC_MALFORMED},
    {POST "s?$rid=1" U "&$auth=t", STREAM_TOPIC_MALFORMED},
    {POST "s/x/?$rid=1" U "&$auth=t", STREAM_TOPIC_MALFORMED},
    {POST "s/?", STREAM_TOPIC_MALFORMED},
    {POST "s/?$rid=1" U, STREAM_TOPIC_MALFORMED},
    {POST "s/?$rid=1&$auth=t", STREAM_TOPIC_MALFORMED},
    {POST "s/?$auth=t" U, STREAM_TOPIC_MALFORMED},
    {POST "s/?$rid" U "&$auth=t", STREAM_TOPIC_MALFORMED},
    {POST "s/?$rid=1" U "&$auth=t&$rid=1", STREAM_TOPIC_MALFORMED},
    {POST "s/?$rid=1" U "&$auth=t&$auth=u", STREAM_TOPIC_MALFORMED},
    {POST "s/?$rid=1" U "&$auth=t" U, STREAM_TOPIC_MALFORMED},
    {POST "s/?$rid=1" U "&$auth=t&$streamd=a&$streamd=a", STREAM_TOPIC_MALFORMED},
    {POST "s /?$rid=1" U "&$auth=t", STREAM_TOPIC_MALFORMED},
    {POST "s/?$rid=1" U "&$auth=t\r\nX: y", STREAM_TOPIC_MALFORMED},
    {POST "s/?$rid=1" U "&$auth=t\xc3\xa9", STREAM_TOPIC_MALFORMED},
    {POST "s/?$rid=1" U "&$auth=t&a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q&r&s&t&u&v&w&x&y&z&a&b&c",
     STREAM_TOPIC_OK},
    {POST "s/?$rid=1" U "&$auth=t&a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q&r&s&t&u&v&w&x&y&z&a&b&c&d",
     STREAM_TOPIC_MALFORMED},
    {POST "/?$rid=1" U "&$auth=t", STREAM_TOPIC_BAD_NAME},
    {POST "s/?$rid=" U "&$auth=t", STREAM_TOPIC_BAD_RID},
    {POST "s/?$rid=1/2" U "&$auth=t", STREAM_TOPIC_BAD_RID},
    {POST "s/?$rid=1#" U "&$auth=t", STREAM_TOPIC_BAD_RID},
    {POST "s/?$rid=+" U "&$auth=t", STREAM_TOPIC_BAD_RID},
    {POST "s/?$rid=1=2" U "&$auth=t", STREAM_TOPIC_BAD_RID},
    {POST "s/?$rid=1&$url=&$auth=t", STREAM_TOPIC_BAD_URL},
    {POST "s/?$rid=1&$url=ws%3A%2F%2Fh%3A1%2Fp&$auth=t", STREAM_TOPIC_BAD_URL},
    {POST "s/?$rid=1&$url=wss%3A%2F%2Fh%3A1%2Fp%0A&$auth=t", STREAM_TOPIC_BAD_URL},
    {POST "s/?$rid=1&$url=wss%3A%2F%2Fh%3A1%2Fp%00&$auth=t", STREAM_TOPIC_BAD_URL},
    {POST "s/?$rid=1&$url=wss%3A%2F%2Fh%3A1%2Fp%&$auth=t", STREAM_TOPIC_BAD_URL},
    {POST "s/?$rid=1&$url=wss%3A%2F%2Fu%40h%3A1%2Fp&$auth=t", STREAM_TOPIC_BAD_URL},
    {POST "s/?$rid=1" U "&$auth=", STREAM_TOPIC_BAD_TOKEN},
    {POST "s/?$rid=1" U "&$auth=a,b", STREAM_TOPIC_BAD_TOKEN},
    {POST "s/?$rid=1" U "&$auth=a%0Ab", STREAM_TOPIC_BAD_TOKEN},
    {POST "s/?$rid=1" U "&$auth=t&$streamd=reason&$deadline=", STREAM_TOPIC_BAD_EXTENSION},
    {POST "s/?$rid=1" U "&$auth=t&$streamd=reason&$deadline=-1", STREAM_TOPIC_BAD_EXTENSION},
    {POST "s/?$rid=1" U "&$auth=t&$streamd=reason&$deadline=1.5", STREAM_TOPIC_BAD_EXTENSION},
    {POST "s/?$rid=1" U "&$auth=t&$streamd=reason&$deadline=99999999999999999999",
     STREAM_TOPIC_BAD_EXTENSION},
    {POST "s/?$rid=1" U "&$auth=t&$streamd=%zz", STREAM_TOPIC_BAD_EXTENSION},
    {POST "s/?$rid=1" U "&$auth=t&$streamd=reason&$initiator=", STREAM_TOPIC_BAD_EXTENSION},
    {POST "s/?$rid=1" U "&$auth=t&$streamd=reason&$initiator=a%0Ab", STREAM_TOPIC_BAD_EXTENSION},
    {POST "s/?$rid=1" U "&$auth=t&$streamd=reason&$from=%FF", STREAM_TOPIC_BAD_EXTENSION},
};

static void
test_request_rows(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(request_rows); i++) {
        gsize len = strlen(request_rows[i].topic);
        g_autofree char *exact = g_memdup2(request_rows[i].topic, len);
        g_auto(StreamRequest) request = {.deadline = 77};
        StreamTopicResult result = stream_request_parse((Slice){exact, len}, &request);

        if (result != request_rows[i].result)
            g_error("'%s': %s", request_rows[i].topic, stream_topic_result_text(result));
        if (result != STREAM_TOPIC_OK)
            g_assert_cmpint(request.deadline, ==, 77);
    }
}

static void
test_request_bounds(void)
{
    static const struct {
        const char *before;
        gsize count;
        const char *after;
        StreamTopicResult result;
    } rows[] = {
        {POST, STREAM_TOPIC_NAME_MAX, "/?$rid=1" U "&$auth=t", STREAM_TOPIC_OK},
        {POST, STREAM_TOPIC_NAME_MAX + 1, "/?$rid=1" U "&$auth=t", STREAM_TOPIC_BAD_NAME},
        {POST "s/?$rid=", STREAM_RID_MAX, U "&$auth=t", STREAM_TOPIC_OK},
        {POST "s/?$rid=", STREAM_RID_MAX + 1, U "&$auth=t", STREAM_TOPIC_BAD_RID},
        {POST "s/?$rid=1" U "&$auth=", STREAM_TOKEN_READ_MAX, "", STREAM_TOPIC_OK},
        {POST "s/?$rid=1" U "&$auth=", STREAM_TOKEN_READ_MAX + 1, "", STREAM_TOPIC_BAD_TOKEN},
        {POST "s/?$rid=1" U, STREAM_URL_MAX - 11, "&$auth=t", STREAM_TOPIC_OK},
        {POST "s/?$rid=1" U, STREAM_URL_MAX - 10, "&$auth=t", STREAM_TOPIC_BAD_URL},
        {POST "s/?$rid=1" U "&$auth=t&x=", STREAM_TOPIC_MAX, "", STREAM_TOPIC_MALFORMED},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *fill = g_strnfill(rows[i].count, '1');
        g_autofree char *topic = g_strconcat(rows[i].before, fill, rows[i].after, NULL);
        g_auto(StreamRequest) request = {0};

        g_assert_cmpint(stream_request_parse(slice_of(topic), &request), ==, rows[i].result);
    }
}

static void
test_extensions_are_read(void)
{
    g_auto(StreamRequest) request = {0};
    g_auto(StreamRequest) odd = {0};

    g_assert_cmpint(stream_request_parse(slice_of(POST "s/?$from=10.0.0.1%3A5&$deadline=59000"
                                                       "&$streamd=half-close.later.reason"
                                                       "&$rid=1" U "&$auth=t"),
                                         &request),
                    ==, STREAM_TOPIC_OK);
    g_assert_true(request.capable);
    g_assert_cmpint(request.caps, ==, CAP_HALF_CLOSE | CAP_REASON);
    g_assert_cmpint(request.deadline, ==, 59000);
    g_assert_cmpstr(request.from, ==, "10.0.0.1:5");
    g_assert_null(request.initiator);
    /* known by none: still a request of a hub that takes a reason; the deadline is cut */
    g_assert_cmpint(
        stream_request_parse(
            slice_of(POST "s/?$rid=1" U "&$auth=t&$streamd=later&$deadline=999999999999"), &odd),
        ==, STREAM_TOPIC_OK);
    g_assert_true(odd.capable);
    g_assert_cmpint(odd.caps, ==, 0);
    g_assert_cmpint(odd.deadline, ==, STREAM_DEADLINE_MAX);
}

static void
check_answer_build(const StreamAnswer *answer, StreamTopicResult result, const char *expected)
{
    g_autoptr(GString) out = g_string_new(NULL);

    g_assert_cmpint(stream_answer_build(out, answer), ==, result);
    g_assert_cmpstr(out->str, ==, expected);
}

static void
test_answer_build(void)
{
    StreamAnswer answer = {.accepted = TRUE, .rid = "1"};

    check_answer_build(&answer, STREAM_TOPIC_OK, RES "200/?$rid=1");
    answer.caps = CAP_HALF_CLOSE | CAP_REASON;
    answer.reason = REASON_POLICY; /* not with an acceptance */
    check_answer_build(&answer, STREAM_TOPIC_OK, RES "200/?$rid=1&$streamd=half-close.reason");
    answer.accepted = FALSE;
    answer.caps = 0;
    check_answer_build(&answer, STREAM_TOPIC_OK, RES "400/?$rid=1&$reason=policy");
    answer.reason_text = "";
    check_answer_build(&answer, STREAM_TOPIC_OK, RES "400/?$rid=1&$reason=policy");
    answer.reason_text = "office hours, 9 to 5";
    check_answer_build(&answer, STREAM_TOPIC_OK,
                       RES "400/?$rid=1&$reason=policy%20office%20hours%2C%209%20to%205");
    answer.reason_text = "caf\xc3\xa9\n";
    check_answer_build(&answer, STREAM_TOPIC_OK, RES "400/?$rid=1&$reason=policy%20caf%3F");
    answer.reason = REASON_NONE;
    check_answer_build(&answer, STREAM_TOPIC_OK, RES "400/?$rid=1");
    answer.sid = SID;
    check_answer_build(&answer, STREAM_TOPIC_OK, RES "400/?$rid=1&$sid=" SID);
    for (guint i = 0; i < G_N_ELEMENTS(bad_sids); i++) {
        answer.sid = bad_sids[i];
        check_answer_build(&answer, STREAM_TOPIC_BAD_EXTENSION, "");
    }
    answer.sid = "0a";
    answer.rule = "12";
    check_answer_build(&answer, STREAM_TOPIC_OK, RES "400/?$rid=1&$sid=0a&$rule=12");
    answer.rule = "a b";
    check_answer_build(&answer, STREAM_TOPIC_BAD_EXTENSION, "");
    answer.rule = answer.sid = NULL;
    /* echoed as it came */
    answer.rid = "a:b~c%20{d}";
    check_answer_build(&answer, STREAM_TOPIC_OK, RES "400/?$rid=a:b~c%20{d}");
    static const char *const bad[] = {NULL, "",   "a/b", "a&b",      "a=b",
                                      "a#", "a+", "a b", "a\xc3\xa9"};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        answer.rid = bad[i];
        check_answer_build(&answer, STREAM_TOPIC_BAD_RID, "");
    }
}

/* The reason is cut between escapes, wherever the limit falls. */
static void
test_long_reason(void)
{
    for (gsize plain_len = 100; plain_len < 130; plain_len++) {
        g_autofree char *fill = g_strnfill(plain_len, 'r');
        g_autofree char *text = g_strconcat(fill, "////////////////", NULL);
        StreamAnswer answer = {.rid = "1", .reason = REASON_POLICY, .reason_text = text};
        g_autoptr(GString) out = g_string_new(NULL);
        g_auto(StreamAnswer) back = {0};

        g_assert_cmpint(stream_answer_build(out, &answer), ==, STREAM_TOPIC_OK);
        const char *value = strstr(out->str, "$reason=") + strlen("$reason=");
        g_assert_cmpuint(strlen(value), <=, STREAM_REASON_MAX);
        g_assert_cmpuint(strlen(value), >, STREAM_REASON_MAX - 3);
        g_assert_cmpint(stream_answer_parse(slice_of(out->str), &back), ==, STREAM_TOPIC_OK);
        g_assert_cmpint(back.reason, ==, REASON_POLICY);
        g_assert_true(g_str_has_prefix(text, back.reason_text));
    }
}

static const struct {
    const char *topic;
    StreamTopicResult result;
    gboolean accepted;
    Caps caps;
    Reason reason;
    const char *text;
} answer_rows[] = {
    {RES "200/?$rid=7", STREAM_TOPIC_OK, TRUE, 0, REASON_NONE, NULL},
    {RES "400/?$rid=7", STREAM_TOPIC_OK, FALSE, 0, REASON_NONE, NULL},
    {RES "200/?x=y&$rid=7&", STREAM_TOPIC_OK, TRUE, 0, REASON_NONE, NULL},
    {RES "200/?$rid=7&$streamd=reason", STREAM_TOPIC_OK, TRUE, CAP_REASON, REASON_NONE, NULL},
    {RES "200/?$rid=7&$sid=" SID, STREAM_TOPIC_OK, TRUE, 0, REASON_NONE, NULL},
    {RES "400/?$sid=a&$rid=7&$reason=policy", STREAM_TOPIC_OK, FALSE, 0, REASON_POLICY, NULL},
    {RES "200/?$rid=7&$sid=", STREAM_TOPIC_BAD_EXTENSION, FALSE, 0, REASON_NONE, NULL},
    {RES "200/?$rid=7&$sid=a%20b", STREAM_TOPIC_BAD_EXTENSION, FALSE, 0, REASON_NONE, NULL},
    {RES "200/?$rid=7&$sid=a&$sid=a", STREAM_TOPIC_MALFORMED, FALSE, 0, REASON_NONE, NULL},
    {RES "200/?$rid=7&$reason=policy", STREAM_TOPIC_OK, TRUE, 0, REASON_NONE, NULL},
    {RES "400/?$rid=7&$reason=policy", STREAM_TOPIC_OK, FALSE, 0, REASON_POLICY, NULL},
    {RES "400/?$rid=7&$reason=no-target%20none%20named%20x", STREAM_TOPIC_OK, FALSE, 0,
     REASON_NO_TARGET, "none named x"},
    {RES "400/?$rid=7&$reason=later-code%20text", STREAM_TOPIC_OK, FALSE, 0, REASON_REJECTED,
     "later-code text"},
    {RES "400/?$rid=7&$reason=caf%C3%A9", STREAM_TOPIC_OK, FALSE, 0, REASON_REJECTED,
     "caf\xc3\xa9"},
    {RES "400/?$rid=7&$reason=policy%20", STREAM_TOPIC_OK, FALSE, 0, REASON_POLICY, NULL},
    {POST "s/?$rid=7", STREAM_TOPIC_OTHER, FALSE, 0, REASON_NONE, NULL},
    {"$iothub/streams/RES/200/?$rid=7", STREAM_TOPIC_OTHER, FALSE, 0, REASON_NONE, NULL},
    {RES "201/?$rid=7", STREAM_TOPIC_MALFORMED, FALSE, 0, REASON_NONE, NULL},
    {RES "2000/?$rid=7", STREAM_TOPIC_MALFORMED, FALSE, 0, REASON_NONE, NULL},
    {RES "/?$rid=7", STREAM_TOPIC_MALFORMED, FALSE, 0, REASON_NONE, NULL},
    {RES "200", STREAM_TOPIC_MALFORMED, FALSE, 0, REASON_NONE, NULL},
    {RES "200/", STREAM_TOPIC_MALFORMED, FALSE, 0, REASON_NONE, NULL},
    {RES "200/$rid=7", STREAM_TOPIC_MALFORMED, FALSE, 0, REASON_NONE, NULL},
    {RES "200/?", STREAM_TOPIC_MALFORMED, FALSE, 0, REASON_NONE, NULL},
    {RES "200/?rid=7", STREAM_TOPIC_MALFORMED, FALSE, 0, REASON_NONE, NULL},
    {RES "200/?$rid=7&$rid=7", STREAM_TOPIC_MALFORMED, FALSE, 0, REASON_NONE, NULL},
    {RES "200/?$rid=7 ", STREAM_TOPIC_MALFORMED, FALSE, 0, REASON_NONE, NULL},
    {RES "200/?$rid=", STREAM_TOPIC_BAD_RID, FALSE, 0, REASON_NONE, NULL},
    {RES "200/?$rid=7/8", STREAM_TOPIC_BAD_RID, FALSE, 0, REASON_NONE, NULL},
    {RES "400/?$rid=7&$reason=", STREAM_TOPIC_BAD_EXTENSION, FALSE, 0, REASON_NONE, NULL},
    {RES "400/?$rid=7&$reason=a%0Ab", STREAM_TOPIC_BAD_EXTENSION, FALSE, 0, REASON_NONE, NULL},
    {RES "400/?$rid=7&$reason=%00", STREAM_TOPIC_BAD_EXTENSION, FALSE, 0, REASON_NONE, NULL},
    {RES "400/?$rid=7&$reason=%FF", STREAM_TOPIC_BAD_EXTENSION, FALSE, 0, REASON_NONE, NULL},
    {RES "400/?$rid=7&$streamd=%4", STREAM_TOPIC_BAD_EXTENSION, FALSE, 0, REASON_NONE, NULL},
    {RES "200/?$rid=7&$rule=12", STREAM_TOPIC_OK, TRUE, 0, REASON_NONE, NULL},
    {RES "200/?$rid=7&$rule=", STREAM_TOPIC_BAD_EXTENSION, FALSE, 0, REASON_NONE, NULL},
    {RES "200/?$rid=7&$rule=a%22", STREAM_TOPIC_BAD_EXTENSION, FALSE, 0, REASON_NONE, NULL},
    {RES "200/?$rid=7&$rule=1&$rule=1", STREAM_TOPIC_MALFORMED, FALSE, 0, REASON_NONE, NULL},
    {RES "200/?$rid=7&$rule=12345678901234567890123456789012", STREAM_TOPIC_OK, TRUE, 0,
     REASON_NONE, NULL},
    {RES "200/?$rid=7&$rule=123456789012345678901234567890123", STREAM_TOPIC_BAD_EXTENSION, FALSE,
     0, REASON_NONE, NULL},
};

static void
test_answer_rule(void)
{
    g_auto(StreamAnswer) with = {0}, without = {0};

    g_assert_cmpint(stream_answer_parse(slice_of(RES "200/?$rid=7&$rule=12"), &with), ==,
                    STREAM_TOPIC_OK);
    g_assert_cmpstr(with.rule, ==, "12");
    g_assert_cmpint(stream_answer_parse(slice_of(RES "200/?$rid=7"), &without), ==,
                    STREAM_TOPIC_OK);
    g_assert_null(without.rule);
}

static void
test_answer_rows(void)
{
    g_autofree char *longest = g_strnfill(STREAM_REASON_MAX + 1, 'a');
    g_autofree char *topic = g_strconcat(RES "400/?$rid=7&$reason=", longest, NULL);
    g_auto(StreamAnswer) none = {0};

    for (guint i = 0; i < G_N_ELEMENTS(answer_rows); i++) {
        gsize len = strlen(answer_rows[i].topic);
        g_autofree char *exact = g_memdup2(answer_rows[i].topic, len);
        g_auto(StreamAnswer) answer = {0};
        StreamTopicResult result = stream_answer_parse((Slice){exact, len}, &answer);

        if (result != answer_rows[i].result)
            g_error("'%s': %s", answer_rows[i].topic, stream_topic_result_text(result));
        g_assert_cmpint(answer.accepted, ==, answer_rows[i].accepted);
        g_assert_cmpint(answer.caps, ==, answer_rows[i].caps);
        g_assert_cmpint(answer.reason, ==, answer_rows[i].reason);
        g_assert_cmpstr(answer.reason_text, ==, answer_rows[i].text);
        g_assert_cmpstr(answer.rid, ==, result == STREAM_TOPIC_OK ? "7" : NULL);
    }
    g_assert_cmpint(stream_answer_parse(slice_of(topic), &none), ==, STREAM_TOPIC_BAD_EXTENSION);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stream-topic/request/build", test_request_build);
    g_test_add_func("/stream-topic/request/constraints", test_request_constraints);
    g_test_add_func("/stream-topic/request/extension-constraints", test_extension_constraints);
    g_test_add_func("/stream-topic/request/sizes", test_sizes);
    g_test_add_func("/stream-topic/request/split", test_built_topics_are_what_clients_split);
    g_test_add_func("/stream-topic/request/comes-back", test_request_comes_back);
    g_test_add_func("/stream-topic/request/azure", test_request_of_azure);
    g_test_add_func("/stream-topic/request/rows", test_request_rows);
    g_test_add_func("/stream-topic/request/bounds", test_request_bounds);
    g_test_add_func("/stream-topic/request/extensions", test_extensions_are_read);
    g_test_add_func("/stream-topic/answer/build", test_answer_build);
    g_test_add_func("/stream-topic/answer/long-reason", test_long_reason);
    g_test_add_func("/stream-topic/answer/rows", test_answer_rows);
    g_test_add_func("/stream-topic/answer/answer-rule", test_answer_rule);
    return g_test_run();
}
