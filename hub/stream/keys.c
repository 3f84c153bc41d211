/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Live streams and the keys behind them: when a key is revoked, so is what it opened. */
#include "hub/stream/streams-private.h"

#include <string.h>

typedef struct {
    const char *client_id;
    const char *policy;
    RegistryKeys keys;
} KeysOf;

static gboolean
stream_is_by_keys(const HubStream *stream, const KeysOf *of)
{
    if (of->policy)
        return strcmp(stream->policy, of->policy) == 0 && (stream->policy_keys & of->keys) != 0;
    return strcmp(stream->client_id, of->client_id) == 0 && (stream->device_keys & of->keys) != 0;
}

/* A: a KeysOf. */
static gboolean
stream_test(const HubStream *stream, const char *a, const char *b G_GNUC_UNUSED)
{
    return stream_is_by_keys(stream, (const KeysOf *)(const void *)a);
}

guint
streams_count_keys(Streams *streams, const char *client_id, const char *policy, RegistryKeys keys)
{
    const KeysOf of = {client_id, policy, keys};
    GHashTableIter iter;
    gpointer value;
    guint count = 0;

    by_device_iter(streams->devices, &iter);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        for (GList *link = ((StreamDevice *)value)->streams.head; link; link = link->next)
            count += stream_is_by_keys(link->data, &of) ? 1 : 0;
    return count;
}

void
streams_revoke_keys(Streams *streams, const char *client_id, const char *policy, RegistryKeys keys)
{
    const KeysOf of = {client_id, policy, keys};

    streams_each(streams, stream_test, (const char *)&of, NULL, STREAM_REVOKED,
                 REST_UNAUTHORIZED_ACCESS);
}
