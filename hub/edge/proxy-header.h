/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proxy header: what a balancer sends before the bytes of its client, so that the hub knows who
 * connects (the PROXY protocol of HAProxy, version 1 in text and version 2 in binary). Pure; any
 * thread. */
#pragma once

#include <glib.h>

/* The longest one that is taken: version 2 with 520 bytes of addresses and TLVs. */
#define PROXY_HEADER_MAX 536
#define PROXY_HEADER_PEER 56 /* "[" an IPv6 address "]:65535" and a NUL */

typedef enum {
    PROXY_HEADER_MORE, /* a good beginning */
    PROXY_HEADER_OK,
    PROXY_HEADER_BAD,
} ProxyHeaderResult;

typedef struct {
    gsize len; /* of the header; what follows is the client's */
    /* The client, in the form of connection_peer. "": it is the balancer itself (LOCAL, UNKNOWN).
     */
    char peer[PROXY_HEADER_PEER];
} ProxyHeader;

/* LEN: of what has come, which may be more than the header. BAD: *ret_fault says what is wrong. An
 * IPv4 address that stands in an IPv6 one is the IPv4 address. TLVs are skipped. */
ProxyHeaderResult
proxy_header_parse(const guint8 *bytes, gsize len, ProxyHeader *ret_header, const char **ret_fault);
