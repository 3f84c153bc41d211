/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simplest possible relay, to compare with: relay PORT TO listens on 127.0.0.1:PORT and passes
 * bytes between each connection and a new one to 127.0.0.1:TO. No TLS, no framing. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE (256 * 1024)
#define EVENTS 64

typedef struct {
    int from, to;
    size_t start, end; /* the bytes that wait in the buffer */
    bool ended;
    char *buffer;
} Direction;

typedef struct Pair {
    Direction there, back;
    bool dead;
    struct Pair *next; /* in the list of closed pairs */
} Pair;

static void
die(const char *what)
{
    perror(what);
    exit(1);
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

static int
listen_on(const char *port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, SOMAXCONN) < 0)
        die("listen");
    return fd;
}

/* TRUE: the direction continues; FALSE: a side is lost. */
static bool
direction_write(Direction *d)
{
    ssize_t n = write(d->to, d->buffer + d->start, d->end - d->start);

    if (n < 0)
        return errno == EAGAIN;
    d->start += (size_t)n;
    return true;
}

static bool
direction_read(Direction *d)
{
    ssize_t n = read(d->from, d->buffer, BUFFER_SIZE);

    if (n < 0)
        return errno == EAGAIN;
    d->start = 0;
    d->end = (size_t)n;
    if (n == 0) {
        d->ended = true;
        (void)shutdown(d->to, SHUT_WR);
    }
    return true;
}

/* Moves all bytes that can be moved (the watches are edge-triggered). FALSE when a side is lost. */
static bool
direction_pump(Direction *d)
{
    while (!d->ended) {
        if (d->start == d->end) {
            errno = 0;
            if (!direction_read(d))
                return false;
            if (errno == EAGAIN)
                return true;
            continue;
        }
        errno = 0;
        if (!direction_write(d))
            return false;
        if (errno == EAGAIN)
            return true;
    }
    return true;
}

static void
pair_open(int epoll, int listener, const char *to)
{
    struct sockaddr_in address = loopback(to);
    int a = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    int b = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    Pair *pair = calloc(1, sizeof *pair);

    if (a < 0 || b < 0 || !pair)
        die("accept");
    if (connect(b, (struct sockaddr *)&address, sizeof address) < 0)
        die("connect");
    pair->there = (Direction){.from = a, .to = b, .buffer = malloc(BUFFER_SIZE)};
    pair->back = (Direction){.from = b, .to = a, .buffer = malloc(BUFFER_SIZE)};
    for (int i = 0; i < 2; i++) {
        int fd = i ? a : b;
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = pair};

        (void)fcntl(fd, F_SETFL, O_NONBLOCK);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
            die("epoll_ctl");
    }
}

static void
pair_ready(Pair *pair, Pair **dead)
{
    if (pair->dead)
        return;
    if (direction_pump(&pair->there) && direction_pump(&pair->back) &&
        !(pair->there.ended && pair->back.ended))
        return;
    close(pair->there.from);
    close(pair->there.to);
    pair->dead = true;
    pair->next = *dead;
    *dead = pair;
}

static void
bury(Pair *dead)
{
    while (dead) {
        Pair *next = dead->next;

        free(dead->there.buffer);
        free(dead->back.buffer);
        free(dead);
        dead = next;
    }
}

int
main(int argc, char **argv)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[EVENTS] = {{.events = EPOLLIN}};
    int listener;

    if (argc != 3) {
        fprintf(stderr, "usage: relay PORT TO\n");
        return 2;
    }
    listener = listen_on(argv[1]);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &events[0]) < 0)
        die("epoll_ctl");
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, -1);
        Pair *dead = NULL;

        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                pair_ready(events[i].data.ptr, &dead);
            else
                pair_open(epoll, listener, argv[2]);
        }
        bury(dead);
    }
}
