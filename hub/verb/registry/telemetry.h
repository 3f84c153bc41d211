/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much telemetry of a device the hub has acknowledged and dropped, as a row for people. */
#pragma once

#include "common/base/table.h"

#include <json-glib/json-glib.h>

/* DEVICE: the hub's answer about it. No row when it never sent any. */
void telemetry_print(Table *table, JsonNode *device);
