/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The user name of an MQTT CONNECT in all its forms (docs/wire-protocol.md, section 1.2). Pure. */
#pragma once

#include "common/base/slice.h"
#include "common/extension/client-type.h"

#define MQTT_API_VERSION_MAX 32

typedef struct {
    char *device;
    char *module;                               /* NULL: the device itself */
    char api_version[MQTT_API_VERSION_MAX + 1]; /* "" when not told, or not printable or longer */
    ClientType type;                            /* what it says of itself */
} MqttUser;

/* CLIENT_ID is {device} or {device}/{module}; USER_NAME {hub}/{client id}, then maybe parameters
 * behind "/", "/?" or "?". FALSE when one is malformed or they do not agree: refuse with 5. The
 * hub's name in it is ignored, because the token names the hub. */
gboolean mqtt_user_parse(Slice client_id, Slice user_name, MqttUser *ret);

void mqtt_user_clear(MqttUser *user);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MqttUser, mqtt_user_clear)
