/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errand: something short that is done with a connection on a reactor, for the main thread.
 *
 * A TLS handshake and an HTTP exchange are errands. It takes a detached connection, has a time
 * limit, ends once, and comes home with one message; then the connection is detached again and
 * belongs to the main thread. Cancelled at any moment, it leaves nothing behind. It is the first
 * member of the struct that says what is done. */
#pragma once

#include "common/base/error.h"
#include "common/net/connection.h"
#include "daemon/net/runtime.h"

typedef struct Errand Errand;

typedef struct {
    void (*begin)(
        Errand *errand); /* reactor: once, before the connection is attached; may be NULL */
    void (*ready)(Errand *errand); /* reactor: the connection may be readable or writable */
    void (*done)(Errand *errand);  /* main: once; not after errand_cancel */
    void (*free)(Errand *errand);  /* main: the struct and what it holds */
} ErrandClass;

struct Errand {
    const ErrandClass *class;
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

/* Main. ERRAND is zeroed but for what the class needs. Takes CONNECTION. LIMIT in µs: after it the
 * errand fails with STREAMD_ERROR_TIMED_OUT. */
void errand_run(Errand *errand, const ErrandClass *class, Connection *connection, Reactor *reactor,
                Runtime *runtime, gint64 limit);

/* Reactor: ends it, once. A failure closes the connection. The caller returns without another look
 * at the errand: it belongs to the main thread from here on, which may have freed it already. */
void errand_succeed(Errand *errand);
void errand_fail(Errand *errand, StreamdError code, const char *text);

/* Main, in done: the connection, detached, is the caller's. NULL after a failure. */
Connection *errand_take_connection(Errand *errand);

/* Main, in done: TRUE, and sets the error, when it failed. */
gboolean errand_failed(Errand *errand, GError **error);

/* Main: done is not called any more and the errand frees itself in time. NULL is fine. */
void errand_cancel(Errand *errand);
