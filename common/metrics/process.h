/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Process metrics: processor time, memory, descriptors and the start of this process, under the
 * names that Prometheus' own client libraries use, with the program's name before them: where
 * node_exporter shows them for us, the bare names are its own. Any thread. */
#pragma once

#include <glib.h>

/* PROGRAM: "streamhub"; STARTED: µs since the epoch. */
void metrics_process(GString *out, const char *program, gint64 started);
