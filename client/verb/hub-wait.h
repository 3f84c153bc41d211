/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waits for what a hub does shortly after it was told to. */
#pragma once

#include "client/bus/bus.h"

/* How long to wait to see whether a hub can be reached. */
#define HUB_WAIT_MOST (3 * G_TIME_SPAN_SECOND)

/* The hub's properties when FUNC is true of them, or the time is over. NULL: the hub is gone. */
GVariant *hub_wait(Bus *bus, const char *path, gboolean (*func)(GVariant *hub));

/* Whether the first attempt of a new hub is over. */
gboolean hub_is_tried(GVariant *hub);

/* Whether a hub that may have failed before is connected or refused. */
gboolean hub_is_decided(GVariant *hub);
