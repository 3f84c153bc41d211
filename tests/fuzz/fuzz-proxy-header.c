/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a balancer sends first, cut at every place: a header is taken once it is whole and not
 * before, it is never longer than it may be, and who it names is somebody whom the limits know. */
#include "hub/edge/proxy-header.h"
#include "hub/edge/source.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require_more_or_bad(const uint8_t *data, size_t cut, ProxyHeaderResult whole)
{
    g_autofree guint8 *part = g_memdup2(data, cut);
    const char *fault = NULL;
    ProxyHeader header;
    ProxyHeaderResult result = proxy_header_parse(part, cut, &header, &fault);

    g_assert_cmpint(result, !=, PROXY_HEADER_OK);
    if (whole == PROXY_HEADER_OK)
        g_assert_cmpint(result, ==, PROXY_HEADER_MORE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *fault = NULL;
    ProxyHeader header = {0};
    ProxyHeaderResult result = proxy_header_parse(data, size, &header, &fault);

    if (result == PROXY_HEADER_MORE) {
        g_assert_cmpuint(size, <, PROXY_HEADER_MAX);
        return 0;
    }
    g_assert_true((fault != NULL) == (result == PROXY_HEADER_BAD));
    if (result == PROXY_HEADER_BAD)
        return 0;
    g_assert_cmpuint(header.len, <=, MIN(size, (size_t)PROXY_HEADER_MAX));
    for (size_t cut = 0; cut < header.len; cut++)
        require_more_or_bad(data, cut, result);
    if (*header.peer) {
        Source source = source_of_peer(header.peer);

        g_assert_cmpuint(source.family, !=, 0);
        /* No IPv4 address in the form of an IPv6 one. */
        g_assert_true(!g_str_has_prefix(header.peer, "[::ffff:") || !strchr(header.peer, '.'));
    }
    return 0;
}
