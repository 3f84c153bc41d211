/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Address: what others call the hub, as NAME or NAME:PORT. NAME is a host name or an IPv4 address,
 * because it is put in URLs (docs/wire-protocol.md, section 1.5 f). Pure; any thread. */
#pragma once

#include <glib.h>

gboolean address_is_good(const char *text);

/* Of a good one. The caller frees them. */
char *address_host(const char *text);                    /* in lower case */
char *address_with_port(const char *text, guint16 port); /* PORT where it names none */
guint16 address_port(const char *text, guint16 port);    /* the same */

/* "127.0.0.1:9464", "[::1]:9464"; port 0 means any. */
gboolean address_can_listen(const char *text);

/* Of an address to listen on. "[::]:443" takes IPv4 as well, but not when one of OTHERS (may be
 * NULL) is an IPv4 address with the same port: the two would conflict. */
gboolean address_is_six_only(const char *address, const char *const *others);
