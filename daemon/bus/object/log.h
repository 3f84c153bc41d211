/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.freedesktop.LogControl1 (org.freedesktop.LogControl1(5)), where systemd's clients expect it:
 * `systemctl service-log-level streamd debug`. For root and our own user. LogTarget cannot be set:
 * it depends on where standard error goes. Main thread. */
#pragma once

#include "common/log/journal.h"
#include "daemon/bus/context.h"

typedef struct BusLog BusLog;

/* Kept by reference: SERVER, which outlives it, and JOURNAL. */
BusLog *bus_log_new(BusContext *context, Journal *journal);
void bus_log_free(BusLog *log); /* NULL is fine */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BusLog, bus_log_free)
