/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net/job.h"

#include <string.h>

static void
errand_end(Errand *errand)
{
    errand->ended = TRUE;
    reactor_clear_timer(errand->reactor, &errand->timer);
    queue_post(errand->runtime->home, &errand->homeward);
}

void
errand_succeed(Errand *errand)
{
    if (errand->ended)
        return;
    connection_detach(errand->connection);
    errand_end(errand);
}

void
errand_fail(Errand *errand, StreamdError code, const char *text)
{
    if (errand->ended)
        return;
    errand->failed = TRUE;
    errand->code = code;
    errand->text = g_strdup(text);
    g_clear_pointer(&errand->connection, connection_free);
    errand_end(errand);
}

static void
errand_timed_out(Timer *timer)
{
    Errand *errand = CONTAINER_OF(timer, Errand, timer);

    errand_fail(errand, STREAMD_ERROR_TIMED_OUT, "no answer in time");
}

static void
errand_ready(Connection *connection, void *data)
{
    Errand *errand = data;

    if (!errand->ended)
        errand->class->ready(errand);
}

static void
errand_begin(Errand *errand)
{
    int r;

    errand->begun = TRUE;
    reactor_set_timer(errand->reactor, &errand->timer, errand->limit);
    if (errand->class->begin)
        errand->class->begin(errand);
    if (errand->ended)
        return;
    r = connection_attach(errand->connection, errand->reactor, errand_ready, errand);
    if (r < 0)
        errand_fail(errand, STREAMD_ERROR_LIMIT, g_strerror(-r));
}

/* On the reactor: to begin, or to look at `stop`. */
static void
errand_outward(Message *message)
{
    Errand *errand = CONTAINER_OF(message, Errand, outward);

    if (!errand->begun && !atomic_load(&errand->stop))
        errand_begin(errand);
    else if (atomic_load(&errand->stop))
        errand_fail(errand, STREAMD_ERROR_CANCELLED, "cancelled");
}

static void
errand_free(Errand *errand)
{
    errand->runtime->away--;
    g_clear_pointer(&errand->connection, connection_free);
    g_free(errand->text);
    errand->class->free(errand);
}

/* The kick that told the reactor to stop may still be queued there: the errand is freed by a call
 * that comes back from behind it. */
static void
errand_home_again(void *data)
{
    errand_free(data);
}

static void
errand_behind_kick(void *data)
{
    Errand *errand = data;

    queue_call(errand->runtime->home, errand_home_again, errand);
}

static void
errand_homeward(Message *message)
{
    Errand *errand = CONTAINER_OF(message, Errand, homeward);

    errand->home = TRUE;
    if (errand->cancelled) {
        reactor_call(errand->reactor, errand_behind_kick, errand);
        return;
    }
    errand->class->done(errand);
    errand_free(errand);
}

void
errand_run(Errand *errand, const ErrandClass *class, Connection *connection, Reactor *reactor,
           Runtime *runtime, gint64 limit)
{
    errand->class = class;
    errand->connection = connection;
    errand->reactor = reactor;
    errand->runtime = runtime;
    errand->limit = limit;
    errand->outward.func = errand_outward;
    errand->homeward.func = errand_homeward;
    errand->timer.func = errand_timed_out;
    runtime->away++;
    reactor_post(reactor, &errand->outward);
}

Connection *
errand_take_connection(Errand *errand)
{
    return g_steal_pointer(&errand->connection);
}

gboolean
errand_failed(Errand *errand, GError **error)
{
    if (errand->failed)
        g_set_error_literal(error, STREAMD_ERROR, (int)errand->code, errand->text);
    return errand->failed;
}

void
errand_cancel(Errand *errand)
{
    if (!errand || errand->cancelled)
        return;
    errand->cancelled = TRUE;
    if (errand->home) /* called from inside done: it is freed there */
        return;
    atomic_store(&errand->stop, TRUE);
    reactor_post(errand->reactor, &errand->outward);
}
