/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/common/net/link-fixture.h"

#include "tests/unit/common/net/relay-fixture.h"

#include <string.h>

static void
pair_packet(PacketLink *link G_GNUC_UNUSED, const guint8 *packet, gsize len, void *data)
{
    Pair *pair = data;

    pair->packets++;
    g_byte_array_append(pair->got, packet, (guint)len);
}

static void
pair_closed(PacketLink *link G_GNUC_UNUSED, int error, const char *text, void *data)
{
    Pair *pair = data;

    g_assert_nonnull(text);
    pair->closed = TRUE;
    pair->error = error;
}

static const PacketLinkEvents pair_events = {pair_packet, pair_closed};

static void
silent_packet(PacketLink *link G_GNUC_UNUSED, const guint8 *packet G_GNUC_UNUSED,
              gsize len G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
}

static void
silent_closed(PacketLink *link G_GNUC_UNUSED, int error G_GNUC_UNUSED,
              const char *text G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
}

static const PacketLinkEvents silent_events = {silent_packet, silent_closed};

Pair *
pair_new(gboolean framed, gint64 idle_limit, int *ret_raw)
{
    Pair *pair = g_new0(Pair, 1);
    PacketLinkOptions options = {framed, TRUE, 0, PAIR_MAX, 0};
    int fds[2];

    pair->context = g_main_context_new();
    pair->queue = queue_new();
    pair->source = queue_source_new(pair->queue);
    g_source_attach(pair->source, pair->context);
    pair->reactor = reactor_new("test");
    pair->got = g_byte_array_new();
    chain_tcp_pair(fds);
    if (ret_raw)
        *ret_raw = fds[0];
    else
        pair->client = packet_link_new(connection_new(fds[0]), pair->reactor, &options, pair->queue,
                                       &silent_events, NULL);
    options.client = FALSE;
    options.first_max = PAIR_FIRST_MAX;
    options.idle_limit = idle_limit;
    pair->server = packet_link_new(connection_new(fds[1]), pair->reactor, &options, pair->queue,
                                   &pair_events, pair);
    return pair;
}

void
pair_free(Pair *pair)
{
    packet_link_unref(pair->client);
    packet_link_unref(pair->server);
    reactor_free(pair->reactor);
    queue_run(pair->queue);
    g_source_destroy(pair->source);
    g_source_unref(pair->source);
    queue_free(pair->queue);
    g_main_context_unref(pair->context);
    g_byte_array_unref(pair->got);
    g_free(pair);
}

void
pair_wait(Pair *pair, guint packets)
{
    while (pair->packets < packets && !pair->closed)
        g_main_context_iteration(pair->context, TRUE);
}

void
pair_wait_closed(Pair *pair)
{
    while (!pair->closed)
        g_main_context_iteration(pair->context, TRUE);
}

GByteArray *
packet_new(gsize len, guint8 fill)
{
    GByteArray *packet = g_byte_array_new();
    guint8 head[PACKET_HEAD] = {0x30, (guint8)(0x80 | (len & 0x7f)),
                                (guint8)(0x80 | ((len >> 7) & 0x7f)), (guint8)((len >> 14) & 0x7f)};

    g_byte_array_append(packet, head, sizeof head);
    g_byte_array_set_size(packet, (guint)(sizeof head + len));
    memset(packet->data + sizeof head, fill, len);
    return packet;
}

void
pair_run_for(Pair *pair, gint64 duration)
{
    gint64 until = g_get_monotonic_time() + duration;

    while (!pair->closed && g_get_monotonic_time() < until) {
        g_main_context_iteration(pair->context, FALSE);
        g_usleep(1000);
    }
}
