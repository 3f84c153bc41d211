/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Search: the devices that a query asks for and that a user reaches, page by page. Main thread. */
#pragma once

#include "hub/device/devices.h"
#include "hub/edge/http-request.h"
#include "hub/rest/query.h"

#define SEARCH_PAGE 100
#define SEARCH_PAGE_MAX 1000
/* A page ends early when its text is as long as this: a connection queues no more than
 * CONNECTION_QUEUE_MAX, and one more device may follow. */
#define SEARCH_BYTES_MAX (192 * 1024)
/* One answer reads at most so many entries of the registry. After that its page ends early, and the
 * next one goes on there. */
#define SEARCH_LOOKED_AT_MAX 10000

typedef struct Search Search;

typedef enum {
    SEARCH_FIELDS,     /* what a user that may open streams may know: never a key */
    SEARCH_IDENTITIES, /* hub/rest/identity.h, with keys */
} SearchForm;

/* Called at the end of the search, which must not be used after that. BODY, which is wiped after
 * the call, NULL: the registry said CODE. MORE: the value of x-ms-continuation, or NULL. */
typedef void (*SearchDone)(const char *body, const char *more, RegistryCode code, void *data);

typedef struct {
    Registry *registry;
    Devices *devices;
    const RegistryScope *scope; /* of who asks */
    const char *after;          /* where the page before ended, or NULL */
    guint page;                 /* how many at most */
    SearchForm form;
} SearchOptions;

/* Takes QUERY's content. Calls DONE once, later. */
Search *search_new(const SearchOptions *options, Query *query, SearchDone done, void *data);

/* After this DEVICES may be freed. DONE is called with REGISTRY_CLOSED. NULL is fine. */
void search_cancel(Search *search);

/* Whether AFTER, from x-ms-continuation, is "ID" or "ID/MODULE" with valid names. */
gboolean search_after_is_valid(const char *after);
