/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the log and the records say about streams. Main thread; for hub/stream/streams.c. */
#pragma once

#include "hub/stream/stream.h"

/* Why it ended: for the device's answer, if that was the cause. */
Reason stream_end_reason(const HubStream *stream);

void stream_tell_asked(const HubStream *stream);

/* STREAM was in BEFORE, and is now in another state, or its bridge has ended. */
void stream_tell(HubStream *stream, HubStreamState before);

/* Its end, if it was open and that has not been told: once its bridge has ended, or there is no
 * time for that. */
void stream_tell_end(HubStream *stream);
