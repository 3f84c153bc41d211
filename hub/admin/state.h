/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* State folder: what a hub keeps, its names, and whose it is. Any thread. */
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
#define STATE_UNFINISHED "init-unfinished" /* there while init makes the others */

/* The state folder is this process's until the descriptor is closed, however the process ends. -1
 * and STREAMD_ERROR_EXISTS when it is another's. It may be read-only. */
int state_lock(const char *state_dir, GError **error);

/* Run by root for a folder that belongs to another user, PATH is given to that user. */
gboolean state_give(const char *state_dir, const char *path, GError **error);
