/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Store writer: saves states on a thread of its own, one at a time, so that a disk which takes its
 * time holds up nothing else. All calls and the completion: the main thread, whose default main
 * context has to run. */
#pragma once

#include "daemon/config/store.h"

typedef struct StoreWriter StoreWriter;

/* ERROR NULL: the state is on the disk. Otherwise the files say what they said before. */
typedef void (*StoreWritten)(const GError *error, void *data);

/* Takes STORE, which has loaded, in any case. Errors: LIMIT, there cannot be a thread. */
StoreWriter *store_writer_new(Store *store, StoreWritten written, void *data, GError **error);

/* Takes STATE. Not while one is being written. WRITTEN is called once for it, never from inside. */
void store_writer_write(StoreWriter *writer, StoreState *state);
gboolean store_writer_is_busy(const StoreWriter *writer);

/* Waits until what is being written is written, at most so many µs, and calls WRITTEN then. FALSE:
 * it still is being written. */
gboolean store_writer_wait(StoreWriter *writer, gint64 timeout);

/* A write that is under way goes on and nobody hears of it: its thread and its store are left to
 * the end of the process. NULL is fine. */
void store_writer_free(StoreWriter *writer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreWriter, store_writer_free)
