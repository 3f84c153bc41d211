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
/* Of a change of the authority (succession.h): the next one, its certificate signed by the present
 * one, and the one before. The statements are what the hub tells its clients. */
#define STATE_CA_NEXT_CERT "ca-next.pem"
#define STATE_CA_NEXT_KEY "ca-next-key.pem"
#define STATE_CA_CROSS "ca-cross.pem"
#define STATE_CA_OLD_CERT "ca-old.pem"
#define STATE_CA_OLD_KEY "ca-old-key.pem"
#define STATE_CA_FINISHING "ca-finishing" /* exists while the next one takes the place */
#define STATE_STATEMENT_AUTHORITY "statement-authority"
#define STATE_STATEMENT_ADDRESS "statement-address"
/* A folder: hub/records/file.h says what is in it. */
#define STATE_RECORDS "records"
#define STATE_UNFINISHED "init-unfinished" /* exists while init makes the others */

/* Locks the state folder for this process until the descriptor is closed, however the process ends.
 * -1 and STREAMD_ERROR_EXISTS when another process has it. The folder may be read-only. */
int state_lock(const char *state_dir, GError **error);

/* When root runs this for a folder of another user, PATH is given to that user. */
gboolean state_give(const char *state_dir, const char *path, GError **error);

/* What the authority has left for the hub's clients in the file NAME; NULL: nothing, or the log
 * says why it cannot be read. Free with g_free. */
char *state_read_statement(const char *state_dir, const char *name);
