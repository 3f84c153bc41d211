/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel says of a socket: how much lies in it, and whether its peer takes it. Any thread
 * that has the descriptor. */
#pragma once

#include "common/base/report.h"

typedef struct {
    guint64 unread;  /* bytes that came and that we have not read */
    guint64 unsent;  /* written by us, and not sent: the peer has no room, or the path is slow */
    guint64 unacked; /* sent, and not acknowledged; of a Unix socket: not read by the peer */
    gboolean is_tcp; /* the rest is known */
    guint32 window;  /* bytes that the peer has room for; 0 also of a kernel that does not say */
    guint32 rtt;     /* µs */
    guint32 retransmits; /* of the same segment, in a row */
    guint32 probes;      /* of a closed window, not answered */
} SocketState;

void socket_state_look(int fd, SocketState *ret);

/* Into an object that is begun. */
void socket_state_report(const SocketState *state, const Report *report);
