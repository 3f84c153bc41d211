/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cure: what to do about a refusal, for the log (hub/edge/refusal-log.h). Pure; any thread. */
#pragma once

#include <glib.h>

/* For the reason that was given, which begins with a text of the table; of the first that fits.
 * Never NULL: where nothing is known, a page that helps. */
const char *cure_of(const char *why);
