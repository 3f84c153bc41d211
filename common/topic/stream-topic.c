/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/topic/stream-topic.h"

#include "common/codec/device-id.h"
#include "common/codec/percent.h"
#include "common/codec/stream-order.h"
#include "common/codec/stream-url.h"
#include "common/extension/resume-ask.h"

#define REQUEST_PREFIX "$iothub/streams/POST/"
#define ANSWER_PREFIX "$iothub/streams/res/"

enum {
    KEY_RID,
    KEY_URL,
    KEY_AUTH,
    KEY_STREAMD,
    KEY_DEADLINE,
    KEY_INITIATOR,
    KEY_FROM,
    KEY_REASON,
    KEY_SID,
    KEY_ORDER,
    KEY_RULE,
    KEY_RKEY,
    KEY_RESUME
};

#define KEYS (KEY_RESUME + 1)

static const char *const keys[KEYS] = {
    [KEY_RID] = "$rid",         [KEY_URL] = "$url",           [KEY_AUTH] = "$auth",
    [KEY_STREAMD] = "$streamd", [KEY_DEADLINE] = "$deadline", [KEY_INITIATOR] = "$initiator",
    [KEY_FROM] = "$from",       [KEY_REASON] = "$reason",     [KEY_SID] = "$sid",
    [KEY_ORDER] = "$order",     [KEY_RULE] = "$rule",         [KEY_RKEY] = "$rkey",
    [KEY_RESUME] = "$resume",
};

/* Whether text has 1 to `max` bytes, each a letter, a digit or one of `marks`. */
static gboolean
text_is_of(const char *text, gsize max, const char *marks)
{
    gsize len = text ? strlen(text) : 0;

    if (len == 0 || len > max)
        return FALSE;
    for (gsize i = 0; i < len; i++)
        if (!g_ascii_isalnum(text[i]) && !strchr(marks, text[i]))
            return FALSE;
    return TRUE;
}

static gboolean
text_is_ascii(const char *text, gsize max)
{
    gsize len = strlen(text);

    for (gsize i = 0; i < len; i++)
        if (!g_ascii_isprint(text[i]))
            return FALSE;
    return len > 0 && len <= max;
}

/* Text for people, in logs and on D-Bus: UTF-8 without control characters. */
static gboolean
text_is_printable(const char *text, gsize max)
{
    gsize len = strlen(text);

    for (gsize i = 0; i < len; i++)
        if (g_ascii_iscntrl(text[i]))
            return FALSE;
    return len > 0 && len <= max && g_utf8_validate_len(text, len, NULL);
}

/* A rid is repeated in a topic, so it has no character with a meaning there. */
static gboolean
rid_is_readable(const char *rid)
{
    return text_is_of(rid, STREAM_RID_MAX, "!\"$%'()*,-.:;<>@[\\]^_`{|}~");
}

/* A stream's id needs no encoding. NULL: leave it out. */
static gboolean
sid_is_valid(const char *sid)
{
    return !sid || text_is_of(sid, STREAM_SID_MAX, "-._");
}

/* Needs no encoding either. NULL: leave it out. */
static gboolean
rule_is_valid(const char *rule)
{
    return !rule || text_is_of(rule, STREAM_RULE_MAX, "-._");
}

/* -- building -- */

static void
append_property(GString *out, guint key, const char *value)
{
    g_string_append_printf(out, "&%s=", keys[key]);
    percent_append(out, PERCENT_STRICT, value, -1);
}

/* NULL: leave it out. An empty value would break constraint b. */
static gboolean
origin_is_valid(const char *text)
{
    return !text || text_is_ascii(text, STREAM_ORIGIN_MAX);
}

static gboolean
order_is_valid(const char *text)
{
    StreamOrder order;

    return !text || stream_order_parse(text, strlen(text), &order);
}

/* Which stream is led back goes with the key alone. */
static gboolean
resume_is_valid(const char *rkey, const char *resume)
{
    ResumeAsk ask;

    return (!rkey || resume_key_is_valid(rkey, strlen(rkey))) &&
           (!resume || (rkey && resume_ask_parse(resume, strlen(resume), RESUME_ASK_TOPIC, &ask)));
}

static StreamTopicResult
request_check(const StreamRequest *request)
{
    if (!request->name || !stream_name_is_valid(request->name, -1))
        return STREAM_TOPIC_BAD_NAME;
    if (!text_is_of(request->rid, STREAM_RID_MAX, "-._"))
        return STREAM_TOPIC_BAD_RID;
    if (!request->url || !stream_url_suits_clients(slice_of(request->url)))
        return STREAM_TOPIC_BAD_URL;
    if (!text_is_of(request->token, STREAM_TOKEN_MAX, "-._"))
        return STREAM_TOPIC_BAD_TOKEN;
    if (request->capable &&
        ((request->caps & CAPS_ALL) == 0 || !origin_is_valid(request->initiator) ||
         !origin_is_valid(request->from) || !sid_is_valid(request->sid) ||
         !order_is_valid(request->order) || !resume_is_valid(request->rkey, request->resume)))
        return STREAM_TOPIC_BAD_EXTENSION;
    return STREAM_TOPIC_OK;
}

static void
append_extensions(GString *out, const StreamRequest *request)
{
    g_autofree char *caps = caps_format(request->caps, '.');

    append_property(out, KEY_STREAMD, caps);
    if (request->deadline >= 0)
        g_string_append_printf(out, "&%s=%" G_GINT64_FORMAT, keys[KEY_DEADLINE],
                               MIN(request->deadline, STREAM_DEADLINE_MAX));
    if (request->initiator)
        append_property(out, KEY_INITIATOR, request->initiator);
    if (request->from)
        append_property(out, KEY_FROM, request->from);
    if (request->sid)
        append_property(out, KEY_SID, request->sid);
    if (request->order)
        append_property(out, KEY_ORDER, request->order);
    if (request->rkey)
        append_property(out, KEY_RKEY, request->rkey);
    if (request->resume)
        append_property(out, KEY_RESUME, request->resume);
}

StreamTopicResult
stream_request_build(GString *out, const StreamRequest *request)
{
    StreamTopicResult result = request_check(request);
    gsize before = out->len;

    if (result != STREAM_TOPIC_OK)
        return result;
    g_string_append_printf(out, REQUEST_PREFIX "%s/?%s=%s", request->name, keys[KEY_RID],
                           request->rid);
    append_property(out, KEY_URL, request->url);
    append_property(out, KEY_AUTH, request->token);
    if (request->capable)
        append_extensions(out, request);
    if (out->len - before <= STREAM_TOPIC_MAX)
        return STREAM_TOPIC_OK;
    g_string_truncate(out, before);
    return STREAM_TOPIC_MALFORMED;
}

/* "code text" in at most STREAM_REASON_MAX bytes, encoded, and never cut inside an escape. Each
 * character that is not ASCII becomes a question mark. */
static void
append_reason(GString *out, Reason reason, const char *text)
{
    g_autofree char *full = g_strdup_printf("%s %s", reason_code(reason), text ? text : "");
    gsize limit;

    g_string_append_printf(out, "&%s=", keys[KEY_REASON]);
    limit = out->len + STREAM_REASON_MAX;
    g_strchomp(full);
    for (const char *c = full; *c; c++) {
        gsize before = out->len;

        if (((guint8)*c & 0xc0) == 0x80)
            continue; /* its character already has its question mark */
        percent_append(out, PERCENT_STRICT, g_ascii_isprint(*c) ? c : "?", 1);
        if (out->len > limit) {
            g_string_truncate(out, before);
            return;
        }
    }
}

StreamTopicResult
stream_answer_build(GString *out, const StreamAnswer *answer)
{
    if (!rid_is_readable(answer->rid))
        return STREAM_TOPIC_BAD_RID;
    if (!sid_is_valid(answer->sid) || !rule_is_valid(answer->rule))
        return STREAM_TOPIC_BAD_EXTENSION;
    g_string_append_printf(out, ANSWER_PREFIX "%d/?%s=%s", answer->accepted ? 200 : 400,
                           keys[KEY_RID], answer->rid);
    if (answer->sid)
        append_property(out, KEY_SID, answer->sid);
    if (answer->caps & CAPS_ALL) {
        g_autofree char *caps = caps_format(answer->caps, '.');
        append_property(out, KEY_STREAMD, caps);
    }
    if (!answer->accepted && answer->reason != REASON_NONE)
        append_reason(out, answer->reason, answer->reason_text);
    if (answer->rule)
        append_property(out, KEY_RULE, answer->rule);
    return STREAM_TOPIC_OK;
}

/* -- reading -- */

static gboolean
skip_text(Slice *rest, const char *text)
{
    gsize len = strlen(text);

    if (rest->len < len || memcmp(rest->ptr, text, len) != 0)
        return FALSE;
    rest->ptr += len;
    rest->len -= len;
    return TRUE;
}

/* Cuts `text` at each `&`. Gives the values of known properties, raw and NUL-terminated. FALSE when
 * there are too many properties, or a known one occurs twice. */
static gboolean
properties_cut(char *text, char *values[KEYS])
{
    guint count = 0;

    for (char *next = text; next;) {
        char *key = next;
        char *value = strchr(key, '&');

        next = value;
        if (next)
            *next++ = '\0';
        if (++count > STREAM_TOPIC_PROPERTIES_MAX)
            return FALSE;
        value = strchr(key, '=');
        if (!value)
            continue;
        *value++ = '\0';
        for (guint i = 0; i < KEYS; i++) {
            if (strcmp(key, keys[i]) != 0)
                continue;
            if (values[i])
                return FALSE;
            values[i] = value;
        }
    }
    return TRUE;
}

/* A copy of the topic behind its prefix, cut at "/?" into the part before it and the properties. */
static char *
topic_open(Slice topic, const char *prefix, char *values[KEYS], StreamTopicResult *ret_result)
{
    g_autofree char *storage = NULL;
    char *end;

    if (!skip_text(&topic, prefix)) {
        *ret_result = STREAM_TOPIC_OTHER;
        return NULL;
    }
    *ret_result = STREAM_TOPIC_MALFORMED;
    if (topic.len > STREAM_TOPIC_MAX - strlen(prefix))
        return NULL;
    for (gsize i = 0; i < topic.len; i++)
        if (!g_ascii_isgraph(topic.ptr[i]))
            return NULL;
    storage = slice_dup(topic);
    end = strchr(storage, '/');
    if (!end || end[1] != '?' || !properties_cut(end + 2, values))
        return NULL;
    *end = '\0';
    *ret_result = STREAM_TOPIC_OK;
    return g_steal_pointer(&storage);
}

/* Decodes a value in place. */
static gboolean
value_decode(char *value)
{
    gsize len;

    if (!percent_decode(value, strlen(value), value, &len))
        return FALSE;
    value[len] = '\0';
    return TRUE;
}

static gboolean
value_read_caps(char *value, Caps *ret)
{
    if (!value_decode(value))
        return FALSE;
    *ret = caps_parse(value, strlen(value));
    return TRUE;
}

static gboolean
origin_read(char *value, const char **ret)
{
    *ret = value;
    return !value || (value_decode(value) && text_is_printable(value, STREAM_ORIGIN_MAX));
}

static gboolean
deadline_read(const char *value, gint64 *ret)
{
    guint64 number;

    *ret = -1;
    if (!value)
        return TRUE;
    if (!g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT64, &number, NULL))
        return FALSE;
    *ret = (gint64)MIN(number, (guint64)STREAM_DEADLINE_MAX);
    return TRUE;
}

static gboolean
order_read(const char *value, const char **ret)
{
    *ret = value;
    return order_is_valid(value);
}

static gboolean
resume_read(char *values[KEYS], StreamRequest *request)
{
    request->rkey = values[KEY_RKEY];
    request->resume = values[KEY_RESUME];
    return resume_is_valid(request->rkey, request->resume);
}

static gboolean
extensions_read(char *values[KEYS], StreamRequest *request)
{
    request->sid = values[KEY_STREAMD] ? values[KEY_SID] : NULL;
    request->capable = values[KEY_STREAMD] != NULL;
    if (!request->capable)
        return TRUE;
    return value_read_caps(values[KEY_STREAMD], &request->caps) &&
           deadline_read(values[KEY_DEADLINE], &request->deadline) &&
           origin_read(values[KEY_INITIATOR], &request->initiator) &&
           origin_read(values[KEY_FROM], &request->from) && sid_is_valid(request->sid) &&
           order_read(values[KEY_ORDER], &request->order) && resume_read(values, request);
}

static StreamTopicResult
request_read(char *values[KEYS], StreamRequest *request)
{
    StreamUrl url;

    if (!values[KEY_RID] || !values[KEY_URL] || !values[KEY_AUTH])
        return STREAM_TOPIC_MALFORMED;
    request->rid = values[KEY_RID];
    request->url = values[KEY_URL];
    request->token = values[KEY_AUTH];
    if (strlen(request->name) == 0 || strlen(request->name) > STREAM_TOPIC_NAME_MAX)
        return STREAM_TOPIC_BAD_NAME;
    if (!rid_is_readable(request->rid))
        return STREAM_TOPIC_BAD_RID;
    if (!value_decode(values[KEY_URL]) || !stream_url_parse(slice_of(request->url), &url))
        return STREAM_TOPIC_BAD_URL;
    /* RFC 6750, section 2.1: what may follow "Bearer". Nobody decodes it (constraint d). */
    if (!text_is_of(request->token, STREAM_TOKEN_READ_MAX, "-._~+/="))
        return STREAM_TOPIC_BAD_TOKEN;
    return extensions_read(values, request) ? STREAM_TOPIC_OK : STREAM_TOPIC_BAD_EXTENSION;
}

StreamTopicResult
stream_request_parse(Slice topic, StreamRequest *ret)
{
    char *values[KEYS] = {NULL};
    StreamTopicResult result;
    g_autofree char *storage = topic_open(topic, REQUEST_PREFIX, values, &result);
    StreamRequest request = {.name = storage, .deadline = -1};

    if (storage)
        result = request_read(values, &request);
    if (result != STREAM_TOPIC_OK) {
        if (storage) /* a token and a key may be in it */
            explicit_bzero(storage, topic.len - strlen(REQUEST_PREFIX));
        return result;
    }
    request.storage = g_steal_pointer(&storage);
    *ret = request;
    return STREAM_TOPIC_OK;
}

/* "code text". An unknown code is part of the text. */
static gboolean
reason_read(char *value, StreamAnswer *answer)
{
    char *text;

    if (!value || answer->accepted)
        return TRUE;
    if (strlen(value) > STREAM_REASON_MAX || !value_decode(value) ||
        !text_is_printable(value, STREAM_REASON_MAX))
        return FALSE;
    text = value + strcspn(value, " ");
    answer->reason = reason_from_code(value, text - value);
    if (answer->reason == REASON_NONE) {
        answer->reason = REASON_REJECTED;
        text = value;
    }
    text += strspn(text, " ");
    answer->reason_text = *text ? text : NULL;
    return TRUE;
}

static StreamTopicResult
answer_read(const char *status, char *values[KEYS], StreamAnswer *answer)
{
    answer->accepted = strcmp(status, "200") == 0;
    if (!answer->accepted && strcmp(status, "400") != 0)
        return STREAM_TOPIC_MALFORMED;
    if (!values[KEY_RID])
        return STREAM_TOPIC_MALFORMED;
    answer->rid = values[KEY_RID];
    if (!rid_is_readable(answer->rid))
        return STREAM_TOPIC_BAD_RID;
    answer->sid = values[KEY_SID];
    answer->rule = values[KEY_RULE];
    if (!sid_is_valid(answer->sid) || !rule_is_valid(answer->rule))
        return STREAM_TOPIC_BAD_EXTENSION;
    if (values[KEY_STREAMD] && !value_read_caps(values[KEY_STREAMD], &answer->caps))
        return STREAM_TOPIC_BAD_EXTENSION;
    return reason_read(values[KEY_REASON], answer) ? STREAM_TOPIC_OK : STREAM_TOPIC_BAD_EXTENSION;
}

StreamTopicResult
stream_answer_parse(Slice topic, StreamAnswer *ret)
{
    char *values[KEYS] = {NULL};
    StreamTopicResult result;
    g_autofree char *storage = topic_open(topic, ANSWER_PREFIX, values, &result);
    StreamAnswer answer = {.reason = REASON_NONE};

    if (storage)
        result = answer_read(storage, values, &answer);
    if (result != STREAM_TOPIC_OK)
        return result;
    answer.storage = g_steal_pointer(&storage);
    *ret = answer;
    return STREAM_TOPIC_OK;
}

const char *
stream_topic_result_text(StreamTopicResult result)
{
    static const char *const texts[] = {
        [STREAM_TOPIC_OK] = "the topic is good",
        [STREAM_TOPIC_OTHER] = "not a topic of streams",
        [STREAM_TOPIC_MALFORMED] = "the topic is malformed",
        [STREAM_TOPIC_BAD_NAME] = "the stream's name cannot be in a topic",
        [STREAM_TOPIC_BAD_RID] = "the request id cannot be in a topic",
        [STREAM_TOPIC_BAD_URL] = "the url is not one that a device can use",
        [STREAM_TOPIC_BAD_TOKEN] = "the token cannot be in a topic",
        [STREAM_TOPIC_BAD_EXTENSION] = "an extension property is malformed",
    };

    return texts[(guint)result < G_N_ELEMENTS(texts) ? result : STREAM_TOPIC_MALFORMED];
}

gboolean
stream_filter_is_requests(Slice filter)
{
    return slice_equal(filter, STREAM_FILTER_REQUESTS);
}

gboolean
stream_filter_is_answers(Slice filter)
{
    return slice_equal(filter, STREAM_FILTER_ANSWERS);
}

gboolean
stream_topic_is_answer(Slice topic)
{
    return skip_text(&topic, ANSWER_PREFIX);
}

gboolean
stream_topic_is_telemetry(Slice topic, const char *device, const char *module)
{
    if (!skip_text(&topic, "devices/") || !skip_text(&topic, device))
        return FALSE;
    if (module && (!skip_text(&topic, "/modules/") || !skip_text(&topic, module)))
        return FALSE;
    return skip_text(&topic, "/messages/events") && (topic.len == 0 || topic.ptr[0] == '/');
}
