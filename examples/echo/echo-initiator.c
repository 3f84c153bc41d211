/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opens a stream to a device, sends bytes through it, and compares what comes back.
 *
 * It shows everything that an app does with streamd. It calls OpenStream, which returns a file
 * descriptor, and at the end it asks how the stream ended. In between the descriptor is an ordinary
 * socket. Only libsystemd is needed. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#define STREAMD_NAME "io.streamd.Streamd1"
#define STREAMD_ROOT "/io/streamd/Streamd1"
#define STREAMD_MANAGER "io.streamd.Streamd1.Manager"
#define STREAMD_STREAM "io.streamd.Streamd1.Stream"

#define SECOND UINT64_C(1000000) /* D-Bus times are in µs */
#define MIB UINT64_C(1048576)
#define BLOCK ((size_t)65536)

typedef struct {
    const char *hub, *device, *stream;
    uint64_t timeout; /* µs that the device has to answer */
    uint64_t total;   /* bytes to send */
    bool system;
} Arguments;

typedef struct {
    int fd;
    uint64_t total, sent, received;
    uint8_t outgoing[BLOCK], expected[BLOCK];
} Exchange;

static int
fail(const char *what, const char *why)
{
    fprintf(stderr, "echo-initiator: %s: %s\n", what, why);
    return EXIT_FAILURE;
}

/* Every 8 bytes are different from all others, so that a lost, doubled or moved piece shows. */
static void
fill(uint8_t block[BLOCK], uint64_t offset)
{
    for (size_t i = 0; i < BLOCK; i += sizeof offset) {
        uint64_t mixed = (offset + i) * UINT64_C(0x9e3779b97f4a7c15);

        mixed ^= mixed >> 29;
        memcpy(block + i, &mixed, sizeof mixed);
    }
}

static size_t
rest_of_block(uint64_t done, uint64_t total)
{
    uint64_t in_block = BLOCK - done % BLOCK, in_all = total - done;

    return (size_t)(in_block < in_all ? in_block : in_all);
}

/* Sends as much as the socket takes, which may be less than we offer. MSG_NOSIGNAL: if the other
 * side has gone, we get the error EPIPE and the process is not killed. */
static bool
exchange_send(Exchange *exchange)
{
    size_t begin = exchange->sent % BLOCK;
    ssize_t n;

    if (begin == 0)
        fill(exchange->outgoing, exchange->sent);
    n = send(exchange->fd, exchange->outgoing + begin,
             rest_of_block(exchange->sent, exchange->total), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    exchange->sent += (uint64_t)n;
    /* Half-close: the device's side reads an end of file, and can still answer. */
    if (exchange->sent == exchange->total)
        shutdown(exchange->fd, SHUT_WR);
    return true;
}

/* 1: continue; 0: the data has ended; -1: an error, or different from what was sent. */
static int
exchange_receive(Exchange *exchange)
{
    uint8_t incoming[BLOCK];
    size_t begin = exchange->received % BLOCK;
    size_t room = rest_of_block(exchange->received, exchange->sent);
    ssize_t n = recv(exchange->fd, incoming, room > 0 ? room : 1, MSG_DONTWAIT);

    if (n <= 0)
        return n == 0 ? 0 : errno == EAGAIN || errno == EINTR ? 1 : -1;
    if (begin == 0)
        fill(exchange->expected, exchange->received);
    if ((size_t)n > room || memcmp(incoming, exchange->expected + begin, (size_t)n) != 0) {
        errno = EBADMSG;
        return -1;
    }
    exchange->received += (uint64_t)n;
    return 1;
}

/* Sends and receives at the same time. A program that sends everything first and reads after that
 * waits for ever once both directions are full. 0, or -1 with errno. */
static int
exchange_run(Exchange *exchange)
{
    for (;;) {
        struct pollfd ready = {.fd = exchange->fd, .events = POLLIN};
        int more = 1;

        if (exchange->sent < exchange->total)
            ready.events |= POLLOUT;
        if (poll(&ready, 1, -1) < 0 && errno != EINTR)
            return -1;
        if (ready.revents & (POLLIN | POLLHUP | POLLERR))
            more = exchange_receive(exchange);
        if (more <= 0)
            return more;
        if ((ready.revents & POLLOUT) && !exchange_send(exchange))
            return -1;
    }
}

/* Opens the stream with one call. */
static int
open_stream(sd_bus *bus, const Arguments *arguments, int *ret_fd, char **ret_path,
            sd_bus_error *error)
{
    __attribute__((cleanup(sd_bus_message_unrefp))) sd_bus_message *call = NULL, *reply = NULL;
    const char *path;
    int r, fd;

    r = sd_bus_message_new_method_call(bus, &call, STREAMD_NAME, STREAMD_ROOT, STREAMD_MANAGER,
                                       "OpenStream");
    if (r >= 0)
        r = sd_bus_message_append(call, "sssa{sv}", arguments->hub, arguments->device,
                                  arguments->stream, 1, "timeout", "t", arguments->timeout);
    /* streamd answers within that time. Giving up earlier would cancel the stream. */
    if (r >= 0)
        r = sd_bus_call(bus, call, arguments->timeout + 10 * SECOND, error, &reply);
    if (r >= 0)
        r = sd_bus_message_read(reply, "ho", &fd, &path);
    if (r < 0)
        return r;
    /* The message owns the descriptor, and closes it when freed. */
    *ret_path = strdup(path);
    *ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return *ret_fd < 0 || *ret_path == NULL ? -errno : 0;
}

/* This kind of socket ends in the same way whether the stream was completed or cut. streamd knows
 * which, a moment later. */
static int
ask_reason(sd_bus *bus, const char *path, char **ret_reason, sd_bus_error *error)
{
    int r;

    for (;;) {
        r = sd_bus_get_property_string(bus, STREAMD_NAME, path, STREAMD_STREAM, "CloseReason",
                                       error, ret_reason);
        if (r < 0 || **ret_reason != '\0')
            return r;
        free(*ret_reason);
        *ret_reason = NULL;
        usleep(100000);
    }
}

static int
run(sd_bus *bus, const Arguments *arguments)
{
    __attribute__((cleanup(sd_bus_error_free))) sd_bus_error error = SD_BUS_ERROR_NULL;
    Exchange exchange = {.fd = -1, .total = arguments->total};
    struct timespec begun, ended;
    char *path = NULL, *reason = NULL;
    double seconds;
    int r;

    r = open_stream(bus, arguments, &exchange.fd, &path, &error);
    if (r < 0)
        return fail(error.name ? error.name : "OpenStream",
                    error.message ? error.message : strerror(-r));
    clock_gettime(CLOCK_MONOTONIC, &begun);
    r = exchange_run(&exchange) < 0 ? errno : 0;
    clock_gettime(CLOCK_MONOTONIC, &ended);
    close(exchange.fd);
    if (ask_reason(bus, path, &reason, &error) < 0)
        return fail("how it ended is not known", error.message);
    seconds = (double)(ended.tv_sec - begun.tv_sec) + (double)(ended.tv_nsec - begun.tv_nsec) / 1e9;
    printf("%.1f of %.1f MiB there and back in %.2f s, %.0f MiB/s each way; the stream ended: %s\n",
           (double)exchange.received / (double)MIB, (double)exchange.total / (double)MIB, seconds,
           (double)exchange.received / (double)MIB / seconds, reason);
    free(path);
    free(reason);
    if (r != 0)
        return fail("the bytes", r == EBADMSG ? "not what was sent" : strerror(r));
    return exchange.received == exchange.total ? EXIT_SUCCESS : fail("the bytes", "not all came");
}

static int
usage(void)
{
    fputs("Usage: echo-initiator [--system] [--hub NAME] [--timeout SECONDS] [--bytes N] DEVICE "
          "STREAM\n",
          stderr);
    return 2;
}

static bool
parse(Arguments *arguments, int argc, char **argv)
{
    static const struct option options[] = {
        {"system", no_argument, NULL, 's'},
        {"hub", required_argument, NULL, 'h'},
        {"timeout", required_argument, NULL, 't'},
        {"bytes", required_argument, NULL, 'b'},
        {0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 's')
            arguments->system = true;
        else if (c == 'h')
            arguments->hub = optarg;
        else if (c == 't')
            arguments->timeout = strtoull(optarg, NULL, 10) * SECOND;
        else if (c == 'b')
            arguments->total = strtoull(optarg, NULL, 10);
        else
            return false;
    }
    if (argc - optind != 2 || arguments->total == 0)
        return false;
    arguments->device = argv[optind];
    arguments->stream = argv[optind + 1];
    return true;
}

int
main(int argc, char **argv)
{
    __attribute__((cleanup(sd_bus_flush_close_unrefp))) sd_bus *bus = NULL;
    Arguments arguments = {.hub = "", .timeout = 20 * SECOND, .total = 100 * MIB};
    int r;

    if (!parse(&arguments, argc, argv))
        return usage();
    r = arguments.system ? sd_bus_open_system(&bus) : sd_bus_open_user(&bus);
    if (r < 0)
        return fail("the bus", strerror(-r));
    return run(bus, &arguments);
}
