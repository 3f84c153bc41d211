/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/balancer.h"

#include "common/log/events.h"
#include "hub/edge/proxy-header.h"

#include <errno.h>

static void
balancer_tell(Connection *connection, const char *fault)
{
    event_log(EVENT_BALANCER_REFUSED,
              &(EventData){.peer = connection_peer(connection), .detail = fault});
}

void
balancer_tell_late(Connection *connection)
{
    balancer_tell(connection, "its PROXY protocol header did not come within 2 s");
}

static int
balancer_take(Connection *connection, Slot *slot, const ProxyHeader *header, gint64 now)
{
    guint8 skipped[PROXY_HEADER_MAX];

    if (connection_read(connection, skipped, header->len) != (ssize_t)header->len)
        return -EIO;
    if (*header->peer)
        connection_set_peer(connection, header->peer);
    return slot_name(slot, connection_fd(connection), connection_peer(connection), now,
                     g_random_int())
               ? 0
               : -EBUSY;
}

/* What has come is only looked at until the header is whole: the client's bytes behind it are for
 * TLS, which reads the socket itself. */
int
balancer_hear(Connection *connection, Slot *slot, gint64 now)
{
    guint8 bytes[PROXY_HEADER_MAX];
    ssize_t n = connection_peek(connection, bytes, sizeof bytes);
    const char *fault = NULL;
    ProxyHeader header;

    if (n <= 0) /* a balancer that looks whether the hub is there says nothing */
        return n == 0 ? -ESHUTDOWN : (int)n;
    switch (proxy_header_parse(bytes, (gsize)n, &header, &fault)) {
    case PROXY_HEADER_OK:
        return balancer_take(connection, slot, &header, now);
    case PROXY_HEADER_MORE:
        return connection_hung_up(connection) ? -ESHUTDOWN : -EAGAIN;
    case PROXY_HEADER_BAD:
        break;
    }
    balancer_tell(connection, fault);
    return -EPROTO;
}
