/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Live streams and the scopes of their users: ends streams after a change, and when time or bytes
 * are used up. */
#include "hub/stream/streams-private.h"

#include <string.h>

#define TICK G_TIME_SPAN_SECOND

void
stream_scopes_watch(Streams *streams, const StreamAccount *account)
{
    if (account->live == 0 || streams->ticking || !stream_account_is_timed(account))
        return;
    streams->ticking = TRUE;
    clock_set(streams->world.needs.clock, &streams->tick, TICK);
}

/* Whether STREAM is of USER (NULL: any) and to DEVICE (NULL: any), and could not be opened now. */
static gboolean
stream_is_out(const HubStream *stream, const char *user, const char *device)
{
    const RegistryScope *scope = ((const StreamAccount *)stream->account)->scope;

    if ((user && strcmp(stream->policy, user) != 0) ||
        (device && strcmp(stream->device, device) != 0))
        return FALSE;
    return !registry_scope_has_device(scope, stream->device, stream->tags) ||
           !registry_scope_has_stream(scope, stream->name) ||
           registry_scope_has_expired(scope, g_get_real_time());
}

void
streams_user_changed(Streams *streams, const char *user, const RegistryScope *scope)
{
    StreamAccount *account = g_hash_table_lookup(streams->accounts, user);

    if (!account)
        return;
    stream_account_set_scope(account, scope);
    streams_each(streams, stream_is_out, user, NULL, STREAM_REVOKED, REST_DEVICE_NOT_FOUND);
    stream_scopes_watch(streams, account);
}

void
streams_device_changed(Streams *streams, const char *device, const RegistryTags *tags)
{
    GHashTableIter iter;
    gpointer value;

    by_device_iter(streams->devices, &iter);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        for (GList *link = ((StreamDevice *)value)->streams.head; link; link = link->next) {
            HubStream *stream = link->data;

            if (strcmp(stream->device, device) != 0)
                continue;
            registry_tags_unref(stream->tags);
            stream->tags = registry_tags_ref(tags);
        }
    streams_each(streams, stream_is_out, NULL, device, STREAM_REVOKED, REST_DEVICE_NOT_FOUND);
}

gboolean
stream_scopes_count(HubStream *stream)
{
    guint64 now = atomic_load(&stream->meter.bytes[0]) + atomic_load(&stream->meter.bytes[1]);
    guint64 more = now - stream->counted;

    stream->counted = now;
    return stream_account_count(stream->account, more, g_get_real_time());
}

static gboolean
stream_is_over(const HubStream *stream, const char *a G_GNUC_UNUSED, const char *b G_GNUC_UNUSED)
{
    return stream_scopes_count((HubStream *)(guintptr)stream);
}

void
stream_scopes_on_tick(Timer *timer)
{
    Streams *streams = CONTAINER_OF(timer, Streams, tick);
    GHashTableIter iter;
    gpointer value;

    streams->ticking = FALSE;
    streams_each(streams, stream_is_out, NULL, NULL, STREAM_REVOKED, REST_UNAUTHORIZED_ACCESS);
    streams_each(streams, stream_is_over, NULL, NULL, STREAM_USED_UP, REST_THROTTLED);
    g_hash_table_iter_init(&iter, streams->accounts);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        stream_scopes_watch(streams, value);
}
