/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Telemetry: what becomes of the messages that a device sends to nobody in particular (requirement
 * R16). The setting `telemetry` says it: `drop` counts them for the device (sightings.h), tells the
 * log once a day for each device that sends any, and forgets them; `refuse` ends the connection.
 *
 * For the log TELEMETRY_TOLD_MAX devices are remembered; beyond them, the one that sent something
 * longest ago may be told of twice in a day. Main thread. */
#pragma once

#include "hub/base/settings.h"
#include "hub/device/sightings.h"

#define TELEMETRY_TOLD_MAX 16384
#define TELEMETRY_TELL G_TIME_SPAN_DAY

typedef struct Telemetry Telemetry;

/* Kept by reference. */
Telemetry *telemetry_new(const Settings *settings, Sightings *sightings);
void telemetry_free(Telemetry *telemetry);

/* A message of LEN bytes of payload. NULL: it is to be acknowledged; otherwise why its connection
 * ends. NOW: monotonic µs. */
const char *telemetry_take(Telemetry *telemetry, const char *client_id, gsize len, gint64 now);

guint telemetry_known(const Telemetry *telemetry); /* devices that are remembered: for tests */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Telemetry, telemetry_free)
