/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stream hosts: where a hub may send the legs of its streams (docs/wire-protocol.md, section 4).
 *
 * A hub names the place in a url, and a compromised hub could name places in this machine's
 * network. So a url is accepted only when its host is
 *   - the host that the connection string names, or its GatewayHostName: what the owner wrote;
 *   - a name that differs from the HostName in the first label alone, with two labels or more left;
 *   - for a hub `*.azure-devices.net`, `*.streams.azure-devices.net`, as Azure spells it;
 *   - or what a glob of the owner's (`StreamHosts=`) matches,
 * and its port is the hub's own or 443, or the one that stands behind that glob. Names are compared
 * without case and without the dot at the end, addresses by their value. A number that some
 * resolvers take for an address (`10.1`, `0x7f.1`) is no name and is always refused.
 *
 * Immutable once made, and pure. Main thread, for the references. */
#pragma once

#include "common/codec/connection-string.h"

#define STREAM_HOSTS_TEXT_MAX 2048
#define STREAM_HOSTS_GLOBS_MAX 32

typedef struct StreamHosts StreamHosts;

/* "GLOB", "GLOB:PORT", "[ADDRESS]:PORT". INVALID: a character that no host has, a port that is
 * none, too many, too long. NULL is an empty list. */
gboolean stream_hosts_check(const char *globs, GError **error);

/* GLOBS: separated by blanks or commas, and good; or NULL. */
StreamHosts *stream_hosts_new(const ConnectionString *hub, const char *globs);
StreamHosts *stream_hosts_ref(StreamHosts *hosts);
void stream_hosts_unref(StreamHosts *hosts); /* NULL is fine */

/* HOST: without brackets. */
gboolean stream_hosts_allow(const StreamHosts *hosts, const char *host, guint16 port);

/* An error text for the owner about a host that is not allowed. It must never be sent to the hub.
 */
char *stream_hosts_refusal(const char *host, guint16 port);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StreamHosts, stream_hosts_unref)
