/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A long line: delay PORT TO MILLISECONDS MEGABYTES listens on 127.0.0.1:PORT, passes bytes between
 * each connection and a new one to 127.0.0.1:TO, and holds each for so long, either way. It carries
 * so many megabytes a second each way, and holds 50 ms of them in front of it. TCP's behaviour on a
 * real line is hidden. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PIECE (64 * 1024)
#define IN_FRONT 0.05 /* s */

/* What was read at once, and when it may go on. */
typedef struct Piece {
    struct Piece *next;
    double due;
    ssize_t len; /* 0: the end */
    char data[PIECE];
} Piece;

typedef struct {
    int from, to;
    double delay, rate; /* s, bytes a second */
    double free;        /* when the line has carried all that was read */
    pthread_mutex_t lock;
    pthread_cond_t more;
    Piece *first, **last;
} Line;

static void
die(const char *what)
{
    perror(what);
    exit(1);
}

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
sleep_until(double due)
{
    double left = due - now();
    struct timespec t = {.tv_sec = (time_t)left,
                         .tv_nsec = (long)((left - (double)(time_t)left) * 1e9)};

    if (left > 0)
        (void)nanosleep(&t, NULL);
}

static Piece *
line_next(Line *line)
{
    Piece *piece;

    pthread_mutex_lock(&line->lock);
    while (!line->first)
        pthread_cond_wait(&line->more, &line->lock);
    piece = line->first;
    line->first = piece->next;
    if (!line->first)
        line->last = &line->first;
    pthread_mutex_unlock(&line->lock);
    return piece;
}

static void *
line_write(void *data)
{
    Line *line = data;
    ssize_t len = 1;

    while (len > 0) {
        Piece *piece = line_next(line);

        sleep_until(piece->due);
        len = piece->len;
        for (ssize_t done = 0, n = 0; done < len; done += n) {
            n = send(line->to, piece->data + done, (size_t)(len - done), MSG_NOSIGNAL);
            if (n < 0)
                len = 0;
        }
        free(piece);
    }
    (void)shutdown(line->to, SHUT_WR);
    return NULL;
}

static void *
line_read(void *data)
{
    Line *line = data;
    ssize_t len = 1;

    while (len > 0) {
        Piece *piece = malloc(sizeof *piece);

        if (!piece)
            die("malloc");
        len = read(line->from, piece->data, PIECE);
        piece->len = len > 0 ? len : 0;
        line->free = (line->free > now() ? line->free : now()) + (double)piece->len / line->rate;
        piece->due = line->free + line->delay;
        piece->next = NULL;
        pthread_mutex_lock(&line->lock);
        *line->last = piece;
        line->last = &piece->next;
        pthread_cond_signal(&line->more);
        pthread_mutex_unlock(&line->lock);
        sleep_until(line->free - IN_FRONT);
    }
    return NULL;
}

static void
line_start(int from, int to, double delay, double rate)
{
    Line *line = calloc(1, sizeof *line);
    pthread_t thread;

    if (!line)
        die("calloc");
    *line = (Line){.from = from, .to = to, .delay = delay, .rate = rate, .last = &line->first};
    pthread_mutex_init(&line->lock, NULL);
    pthread_cond_init(&line->more, NULL);
    if (pthread_create(&thread, NULL, line_read, line) ||
        pthread_create(&thread, NULL, line_write, line))
        die("pthread_create");
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

int
main(int argc, char **argv)
{
    struct sockaddr_in here, there;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (argc != 5) {
        fprintf(stderr, "usage: delay PORT TO MILLISECONDS MEGABYTES\n");
        return 2;
    }
    here = loopback(argv[1]);
    there = loopback(argv[2]);
    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener, (struct sockaddr *)&here, sizeof here) < 0 ||
        listen(listener, SOMAXCONN) < 0)
        die("listen");
    for (;;) {
        int a = accept4(listener, NULL, NULL, SOCK_CLOEXEC),
            b = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (a < 0 || connect(b, (struct sockaddr *)&there, sizeof there) < 0)
            die("accept");
        (void)setsockopt(a, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        (void)setsockopt(b, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        line_start(a, b, atof(argv[3]) / 1000, atof(argv[4]) * 1e6);
        line_start(b, a, atof(argv[3]) / 1000, atof(argv[4]) * 1e6);
    }
}
