/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/pipe/pump.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PUMP_BUFFER 65536

typedef enum { FLOW_OPEN, FLOW_ENDED, FLOW_FAILED } FlowState;

typedef struct {
    int from;
    int to;
    gsize chunk;    /* how much one write takes without blocking when the descriptor is writable */
    gboolean ended; /* there is no more to read */
    gboolean done;  /* and everything was written, and the end passed on */
    gsize begin;
    gsize end;
    uint8_t buffer[PUMP_BUFFER];
} Flow;

/* A pipe that is writable takes PIPE_BUF bytes without blocking. A file or terminal decides for
 * itself. A socket is written with MSG_DONTWAIT. Our standard descriptors are shared with other
 * processes and keep their mode. */
static gsize
flow_chunk(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) ? PIPE_BUF : PUMP_BUFFER;
}

static ssize_t
flow_write(const Flow *flow)
{
    gsize length = MIN(flow->end - flow->begin, flow->chunk);
    ssize_t n = send(flow->to, flow->buffer + flow->begin, length, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n >= 0 || errno != ENOTSOCK)
        return n;
    return write(flow->to, flow->buffer + flow->begin, length);
}

static FlowState
flow_drain(Flow *flow)
{
    while (flow->begin < flow->end) {
        ssize_t n = flow_write(flow);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return FLOW_OPEN;
        if (n < 0)
            return FLOW_FAILED;
        flow->begin += (gsize)n;
        if (flow->chunk < PUMP_BUFFER)
            break; /* poll again: only the first chunk is sure to fit */
    }
    if (flow->begin == flow->end)
        flow->begin = flow->end = 0;
    return FLOW_OPEN;
}

static FlowState
flow_fill(Flow *flow)
{
    ssize_t n = read(flow->from, flow->buffer, PUMP_BUFFER);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return FLOW_OPEN;
    if (n < 0)
        return FLOW_FAILED;
    flow->end = (gsize)n;
    flow->ended = n == 0;
    return n == 0 ? FLOW_ENDED : FLOW_OPEN;
}

typedef struct {
    Flow up;   /* input to socket */
    Flow down; /* socket to output */
    int socket;
    int output;
    PumpAside aside; /* FD -1: nothing */
} Pump;

static void
pump_init(Pump *pump, int socket, int input, int output)
{
    pump->socket = socket;
    pump->output = output;
    pump->up.from = input;
    pump->up.to = socket;
    pump->up.chunk = PUMP_BUFFER;
    pump->down.from = socket;
    pump->down.to = output;
    pump->down.chunk = flow_chunk(output);
}

/* Passes the end on, but only when every byte was written. */
static void
pump_tell_ends(Pump *pump)
{
    if (pump->up.ended && !pump->up.done && pump->up.begin == pump->up.end) {
        (void)shutdown(pump->socket, SHUT_WR);
        pump->up.done = TRUE;
    }
    if (pump->down.ended && !pump->down.done && pump->down.begin == pump->down.end) {
        (void)shutdown(pump->output, SHUT_WR); /* if it is a socket */
        (void)close(pump->output);
        pump->down.done = TRUE;
    }
}

/* -1: not polled. */
static void
pump_prepare(const Pump *pump, struct pollfd fds[4])
{
    gboolean up_full = pump->up.end > 0, down_full = pump->down.end > 0;

    fds[0] =
        (struct pollfd){.fd = pump->up.ended || up_full ? -1 : pump->up.from, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = pump->socket};
    if (!pump->down.ended && !down_full)
        fds[1].events |= POLLIN;
    if (up_full)
        fds[1].events |= POLLOUT;
    fds[2] = (struct pollfd){.fd = down_full ? pump->output : -1, .events = POLLOUT};
    fds[3] = (struct pollfd){.fd = pump->aside.fd, .events = POLLIN};
}

static void
pump_look_aside(Pump *pump, const struct pollfd *fd)
{
    if (fd->fd >= 0 && fd->revents != 0 && !pump->aside.readable(pump->aside.data))
        pump->aside.fd = -1;
}

static FlowState
pump_move(Pump *pump, const struct pollfd fds[4], PumpEnd *ret_end)
{
    if (fds[2].revents != 0 && flow_drain(&pump->down) == FLOW_FAILED) {
        *ret_end = PUMP_OUTPUT_GONE;
        return FLOW_FAILED;
    }
    if ((fds[1].events & POLLIN) && (fds[1].revents & (POLLIN | POLLHUP | POLLERR)) &&
        flow_fill(&pump->down) == FLOW_FAILED) {
        *ret_end = PUMP_RESET;
        return FLOW_FAILED;
    }
    if (fds[0].revents != 0 && flow_fill(&pump->up) == FLOW_FAILED)
        pump->up.ended = TRUE; /* an input that cannot be read has ended */
    if ((fds[1].events & POLLOUT) && (fds[1].revents & (POLLOUT | POLLHUP | POLLERR)) &&
        flow_drain(&pump->up) == FLOW_FAILED) {
        /* The peer takes no more bytes; what it sends is still delivered. */
        pump->up.begin = pump->up.end = 0;
        pump->up.ended = pump->up.done = TRUE;
    }
    return FLOW_OPEN;
}

PumpEnd
pump_run(int socket, int input, int output, const PumpAside *aside)
{
    g_autofree Pump *pump = g_new0(Pump, 1);
    PumpEnd end = PUMP_ENDED;
    struct pollfd fds[4];

    pump_init(pump, socket, input, output);
    pump->aside = aside != NULL ? *aside : (PumpAside){.fd = -1};
    for (;;) {
        pump_tell_ends(pump);
        if (pump->up.done && pump->down.done)
            return PUMP_ENDED;
        pump_prepare(pump, fds);
        if (poll(fds, G_N_ELEMENTS(fds), -1) < 0)
            continue;
        pump_look_aside(pump, &fds[3]);
        /* Both directions of the socket have ended, and all that came from it was written. */
        if (pump->down.done && (fds[1].revents & (POLLHUP | POLLERR)) != 0)
            return PUMP_ENDED;
        if (pump_move(pump, fds, &end) == FLOW_FAILED)
            return end;
    }
}
