/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stream order: the position of a stream among the streams of one tunnel, `TUNNEL.SEQ`
 * (docs/wire-protocol.md, section 8). Pure; any thread. */
#pragma once

#include <glib.h>

#define STREAM_ORDER_TUNNEL_MAX 32
#define STREAM_ORDER_SEQ_MAX G_GUINT64_CONSTANT(9007199254740991)
#define STREAM_ORDER_MAX (STREAM_ORDER_TUNNEL_MAX + 1 + 16)

typedef struct {
    char tunnel[STREAM_ORDER_TUNNEL_MAX +
                1]; /* 1 to 32 letters and digits, which the tunnel chooses */
    guint64 seq;    /* from 1 */
} StreamOrder;

/* FALSE: the text is not valid, and *RET does not change. Each order has only one text. */
gboolean stream_order_parse(const char *text, gsize len, StreamOrder *ret);

/* Caller frees. */
char *stream_order_format(const StreamOrder *order);
