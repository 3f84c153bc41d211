/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The MQTT topics of streams, built and read by both sides (docs/wire-protocol.md, sections 1.4 to
 * 1.6 and 8).
 *
 * Building is strict: the constraints a to g of section 1.5 each broke a client once, so what
 * cannot be put safely is refused. Reading is tolerant as good clients are: properties in any
 * order, the ones that are not known passed over; but bounded, and a known one given twice is
 * refused. Pure; any thread. */
#pragma once

#include "common/base/reason.h"
#include "common/base/slice.h"
#include "common/codec/caps.h"

#define STREAM_FILTER_REQUESTS "$iothub/streams/POST/#"
#define STREAM_FILTER_ANSWERS "$iothub/streams/res/#"

#define STREAM_TOPIC_MAX 8192
#define STREAM_TOPIC_PROPERTIES_MAX 32
#define STREAM_TOPIC_NAME_MAX 256 /* read; what may be built is stream_name_is_valid() */
#define STREAM_RID_MAX 64
#define STREAM_SID_MAX 64
#define STREAM_TOKEN_MAX 900 /* built (section 1.5 g) */
#define STREAM_TOKEN_READ_MAX 4096
#define STREAM_ORIGIN_MAX 256 /* `$initiator` and `$from`, decoded */
#define STREAM_REASON_MAX 128 /* `$reason`, encoded (section 8) */
#define STREAM_DEADLINE_MAX (24 * 60 * 60 * 1000)

typedef enum {
    STREAM_TOPIC_OK,
    STREAM_TOPIC_OTHER,     /* not such a topic at all */
    STREAM_TOPIC_MALFORMED, /* too long, too many properties, one given twice, one missing */
    STREAM_TOPIC_BAD_NAME,
    STREAM_TOPIC_BAD_RID,
    STREAM_TOPIC_BAD_URL,
    STREAM_TOPIC_BAD_TOKEN,
    STREAM_TOPIC_BAD_EXTENSION, /* $streamd, $deadline, $initiator, $from, $sid or $reason */
} StreamTopicResult;

/* A request, hub to device. To build one, point the fields at the caller's text and leave `storage`
 * NULL; one that was read owns its text and is freed with stream_request_clear(). */
typedef struct {
    const char *name;
    const char *rid;
    const char *url; /* decoded */
    const char *token;
    /* Section 8. Only for and by a device that said it has capabilities. */
    gboolean capable; /* `$streamd=` is there; when FALSE the rest is neither written nor read */
    Caps caps;        /* of the initiator, as far as they apply; at least one to build */
    gint64 deadline;  /* milliseconds left; -1: not told */
    const char *initiator; /* the policy's name; NULL: not told */
    const char *from;      /* the initiator's address; NULL: not told */
    const char *sid;       /* the stream's id, to be put in the answer; NULL: not told */
    const char *order;     /* as of stream-order.h; NULL: not told */
    char *storage;
} StreamRequest;

/* An answer, device to hub. The same holds for `storage`. */
typedef struct {
    gboolean accepted; /* 200; otherwise 400 */
    const char *rid;   /* as in the request */
    /* Section 8. Set them only if the request was `capable`. */
    const char *sid;         /* as in the request; NULL: it had none */
    Caps caps;               /* what the device accepts; 0: `$streamd` is left out */
    Reason reason;           /* with a rejection; REASON_NONE: not told. Reading an unknown code
                                gives REASON_REJECTED, with all of the value as the text */
    const char *reason_text; /* short, for people; NULL: none. Cut when it is too long */
    char *storage;
} StreamAnswer;

/* Appends the topic of a request; with a failure nothing is appended. `request->deadline` is
 * cut to 0 .. STREAM_DEADLINE_MAX. */
G_GNUC_WARN_UNUSED_RESULT
StreamTopicResult stream_request_build(GString *out, const StreamRequest *request);

/* Reads one. `*ret` is set on STREAM_TOPIC_OK only. The url is one that stream_url_parse() takes;
 * the token may stand in an HTTP field; the name is one topic level of visible ASCII, to be judged
 * by policy. */
G_GNUC_WARN_UNUSED_RESULT
StreamTopicResult stream_request_parse(Slice topic, StreamRequest *ret);

void stream_request_clear(StreamRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StreamRequest, stream_request_clear)

G_GNUC_WARN_UNUSED_RESULT
StreamTopicResult stream_answer_build(GString *out, const StreamAnswer *answer);
G_GNUC_WARN_UNUSED_RESULT
StreamTopicResult stream_answer_parse(Slice topic, StreamAnswer *ret);

void stream_answer_clear(StreamAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StreamAnswer, stream_answer_clear)

/* A short English text, without a full stop. */
const char *stream_topic_result_text(StreamTopicResult result);

/* Whether a filter is the one for requests, or the one for answers (section 1.4). */
gboolean stream_filter_is_requests(Slice filter);
gboolean stream_filter_is_answers(Slice filter);

/* Whether a topic has the form of an answer; it may still be a bad one. */
gboolean stream_topic_is_answer(Slice topic);

/* Whether a topic is where this very device publishes telemetry:
 * `devices/{id}[/modules/{module}]/messages/events/` and properties (section 1.4, requirement R16).
 * `module` NULL for a device. Whole levels are compared. */
gboolean stream_topic_is_telemetry(Slice topic, const char *device, const char *module);
