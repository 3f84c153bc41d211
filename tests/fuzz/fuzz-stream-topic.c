/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Topics of streams: what can be read and built again reads the same. Also whole urls, and the
 * fields of a POST that leads a stream back. */
#include "common/topic/stream-topic.h"

#include "common/codec/stream-url.h"
#include "common/extension/resume-ask.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(gboolean good)
{
    if (!good)
        abort();
}

static gboolean
same(const char *a, const char *b)
{
    return g_strcmp0(a, b) == 0;
}

static void
try_request(Slice topic)
{
    g_auto(StreamRequest) request = {0};
    g_auto(StreamRequest) back = {0};
    g_autoptr(GString) out = g_string_new(NULL);

    if (stream_request_parse(topic, &request) != STREAM_TOPIC_OK)
        return;
    require(*request.name && *request.rid && *request.token && request.deadline >= -1);
    if (stream_request_build(out, &request) != STREAM_TOPIC_OK) {
        require(out->len == 0); /* reading is the more tolerant */
        return;
    }
    require(stream_request_parse((Slice){out->str, out->len}, &back) == STREAM_TOPIC_OK);
    require(same(request.name, back.name) && same(request.rid, back.rid));
    require(same(request.url, back.url) && same(request.token, back.token));
    require(request.capable == back.capable && request.caps == back.caps);
    require(request.deadline == back.deadline);
    require(same(request.order, back.order));
    require(same(request.initiator, back.initiator) && same(request.from, back.from));
    require(same(request.sid, back.sid));
    require(same(request.rkey, back.rkey) && same(request.resume, back.resume));
}

static void
try_answer(Slice topic)
{
    g_auto(StreamAnswer) answer = {0};
    g_auto(StreamAnswer) back = {0};
    g_autoptr(GString) out = g_string_new(NULL);

    if (stream_answer_parse(topic, &answer) != STREAM_TOPIC_OK)
        return;
    require(stream_topic_is_answer(topic));
    require(stream_answer_build(out, &answer) == STREAM_TOPIC_OK);
    require(stream_answer_parse((Slice){out->str, out->len}, &back) == STREAM_TOPIC_OK);
    require(answer.accepted == back.accepted && same(answer.rid, back.rid));
    require(answer.caps == back.caps && answer.reason == back.reason);
    require(same(answer.sid, back.sid));
}

static void
try_url(Slice url)
{
    StreamUrl parsed;
    gboolean good = stream_url_parse(url, &parsed);

    require(good || !stream_url_suits_clients(url));
    if (good)
        require(parsed.host.len > 0 && parsed.port > 0 && parsed.target.ptr[0] == '/');
}

/* The same bytes as the fields of a POST: what is read has that text alone. */
static void
try_fields(Slice text)
{
    ResumeAsk ask;
    ResumeInfo info;
    guint8 key[RESUME_KEY_LEN];

    if (resume_ask_parse(text.ptr, text.len, RESUME_ASK_HTTP, &ask)) {
        g_autofree char *back = resume_ask_format(&ask, RESUME_ASK_HTTP);

        require(slice_equal(text, back) && ask.attempt > 0);
    }
    if (resume_info_parse(text.ptr, text.len, &info)) {
        g_autofree char *back = resume_info_format(&info);

        require(slice_equal(text, back));
    }
    if (resume_key_parse(text.ptr, text.len, key)) {
        g_autofree char *back = resume_key_format(key);

        require(slice_equal(text, back));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Slice input = {(const char *)data, size};

    try_request(input);
    try_answer(input);
    try_url(input);
    try_fields(input);
    (void)stream_topic_is_telemetry(input, "dev1", NULL);
    (void)stream_topic_is_telemetry(input, "dev1", "mod1");
    return 0;
}
