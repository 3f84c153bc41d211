/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors of the control layer.
 *
 * One idiom per layer:
 *   codecs        pure functions; return a small enum or a status, never GError on the byte path
 *   reactor side  0 or a positive count, negative errno on failure
 *   control side  GError in this domain (or a library's own domain), gboolean/pointer result
 *   sd-bus edge   negative errno; converted once, in daemon/bus/error.c and client/cli/failure.c
 */
#pragma once

#include <glib.h>

#define STREAMD_ERROR (streamd_error_quark())

typedef enum {
    STREAMD_ERROR_FAILED,  /* none of the below */
    STREAMD_ERROR_INVALID, /* what was given is malformed; the message says where and what is right
                            */
    STREAMD_ERROR_NOT_FOUND,     /* no such hub, target, rule, tunnel, stream, device */
    STREAMD_ERROR_EXISTS,        /* a name is taken */
    STREAMD_ERROR_DENIED,        /* the caller may not do this here */
    STREAMD_ERROR_LIMIT,         /* a quota or limit is reached */
    STREAMD_ERROR_BUSY,          /* in use, or not in a state that allows it */
    STREAMD_ERROR_OFFLINE,       /* the device is not connected to the hub */
    STREAMD_ERROR_UNAUTHORIZED,  /* the hub refused the identity */
    STREAMD_ERROR_REJECTED,      /* the device said no; the message carries its reason */
    STREAMD_ERROR_TIMED_OUT,     /* no answer in time */
    STREAMD_ERROR_UNREACHABLE,   /* DNS, TCP or proxy: the peer cannot be reached */
    STREAMD_ERROR_UNTRUSTED,     /* the peer's certificate is not trusted or not for this name */
    STREAMD_ERROR_PROTOCOL,      /* the peer broke the protocol */
    STREAMD_ERROR_PROXY_REFUSED, /* a proxy on the way wants credentials, or does not let us pass */
    STREAMD_ERROR_CANCELLED,     /* the caller went away or asked to stop */
} StreamdError;

GQuark streamd_error_quark(void);

/* The last part of the D-Bus error name, for example "NotFound" (dbus/README.md lists them). */
const char *streamd_error_name(StreamdError code);

/* The code of a D-Bus error's last part; STREAMD_ERROR_FAILED when unknown. */
StreamdError streamd_error_from_name(const char *name);
