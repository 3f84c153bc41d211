/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MQTT 3.1.1 packets: types, framing and the rules for text (OASIS mqtt-v3.1.1, chapters 1.5, 2
 * and 4.7). mqtt-reader.h reads them, mqtt-writer.h writes them.
 *
 * Both ends of the protocol are here: the hub reads what clients send, the daemon reads what a hub
 * sends, and neither trusts the other. Pure; any thread. */
#pragma once

#include "common/base/slice.h"

#include <glib.h>

/* The longest and the shortest fixed header. The shortest is also the shortest packet. */
#define MQTT_HEADER_MAX 5
#define MQTT_HEADER_MIN 2

/* The largest packet that is accepted (requirement R13), before and after a valid CONNECT. */
#define MQTT_CONNECT_MAX (16 * 1024)
#define MQTT_PACKET_MAX (256 * 1024)

/* The longest string field or password. The longest one in use, a topic with a stream's url and
 * token, is half as long. */
#define MQTT_STRING_MAX 8192

typedef enum {
    MQTT_CONNECT = 1,
    MQTT_CONNACK,
    MQTT_PUBLISH,
    MQTT_PUBACK,
    MQTT_PUBREC,
    MQTT_PUBREL,
    MQTT_PUBCOMP,
    MQTT_SUBSCRIBE,
    MQTT_SUBACK,
    MQTT_UNSUBSCRIBE,
    MQTT_UNSUBACK,
    MQTT_PINGREQ,
    MQTT_PINGRESP,
    MQTT_DISCONNECT,
} MqttType;

typedef enum {
    MQTT_FROM_CLIENT,
    MQTT_FROM_SERVER,
} MqttSender;

/* CONNACK codes. For which of them a device accepts, see docs/wire-protocol.md, section 1.2. */
enum {
    MQTT_ACCEPTED = 0,
    MQTT_BAD_PROTOCOL = 1,
    MQTT_BAD_CLIENT_ID = 2,
    MQTT_UNAVAILABLE = 3,
    MQTT_BAD_CREDENTIALS = 4,
    MQTT_NOT_AUTHORIZED = 5,
};

/* The level of a CONNECT of MQTT 5, and the reason code by which its client understands that the
 * server does not speak it. */
#define MQTT_LEVEL_5 5
#define MQTT_5_UNSUPPORTED_VERSION 0x84

#define MQTT_QOS_MAX 2
#define MQTT_SUBACK_REFUSED 0x80

typedef enum {
    MQTT_SIZE_MORE,      /* the fixed header is not complete, and valid so far */
    MQTT_SIZE_OK,        /* the size of the packet is known; not all of its bytes may be there */
    MQTT_SIZE_MALFORMED, /* unknown type, wrong flags, or a length without an end */
    MQTT_SIZE_TOO_LARGE, /* more than `max` */
} MqttSize;

/* A packet with valid type, flags and length. `body` is what follows the fixed header. */
typedef struct {
    MqttType type;
    guint8 flags;
    Slice body;
} MqttPacket;

/* Reads a fixed header. With MQTT_SIZE_OK `*ret_total` is the size of the whole packet with its
 * header, at most `max`. Check it before making room for the packet. */
MqttSize mqtt_packet_size(const guint8 *buf, gsize len, gsize max, gsize *ret_total);

/* Opens one whole packet of `len` bytes. FALSE when it is shorter or longer than it says, or when
 * this sender may not send its type. */
gboolean mqtt_packet_open(const guint8 *buf, gsize len, MqttSender from, MqttPacket *ret);

gboolean mqtt_packet_is_from_client(MqttType type);
gboolean mqtt_packet_is_from_server(MqttType type);

/* For messages; "packet" for an unknown type. */
const char *mqtt_packet_name(MqttType type);

/* UTF-8 without NUL, at most MQTT_STRING_MAX bytes; may be empty. */
gboolean mqtt_string_is_valid(Slice text);

/* A topic to publish to: a string, not empty, without wildcards. */
gboolean mqtt_topic_is_valid(Slice topic);

/* A topic filter: a string, not empty, `#` only as the last level, `+` only as a whole level. */
gboolean mqtt_filter_is_valid(Slice filter);
