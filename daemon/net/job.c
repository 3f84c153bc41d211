/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net/job.h"

#include <string.h>

static void
job_end(Job *job)
{
    job->ended = TRUE;
    reactor_clear_timer(job->reactor, &job->timer);
    queue_post(job->runtime->home, &job->homeward);
}

void
job_succeed(Job *job)
{
    if (job->ended)
        return;
    connection_detach(job->connection);
    job_end(job);
}

void
job_fail(Job *job, StreamdError code, const char *text)
{
    if (job->ended)
        return;
    job->failed = TRUE;
    job->code = code;
    job->text = g_strdup(text);
    g_clear_pointer(&job->connection, connection_free);
    job_end(job);
}

static void
job_timed_out(Timer *timer)
{
    Job *job = CONTAINER_OF(timer, Job, timer);

    job_fail(job, STREAMD_ERROR_TIMED_OUT, "no answer in time");
}

static void
job_ready(Connection *connection, void *data)
{
    Job *job = data;

    if (!job->ended)
        job->class->ready(job);
}

static void
job_begin(Job *job)
{
    int r;

    job->begun = TRUE;
    reactor_set_timer(job->reactor, &job->timer, job->limit);
    if (job->class->begin)
        job->class->begin(job);
    if (job->ended)
        return;
    r = connection_attach(job->connection, job->reactor, job_ready, job);
    if (r < 0)
        job_fail(job, STREAMD_ERROR_LIMIT, g_strerror(-r));
}

/* Reactor: begins, or checks `stop`. */
static void
job_outward(Message *message)
{
    Job *job = CONTAINER_OF(message, Job, outward);

    if (!job->begun && !atomic_load(&job->stop))
        job_begin(job);
    else if (atomic_load(&job->stop))
        job_fail(job, STREAMD_ERROR_CANCELLED, "cancelled");
}

static void
job_free(Job *job)
{
    job->runtime->away--;
    g_clear_pointer(&job->connection, connection_free);
    g_free(job->text);
    job->class->free(job);
}

/* The message that told the reactor to stop may still be in its queue. So the job is freed by a
 * call that returns from behind that message. */
static void
job_home_again(void *data)
{
    job_free(data);
}

static void
job_behind_kick(void *data)
{
    Job *job = data;

    queue_call(job->runtime->home, job_home_again, job);
}

static void
job_homeward(Message *message)
{
    Job *job = CONTAINER_OF(message, Job, homeward);

    job->home = TRUE;
    if (job->cancelled) {
        reactor_call(job->reactor, job_behind_kick, job);
        return;
    }
    job->class->done(job);
    job_free(job);
}

void
job_run(Job *job, const JobClass *class, Connection *connection, Reactor *reactor, Runtime *runtime,
        gint64 limit)
{
    job->class = class;
    job->connection = connection;
    job->reactor = reactor;
    job->runtime = runtime;
    job->limit = limit;
    job->outward.func = job_outward;
    job->homeward.func = job_homeward;
    job->timer.func = job_timed_out;
    runtime->away++;
    reactor_post(reactor, &job->outward);
}

Connection *
job_take_connection(Job *job)
{
    return g_steal_pointer(&job->connection);
}

gboolean
job_failed(Job *job, GError **error)
{
    if (job->failed)
        g_set_error_literal(error, STREAMD_ERROR, (int)job->code, job->text);
    return job->failed;
}

void
job_cancel(Job *job)
{
    if (!job || job->cancelled)
        return;
    job->cancelled = TRUE;
    if (job->home) /* called from inside DONE: it is freed after that */
        return;
    atomic_store(&job->stop, TRUE);
    reactor_post(job->reactor, &job->outward);
}
