/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accept address: the condition `address` of an accept rule: "192.0.2.7", "10.0.0.0/8",
 * "2001:db8::/32". An IPv4 address that stands in an IPv6 one (::ffff:192.0.2.7) counts as IPv4.
 * Pure. */
#pragma once

#include <glib.h>
#include <stdint.h>

#define ACCEPT_ADDRESS_MAX 64 /* bytes of a text; a longer one is none */

typedef struct {
    guint bits; /* 32 or 128; 0: nothing */
    guint prefix;
    uint8_t bytes[16];
} AcceptRange;

/* INVALID, with what is wrong. */
gboolean accept_range_parse(const char *text, AcceptRange *ret, GError **error);

/* ADDRESS as a hub tells it: with or without a port ("192.0.2.7:4711", "[2001:db8::1]:4711"). What
 * is no address is in no range. */
gboolean accept_range_has(const AcceptRange *range, const char *address);
