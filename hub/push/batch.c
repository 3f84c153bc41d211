/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/push/batch.h"

typedef struct {
    gsize end; /* in the text */
    Place place;
} Entry;

struct Batch {
    GString *text;
    GArray *entries;
};

Batch *
batch_new(void)
{
    Batch *batch = g_new0(Batch, 1);

    batch->text = g_string_new(NULL);
    batch->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    return batch;
}

void
batch_free(Batch *batch)
{
    if (!batch)
        return;
    g_string_free(batch->text, TRUE);
    g_array_unref(batch->entries);
    g_free(batch);
}

static const Entry *
entry(const Batch *batch, guint count)
{
    return &g_array_index(batch->entries, Entry, count - 1);
}

void
batch_add(Batch *batch, const char *line, gsize len, const Place *place)
{
    g_string_append_len(batch->text, line, (gssize)len);
    g_string_append_c(batch->text, '\n');
    g_array_append_val(batch->entries, ((Entry){batch->text->len, *place}));
}

guint
batch_count(const Batch *batch)
{
    return batch->entries->len;
}

gboolean
batch_is_full(const Batch *batch)
{
    return batch->entries->len >= BATCH_RECORDS || batch->text->len >= BATCH_BYTES;
}

guint
batch_share(const Batch *batch, guint most)
{
    guint count = MIN(MIN(batch->entries->len, most), BATCH_RECORDS);

    while (count > 1 && entry(batch, count)->end > BATCH_BYTES)
        count--;
    return count;
}

GBytes *
batch_text(const Batch *batch, guint count)
{
    return g_bytes_new(batch->text->str, entry(batch, count)->end);
}

const Place *
batch_place(const Batch *batch, guint count)
{
    return &entry(batch, count)->place;
}

void
batch_drop(Batch *batch, guint count)
{
    gsize bytes = entry(batch, count)->end;

    g_string_erase(batch->text, 0, (gssize)bytes);
    g_array_remove_range(batch->entries, 0, count);
    for (guint i = 0; i < batch->entries->len; i++)
        g_array_index(batch->entries, Entry, i).end -= bytes;
}
