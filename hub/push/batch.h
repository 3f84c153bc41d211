/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Batch: records that go out in one request, and the place behind each. Pure; one thread. */
#pragma once

#include "hub/push/position.h"

#define BATCH_RECORDS 500
#define BATCH_BYTES ((gsize)1024 * 1024)

typedef struct Batch Batch;

Batch *batch_new(void);
void batch_free(Batch *batch); /* NULL is fine */

/* Adds a line, which is without its line end. */
void batch_add(Batch *batch, const char *line, gsize len, const Place *place);

guint batch_count(const Batch *batch);
gboolean batch_is_full(const Batch *batch); /* nothing more may be added */

/* How many of its records may go out at once, of at most MOST (1 at least): within both bounds. */
guint batch_share(const Batch *batch, guint most);

/* The first COUNT records, as lines; and the place behind them. */
GBytes *batch_text(const Batch *batch, guint count);
const Place *batch_place(const Batch *batch, guint count);

/* Takes the first COUNT away. */
void batch_drop(Batch *batch, guint count);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Batch, batch_free)
