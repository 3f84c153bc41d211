/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conditions of a request: If-Match and If-None-Match (RFC 9110, section 13.1), as service SDKs
 * send them: *, "*", "ETAG" or ETAG. An ETag is a record's number in decimal. Pure; any thread. */
#pragma once

#include <glib.h>

typedef enum {
    CONDITION_NONE,  /* no such field */
    CONDITION_ANY,   /* * */
    CONDITION_ETAG,  /* this one; 0 is no record's */
    CONDITION_FAULT, /* more than one ETag, or nothing that could be one */
} Condition;

/* FIELD: NULL when it is absent. *RET_ETAG is set with CONDITION_ETAG. */
Condition condition_parse(const char *field, guint64 *ret_etag);

/* ETAG as it stands in a body. 0: it is none of this hub's, and so no record's. */
guint64 condition_etag(const char *etag);
