/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clients that run as other users: children of a test that runs as root. */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Users that need no entry in any user database. */
#define USER_A 4711
#define USER_B 4712
#define USER_DAEMON 4713

typedef enum {
    CLIENT_SERVED = 0, /* it got the byte 'y' */
    CLIENT_CUT = 1,    /* it connected, and got nothing */
    CLIENT_DENIED = 2, /* the mode of the file denied it */
    CLIENT_FAILED = 3,
    CLIENT_CLOSED = 4, /* it wrote a byte and closed */
} ClientEnd;

/* Whether clients of other users can be made: only as root. Otherwise the test is skipped, which
 * fails CI. */
gboolean user_can_change(void);

/* A child that runs as UID, connects to ADDRESS (tcp:127.0.0.1:PORT, tcp:[::1]:PORT, unix:PATH) and
 * waits for a byte. */
pid_t client_start(uid_t uid, const char *address);
/* The same, but it writes a byte and closes at once. */
pid_t client_start_closing(uid_t uid, const char *address);
gboolean client_poll(pid_t pid, ClientEnd *ret_end); /* FALSE: it still runs */

/* A socket connected to ADDRESS; asserts. */
int client_connect(const char *address);
