/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UnitJob: what the service manager is doing with the unit of this process. A SIGTERM does not say
 * whether the process is to come back; the type of the job does. On the thread of the bus's loop.
 */
#pragma once

#include <glib.h>
#include <systemd/sd-bus.h>

typedef enum {
    UNIT_JOB_UNKNOWN, /* there is no service manager, it did not answer in time, or with an error */
    UNIT_JOB_NONE,    /* the signal was not the manager's doing */
    UNIT_JOB_STOP,
    UNIT_JOB_OTHER, /* a restart, of whatever kind */
} UnitJobKind;

/* STORE: how many descriptors the manager keeps for the unit over a restart, as it is set now:
 * what this process was told when it was started may be older. For NONE and OTHER. */
#define UNIT_JOB_STORE_UNKNOWN G_MAXUINT32
typedef struct UnitJob UnitJob;
typedef void (*UnitJobTold)(UnitJobKind kind, guint store, void *data);

/* Asks over BUS, which is open: a fresh connection takes its time, and hangs when the manager waits
 * for us. TOLD is called once, from its loop, after LIMIT µs at the latest; not after
 * unit_job_free, which may be called in it. NULL: nothing could be asked. */
UnitJob *unit_job_ask(sd_bus *bus, gint64 limit, UnitJobTold told, void *data);
void unit_job_free(UnitJob *job); /* NULL is fine */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(UnitJob, unit_job_free)
