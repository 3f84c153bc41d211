/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* State folder: the files that a hub keeps, their names, and their owner. Any thread. */
#pragma once

#include <glib.h>

/* The service's state folder (StateDirectory=). */
#define STATE_DIR_DEFAULT "/var/lib/streamhub"

/* Files in the state folder. */
#define STATE_CA_CERT "ca.pem"
#define STATE_CA_KEY "ca-key.pem"
#define STATE_SERVER_CERT "server.pem"
#define STATE_SERVER_KEY "server-key.pem"
#define STATE_REGISTRY "registry.sqlite"
#define STATE_ADMIN_SOCKET "admin.sock"
#define STATE_UNFINISHED "init-unfinished" /* exists while init makes the others */

/* Locks the state folder for this process until the descriptor is closed, however the process ends.
 * -1 and STREAMD_ERROR_EXISTS when another process has it. The folder may be read-only. */
int state_lock(const char *state_dir, GError **error);

/* When root runs this for a folder of another user, PATH is given to that user. */
gboolean state_give(const char *state_dir, const char *path, GError **error);
