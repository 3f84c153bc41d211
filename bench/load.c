/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Load for the benchmarks. It is a separate program, so that its CPU time is not counted.
 *
 * - load sink PORT: listens on 127.0.0.1 until it is killed.
 * - load send PORT MEGABYTES [check]: sends to 127.0.0.1:PORT and prints the seconds until the sink
 * has received everything.
 * - load trips PORT COUNT: round trips of 64 bytes on one connection; prints p50 and p99 in µs.
 * - load opens PORT COUNT: connections, one after the other, each from connect to the first byte
 * that comes back; prints p50 and p99 in µs.
 *
 * A connection begins with a Header. When that many bytes have come, the sink answers with one
 * byte: 'y', or 'n' if it had to check them and one was wrong. So no relay needs to pass on a
 * half-close. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The byte at offset n of a stream is pattern[n % PATTERN]. PATTERN is a prime, so that a shift by
 * any buffer size shows. */
#define PATTERN 1048573
#define CHUNK (256 * 1024)

#define TRIP 64

typedef enum {
    MODE_COUNT,
    MODE_CHECK,
    MODE_ECHO, /* every byte is sent back, until the peer ends */
} Mode;

typedef struct {
    uint64_t bytes;
    uint64_t mode;
} Header;

typedef struct {
    int fd;
    const char *pattern;
} Client;

static void
die(const char *what)
{
    perror(what);
    exit(1);
}

static char *
make_pattern(void)
{
    char *pattern = malloc(PATTERN);
    uint64_t x = 88172645463325252u; /* xorshift64 */

    if (!pattern)
        die("malloc");
    for (size_t i = 0; i < PATTERN; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        pattern[i] = (char)x;
    }
    return pattern;
}

static struct sockaddr_in
loopback(const char *port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)atoi(port)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static bool
is_pattern(const char *pattern, uint64_t offset, const char *data, size_t len)
{
    while (len > 0) {
        size_t at = (size_t)(offset % PATTERN);
        size_t n = len < PATTERN - at ? len : PATTERN - at;

        if (memcmp(pattern + at, data, n) != 0)
            return false;
        offset += n;
        data += n;
        len -= n;
    }
    return true;
}

static void
sink_echo(int fd, char *buffer)
{
    for (;;) {
        ssize_t n = recv(fd, buffer, CHUNK, 0);

        if (n <= 0 || send(fd, buffer, (size_t)n, MSG_NOSIGNAL) != n)
            return;
    }
}

static void
sink_read(const Client *client, char *buffer)
{
    Header header;
    bool right = true;

    if (recv(client->fd, &header, sizeof header, MSG_WAITALL) != sizeof header)
        return;
    if (header.mode == MODE_ECHO) {
        sink_echo(client->fd, buffer);
        return;
    }
    for (uint64_t done = 0; done < header.bytes;) {
        ssize_t n = read(client->fd, buffer, CHUNK);

        if (n <= 0)
            return;
        if (header.mode == MODE_CHECK)
            right = right && is_pattern(client->pattern, done, buffer, (size_t)n);
        done += (uint64_t)n;
    }
    (void)send(client->fd, right ? "y" : "n", 1, MSG_NOSIGNAL);
    (void)recv(client->fd, buffer, 1, 0); /* wait for the peer to end first */
}

static void *
sink_client(void *data)
{
    Client *client = data;
    char *buffer = malloc(CHUNK);

    if (!buffer)
        die("malloc");
    sink_read(client, buffer);
    close(client->fd);
    free(buffer);
    free(client);
    return NULL;
}

static _Noreturn void
sink(const char *port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    const char *pattern = make_pattern();

    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, SOMAXCONN) < 0)
        die("listen");
    for (;;) {
        Client *client = malloc(sizeof *client);
        int accepted = accept(fd, NULL, NULL);
        pthread_t thread;

        if (!client || accepted < 0)
            die("accept");
        *client = (Client){.fd = accepted, .pattern = pattern};
        if (pthread_create(&thread, NULL, sink_client, client) != 0)
            die("pthread_create");
        (void)pthread_detach(thread);
    }
}

static double
now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void
send_pattern(int fd, const char *pattern, uint64_t bytes)
{
    for (uint64_t done = 0; done < bytes;) {
        size_t at = (size_t)(done % PATTERN);
        size_t n = CHUNK < PATTERN - at ? CHUNK : PATTERN - at;
        ssize_t sent =
            send(fd, pattern + at, n < bytes - done ? n : (size_t)(bytes - done), MSG_NOSIGNAL);

        if (sent < 0)
            die("send");
        done += (uint64_t)sent;
    }
}

/* Opens a connection and sends HEADER. */
static int
dial(const char *port, Header header)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        die("connect");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (send(fd, &header, sizeof header, MSG_NOSIGNAL) != sizeof header)
        die("send");
    return fd;
}

static int
send_all(const char *port, const char *megabytes, bool check)
{
    uint64_t bytes = (uint64_t)atoll(megabytes) << 20;
    const char *pattern = make_pattern();
    double start = now();
    int fd = dial(port, (Header){.bytes = bytes, .mode = check ? MODE_CHECK : MODE_COUNT});
    char answer = 0;

    send_pattern(fd, pattern, bytes);
    if (recv(fd, &answer, 1, 0) != 1 || answer != 'y') {
        fprintf(stderr, "load: %s\n", answer == 'n' ? "wrong bytes arrived" : "the stream was cut");
        return 1;
    }
    printf("%.6f\n", now() - start);
    return 0;
}

static void
trip(int fd)
{
    char bytes[TRIP] = "";

    if (send(fd, bytes, TRIP, MSG_NOSIGNAL) != TRIP || recv(fd, bytes, TRIP, MSG_WAITALL) != TRIP)
        die("a round trip");
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static int
measure_times(const char *port, const char *text, bool reconnect)
{
    size_t count = (size_t)atoll(text);
    double *times = calloc(count + 1, sizeof *times);
    int fd = dial(port, (Header){.mode = MODE_ECHO});

    if (!times)
        die("calloc");
    trip(fd);
    for (size_t i = 0; i < count; i++) {
        double start = now();

        if (reconnect) {
            close(fd);
            start = now();
            fd = dial(port, (Header){.mode = MODE_ECHO});
        }
        trip(fd);
        times[i] = (now() - start) * 1e6;
    }
    qsort(times, count, sizeof *times, compare);
    printf("%.1f %.1f\n", times[count / 2], times[count * 99 / 100]);
    return 0;
}

int
main(int argc, char **argv)
{
    const char *verb = argc >= 3 ? argv[1] : "";

    if (strcmp(verb, "sink") == 0)
        sink(argv[2]);
    if (argc >= 4 && strcmp(verb, "send") == 0)
        return send_all(argv[2], argv[3], argc > 4 && strcmp(argv[4], "check") == 0);
    if (argc == 4 && (strcmp(verb, "trips") == 0 || strcmp(verb, "opens") == 0))
        return measure_times(argv[2], argv[3], strcmp(verb, "opens") == 0);
    fprintf(stderr, "usage: load sink PORT | send PORT MEGABYTES [check] | trips PORT COUNT | "
                    "opens PORT COUNT\n");
    return 2;
}
