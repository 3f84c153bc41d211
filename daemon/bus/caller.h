/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Callers: the callers by unique bus name, from their first message until they leave the bus.
 *
 * A filter that runs before all objects. The first call of a name is held while the bus is asked,
 * asynchronously, for its UID and groups. Then the same message is routed again from the start.
 * After that ADMIT admits or refuses every call. What a caller says about itself is never used.
 * Main thread. */
#pragma once

#include "common/bus/util.h"

/* Names known at once. Each has a match, and the system bus closes a connection that wants more
 * than 512 of them (dbus-daemon(1), max_match_rules_per_connection). */
#define CALLERS_MAX 512
#define CALLERS_PER_UID 64    /* names of one user; no limit for root and streamd itself */
#define CALLER_HELD_MAX 64    /* calls of one name held for its UID */
#define CALLER_GROUPS_MAX 256 /* groups of one name that are used */

typedef struct Callers Callers;
typedef struct Caller Caller;
typedef struct CallerWatch CallerWatch;

/* 0: go on to the object. Positive: the message is held, and will be queued again or answered.
 * Negative errno, or ERROR set: refused. */
typedef int (*CallerAdmit)(Caller *caller, sd_bus_message *message, void *data,
                           sd_bus_error *error);

/* Adds the filter. */
Callers *callers_new(sd_bus *bus, CallerAdmit admit, void *data);

/* Remaining watches are not called. NULL is fine. */
void callers_free(Callers *callers);

/* The sender of MESSAGE; never NULL for a message that an object handles. Valid until control
 * returns to the main loop. */
Caller *callers_find(Callers *callers, sd_bus_message *message);
const char *caller_name(const Caller *caller); /* its unique name */
uid_t caller_uid(const Caller *caller);
guint64 caller_pid(const Caller *caller); /* as the bus said it first; 0: it did not */
gboolean caller_in_group(const Caller *caller, gid_t group); /* when it connected to the bus */

/* GONE is called once when the name leaves the bus; the watch is freed after it. */
CallerWatch *caller_watch(Caller *caller, void (*gone)(void *data), void *data);
void caller_unwatch(CallerWatch *watch); /* NULL is fine */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Callers, callers_free)
