/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams that survive their legs, over a restart of this program: how one is left to the next
 * process, and how it goes on there, suspended until it has a leg again. Main thread. */
#pragma once

#include "common/resume/stored.h"
#include "daemon/stream/private.h"

/* It survives its legs, and is not about to end. */
gboolean stream_may_be_left(const Stream *stream);

/* LEFT: nothing is read or written any more, the leg is gone, and the stream is nobody's until it
 * is restored: closing and freeing it here tells nobody. Otherwise it ends as ever, with
 * REASON_STOPPING. */
typedef void (*StreamFrozen)(Stream *stream, gboolean left, void *data);

/* FROZEN is called once, later. */
void stream_freeze(Stream *stream, StreamFrozen frozen, void *data);

/* Of one that was left: why somebody has closed it meanwhile; NONE: nobody has. */
Reason stream_left_closed(const Stream *stream);
/* One that was left ends here for REASON after all: its local socket is reset, and whoever is told
 * of ends is told. What stream_save has given must not be used any more. */
void stream_left_cut(Stream *stream, Reason reason);

/* Of one that was left: its local socket, and what is needed to go on. TO refers to the stream. */
int stream_left_fd(const Stream *stream);
void stream_save(const Stream *stream, StoredStream *to);

/* The stream of a former process, suspended, as it was there: it is under no limit that was made
 * since. FD is taken. TAKEN: an app of its owner has it. NULL: FROM contradicts itself, or there is
 * a stream of this id. */
Stream *stream_restore(StreamTable *table, const StoredStream *from, int fd, gboolean taken);
