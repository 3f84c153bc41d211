/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resume: whether streams through a hub survive the loss of their connection, as a step of a
 * diagnosis. */
#pragma once

#include "client/doctor/check.h"

/* Adds it to CHECKS, by the properties of the hub and by what the stream that was opened has shown.
 * An older streamd tells nothing: then nothing is added. */
void doctor_append_resume(GPtrArray *checks, GVariant *hub);
