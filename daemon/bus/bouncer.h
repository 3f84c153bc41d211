/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bouncer: asks polkit whether a call may go on, without waiting for it.
 *
 * A call that needs an authorization is held, and polkit is asked. After the answer the same
 * message is put into the connection's queue again and goes through all routing from the start: the
 * caller is checked again, objects are looked up again, and this time bouncer_check has the answer.
 * An answer belongs to one message and is used up by one check.
 *
 * The subject is the caller's unique bus name, which is never given to anybody else; never a PID.
 * Everything but a clear yes is a no: when polkit is absent, slow, gone or broken, too. When a
 * caller leaves the bus, its questions are dropped. Main thread.
 *
 * polkit's interface: org.freedesktop.PolicyKit1.Authority, CheckAuthorization and
 * CancelCheckAuthorization. */
#pragma once

#include "daemon/bus/caller.h"

#define BOUNCER_TIMEOUT (60 * G_TIME_SPAN_SECOND) /* then it is a no */

/* Calls that are taken. */
#define BOUNCER_QUERIES_PER_CALLER 64
#define BOUNCER_QUERIES_PER_UID 256
#define BOUNCER_QUERIES_MAX 512

/* Of those, what polkit is asked about at once; the others wait for their turn. The system bus lets
 * nobody wait for more than 128 replies (dbus-daemon(1), max_replies_per_connection), and one user
 * cannot keep the others waiting. */
#define BOUNCER_ASKED_PER_UID 32
#define BOUNCER_ASKED_MAX 96

typedef struct Bouncer Bouncer;

/* TIMEOUT in µs; 0: BOUNCER_TIMEOUT. */
Bouncer *bouncer_new(sd_bus *bus, gint64 timeout);

/* Cancels what is asked; the calls are not answered. Before callers_free. NULL is fine. */
void bouncer_free(Bouncer *bouncer);

/* May CALLER go on with MESSAGE, which needs ACTION? DETAILS (names and values by turns, NULL at
 * the end) are for polkit's rules and for its dialogue. 0: yes. 1: the message is taken. Negative
 * errno with ERROR set: no. Before any change of state. */
int bouncer_check(Bouncer *bouncer, Caller *caller, sd_bus_message *message, const char *action,
                  const char *const *details, sd_bus_error *error);

/* Whether MESSAGE has been with bouncer_check before: it comes again with its answer. */
gboolean bouncer_knows(const Bouncer *bouncer, sd_bus_message *message);

guint bouncer_queries(const Bouncer *bouncer); /* not yet forgotten */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bouncer, bouncer_free)
