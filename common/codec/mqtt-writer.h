/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MQTT writer: appends whole packets to a buffer.
 *
 * mqtt-reader.h can read everything that is written here. A function that takes text or lists
 * returns FALSE and appends nothing when a packet may not contain them, or when they make it larger
 * than MQTT_PACKET_MAX (a CONNECT: than MQTT_CONNECT_MAX). Pure; any thread. */
#pragma once

#include "common/codec/mqtt-reader.h"

typedef struct {
    Slice filter;
    guint8 qos; /* not used in an UNSUBSCRIBE */
} MqttFilter;

G_GNUC_WARN_UNUSED_RESULT
gboolean mqtt_write_connect(GByteArray *out, const MqttConnect *connect);

/* A refusal never has "session present" (MQTT-3.2.2-4). */
void mqtt_write_connack(GByteArray *out, gboolean session_present, guint8 code);

/* A refusal as a client of MQTT 5 reads it: CODE is a reason code (MQTT 5, section 3.2.2.2). */
void mqtt_write_connack_5(GByteArray *out, guint8 code);

/* With QoS 0, no retain and no dup the first byte is 0x30, the only one that the C device client
 * accepts (docs/wire-protocol.md, section 1.5 h). */
G_GNUC_WARN_UNUSED_RESULT
gboolean mqtt_write_publish(GByteArray *out, const MqttPublish *publish);

/* PUBACK or UNSUBACK. */
void mqtt_write_id(GByteArray *out, MqttType type, guint16 packet_id);

G_GNUC_WARN_UNUSED_RESULT
gboolean
mqtt_write_subscribe(GByteArray *out, guint16 packet_id, const MqttFilter *filters, gsize count);
G_GNUC_WARN_UNUSED_RESULT
gboolean
mqtt_write_unsubscribe(GByteArray *out, guint16 packet_id, const MqttFilter *filters, gsize count);

/* A code for each filter of the SUBSCRIBE, in its order. */
G_GNUC_WARN_UNUSED_RESULT
gboolean mqtt_write_suback(GByteArray *out, guint16 packet_id, const guint8 *codes, gsize count);

/* PINGREQ, PINGRESP or DISCONNECT. */
void mqtt_write_empty(GByteArray *out, MqttType type);
