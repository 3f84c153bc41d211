/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reports (common/base/report.h) as D-Bus values: an object is an a{sv}, a number a t. Main thread.
 */
#pragma once

#include "common/base/report.h"

#include <systemd/sd-bus.h>

typedef struct {
    sd_bus_message *message;
    int r; /* of what was appended last; negative: it stays so */
} BusReport;

/* What is reported becomes entries of the a{sv} that OUT's message is in. OUT stays where it is. */
Report bus_report(BusReport *out);
