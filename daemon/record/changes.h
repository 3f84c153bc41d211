/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes: the records of who changed what, in order. Each waits until the user's name is known,
 * CHANGES_WAIT at most, and is written then; so the log has the name without the main thread ever
 * waiting for it. Main thread. */
#pragma once

#include "common/log/events.h"
#include "daemon/record/author.h"

#define CHANGES_WAIT G_TIME_SPAN_SECOND
#define CHANGES_MAX 256 /* that wait; beyond it the oldest is written without a name */

typedef struct Changes Changes;

Changes *changes_new(void);
/* Writes what waits. NULL is fine. */
void changes_free(Changes *changes);

/* Copies what the event has of DATA, beside the author's. AUTHOR NULL: nobody is known, and it is
 * written at once. */
void changes_add(Changes *changes, EventKind kind, const Author *author, const EventData *data);

/* The name of a user is about to be needed. */
void changes_expect(Changes *changes, guint32 uid);

guint changes_waiting(const Changes *changes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Changes, changes_free)
