/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pump of `streamctl connect`: exactness, half-close, ends. */
#include "client/pipe/pump.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BYTES (3 * 1024 * 1024 + 17)

typedef struct {
    int input[2];  /* [1] is the test's */
    int output[2]; /* [0] is the test's */
    int pair[2];   /* [1] is the test's: the far end */
    int aside[2];  /* [1] is the test's */
    int looked;    /* how many bytes came there */
    PumpEnd end;
    pthread_t thread;
} Fixture;

/* Takes a byte; an 'x' is the last one. */
static gboolean
look_aside(void *data)
{
    Fixture *fixture = data;
    char byte = 'x';

    fixture->looked += read(fixture->aside[0], &byte, 1) == 1 ? 1 : 0;
    return byte != 'x';
}

static void *
pump_thread(void *data)
{
    Fixture *fixture = data;

    const PumpAside aside = {fixture->aside[0], look_aside, fixture};

    fixture->end = pump_run(fixture->pair[0], fixture->input[0], fixture->output[1],
                            fixture->aside[0] >= 0 ? &aside : NULL);
    return NULL;
}

static void
fixture_start_beside(Fixture *fixture, int aside, int aside_end)
{
    *fixture = (Fixture){.aside = {aside, aside_end}};
    g_assert_cmpint(pipe(fixture->input), ==, 0);
    g_assert_cmpint(pipe(fixture->output), ==, 0);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fixture->pair), ==, 0);
    g_assert_cmpint(pthread_create(&fixture->thread, NULL, pump_thread, fixture), ==, 0);
}

static void
fixture_start(Fixture *fixture)
{
    fixture_start_beside(fixture, -1, -1);
}

static void
fixture_join(Fixture *fixture)
{
    g_assert_cmpint(pthread_join(fixture->thread, NULL), ==, 0);
    (void)close(fixture->pair[0]);
    (void)close(fixture->input[0]);
}

/* Writes a known pattern and ends. */
static void *
write_thread(void *data)
{
    int fd = GPOINTER_TO_INT(data);
    g_autofree guint8 *bytes = g_malloc(BYTES);
    gsize at = 0;

    for (gsize i = 0; i < BYTES; i++)
        bytes[i] = (guint8)(i * 31 + i / 251);
    while (at < BYTES) {
        ssize_t n = write(fd, bytes + at, BYTES - at);

        g_assert_cmpint(n, >, 0);
        at += (gsize)n;
    }
    if (shutdown(fd, SHUT_WR) < 0) /* a pipe */
        (void)close(fd);
    return NULL;
}

static void
assert_pattern(int fd)
{
    guint8 buffer[8192];
    gsize at = 0;
    ssize_t n;

    while ((n = read(fd, buffer, sizeof(buffer))) > 0)
        for (ssize_t i = 0; i < n; i++, at++)
            if (buffer[i] != (guint8)(at * 31 + at / 251))
                g_error("byte %" G_GSIZE_FORMAT " differs", at);
    g_assert_cmpint(n, ==, 0);
    g_assert_cmpuint(at, ==, BYTES);
}

static void
test_both_directions_arrive_whole(void)
{
    Fixture fixture;
    pthread_t up, down;

    fixture_start(&fixture);
    pthread_create(&up, NULL, write_thread, GINT_TO_POINTER(fixture.input[1]));
    pthread_create(&down, NULL, write_thread, GINT_TO_POINTER(fixture.pair[1]));
    assert_pattern(fixture.pair[1]);
    assert_pattern(fixture.output[0]);
    pthread_join(up, NULL);
    pthread_join(down, NULL);
    fixture_join(&fixture);
    g_assert_cmpint(fixture.end, ==, PUMP_ENDED);
    (void)close(fixture.pair[1]);
    (void)close(fixture.output[0]);
}

/* Our input ends first; the answer still comes. */
static void
test_end_of_input_is_passed_on(void)
{
    Fixture fixture;
    char buffer[16];

    fixture_start(&fixture);
    g_assert_cmpint(write(fixture.input[1], "ask", 3), ==, 3);
    (void)close(fixture.input[1]);
    g_assert_cmpint(recv(fixture.pair[1], buffer, sizeof(buffer), MSG_WAITALL), ==, 3);
    g_assert_cmpint(write(fixture.pair[1], "answer", 6), ==, 6);
    (void)close(fixture.pair[1]);
    g_assert_cmpint(read(fixture.output[0], buffer, sizeof(buffer)), ==, 6);
    g_assert_cmpint(read(fixture.output[0], buffer, sizeof(buffer)), ==, 0);
    fixture_join(&fixture);
    g_assert_cmpint(fixture.end, ==, PUMP_ENDED);
    (void)close(fixture.output[0]);
}

/* The far side closes altogether while our input stays open, as a terminal does. */
static void
test_a_closed_stream_ends_it(void)
{
    Fixture fixture;
    char buffer[16];

    fixture_start(&fixture);
    g_assert_cmpint(write(fixture.pair[1], "bye", 3), ==, 3);
    (void)close(fixture.pair[1]);
    g_assert_cmpint(read(fixture.output[0], buffer, sizeof(buffer)), ==, 3);
    fixture_join(&fixture);
    g_assert_cmpint(fixture.end, ==, PUMP_ENDED);
    (void)close(fixture.input[1]);
    (void)close(fixture.output[0]);
}

/* The far side ends its direction only: what we send still arrives. */
static void
test_half_closed_stream_still_takes_input(void)
{
    Fixture fixture;
    char buffer[16];

    fixture_start(&fixture);
    g_assert_cmpint(shutdown(fixture.pair[1], SHUT_WR), ==, 0);
    g_assert_cmpint(read(fixture.output[0], buffer, sizeof(buffer)), ==, 0);
    g_assert_cmpint(write(fixture.input[1], "late", 4), ==, 4);
    (void)close(fixture.input[1]);
    g_assert_cmpint(recv(fixture.pair[1], buffer, 4, MSG_WAITALL), ==, 4);
    g_assert_cmpint(read(fixture.pair[1], buffer, sizeof(buffer)), ==, 0);
    fixture_join(&fixture);
    g_assert_cmpint(fixture.end, ==, PUMP_ENDED);
    (void)close(fixture.pair[1]);
    (void)close(fixture.output[0]);
}

static void
test_a_reader_that_goes_ends_it(void)
{
    Fixture fixture;

    fixture_start(&fixture);
    (void)close(fixture.output[0]);
    g_assert_cmpint(write(fixture.pair[1], "x", 1), ==, 1);
    fixture_join(&fixture);
    g_assert_cmpint(fixture.end, ==, PUMP_OUTPUT_GONE);
    (void)close(fixture.pair[1]);
    (void)close(fixture.input[1]);
    (void)close(fixture.output[1]);
}

/* What comes aside is looked at while bytes stand still, until it is said to be the last. */
static void
test_looks_aside(void)
{
    char buffer[16];
    Fixture fixture;
    int aside[2];

    g_assert_cmpint(pipe(aside), ==, 0);
    fixture_start_beside(&fixture, aside[0], aside[1]);
    g_assert_cmpint(write(aside[1], "abxy", 4), ==, 4);
    g_assert_cmpint(write(fixture.input[1], "ask", 3), ==, 3);
    g_assert_cmpint(recv(fixture.pair[1], buffer, 3, MSG_WAITALL), ==, 3);
    g_assert_cmpint(write(fixture.input[1], "ask", 3), ==, 3);
    g_assert_cmpint(recv(fixture.pair[1], buffer, 3, MSG_WAITALL), ==, 3);
    (void)close(fixture.input[1]);
    (void)close(fixture.pair[1]);
    fixture_join(&fixture);
    g_assert_cmpint(fixture.looked, <=, 3);
    g_assert_cmpint(fixture.looked, >=, 1);
    (void)close(fixture.output[0]);
    (void)close(aside[0]);
    (void)close(aside[1]);
}

/* Its last word, and its end. */
static void
test_aside_ends(void)
{
    char buffer[16];
    Fixture fixture;
    int aside[2];

    g_assert_cmpint(pipe(aside), ==, 0);
    g_assert_cmpint(write(aside[1], "x", 1), ==, 1);
    (void)close(aside[1]);
    fixture_start_beside(&fixture, aside[0], -1);
    g_assert_cmpint(write(fixture.pair[1], "bye", 3), ==, 3);
    (void)close(fixture.pair[1]);
    g_assert_cmpint(read(fixture.output[0], buffer, sizeof(buffer)), ==, 3);
    g_assert_cmpint(read(fixture.output[0], buffer, sizeof(buffer)), ==, 0);
    fixture_join(&fixture);
    g_assert_cmpint(fixture.looked, ==, 1);
    (void)close(fixture.input[1]);
    (void)close(fixture.output[0]);
    (void)close(aside[0]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    g_test_add_func("/pump/exact", test_both_directions_arrive_whole);
    g_test_add_func("/pump/end-of-input", test_end_of_input_is_passed_on);
    g_test_add_func("/pump/closed", test_a_closed_stream_ends_it);
    g_test_add_func("/pump/half-closed", test_half_closed_stream_still_takes_input);
    g_test_add_func("/pump/reader-gone", test_a_reader_that_goes_ends_it);
    g_test_add_func("/pump/aside", test_looks_aside);
    g_test_add_func("/pump/aside-ends", test_aside_ends);
    return g_test_run();
}
