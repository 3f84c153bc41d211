/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Target: a named local address that streams may be connected to.
 *
 * `tcp:HOST:PORT` (names are resolved at each connect; IPv6 as `tcp:[::1]:22`) or `unix:PATH`. Only
 * this side decides addresses; the hub can only name a stream. Main thread. */
#pragma once

#include "daemon/policy/limits.h"

#include <gio/gio.h>

typedef struct Target Target;

#define TARGET_NAME_MAX 128
#define TARGET_ADDRESS_MAX 512
#define TARGET_WAITING_MAX 8 /* connections that wait for their leg; further streams queue */
#define TARGET_CONNECT_TIMEOUT (5 * G_TIME_SPAN_SECOND)

typedef struct {
    const char *name, *address;
    const char *source; /* "FILE:LINE" of the configuration; NULL: D-Bus */
    Limits limits;
} TargetSettings;

const char *target_name(const Target *target);
const char *target_address(const Target *target);  /* as it was given */
guint target_active(const Target *target);         /* streams connected to it now */
guint target_waiting(const Target *target);        /* connected or connecting, not paired yet */
const Limits *target_limits(const Target *target); /* of its streams */
const char *target_source(const Target *target); /* "FILE:LINE" of the configuration; NULL: D-Bus */

/* STREAMD_ERROR_INVALID with what is wrong and what is right. */
gboolean target_check_name(const char *name, GError **error);
gboolean target_check_address(const char *address, GError **error);
