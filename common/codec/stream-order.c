/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/stream-order.h"

#include <string.h>

static gboolean
seq_parse(const char *text, gsize len, guint64 *ret)
{
    guint64 seq = 0;

    if (len == 0 || len > 16 || text[0] == '0')
        return FALSE;
    for (gsize i = 0; i < len; i++) {
        if (!g_ascii_isdigit(text[i]))
            return FALSE;
        seq = seq * 10 + (guint64)(text[i] - '0');
    }
    *ret = seq;
    return seq <= STREAM_ORDER_SEQ_MAX;
}

gboolean
stream_order_parse(const char *text, gsize len, StreamOrder *ret)
{
    const char *dot = len > 0 ? memchr(text, '.', len) : NULL;
    gsize tunnel = dot ? (gsize)(dot - text) : 0;
    guint64 seq;

    if (tunnel == 0 || tunnel > STREAM_ORDER_TUNNEL_MAX ||
        !seq_parse(dot + 1, len - tunnel - 1, &seq))
        return FALSE;
    for (gsize i = 0; i < tunnel; i++)
        if (!g_ascii_isalnum(text[i]))
            return FALSE;
    *ret = (StreamOrder){.seq = seq};
    memcpy(ret->tunnel, text, tunnel);
    return TRUE;
}

char *
stream_order_format(const StreamOrder *order)
{
    return g_strdup_printf("%s.%" G_GUINT64_FORMAT, order->tunnel, order->seq);
}
