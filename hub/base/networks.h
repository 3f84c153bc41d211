/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks: a list of IP addresses and networks, "192.0.2.7, 2001:db8::/32". An IPv4 address that
 * stands in an IPv6 one (::ffff:192.0.2.7) is the IPv4 address. It never changes; any thread. */
#pragma once

#include <glib.h>

#define NETWORKS_MAX 64

typedef struct Networks Networks;

gboolean networks_are_good(const char *text);

Networks *networks_new(const char *text);   /* of a good one; NULL: none */
Networks *networks_ref(Networks *networks); /* NULL is fine, here and below */
void networks_unref(Networks *networks);

/* PEER as connection_peer gives it: "192.0.2.7:5123", "[2001:db8::1]:5123". */
gboolean networks_have(const Networks *networks, const char *peer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Networks, networks_unref)
