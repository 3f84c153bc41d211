/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/common/net/peer-fixture.h"

#include <errno.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
stand_ended(Relay *relay G_GNUC_UNUSED, Reason reason, void *data)
{
    ((Hop *)data)->reason = reason;
}

static Stand *
stand_make(Caps caps, const RelayTimes *times, const int local[2], gboolean framed)
{
    Stand *stand = g_new0(Stand, 1);
    int leg[2];

    stand->context = g_main_context_new();
    stand->queue = queue_new();
    stand->source = queue_source_new(stand->queue);
    g_source_attach(stand->source, stand->context);
    stand->reactor = reactor_new("test");
    chain_tcp_pair(leg);
    stand->peer = leg[0];
    stand->target = local[0];
    RelaySide side0 = {connection_new(local[1]), framed, FALSE, framed ? caps : 0,
                       REASON_DEVICE_CLOSED};
    RelaySide side1 = {connection_new(leg[1]), TRUE, FALSE, caps, REASON_SERVICE_CLOSED};
    stand->hop.relay = relay_new(stand->reactor, &side0, &side1, times, &stand->hop.meter,
                                 stand->queue, stand_ended, &stand->hop);
    return stand;
}

Stand *
stand_new(Caps caps, const RelayTimes *times, gboolean small)
{
    const int little = 16384;
    int local[2];

    chain_tcp_pair(local);
    if (small) {
        setsockopt(local[0], SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
        setsockopt(local[1], SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    }
    return stand_make(caps, times, local, FALSE);
}

Stand *
stand_new_app(Caps caps)
{
    return stand_new_app_times(caps, NULL);
}

Stand *
stand_new_app_times(Caps caps, const RelayTimes *times)
{
    int local[2];

    g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, local));
    return stand_make(caps, times, local, FALSE);
}

Stand *
stand_new_hub(Caps caps, const RelayTimes *times)
{
    int local[2];

    chain_tcp_pair(local);
    return stand_make(caps, times, local, TRUE);
}

Reason
stand_wait(Stand *stand)
{
    while (stand->hop.reason == REASON_NONE)
        g_main_context_iteration(stand->context, TRUE);
    return stand->hop.reason;
}

void
stand_wait_taken(Stand *stand, guint64 len)
{
    const gint64 until = g_get_monotonic_time() + 30 * G_TIME_SPAN_SECOND;

    while (atomic_load(&stand->hop.meter.bytes[1]) < len) {
        if (g_get_monotonic_time() > until)
            g_error("the relay took %" G_GUINT64_FORMAT " bytes in 30 s, not %" G_GUINT64_FORMAT,
                    atomic_load(&stand->hop.meter.bytes[1]), len);
        g_usleep(1000);
    }
}

void
stand_wait_full(Stand *stand)
{
    guint64 before;

    do {
        before = atomic_load(&stand->hop.meter.bytes[1]);
        g_usleep(100 * 1000);
    } while (atomic_load(&stand->hop.meter.bytes[1]) != before);
}

void
stand_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void
stand_reset(int *fd)
{
    const struct linger hard = {1, 0};

    setsockopt(*fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    stand_close(fd);
}

void
stand_free(Stand *stand)
{
    stand_close(&stand->peer);
    stand_close(&stand->target);
    relay_close(stand->hop.relay, REASON_CANCELLED);
    stand_wait(stand);
    relay_unref(stand->hop.relay);
    reactor_free(stand->reactor);
    g_source_destroy(stand->source);
    g_source_unref(stand->source);
    queue_free(stand->queue);
    g_main_context_unref(stand->context);
    g_free(stand);
}

static gsize
peer_header(guint8 *out, guint8 first, gsize len)
{
    gsize size = 2;
    guint bytes = len < 126 ? 0 : len <= 0xffff ? 2 : 8;

    out[0] = first;
    out[1] = (guint8)(0x80 | (bytes == 0 ? len : bytes == 2 ? 126 : 127));
    for (guint i = bytes; i > 0; i--)
        out[size++] = (guint8)((guint64)len >> (8 * (i - 1)));
    return size;
}

void
peer_append(GByteArray *out, guint8 first, const void *payload, gsize len)
{
    static const guint8 key[4] = {0x12, 0x34, 0x56, 0x78};
    guint8 header[14];
    gsize size = peer_header(header, first, len), start;

    memcpy(header + size, key, 4);
    g_byte_array_append(out, header, (guint)size + 4);
    start = out->len;
    g_byte_array_set_size(out, (guint)(start + len));
    for (gsize i = 0; i < len; i++)
        out->data[start + i] = ((const guint8 *)payload)[i] ^ key[i % 4];
}

void
peer_send(int fd, guint8 first, const void *payload, gsize len)
{
    g_autoptr(GByteArray) frame = g_byte_array_new();

    peer_append(frame, first, payload, len);
    chain_write_all(fd, frame->data, frame->len);
}

static void
peer_read(int fd, void *buf, gsize len)
{
    if (len > 0)
        g_assert_cmpint(recv(fd, buf, len, MSG_WAITALL), ==, (gssize)len);
}

gsize
peer_receive(int fd, guint8 *ret_first, void *payload, gsize len)
{
    guint8 head[2], more[8];
    gsize size;

    peer_read(fd, head, 2);
    g_assert_cmpint(head[1] & 0x80, ==, 0);
    size = head[1];
    if (size >= 126) {
        guint bytes = size == 126 ? 2 : 8;

        peer_read(fd, more, bytes);
        size = 0;
        for (guint i = 0; i < bytes; i++)
            size = size << 8 | more[i];
    }
    g_assert_cmpuint(size, <=, len);
    peer_read(fd, payload, size);
    *ret_first = head[0];
    return size;
}

guint8
peer_byte(guint64 at)
{
    return (guint8)(at * 7 + (at >> 8) * 13 + (at >> 16) * 31);
}

void
peer_fill(guint8 *bytes, guint64 at, gsize len)
{
    for (gsize i = 0; i < len; i++)
        bytes[i] = peer_byte(at + i);
}

void
peer_expect(int fd, guint64 at, gsize len)
{
    guint8 got[16384], expected[16384];

    while (len > 0) {
        gsize piece = MIN(len, sizeof got);

        peer_read(fd, got, piece);
        peer_fill(expected, at, piece);
        g_assert_cmpint(memcmp(got, expected, piece), ==, 0);
        at += piece;
        len -= piece;
    }
}

void
peer_expect_end(int fd)
{
    char byte;

    g_assert_cmpint(recv(fd, &byte, 1, 0), ==, 0);
}

void
peer_expect_reset(int fd)
{
    char bytes[4096];
    gssize n;

    do
        n = recv(fd, bytes, sizeof bytes, 0);
    while (n > 0);
    g_assert_cmpint(n, ==, -1);
    g_assert_cmpint(errno, ==, ECONNRESET);
}

void
peer_die(int fd)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    const struct sock_fprog program = {.len = 1, .filter = &nothing};

    g_assert_no_errno(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
}
