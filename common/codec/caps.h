/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capabilities beyond the original protocol (docs/wire-protocol.md, "Extensions"). Pure; any
 * thread. */
#pragma once

#include <glib.h>

typedef enum {
    CAP_HALF_CLOSE = 1 << 0, /* an empty binary message ends one direction */
    CAP_REASON = 1 << 1,     /* close frames carry the true code and a reason code */
    CAP_DEADLINE = 1 << 2,   /* $deadline= in the request to the device */
    CAP_INITIATOR = 1 << 3,  /* $initiator= and $from= in the request to the device */
    CAP_SID = 1 << 4,        /* $sid= in the request to the device and in its answer */
    CAP_ORDER = 1 << 5,      /* $order= in the request to the device */
    CAP_NOTICE = 1 << 6,     /* it takes notices (common/extension/notice.h) */
    CAP_REKEY = 1 << 7,      /* of a connection alone: it takes new keys (extension/key-offer.h) */
    CAP_RESUME = 1 << 8,     /* the stream survives its legs (section 8a); with the three it needs */
} Caps;

/* CAP_REKEY and CAP_RESUME are announced apart from these: not every connection can take a key,
 * and resuming can be switched off. */
#define CAPS_ALL                                                                                   \
    (CAP_HALF_CLOSE | CAP_REASON | CAP_DEADLINE | CAP_INITIATOR | CAP_SID | CAP_ORDER | CAP_NOTICE)

/* Names separated by `,` or `.`, with optional spaces around them; unknown names are ignored. */
Caps caps_parse(const char *text, gsize len);

/* "half-close,reason" with the given separator; "" for none. Caller frees. */
char *caps_format(Caps caps, char separator);

/* The capabilities that a device gives in its DeviceClientType, percent-decoded: "streamd/1.0
 * (caps=half-close,reason)". None when the text has no such part. */
Caps caps_from_client_type(const char *text);
