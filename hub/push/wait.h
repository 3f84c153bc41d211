/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Wait: for a time, for records, for the end of the service: whatever comes first. Tells the
 * service manager that it lives while the main context runs. Main thread. */
#pragma once

#include <glib.h>

typedef struct Waiter Waiter;

/* STOP is called once, when SIGTERM or SIGINT comes. */
Waiter *waiter_new(const char *records, void (*stop)(void *data), void *data);
void waiter_free(Waiter *waiter); /* NULL is fine */

/* Tells the service manager that the service has begun. */
void waiter_ready(Waiter *waiter);

/* Tells it what the service does now: one line. */
void waiter_tell(const Waiter *waiter, const char *status);

/* At most so many µs. TO_RECORDS: no longer than until something is written to the folder. */
void waiter_wait(Waiter *waiter, gint64 usec, gboolean to_records);

gboolean waiter_is_stopping(const Waiter *waiter);
