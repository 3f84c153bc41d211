/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Store writer: saves states on its own thread, one at a time, so that a slow disk delays nothing
 * else. All calls and the completion: the main thread. Its default main context has to run. */
#pragma once

#include "daemon/config/store.h"

typedef struct StoreWriter StoreWriter;

/* ERROR NULL: the state is on the disk. Otherwise the files have not changed. */
typedef void (*StoreWritten)(const GError *error, void *data);

/* Takes STORE, which has loaded, even on failure. Errors: LIMIT, the thread cannot be created. */
StoreWriter *store_writer_new(Store *store, StoreWritten written, void *data, GError **error);

/* Takes STATE. Not while another one is being written. WRITTEN is called once for it, never from
 * inside this call. */
void store_writer_write(StoreWriter *writer, StoreState *state);
gboolean store_writer_is_busy(const StoreWriter *writer);

/* Waits until the write that is under way has ended, at most TIMEOUT µs, and then calls WRITTEN.
 * FALSE: it has not ended. */
gboolean store_writer_wait(StoreWriter *writer, gint64 timeout);

/* A write that is under way goes on, but nobody is told: its thread and store stay until the end of
 * the process. NULL is fine. */
void store_writer_free(StoreWriter *writer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreWriter, store_writer_free)
