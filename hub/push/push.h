/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Push: sends the hub's records to a receiver over HTTP, in their order: at least once each, and a
 * start of it repeats one batch at most. It holds one batch, whatever waits in the files. Main
 * thread. */
#pragma once

#include "hub/base/settings.h"

#define PUSH_LINGER (2 * G_TIME_SPAN_SECOND) /* how long a record waits for others */

/* SETTINGS has records-push-url. RECORDS: the folder of the records; OWN: that of the position.
 * Returns after SIGTERM or SIGINT: TRUE; or FALSE with ERROR set: it cannot begin. */
gboolean push_run(const Settings *settings, const char *records, const char *own, GError **error);
