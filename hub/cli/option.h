/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub's own options. */
#pragma once

#include "common/cli/option.h"

enum {
    OPTION_STATE_DIR = OPTION_OWN,
    OPTION_ADMIN_SOCKET,
    OPTION_HOST_NAME,
    OPTION_SAN,
    OPTION_LISTEN,
    OPTION_MQTT_LISTEN,
    OPTION_STREAMING_HOST,
    OPTION_THREADS,
    OPTION_CONFIG,
    OPTION_GRACE,
    OPTION_TIMEOUT,
    OPTION_CANCEL,
    OPTION_MODULE,
    OPTION_RIGHTS,
    OPTION_OUTPUT,
    OPTION_EXISTING,
    OPTION_SECONDARY,
    OPTION_TAG,
    OPTION_NO_TAG,
    OPTION_COMMENT,
    OPTION_STATE,
    OPTION_DEVICES,
    OPTION_STREAMS,
    OPTION_EXPIRES,
    OPTION_STREAMS_MAX,
    OPTION_OPENS_PER_MINUTE,
    OPTION_BYTES_PER_DAY,
    OPTION_THUMBPRINT,
    OPTION_CERTIFICATE,
    OPTION_CA,
    OPTION_KEYS,
    OPTION_LAST,
};

G_STATIC_ASSERT(OPTION_LAST <= OPTIONS_MAX);

/* For Program: all options, and which of them every verb takes. */
extern const OptionTable streamhub_options;
