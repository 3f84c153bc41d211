/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Init: makes the state folder of a new hub: authority, server certificate, registry with the usual
 * policies. Main thread, before any loop runs; waits for the disk. */
#pragma once

#include "hub/admin/state.h"

/* NAMES: the hub's host name and what else it is called (certificate.h). Policies as IoT Hub's
 * (docs/wire-protocol.md, section 1.3) with random keys: iothubowner, service, device,
 * registryRead, registryReadWrite. STREAMD_ERROR_EXISTS when one of the files is there, or another
 * streamhub is at work in the folder. Run by root for a folder that belongs to another user, all
 * files but the authority's key are given to that user.
 *
 * All or nothing: on a failure the folder is left as it was, and of an init that was killed a mark
 * is left, by which the next one removes what it made and begins again. */
gboolean init_run(const char *state_dir, const char *const *names, GError **error);

/* STREAMD_ERROR_INVALID where an init was killed and none was run since. */
gboolean init_check_finished(const char *state_dir, GError **error);
