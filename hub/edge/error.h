/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors of the REST interface in the wire's form (docs/wire-protocol.md, section 3). Pure. */
#pragma once

#include <glib.h>

typedef enum {
    REST_ARGUMENT_INVALID = 400004,
    REST_UNAUTHORIZED_ACCESS = 401002,
    REST_UNAUTHORIZED = 401003,
    REST_FORBIDDEN = 403000,
    REST_QUOTA_EXCEEDED = 403002,
    REST_DEVICE_NOT_FOUND = 404001,
    REST_MODULE_NOT_FOUND = 404010,
    REST_DEVICE_NOT_ONLINE = 404103,
    REST_DEVICE_CLOSED = 404104,
    REST_TOO_LARGE = 413001,
    REST_THROTTLED = 429001,
    REST_SERVER_ERROR = 500001,
    REST_UNAVAILABLE = 503001,
    REST_TIMED_OUT = 504101,
} RestError;

guint rest_error_status(RestError error);     /* its first three digits */
const char *rest_error_name(RestError error); /* the value of iothub-errorcode */
const char *rest_error_text(RestError error); /* one English sentence */

/* The body. TEXT NULL: rest_error_text. TRACKING: what the log calls the request; NOW: µs since
 * the epoch. Caller frees. */
char *rest_error_body(RestError error, const char *text, const char *tracking, gint64 now);
