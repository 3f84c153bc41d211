/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The MQTT topics of streams, built and read by both sides (docs/wire-protocol.md, sections 1.4
 * to 1.6 and 8).
 *
 * Building is strict: each of the constraints a to g of section 1.5 once broke a client, so
 * anything unsafe is refused. Reading is as tolerant as good clients are: properties come in any
 * order, and unknown ones are skipped. But sizes are bounded, and a known property given twice is
 * refused. Pure; any thread. */
#pragma once

#include "common/codec/stream-message.h"

#define STREAM_FILTER_REQUESTS "$iothub/streams/POST/#"
#define STREAM_FILTER_ANSWERS "$iothub/streams/res/#"

#define STREAM_TOPIC_MAX 8192
#define STREAM_TOPIC_PROPERTIES_MAX 32
#define STREAM_TOPIC_NAME_MAX 256 /* for reading; for building see stream_name_is_valid() */
#define STREAM_RID_MAX 64
#define STREAM_SID_MAX 64
#define STREAM_TOKEN_MAX 900 /* for building (section 1.5 g) */
#define STREAM_TOKEN_READ_MAX 4096
#define STREAM_ORIGIN_MAX 256 /* `$initiator` and `$from`, decoded */
#define STREAM_REASON_MAX 128 /* `$reason`, encoded (section 8) */
#define STREAM_RULE_MAX 32    /* `$rule` */
#define STREAM_DEADLINE_MAX (24 * 60 * 60 * 1000)

typedef enum {
    STREAM_TOPIC_OK,
    STREAM_TOPIC_OTHER,     /* some other topic */
    STREAM_TOPIC_MALFORMED, /* too long, too many properties, or one given twice or missing */
    STREAM_TOPIC_BAD_NAME,
    STREAM_TOPIC_BAD_RID,
    STREAM_TOPIC_BAD_URL,
    STREAM_TOPIC_BAD_TOKEN,
    STREAM_TOPIC_BAD_EXTENSION, /* $streamd, $deadline, $initiator, $from, $sid, $order, $rkey,
                                   $resume, $reason or $rule */
} StreamTopicResult;

/* Appends the topic of a request. On failure nothing is appended. `request->deadline` is clamped to
 * 0 .. STREAM_DEADLINE_MAX. */
G_GNUC_WARN_UNUSED_RESULT
StreamTopicResult stream_request_build(GString *out, const StreamRequest *request);

/* Reads a request. `*ret` is set only for STREAM_TOPIC_OK. stream_url_parse() accepts the url, and
 * the token may stand in an HTTP field. The name is one topic level of visible ASCII; the policy
 * decides whether it is allowed. */
G_GNUC_WARN_UNUSED_RESULT
StreamTopicResult stream_request_parse(Slice topic, StreamRequest *ret);

G_GNUC_WARN_UNUSED_RESULT
StreamTopicResult stream_answer_build(GString *out, const StreamAnswer *answer);
G_GNUC_WARN_UNUSED_RESULT
StreamTopicResult stream_answer_parse(Slice topic, StreamAnswer *ret);

/* A short English text, without a full stop. */
const char *stream_topic_result_text(StreamTopicResult result);

/* Whether a filter is the one for requests, or the one for answers (section 1.4). */
gboolean stream_filter_is_requests(Slice filter);
gboolean stream_filter_is_answers(Slice filter);

/* Whether a topic has the form of an answer. The answer may still be malformed. */
gboolean stream_topic_is_answer(Slice topic);

/* Whether this same device publishes telemetry to the topic:
 * `devices/{id}[/modules/{module}]/messages/events/` and properties (section 1.4, requirement R16).
 * `module` NULL for a device. Whole levels are compared. */
gboolean stream_topic_is_telemetry(Slice topic, const char *device, const char *module);
