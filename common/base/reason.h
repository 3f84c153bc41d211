/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why a stream ended: one code, the same on D-Bus, in streamctl, in the journal and at the hub
 * (docs/wire-protocol.md, "The end of a stream"). Also the text of a close frame and the value of
 * `$reason=` and `streamd-reject-reason`. Immutable tables: any thread. */
#pragma once

#include <glib.h>

typedef enum {
    REASON_NONE, /* the stream has not ended */
    /* orderly */
    REASON_COMPLETED,      /* both directions ended and every byte was delivered */
    REASON_DEVICE_CLOSED,  /* the device's side closed its stream */
    REASON_SERVICE_CLOSED, /* the initiator's side closed its stream */
    REASON_CLOSED_BY_USER, /* Stream.Close or streamctl stream close */
    /* before the stream was open */
    REASON_REJECTED,           /* the device said no and gave no better reason */
    REASON_POLICY,             /* an accept rule, or the default, rejected it */
    REASON_NO_TARGET,          /* the rule names a target that is not defined */
    REASON_TARGET_REFUSED,     /* the target refused the connection */
    REASON_TARGET_UNREACHABLE, /* no route, no such host, no such socket */
    REASON_TARGET_TIMED_OUT,   /* the target did not answer in time */
    REASON_NO_CONSENT,         /* the rule asks a person, and none answered in time */
    REASON_NO_HANDLER,         /* the rule names a handler that is not registered */
    REASON_OFFLINE,            /* the device is not connected or not subscribed */
    REASON_NOT_FOUND,          /* the hub knows no such device */
    REASON_UNAUTHORIZED,       /* the hub refused the identity */
    REASON_TIMED_OUT,          /* the device did not answer in time */
    REASON_NOT_PAIRED,         /* one of the two legs never came */
    REASON_CANCELLED,          /* the initiator went away before the answer */
    REASON_LIMIT,              /* a limit or quota on the number of streams or starts is reached */
    REASON_HUB_UNREACHABLE,    /* DNS, TCP or proxy failed on the way to the hub */
    REASON_PROXY_REFUSED,      /* the proxy wants credentials, or does not let us reach the hub */
    REASON_HUB_UNTRUSTED,      /* the hub's certificate was refused */
    REASON_HUB_ERROR,          /* the hub answered with an error of its own */
    REASON_BAD_URL,            /* the hub named a place for the leg that is not its own */
    /* cuts */
    REASON_CUT,                /* a leg was lost without an orderly end */
    REASON_REVOKED,            /* the device or policy was disabled or removed */
    REASON_CLOSED_BY_OPERATOR, /* streamhub stream close */
    REASON_HUB_STOPPING,
    REASON_STOPPING,   /* this streamd is stopping */
    REASON_PROTOCOL,   /* the peer broke the protocol */
    REASON_LOCAL_CUT,  /* the local application or target reset its connection */
    REASON_SILENT,     /* the peer was silent for too long */
    REASON_BYTE_LIMIT, /* the limits of the rule or target, on the device; or of the user, at the
                          hub */
    REASON_TIME_LIMIT,
    REASON_IDLE,    /* no byte came or went */
    REASON_STALLED, /* bytes waited, and nobody took them */
    /* answers to who wants to go on with a stream (docs/wire-protocol.md, section 8a) */
    REASON_RESUME_UNKNOWN, /* there is no such stream, or the key is not its */
    REASON_RESUME_STALE,   /* a later attempt has come before */
    REASON_ENDED,          /* it has ended; the text is the reason's code */
    REASON_LAST,
} Reason;

const char *reason_code(Reason reason); /* "device-closed"; [a-z-], at most 24 bytes */
const char *reason_text(Reason reason); /* a short English sentence without a full stop */
Reason
reason_from_code(const char *code, gssize len); /* REASON_NONE when unknown; len -1: a C string */
gboolean reason_is_orderly(Reason reason); /* the local socket gets FIN; otherwise it is reset */
guint16
reason_close_code(Reason reason); /* toward a capable peer: 1000, 1001, 1002, 1008 or 1011 */
