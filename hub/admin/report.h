/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reports (common/base/report.h) as JSON: "gives-up-in" is "gives_up_in". Main thread. */
#pragma once

#include "common/base/report.h"

#include <json-glib/json-glib.h>

/* What is reported becomes members of the object that BUILDER is in. */
Report admin_report(JsonBuilder *builder);
