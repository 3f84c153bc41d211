/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Job: something short that is done with a connection on a reactor, for the main thread.
 *
 * A TLS handshake and an HTTP exchange are jobs. It takes a detached connection, has a time limit,
 * ends once, and returns to the main thread with one message; then the connection is detached again
 * and belongs to the main thread. It can be cancelled at any time and leaves nothing behind. It is
 * the first member of the struct of the particular job. */
#pragma once

#include "common/base/error.h"
#include "common/net/connection.h"
#include "daemon/net/runtime.h"

typedef struct Job Job;

typedef struct {
    void (*begin)(Job *job); /* reactor: once, before the connection is attached; may be NULL */
    void (*ready)(Job *job); /* reactor: the connection may be readable or writable */
    void (*done)(Job *job);  /* main: once; not after job_cancel */
    void (*free)(Job *job);  /* main: the struct and what it holds */
} JobClass;

struct Job {
    const JobClass *class;
    Connection *connection; /* reactor until it comes home */
    Runtime *runtime;
    Reactor *reactor;

    /* Its own, below. */
    Message outward, homeward;
    Timer timer;
    gint64 limit;
    atomic_bool stop;
    gboolean begun, ended; /* reactor */
    gboolean home;         /* main */
    gboolean cancelled;    /* main */
    gboolean failed;
    StreamdError code;
    char *text;
};

/* Main. JOB is zeroed but for what the class needs. Takes CONNECTION. LIMIT in µs: after it the job
 * fails with STREAMD_ERROR_TIMED_OUT. */
void job_run(Job *job, const JobClass *class, Connection *connection, Reactor *reactor,
             Runtime *runtime, gint64 limit);

/* Reactor: ends it, once. A failure closes the connection. After this call the caller must not
 * touch the job: it belongs to the main thread, which may have freed it already. */
void job_succeed(Job *job);
void job_fail(Job *job, StreamdError code, const char *text);

/* Main, in done: the connection, detached, is the caller's. NULL after a failure. */
Connection *job_take_connection(Job *job);

/* Main, in done: TRUE, and sets the error, when it failed. */
gboolean job_failed(Job *job, GError **error);

/* Main: done will not be called, and the job frees itself later. NULL is fine. */
void job_cancel(Job *job);
