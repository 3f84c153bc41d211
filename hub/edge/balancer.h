/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Balancer: the beginning of a connection that comes through one, up to its client's first byte. On
 * the connection's reactor. */
#pragma once

#include "common/net/connection.h"
#include "hub/edge/admission.h"

/* From accept until the whole header must have come. */
#define BALANCER_TIME (2 * G_TIME_SPAN_SECOND)

/* Reads the proxy header, and not a byte more. 0: CONNECTION has the peer that it names, and SLOT
 * counts for that one. -EAGAIN: the rest has not come yet. Other: close it; the log knows why. */
int balancer_hear(Connection *connection, Slot *slot, gint64 now);

/* The time is over. */
void balancer_tell_late(Connection *connection);
