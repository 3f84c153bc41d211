/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inspection: all that is known of one stream at this moment, for whoever looks for what it waits
 * for. What its relay knows is asked of the relay's reactor (common/net/relay-state.h), which has
 * RELAY_ANSWER for it. Main thread, whose default main context runs. */
#pragma once

#include "common/base/report.h"
#include "daemon/stream/stream.h"

typedef struct Inspection Inspection;

/* Once, maybe from within inspection_new; INSPECTION is gone afterwards. */
typedef void (*Inspected)(const Inspection *inspection, void *data);

/* NULL when DONE was called already. The stream may go meanwhile. */
Inspection *inspection_new(Stream *stream, Inspected done, void *data);

/* DONE is not called any more. */
void inspection_cancel(Inspection *inspection);

/* Into an object that is begun. The two sides are "local" and "hub". */
void inspection_report(const Inspection *inspection, const Report *report);
