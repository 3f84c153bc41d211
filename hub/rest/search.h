/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Search: the devices that a query asks for and that a user reaches, page by page. Main thread. */
#pragma once

#include "hub/device/devices.h"
#include "hub/edge/http-request.h"
#include "hub/rest/query.h"

#define SEARCH_PAGE 100
#define SEARCH_PAGE_MAX 1000
/* Entries of the registry that one answer looks at: then it is a shorter page, and goes on there.
 */
#define SEARCH_LOOKED_AT_MAX 10000

typedef struct Search Search;

/* On the end of the search, which is gone then. BODY NULL: the registry said CODE. MORE: the value
 * of x-ms-continuation, or NULL. */
typedef void (*SearchDone)(const char *body, const char *more, RegistryCode code, void *data);

/* Takes what is in QUERY. AFTER: where the page before ended, or NULL. Calls DONE once, later. */
Search *search_new(Registry *registry, Devices *devices, const RegistryScope *scope, Query *query,
                   const char *after, guint page, SearchDone done, void *data);

/* DEVICES may go: DONE is called with REGISTRY_CLOSED. NULL is fine. */
void search_cancel(Search *search);

/* What x-ms-continuation said: "ID" or "ID/MODULE", of names that can be. */
gboolean search_after_is_valid(const char *after);
