/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/stream/figures.h"

#include "daemon/stream/struct.h"

static void
figures_add(StreamFigures *figures, const Stream *stream)
{
    figures->begun[stream->role]++;
    figures->opened[stream->role] += stream->opened_at > 0;
    figures->bytes_in += stream_bytes_in(stream);
    figures->bytes_out += stream_bytes_out(stream);
}

void
stream_figures_end(StreamFigures *figures, const Stream *stream)
{
    figures_add(figures, stream);
    figures->ended[stream->role][stream->reason]++;
}

void
stream_table_measure(StreamTable *table, StreamFigures *ret)
{
    GHashTableIter iter;
    gpointer value;

    *ret = table->ended;
    g_hash_table_iter_init(&iter, table->streams);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Stream *stream = value;

        if (stream_has_ended(stream))
            continue;
        figures_add(ret, stream);
        ret->now[stream->role][stream->state]++;
    }
}
