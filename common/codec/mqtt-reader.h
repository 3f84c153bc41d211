/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MQTT reader: the fields of packets, as slices of the packet.
 *
 * Each function takes an opened packet of its own type. It returns FALSE, and does not change its
 * output, when the packet breaks the specification in any way: a reserved bit, a packet identifier
 * of 0, a bad string, a byte too few or too many. The caller then drops the connection
 * (MQTT-4.8.0-1). Pure; any thread. */
#pragma once

#include "common/codec/mqtt-packet.h"

typedef struct {
    Slice client_id;    /* may be empty */
    guint16 keep_alive; /* seconds; 0: off */
    gboolean clean_session;
    gboolean has_will;
    gboolean will_retain;
    guint8 will_qos;
    Slice will_topic;
    Slice will_message;
    gboolean has_user_name;
    gboolean has_password;
    Slice user_name;
    Slice password; /* bytes, not text */
} MqttConnect;

typedef struct {
    gboolean session_present;
    guint8 code; /* MQTT_ACCEPTED, ... */
} MqttConnack;

typedef struct {
    gboolean dup;
    gboolean retain;
    guint8 qos;
    guint16 packet_id; /* 0 with QoS 0 */
    Slice topic;
    Slice payload;
} MqttPublish;

/* The filters of a SUBSCRIBE or UNSUBSCRIBE: at least one, and all are valid. */
typedef struct {
    guint16 packet_id;
    guint count;
    /* private */
    Slice rest;
    gboolean has_qos;
} MqttFilters;

typedef struct {
    guint16 packet_id;
    Slice codes; /* a byte per filter asked for: QoS granted, or MQTT_SUBACK_REFUSED */
} MqttSuback;

typedef enum {
    MQTT_CONNECT_OK,
    MQTT_CONNECT_UNSUPPORTED, /* a protocol or level that is not MQTT 3.1.1; nothing else was read
                               */
    MQTT_CONNECT_MALFORMED,
} MqttConnectResult;

G_GNUC_WARN_UNUSED_RESULT
MqttConnectResult mqtt_read_connect(const MqttPacket *packet, MqttConnect *ret);

/* What a CONNECT of any version says before its credentials. */
typedef struct {
    Slice protocol; /* "MQTT", or "MQIsdp" of 3.1 */
    guint8 level;
    Slice client_id; /* empty when there is none, or it is malformed */
} MqttClaim;

/* For the log and for the answer, where mqtt_read_connect does not accept it. */
G_GNUC_WARN_UNUSED_RESULT
gboolean mqtt_read_claim(const MqttPacket *packet, MqttClaim *ret);

G_GNUC_WARN_UNUSED_RESULT
gboolean mqtt_read_connack(const MqttPacket *packet, MqttConnack *ret);

/* Accepts QoS up to 2, and a topic without wildcards. */
G_GNUC_WARN_UNUSED_RESULT
gboolean mqtt_read_publish(const MqttPacket *packet, MqttPublish *ret);

/* PUBACK, PUBREC, PUBREL, PUBCOMP, UNSUBACK: only a packet identifier. */
G_GNUC_WARN_UNUSED_RESULT
gboolean mqtt_read_id(const MqttPacket *packet, guint16 *ret_packet_id);

/* SUBSCRIBE and UNSUBSCRIBE. Everything is checked here, so mqtt_filters_next() cannot fail. */
G_GNUC_WARN_UNUSED_RESULT
gboolean mqtt_read_filters(const MqttPacket *packet, MqttFilters *ret);

/* Takes the next filter. `ret_qos` (may be NULL) is the QoS asked for, 0 in an UNSUBSCRIBE. FALSE
 * when there are no more. */
gboolean mqtt_filters_next(MqttFilters *filters, Slice *ret_filter, guint8 *ret_qos);

G_GNUC_WARN_UNUSED_RESULT
gboolean mqtt_read_suback(const MqttPacket *packet, MqttSuback *ret);

/* PINGREQ, PINGRESP, DISCONNECT: no fields. */
G_GNUC_WARN_UNUSED_RESULT
gboolean mqtt_read_empty(const MqttPacket *packet);
