/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors of the REST interface in the wire's form (docs/wire-protocol.md, section 3). Any thread.
 */
#pragma once

#include <glib.h>

typedef enum {
    REST_ARGUMENT_INVALID = 400004,
    REST_BULK_FAILED = 400013,
    REST_UNAUTHORIZED_ACCESS = 401002,
    REST_UNAUTHORIZED = 401003,
    REST_FORBIDDEN = 403000,
    REST_QUOTA_EXCEEDED = 403002,
    REST_INVITATION_NOT_FOR_IT = 403901,
    REST_INVITATION_USED_UP = 403902,
    REST_INVITATION_EXPIRED = 403903,
    REST_INVITATION_REVOKED = 403904,
    REST_DEVICE_NOT_FOUND = 404001,
    REST_MODULE_NOT_FOUND = 404010,
    REST_DEVICE_NOT_ONLINE = 404103,
    REST_DEVICE_CLOSED = 404104,
    REST_NO_METHOD = 405001,
    REST_DEVICE_EXISTS = 409001,
    REST_MODULE_EXISTS = 409301,
    REST_CHANGED = 412001,
    REST_TOO_LARGE = 413001,
    REST_URI_TOO_LONG = 414001,
    REST_NO_EXPECTATION = 417001,
    REST_NO_UPGRADE = 426001,
    REST_THROTTLED = 429001,
    REST_HEAD_TOO_LARGE = 431001,
    REST_SERVER_ERROR = 500001,
    REST_NOT_IMPLEMENTED = 501001,
    REST_UNAVAILABLE = 503001,
    REST_TIMED_OUT = 504101,
    REST_HTTP_VERSION = 505001,
    REST_STORAGE = 507001,
} RestError;

#define REST_ERRORS 30 /* how many there are */

/* Numbers from 0 to REST_ERRORS - 1, for tables, and back. */
guint rest_error_index(RestError error);
RestError rest_error_at(guint index);

guint rest_error_status(RestError error);     /* its first three digits */
const char *rest_error_name(RestError error); /* the value of iothub-errorcode */
const char *rest_error_text(RestError error); /* one English sentence */

/* What the edge says when it refuses a request with STATUS. */
RestError rest_error_of_status(guint status);

/* Appends TEXT, escaped for a string in JSON. */
void rest_append_text(GString *out, const char *text);

/* A random name for a request. The caller frees it. */
char *rest_tracking_id(void);

/* The body. TEXT NULL: rest_error_text. TRACKING: what the log calls the request; NOW: µs since
 * the epoch. Caller frees. */
char *rest_error_body(RestError error, const char *text, const char *tracking, gint64 now);
