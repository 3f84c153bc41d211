/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bouncer: asks polkit whether a call may go on, without blocking.
 *
 * A call that needs an authorization is held, and polkit is asked. After the answer the same
 * message is put into the connection's queue again and is routed from the start: the caller is
 * checked again, objects are looked up again, and this time bouncer_check has the answer. An answer
 * belongs to one message and is used once.
 *
 * The subject is the caller's unique bus name, which is never given to another connection; never a
 * PID. Anything but a clear yes is a no, also when polkit is absent, slow, gone or broken. When a
 * caller leaves the bus, its questions are dropped. Main thread.
 *
 * polkit's interface: org.freedesktop.PolicyKit1.Authority, CheckAuthorization and
 * CancelCheckAuthorization. */
#pragma once

#include "daemon/bus/caller.h"

#define BOUNCER_TIMEOUT (60 * G_TIME_SPAN_SECOND) /* after this the answer is no */

/* Calls that may be held. */
#define BOUNCER_QUERIES_PER_CALLER 64
#define BOUNCER_QUERIES_PER_UID 256
#define BOUNCER_QUERIES_MAX 512

/* How many of them polkit is asked about at once; the others wait. The system bus lets a connection
 * wait for at most 128 replies (dbus-daemon(1), max_replies_per_connection), and one user must not
 * delay the others. */
#define BOUNCER_ASKED_PER_UID 32
#define BOUNCER_ASKED_MAX 96

typedef struct Bouncer Bouncer;

/* TIMEOUT in µs; 0: BOUNCER_TIMEOUT. */
Bouncer *bouncer_new(sd_bus *bus, gint64 timeout);

/* Cancels all questions; the calls get no answer. Before callers_free. NULL is fine. */
void bouncer_free(Bouncer *bouncer);

/* May CALLER go on with MESSAGE, which needs ACTION? DETAILS (names and values in turn, NULL at the
 * end) are for polkit's rules and dialogue. 0: yes. 1: the message is held. Negative errno with
 * ERROR set: no. Call it before any change of state. */
int bouncer_check(Bouncer *bouncer, Caller *caller, sd_bus_message *message, const char *action,
                  const char *const *details, sd_bus_error *error);

/* Whether MESSAGE was in bouncer_check before, and now comes back with its answer. */
gboolean bouncer_knows(const Bouncer *bouncer, sd_bus_message *message);

guint bouncer_queries(const Bouncer *bouncer); /* number of queries that are remembered */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bouncer, bouncer_free)
