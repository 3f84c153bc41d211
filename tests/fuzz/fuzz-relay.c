/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Three relays in a row against a model: what goes in at one end comes out at the other, in order,
 * once, whatever is sent, read, ended and reset when.
 * Input: a byte (bit 0: reasons of ends are told), then a byte for each step:
 * what to do in the lowest three bits, for which end in the next, how much in the rest. */
#include "tests/unit/common/net/relay-fixture.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STEPS_MAX 512
#define PIECE 3000
#define TOLD 1

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One of the two outer ends, and what it has sent and got. */
typedef struct {
    int fd; /* -1: reset */
    gsize sent, got;
    gboolean ended; /* it has sent FIN */
    gboolean over;  /* it has got the other's end */
    int error;      /* 0: FIN */
} End;

typedef struct {
    Chain *chain;
    End ends[2]; /* app, target */
    gboolean was_reset;
    gboolean told; /* reasons */
} Model;

static guint8
byte_at(guint end, gsize at)
{
    return (guint8)(((guint32)at + end * 77777u) * 2654435761u >> 24);
}

static void
model_send(Model *model, guint index, gsize len)
{
    End *end = &model->ends[index];
    guint8 bytes[PIECE];
    ssize_t n;

    if (end->fd < 0 || end->ended)
        return;
    for (gsize i = 0; i < len; i++)
        bytes[i] = byte_at(index, end->sent + i);
    n = send(end->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0)
        end->sent += (gsize)n;
}

static void
model_read(Model *model, guint index, gsize len)
{
    End *end = &model->ends[index];
    guint8 bytes[PIECE];
    ssize_t n;

    if (end->fd < 0 || end->over)
        return;
    n = recv(end->fd, bytes, len, MSG_DONTWAIT);
    for (ssize_t i = 0; i < n; i++)
        if (bytes[i] != byte_at(1 - index, end->got + (gsize)i))
            abort();
    if (n > 0)
        end->got += (gsize)n;
    end->over = n == 0 || (n < 0 && errno != EAGAIN);
    end->error = n < 0 ? errno : 0;
}

static void
model_end(Model *model, guint index)
{
    End *end = &model->ends[index];

    if (end->fd < 0 || end->ended)
        return;
    end->ended = TRUE;
    (void)shutdown(end->fd, SHUT_WR);
}

static void
model_reset(Model *model, guint index)
{
    const struct linger hard = {1, 0};
    End *end = &model->ends[index];

    if (end->fd < 0)
        return;
    model->was_reset = TRUE;
    (void)setsockopt(end->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(end->fd);
    end->fd = -1;
    *(index == 0 ? &model->chain->app : &model->chain->target) = -1;
}

static void
model_step(Model *model, guint8 byte)
{
    guint index = byte >> 3 & 1;
    gsize len = 1 + (gsize)(byte >> 4) * (PIECE - 1) / 15;

    switch (byte & 7) {
    case 0:
    case 1:
        model_send(model, index, len);
        break;
    case 2:
    case 3:
        model_read(model, index, len);
        break;
    case 4:
        model_end(model, index);
        break;
    case 5:
        /* Seldom: a reset ends most of what there is to be seen. */
        if (byte >> 4 == 15)
            model_reset(model, index);
        break;
    default:
        g_usleep((gulong)(byte >> 4) * 10);
        break;
    }
}

static gboolean
model_is_over(const Model *model)
{
    return (model->ends[0].over || model->ends[0].fd < 0) &&
           (model->ends[1].over || model->ends[1].fd < 0);
}

/* A fuzzing engine has a timer, whose signal interrupts a wait. */
static int
wait_for(struct pollfd wait[2], int timeout)
{
    int n;

    do
        n = poll(wait, 2, timeout);
    while (n < 0 && errno == EINTR);
    return n;
}

/* Ends both, and reads both until their ends. */
static void
model_finish(Model *model)
{
    while (!model_is_over(model)) {
        struct pollfd wait[2] = {
            {.fd = model->ends[0].over ? -1 : model->ends[0].fd, .events = POLLIN},
            {.fd = model->ends[1].over ? -1 : model->ends[1].fd, .events = POLLIN},
        };

        model_end(model, 0);
        model_end(model, 1);
        if (wait_for(wait, 10000) <= 0)
            abort(); /* it hangs */
        model_read(model, 0, PIECE);
        model_read(model, 1, PIECE);
    }
}

static void
model_check(const Model *model)
{
    for (guint i = 0; i < 2; i++) {
        const End *end = &model->ends[i];
        gsize sent = model->ends[1 - i].sent;

        if (end->got > sent)
            abort();
        if (!model->was_reset && (end->got != sent || end->error != 0))
            abort();
        /* An end that looks whole is whole, where a cut can be told. */
        if (model->told && end->over && end->error == 0 && model->ends[1 - i].ended &&
            end->got != sent)
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gboolean told = size > 0 && data[0] & TOLD;
    Caps caps = CAP_HALF_CLOSE | (told ? CAP_REASON : 0);
    Model model = {.chain = chain_new(FALSE, caps, caps, NULL), .told = told};

    model.ends[0].fd = model.chain->app;
    model.ends[1].fd = model.chain->target;
    for (size_t i = 1; i < MIN(size, STEPS_MAX); i++)
        model_step(&model, data[i]);
    model_finish(&model);
    model_check(&model);
    chain_free(model.chain);
    return 0;
}
