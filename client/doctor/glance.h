/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Glance: what a user finds out about a hub who may not have it diagnosed: what everybody may read,
 * and what the user's own rights reach. Blocks. */
#pragma once

#include "client/bus/bus.h"

/* The steps of a diagnosis of HUB, its properties, as DoctorCheck; those that the user may not see
 * are skipped as "not-allowed". In the service role, DEVICE and STREAM (both may be NULL) are
 * treated as by Hub.Diagnose, with the user's own rights. Nobody is asked for a password. */
GPtrArray *doctor_glance(Bus *bus, GVariant *hub, const char *device, const char *stream);
