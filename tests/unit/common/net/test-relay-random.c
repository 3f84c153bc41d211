/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The chain of relays under random loads: pieces, pauses, buffers of the kernel, TLS or not,
 * and ends. Each round is made from one number, printed first; STREAMD_SEED=NUMBER repeats it. */
#include "tests/unit/common/net/relay-fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BOTH (CAP_HALF_CLOSE | CAP_REASON)
#define RUN (5 * G_TIME_SPAN_SECOND)
#define SMALL (128 * 1024) /* so that a round takes seconds, not minutes */

/* How a direction's sender ends. */
typedef enum {
    END_FIN,
    END_RESET,
} End;

typedef struct {
    int in, out;  /* sent into, read from */
    guint32 seed; /* of the bytes, the pieces and the pauses */
    gsize len;
    End end;
    gsize got;
    int got_error; /* 0: FIN */
} Direction;

static guint8
byte_at(guint32 seed, gsize at)
{
    return (guint8)((seed ^ (guint32)at) * 2654435761u >> 24);
}

/* Mostly small or mostly large, now and then a rest. */
static gsize
next_piece(GRand *random, gsize left)
{
    gint32 most = g_rand_int_range(random, 0, 3) == 0 ? 150000 : 600;
    gsize piece = (gsize)g_rand_int_range(random, 1, most);

    if (g_rand_int_range(random, 0, 40) == 0)
        g_usleep((gulong)g_rand_int_range(random, 0, 3000));
    return MIN(left, piece);
}

static void *
direction_send(void *data)
{
    const Direction *direction = data;
    g_autoptr(GRand) random = g_rand_new_with_seed(direction->seed);
    g_autofree guint8 *bytes = g_malloc(150000);
    gsize piece;

    for (gsize at = 0; at < direction->len; at += piece) {
        piece = next_piece(random, direction->len - at);
        for (gsize i = 0; i < piece; i++)
            bytes[i] = byte_at(direction->seed, at + i);
        for (gsize done = 0; done < piece;) {
            ssize_t n = send(direction->in, bytes + done, piece - done, MSG_NOSIGNAL);

            if (n < 0)
                return NULL; /* the other end reset it */
            done += (gsize)n;
        }
    }
    if (direction->end == END_FIN)
        shutdown(direction->in, SHUT_WR);
    return NULL;
}

static void *
direction_receive(void *data)
{
    Direction *direction = data;
    g_autoptr(GRand) random = g_rand_new_with_seed(direction->seed + 1);
    g_autofree guint8 *bytes = g_malloc(150000);
    ssize_t n;

    while ((n = recv(direction->out, bytes, next_piece(random, 150000), 0)) > 0) {
        for (gsize i = 0; i < (gsize)n; i++)
            g_assert_cmpuint(bytes[i], ==, byte_at(direction->seed, direction->got + i));
        direction->got += (gsize)n;
    }
    direction->got_error = n < 0 ? errno : 0;
    return NULL;
}

/* TRUE: so small that the kernel sends a little and waits for its acknowledgement, 40 ms each time.
 */
static gboolean
shrink(GRand *random, int fd)
{
    int size = g_rand_int_range(random, 4096, 200000);

    if (!g_rand_int_range(random, 0, 2))
        return FALSE;
    setsockopt(fd, SOL_SOCKET, g_rand_int_range(random, 0, 2) ? SO_SNDBUF : SO_RCVBUF, &size,
               sizeof size);
    return size < 65536;
}

/* TRUE: its sender's socket, which the other direction is read from, is a small one. */
static gboolean
direction_init(Direction *direction, GRand *random, int in, int out, gboolean may_cut)
{
    *direction = (Direction){.in = in, .out = out, .seed = g_rand_int(random)};
    direction->len = (gsize)g_rand_int_range(random, 0, 1 << g_rand_int_range(random, 1, 22));
    direction->end = may_cut && g_rand_int_range(random, 0, 4) == 0 ? END_RESET : END_FIN;
    return shrink(random, in);
}

/* Everything arrived, in both directions, and every hop says so. */
static void
check_complete(Chain *chain, const Direction directions[2])
{
    for (guint i = 0; i < 2; i++) {
        g_assert_cmpuint(directions[i].got, ==, directions[i].len);
        g_assert_cmpint(directions[i].got_error, ==, 0);
    }
    for (guint i = 0; i < G_N_ELEMENTS(chain->hops); i++)
        g_assert_cmpint(chain_wait(chain, i), ==, REASON_COMPLETED);
}

static void
check_cut(Chain *chain, const Direction directions[2])
{
    /* The sender's own reset may overtake the end of the other direction, never a byte. */
    for (guint i = 0; i < 2; i++)
        g_assert_cmpuint(directions[i].got, <=, directions[i].len);
    if (directions[0].got < directions[0].len)
        g_assert_cmpint(directions[0].got_error, ==, ECONNRESET);
    for (guint i = 0; i < G_N_ELEMENTS(chain->hops); i++)
        g_assert_false(reason_is_orderly(chain_wait(chain, i)));
}

/* Once nobody uses the socket any more. */
static void
reset(int *fd)
{
    const struct linger hard = {1, 0};

    setsockopt(*fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(*fd);
    *fd = -1;
}

static void
round_run(guint32 seed)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    g_autoptr(Chain) chain = chain_new(g_rand_int_range(random, 0, 3) > 0, BOTH, BOTH, NULL);
    Direction directions[2];
    GThread *threads[4];
    gboolean small;

    small = direction_init(&directions[0], random, chain->app, chain->target, TRUE);
    small |= direction_init(&directions[1], random, chain->target, chain->app, FALSE);
    for (guint i = 0; i < 2 && small; i++)
        directions[i].len = MIN(directions[i].len, SMALL);
    if (directions[0].end == END_RESET)
        directions[1].len = 0;
    for (guint i = 0; i < 2; i++) {
        threads[2 * i] = g_thread_new("send", direction_send, &directions[i]);
        threads[2 * i + 1] = g_thread_new("receive", direction_receive, &directions[i]);
    }
    g_thread_join(threads[0]);
    g_thread_join(threads[2]);
    g_thread_join(threads[3]);
    if (directions[0].end == END_RESET)
        reset(&chain->app);
    g_thread_join(threads[1]);
    if (directions[0].end == END_RESET)
        check_cut(chain, directions);
    else
        check_complete(chain, directions);
}

static void
test_random(void)
{
    const char *given = g_getenv("STREAMD_SEED");
    gint64 until = g_get_monotonic_time() + RUN;

    do {
        guint32 seed =
            given ? (guint32)g_ascii_strtoull(given, NULL, 0) : (guint32)g_test_rand_int();

        g_test_message("STREAMD_SEED=%u", seed);
        round_run(seed);
    } while (!given && g_get_monotonic_time() < until);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/relay-random", test_random);
    return g_test_run();
}
