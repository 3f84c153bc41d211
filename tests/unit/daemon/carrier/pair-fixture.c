/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/daemon/carrier/pair-fixture.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE 65536

/* What waits for a leg before the other one is not read any more. */
#define BRIDGE_FULL (256 * 1024)

guint8
pair_byte(const Pair *pair, int side, guint64 offset)
{
    guint64 x = (offset / 8 + 1) * 0x9e3779b97f4a7c15u + pair->seed + (guint64)side * 0x1234567u;

    x ^= x >> 29;
    x *= 0xbf58476d1ce4e5b9u;
    return (guint8)(x >> (8 * (offset % 8)));
}

static void
tcp_pair(int ret_fds[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_no_errno(bind(listener, (struct sockaddr *)&address, sizeof address));
    g_assert_no_errno(listen(listener, 1));
    g_assert_no_errno(getsockname(listener, (struct sockaddr *)&address, &len));
    ret_fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_no_errno(connect(ret_fds[0], (struct sockaddr *)&address, sizeof address));
    ret_fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    g_assert_cmpint(ret_fds[1], >=, 0);
    close(listener);
}

static void
close_hard(int *fd)
{
    const struct linger hard = {.l_onoff = 1};

    if (*fd < 0)
        return;
    (void)setsockopt(*fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(*fd);
    *fd = -1;
}

static void
on_talking(Carrier *carrier G_GNUC_UNUSED, void *data)
{
    ((PairEnd *)data)->talks++;
}

static void
on_lost(Carrier *carrier G_GNUC_UNUSED, Reason reason, guint64 pending, void *data)
{
    PairEnd *end = data;

    end->losses++;
    end->lost = reason;
    end->pending = pending;
}

static void
on_ended(Carrier *carrier G_GNUC_UNUSED, Reason reason, const ResumeFigures *figures, void *data)
{
    PairEnd *end = data;

    g_assert_cmpint(end->reason, ==, REASON_NONE);
    end->reason = reason;
    end->figures = *figures;
}

void
pair_hosts_init(PairHosts *hosts)
{
    static const char *const names[2] = {"service", "device"};

    for (int i = 0; i < 2; i++) {
        hosts->reactors[i] = reactor_new(names[i]);
        hosts->budgets[i] = resume_budget_new(RESUME_BUDGET, RESUME_BUDGET);
    }
}

void
pair_hosts_clear(PairHosts *hosts)
{
    for (int i = 0; i < 2; i++) {
        reactor_free(hosts->reactors[i]);
        resume_budget_unref(hosts->budgets[i]);
    }
}

static void
on_parted(Carrier *carrier G_GNUC_UNUSED, gboolean lost, void *data)
{
    PairEnd *end = data;

    end->parted++;
    end->parted_lost = lost;
}

static void
end_start(Pair *pair, int side, CarrierOptions *options, ResumeStream *restored)
{
    static const CarrierEvents events = {on_talking, on_lost, on_ended, on_parted};
    PairEnd *end = &pair->ends[side];

    options->device = side == PAIR_DEVICE;
    options->caps = CAP_HALF_CLOSE | CAP_REASON | CAP_RESUME;
    options->times = end->times;
    options->budget = pair->hosts->budgets[side];
    options->meter = &end->meter;
    end->carrier =
        carrier_new(pair->hosts->reactors[side], options, restored, &events, pair->queue, end);
}

void
pair_restore(Pair *pair, int side, Connection *local, ResumeStream *stream, gint64 elapsed)
{
    CarrierOptions options = {.local = local, .elapsed = elapsed};

    end_start(pair, side, &options, stream);
}

static void
end_begin(Pair *pair, int side)
{
    CarrierOptions options = {0};
    int fds[2];

    if (pair->hosts->local)
        g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
    else
        tcp_pair(fds);
    pair->ends[side].app.fd = fds[0];
    options.local = connection_new(fds[1]);
    connection_expect_finish(options.local);
    end_start(pair, side, &options, NULL);
}

Pair *
pair_new(const PairHosts *hosts, const RelayTimes times[2], guint64 seed)
{
    Pair *pair = g_new0(Pair, 1);

    pair->hosts = hosts;
    pair->queue = queue_new();
    pair->seed = seed;
    for (int i = 0; i < 2; i++) {
        pair->in[i] = g_byte_array_new();
        pair->out[i] = g_byte_array_new();
        pair->legs[i] = -1;
        pair->ends[i].times = times ? times[i] : (RelayTimes){RELAY_QUIET, RELAY_PING, RELAY_DEAD};
        end_begin(pair, i);
    }
    return pair;
}

gboolean
pair_is_over(const Pair *pair)
{
    return pair->ends[0].reason != REASON_NONE && pair->ends[1].reason != REASON_NONE;
}

void
pair_reset_app(Pair *pair, int side)
{
    close_hard(&pair->ends[side].app.fd);
}

/* The last words have gone: nothing comes to the queue any more. */
static gboolean
nobody_parts(const Pair *pair)
{
    return !carrier_is_parting(pair->ends[0].carrier) && !carrier_is_parting(pair->ends[1].carrier);
}

void
pair_free(Pair *pair)
{
    pair->mute = TRUE;
    for (int i = 0; i < 2; i++)
        carrier_end(pair->ends[i].carrier, REASON_CANCELLED);
    if (!pair_is_over(pair))
        pair_run(pair, pair_is_over);
    for (int i = 0; i < 2; i++)
        close_hard(&pair->legs[i]);
    if (!nobody_parts(pair))
        pair_run(pair, nobody_parts);
    for (int i = 0; i < 2; i++) {
        carrier_unref(pair->ends[i].carrier);
        close_hard(&pair->ends[i].app.fd);
        g_byte_array_unref(pair->in[i]);
        g_byte_array_unref(pair->out[i]);
    }
    queue_free(pair->queue);
    g_free(pair);
}

static void
bridge_clear(Pair *pair, int side)
{
    g_byte_array_set_size(pair->in[side], 0);
    g_byte_array_set_size(pair->out[side], 0);
}

static void
leg_new(Pair *pair, int side)
{
    int fds[2];

    close_hard(&pair->legs[side]);
    bridge_clear(pair, side);
    tcp_pair(fds);
    pair->legs[side] = fds[0];
    carrier_attach(pair->ends[side].carrier, connection_new(fds[1]));
}

void
pair_connect(Pair *pair)
{
    leg_new(pair, pair->late ? PAIR_DEVICE : PAIR_SERVICE);
    leg_new(pair, pair->late ? PAIR_SERVICE : PAIR_DEVICE);
}

void
pair_bridge_sends(Pair *pair, int side, WsOpcode opcode, const void *data, gsize len)
{
    guint8 head[WS_MAX_HEADER];

    g_byte_array_append(pair->out[side], head, (guint)ws_header_write(head, opcode, len, NULL));
    g_byte_array_append(pair->out[side], data, (guint)len);
}

void
pair_bridge_says(Pair *pair, int side, guint16 code, const char *text)
{
    guint8 frame[WS_MAX_CONTROL_FRAME];

    g_byte_array_append(pair->out[side], frame, (guint)ws_close_write(frame, code, text, NULL));
}

void
pair_lose(Pair *pair, PairCut how)
{
    const int first = how == PAIR_RESETS_SECOND ? PAIR_DEVICE : PAIR_SERVICE;

    close_hard(&pair->legs[first]);
    bridge_clear(pair, first);
    if (how == PAIR_RESETS_BOTH)
        close_hard(&pair->legs[1 - first]);
    else if (how != PAIR_RESETS_UNSEEN)
        pair_bridge_says(pair, 1 - first, WS_CLOSE_ERROR, reason_code(REASON_CUT));
}

/* The size of the frame at BYTES; 0: it is not whole. */
static gsize
frame_size(const GByteArray *bytes, gsize *ret_head)
{
    gsize len, head = 2 + WS_MASK_KEY_LEN;

    if (bytes->len < head)
        return 0;
    g_assert_true((bytes->data[1] & 0x80) != 0);
    len = bytes->data[1] & 0x7f;
    g_assert_cmpuint(len, <, 127); /* nothing is longer than 64 KiB */
    if (len == 126) {
        head += 2;
        len = (gsize)bytes->data[2] << 8 | bytes->data[3];
    }
    *ret_head = head;
    return bytes->len < head + len ? 0 : head + len;
}

static void
bridge_counts(Pair *pair, int from, WsOpcode opcode, gsize size)
{
    pair->messages++;
    pair->words += opcode == WS_OP_TEXT;
    pair->word_bytes += opcode == WS_OP_TEXT ? size : 0;
    (void)from;
}

/* Passes one frame on. FALSE: there is no whole one, or the legs are lost now. */
static gboolean
bridge_pass(Pair *pair, int from)
{
    GByteArray *in = pair->in[from];
    gsize head, size = frame_size(in, &head);
    WsOpcode opcode;
    gboolean cut;

    if (size == 0)
        return FALSE;
    opcode = (WsOpcode)(in->data[0] & 0x0f);
    ws_mask(in->data + head, in->data + head, size - head,
            ws_key_load(in->data + head - WS_MASK_KEY_LEN), 0);
    if (opcode == WS_OP_PING)
        pair_bridge_sends(pair, from, WS_OP_PONG, in->data + head, size - head);
    if (opcode == WS_OP_TEXT || opcode == WS_OP_BINARY)
        bridge_counts(pair, from, opcode, size);
    cut = pair->cuts > 0 && pair->cut_at > 0 && pair->messages >= pair->cut_at;
    if (opcode != WS_OP_PING && opcode != WS_OP_PONG && !(cut && pair->swallows))
        pair_bridge_sends(pair, 1 - from, opcode, in->data + head, size - head);
    g_byte_array_remove_range(in, 0, (guint)size);
    if (!cut)
        return TRUE;
    pair->cuts--;
    pair->messages = 0;
    pair->cut_at = MAX(pair->cut_at, 1);
    return FALSE;
}

static gboolean
bridge_flush(Pair *pair, int side)
{
    GByteArray *out = pair->out[side];

    while (out->len > 0) {
        ssize_t n = send(pair->legs[side], out->data, out->len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0)
            return errno == EAGAIN;
        g_byte_array_remove_range(out, 0, (guint)n);
    }
    return TRUE;
}

/* The other leg goes as well: what came on the first one is passed on before. */
static void
bridge_lost(Pair *pair, int side)
{
    close_hard(&pair->legs[side]);
    if (pair->legs[1 - side] < 0)
        return;
    pair_bridge_says(pair, 1 - side, WS_CLOSE_ERROR, reason_code(REASON_CUT));
    (void)bridge_flush(pair, 1 - side);
}

static void
bridge_read(Pair *pair, int from)
{
    guint8 bytes[PIECE];
    ssize_t n = recv(pair->legs[from], bytes, sizeof bytes, MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        bridge_lost(pair, from);
        return;
    }
    g_byte_array_append(pair->in[from], bytes, (guint)n);
    while (pair->legs[0] >= 0 && pair->legs[1] >= 0) {
        guint cuts = pair->cuts;

        if (bridge_pass(pair, from))
            continue;
        if (cuts != pair->cuts) {
            (void)bridge_flush(pair, 1 - from);
            pair_lose(pair, pair->how);
        }
        break;
    }
}

static gboolean
app_wants_to_write(const PairApp *app)
{
    return app->fd >= 0 && app->read >= app->reads_after && !app->said_end &&
           (app->written < app->writes || app->ends);
}

static void
app_write(Pair *pair, int side)
{
    PairApp *app = &pair->ends[side].app;
    guint8 bytes[PIECE];
    gsize len = (gsize)MIN(sizeof bytes, app->writes - app->written);
    ssize_t n;

    if (len == 0) {
        (void)shutdown(app->fd, SHUT_WR);
        app->said_end = TRUE;
        return;
    }
    for (gsize i = 0; i < len; i++)
        bytes[i] = pair_byte(pair, side, app->written + i);
    n = send(app->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0)
        app->written += (guint64)n;
    else if (n < 0 && errno != EAGAIN)
        app->saw_reset = app->said_end = TRUE;
}

static void
app_read(Pair *pair, int side)
{
    PairApp *app = &pair->ends[side].app;
    guint8 bytes[PIECE];
    ssize_t n = recv(app->fd, bytes, sizeof bytes, MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return;
    app->saw_end |= n == 0;
    app->saw_reset |= n < 0;
    for (ssize_t i = 0; i < n; i++)
        app->wrong |= bytes[i] != pair_byte(pair, 1 - side, app->read + (guint64)i);
    app->read += n > 0 ? (guint64)n : 0;
}

/* New legs come when the old ones are lost, as far as the ends noticed. */
static void
pair_lead_back(Pair *pair)
{
    const PairEnd *ends = pair->ends;
    gboolean gone = (pair->legs[0] < 0 || pair->out[0]->len == 0) &&
                    (pair->legs[1] < 0 || pair->out[1]->len == 0) &&
                    (pair->legs[0] < 0 || pair->legs[1] < 0);

    /* Nobody leads back what the service has given up: the hub finds that its leg is gone. */
    if (pair->how == PAIR_RESETS_UNSEEN && pair->legs[0] < 0 && ends[0].reason != REASON_NONE)
        close_hard(&pair->legs[1]);
    if (pair->holds || !gone || ends[0].reason != REASON_NONE || ends[1].reason != REASON_NONE)
        return;
    if (ends[0].losses + ends[1].losses > 0)
        pair_connect(pair);
}

#define FDS 5

static void
pair_fds(Pair *pair, struct pollfd fds[FDS])
{
    for (int i = 0; i < 2; i++) {
        const PairApp *app = &pair->ends[i].app;
        gboolean paired =
            !pair->mute && pair->legs[1 - i] >= 0 && pair->out[1 - i]->len < BRIDGE_FULL;
        gboolean reads = !app->stopped && !app->saw_end && !app->saw_reset;

        fds[i] = (struct pollfd){.fd = app->fd};
        fds[i].events = (short)((reads ? POLLIN : 0) | (app_wants_to_write(app) ? POLLOUT : 0));
        if (fds[i].events == 0)
            fds[i].fd = -1;
        fds[2 + i] = (struct pollfd){.fd = pair->legs[i]};
        fds[2 + i].events =
            (short)((paired ? POLLIN : 0) | (pair->out[i]->len && !pair->mute ? POLLOUT : 0));
        if (fds[2 + i].events == 0)
            fds[2 + i].fd = -1;
    }
    fds[4] = (struct pollfd){.fd = queue_fd(pair->queue), .events = POLLIN};
}

static void
pair_step(Pair *pair, const struct pollfd fds[FDS])
{
    queue_run(pair->queue);
    for (int i = 0; i < 2; i++) {
        const PairApp *app = &pair->ends[i].app;

        if (pair->legs[i] >= 0 && !pair->mute && !bridge_flush(pair, i))
            bridge_lost(pair, i);
        if (pair->legs[i] >= 0 && pair->legs[i] == fds[2 + i].fd &&
            (fds[2 + i].revents & (POLLIN | POLLERR | POLLHUP)))
            bridge_read(pair, i);
        if (fds[i].fd >= 0 && app_wants_to_write(app) && (fds[i].revents & POLLOUT))
            app_write(pair, i);
        if (fds[i].fd >= 0 && !app->stopped && !app->saw_end && !app->saw_reset &&
            (fds[i].revents & (POLLIN | POLLERR | POLLHUP)))
            app_read(pair, i);
    }
    pair_lead_back(pair);
}

void
pairs_run(Pair *const *pairs, guint count, gboolean (*done)(const Pair *pair))
{
    g_autofree struct pollfd *fds = g_new0(struct pollfd, (gsize)count * FDS);
    gboolean all = TRUE;

    for (guint i = 0; i < count; i++)
        all &= done(pairs[i]);
    do {
        const int wait = all ? 1 : 100;

        all = TRUE;
        for (guint i = 0; i < count; i++)
            pair_fds(pairs[i], fds + (gsize)i * FDS);
        (void)poll(fds, (nfds_t)(count * FDS), wait);
        for (guint i = 0; i < count; i++) {
            pair_step(pairs[i], fds + (gsize)i * FDS);
            all &= done(pairs[i]);
        }
    } while (!all);
}

void
pair_run(Pair *pair, gboolean (*done)(const Pair *pair))
{
    pairs_run(&pair, 1, done);
}
