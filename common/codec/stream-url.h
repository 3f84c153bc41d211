/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The url of a streaming endpoint, `wss://host[:port]/path[?query]` (docs/wire-protocol.md,
 * sections 1.5 f, 3 and 4). Pure; any thread. */
#pragma once

#include "common/base/slice.h"

#define STREAM_URL_MAX 2048
#define STREAM_URL_PORT 443 /* of wss, when the url has no port */

/* Buffers of the C device's sample (section 1.5 g): host < 1024, path < 1023. */
#define STREAM_URL_HOST_MAX 253
#define STREAM_URL_PATH_MAX 1022

/* Slices of the url. */
typedef struct {
    Slice host; /* a name, IPv4, or IPv6 without its brackets; never empty */
    guint16 port;
    gboolean has_port; /* the url names its port */
    gboolean is_ipv6;
    Slice target; /* path and query, as in a request line; "/" when there is no path */
} StreamUrl;

/* Reads a url from a hub. The scheme may be in either case; no user name, no fragment, only visible
 * ASCII. FALSE for anything else, also for `ws://`: a stream is never opened unencrypted. */
G_GNUC_WARN_UNUSED_RESULT
gboolean stream_url_parse(Slice url, StreamUrl *ret);

/* Whether every known client can use it (section 1.5 f and g): scheme in lower case, a host name or
 * IPv4, an explicit port, a path other than "/", no query; sizes fit the sample's buffers. */
gboolean stream_url_suits_clients(Slice url);
