/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Init: makes the state folder of a new hub: authority, server certificate, registry with the usual
 * policies. Main thread, before any loop runs; waits for the disk. */
#pragma once

#include <glib.h>

/* Where the service has it (StateDirectory=). */
#define STATE_DIR_DEFAULT "/var/lib/streamhub"

/* Files in the state folder. */
#define STATE_CA_CERT "ca.pem"
#define STATE_CA_KEY "ca-key.pem"
#define STATE_SERVER_CERT "server.pem"
#define STATE_SERVER_KEY "server-key.pem"
#define STATE_REGISTRY "registry.sqlite"
#define STATE_ADMIN_SOCKET "admin.sock"

/* NAMES: the hub's host name and what else it is called (certificate.h). Policies as IoT Hub's
 * (docs/wire-protocol.md, section 1.3) with random keys: iothubowner, service, device,
 * registryRead, registryReadWrite. STREAMD_ERROR_EXISTS when one of the files is there; on any
 * failure the folder is left as it was. Run by root for a folder that belongs to another user, all
 * files but the authority's key are given to that user. */
gboolean init_run(const char *state_dir, const char *const *names, GError **error);
