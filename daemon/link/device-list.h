/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device list: what a hub answers to POST /devices/query, an older one to GET /devices
 * (docs/wire-protocol.md, section 6). Pure. */
#pragma once

#include "common/base/slice.h"

#define DEVICE_LIST_MAX 1000      /* devices of one answer */
#define DEVICE_LIST_AFTER_MAX 256 /* bytes of the name of a page */

typedef struct {
    char *id;
    char *status;           /* "enabled", "disabled"; "" when it is not said */
    char *connection_state; /* "Connected", "Disconnected"; "" when it is not said */
} ListedDevice;

/* The devices of BODY. PROTOCOL when it is not a list, is too long, or has a name that no device
 * can have. */
GPtrArray *device_list_parse(const char *body, gsize len, GError **error);

/* Where the next page begins, from the header field of the answer. ASKED: where this page began
 * (NULL: the first page). PROTOCOL when the field names this page again, is empty, too long or not
 * text. Pure. */
char *device_list_next(Slice field, const char *asked, GError **error);

/* The same of a field that is not to be decoded. */
char *device_list_next_opaque(Slice field, const char *asked, GError **error);

/* Being asked for: service-list.h. DEVICES NULL: ERROR is UNREACHABLE, UNTRUSTED, TIMED_OUT,
 * PROTOCOL, UNAUTHORIZED, DENIED (the user may not list devices), LIMIT, PROXY_REFUSED or
 * FAILED. AFTER: where the next page begins; NULL: that was all. Once, later. */
typedef struct ServiceList ServiceList;
typedef void (*ServiceListDone)(GPtrArray *devices, const char *after, const GError *error,
                                void *data);

/* DONE is not called any more. Not after DONE; NULL is fine. */
void service_list_cancel(ServiceList *list);

void listed_device_free(ListedDevice *device); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ListedDevice, listed_device_free)
