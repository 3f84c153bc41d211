/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Source: where a connection comes from, as the limits see it: an IPv4 address, or the first 64
 * bits of an IPv6 one. IPv6 sites own whole prefixes, so a source also counts for the /56 and the
 * /48 around it (requirement R4). An IPv4 address that stands in an IPv6 one (::ffff:192.0.2.7) is
 * the IPv4 address. Pure; any thread. */
#pragma once

#include <glib.h>

/* Comparable as bytes. All zero: no Internet address, one source for all of them. */
typedef struct {
    guint8 family; /* 4, 6 or 0 */
    guint8 bits;   /* of the prefix */
    guint8 prefix[8];
} Source;

/* The widths at which a source is counted: itself first. IPv4 has one. */
#define SOURCE_LEVELS 3

/* Of a PEER as connection_peer gives it: "192.0.2.7:5123", "[2001:db8::1]:5123", "unix". */
Source source_of_peer(const char *peer);

/* LEVEL 0: the source itself; then /56 and /48. */
Source source_at_level(const Source *source, guint level);
guint source_levels(const Source *source); /* how many it has: 1 or SOURCE_LEVELS */

/* The region that replaces it where there is no room for each source: IPv4 /16, IPv6 /32. */
Source source_region(const Source *source);

guint source_hash(gconstpointer source);
gboolean source_equal(gconstpointer a, gconstpointer b);
