/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Init: makes the state folder of a new hub: authority, server certificate, and a registry with the
 * usual policies. Main thread, before any loop runs; waits for the disk. */
#pragma once

#include "hub/base/state.h"

/* NAMES: the hub's host name and its other names (certificate.h). The policies are those of IoT Hub
 * (docs/wire-protocol.md, section 1.3) with random keys: iothubowner, service, device,
 * registryRead, registryReadWrite. STREAMD_ERROR_EXISTS when one of the files exists, or another
 * streamhub works in the folder. When root runs it for a folder of another user, that user gets all
 * files but the authority's key.
 *
 * All or nothing: after a failure the folder is as it was. An init that was killed leaves a mark;
 * the next init then removes what was made and begins again. */
gboolean init_run(const char *state_dir, const char *const *names, GError **error);

/* STREAMD_ERROR_INVALID when an init was killed and none has been run since. */
gboolean init_check_finished(const char *state_dir, GError **error);
