/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Survival: what is said of streams that survive the loss of their connection. All texts are
 * translated, and the caller frees them. */
#pragma once

#include <glib.h>

/* Of a stream's properties: "open", "closed: device-closed", "suspended 12 s". */
char *show_stream_state(GVariant *stream);

/* How many of STREAMS (BusObjects) are suspended, of those of the tunnel with this number. */
guint show_count_suspended(GPtrArray *streams, guint64 tunnel);

/* "3", or "3 (1 suspended)". */
char *show_with_suspended(guint64 streams, guint64 suspended);

/* Of a rule that says for how long its streams may be suspended: "suspended 5min", "never
 * suspended"; "" of one that does not. */
char *show_rule_resume(GVariant *rule);
