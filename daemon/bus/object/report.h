/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reports (common/base/report.h) as D-Bus values: an object becomes an a{sv}, a number a t. Main
 * thread. */
#pragma once

#include "common/base/report.h"

#include <systemd/sd-bus.h>

typedef struct {
    sd_bus_message *message;
    int r; /* of the last append; stays negative after a failure */
} BusReport;

/* What is reported becomes entries of the open a{sv} of OUT's message. OUT must not move. */
Report bus_report(BusReport *out);
