/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reports (common/base/report.h) as JSON: "gives-up-in" becomes "gives_up_in". Main thread. */
#pragma once

#include "common/base/report.h"

#include <json-glib/json-glib.h>

/* Adds what is reported to the object that BUILDER has open. */
Report admin_report(JsonBuilder *builder);
