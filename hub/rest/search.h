/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Search: the devices that a query asks for and that a user reaches, page by page. Main thread. */
#pragma once

#include "hub/device/devices.h"
#include "hub/edge/http-request.h"
#include "hub/rest/query.h"

#define SEARCH_PAGE 100
#define SEARCH_PAGE_MAX 1000
/* One answer reads at most so many entries of the registry. After that its page ends early, and the
 * next one goes on there. */
#define SEARCH_LOOKED_AT_MAX 10000

typedef struct Search Search;

/* Called at the end of the search, which must not be used after that. BODY NULL: the registry said
 * CODE. MORE: the value of x-ms-continuation, or NULL. */
typedef void (*SearchDone)(const char *body, const char *more, RegistryCode code, void *data);

/* Takes QUERY's content. AFTER: where the page before ended, or NULL. Calls DONE once, later. */
Search *search_new(Registry *registry, Devices *devices, const RegistryScope *scope, Query *query,
                   const char *after, guint page, SearchDone done, void *data);

/* After this DEVICES may be freed. DONE is called with REGISTRY_CLOSED. NULL is fine. */
void search_cancel(Search *search);

/* Whether AFTER, from x-ms-continuation, is "ID" or "ID/MODULE" with valid names. */
gboolean search_after_is_valid(const char *after);
