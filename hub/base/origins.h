/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Origins: from which web origins a browser, or a client that sends an Origin without being one,
 * may come (RFC 6454 section 7; requirements, class 14). SDKs send what they like there: the hub's
 * name with another scheme or port. A web page cannot choose it, so any origin whose host is the
 * hub is the hub's. Immutable; any thread. */
#pragma once

#include "common/base/slice.h"

#define ORIGINS_MAX 64 /* in a list */

typedef struct Origins Origins;

/* "https://portal.example, http://10.1.2.3:8080", with commas or blanks between them. */
gboolean origins_are_good(const char *text);

/* NAMES: host names and addresses of the hub; "*.example" stands for one label more. ALSO: one more
 * of them, or NULL. LISTED: of a good list, or NULL. */
Origins *origins_new(const char *const *names, const char *also, const char *listed);
Origins *origins_ref(Origins *origins); /* NULL is fine, here and below */
void origins_unref(Origins *origins);

/* ORIGIN as it stands in the header. */
gboolean origins_have(const Origins *origins, Slice origin);

/* The same without the hub's own names: for a connection that brings an identity of its own, as a
 * client certificate that the browser chose. */
gboolean origins_list(const Origins *origins, Slice origin);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Origins, origins_unref)
