/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: the apps that take streams themselves, by user and name, and what they are asked.
 *
 * A rule names both, so registering alone grants nothing. This module does not know D-Bus: whoever
 * registers a handler brings the calls (HandlerOps). Main thread. */
#pragma once

#include "daemon/stream/stream.h"

typedef struct Handlers Handlers;
typedef struct Handler Handler;
typedef struct HandlerAsk HandlerAsk;

#define HANDLERS_MAX 64
#define HANDLERS_PER_UID 8
#define HANDLER_ANSWER_TIME (20 * G_TIME_SPAN_SECOND)

/* What an app is told of a stream. */
typedef struct {
    Stream *stream;
    guint32 rule;
    guint64 deadline; /* for its answer: CLOCK_REALTIME µs; 0: none is wanted */
} HandlerStream;

typedef struct {
    /* Calls the app. handler_ask_answer follows later, never from within. The result is passed to
     * CANCEL when the answer is no longer wanted. NULL: the app cannot be called. */
    gpointer (*ask)(const HandlerStream *what, HandlerAsk *ask, void *data);
    void (*cancel)(gpointer call, void *data);
    /* Gives it the stream, which is open. FD is taken. */
    void (*deliver)(const HandlerStream *what, int fd, void *data);
} HandlerOps;

Handlers *handlers_new(void);
void handlers_free(Handlers *handlers); /* there are none by then; NULL is fine */

/* Errors: INVALID (the name), EXISTS, LIMIT. */
Handler *handlers_add(Handlers *handlers, guint32 uid, const char *name, const HandlerOps *ops,
                      void *data, GError **error);

/* The app has gone, or takes no more streams: what it was asked is answered with no. */
void handler_remove(Handler *handler);

Handler *handlers_find(Handlers *handlers, guint32 uid, const char *name);
guint64 handler_id(const Handler *handler); /* never used again */

/* Asks about a stream. ANSWERED is called once, later: REASON_NONE for yes, else why not, with a
 * text that the initiator may read (NULL: the reason's own). */
typedef void (*HandlerAnswered)(Reason reason, const char *text, void *data);
HandlerAsk *handler_ask(Handler *handler, const HandlerStream *what, gint64 timeout,
                        HandlerAnswered answered, void *data);

/* ANSWERED is not called. NULL is fine. */
void handler_ask_cancel(HandlerAsk *ask);

/* From the ops: what the app said. TEXT, from the app, is made fit to travel. */
void handler_ask_answer(HandlerAsk *ask, gboolean accept, const char *text);
/* It said nothing that is an answer; TEXT is ours. */
void handler_ask_failed(HandlerAsk *ask, const char *text);

/* Gives a stream to the handler that was asked. FALSE: it has gone; else FD is taken. */
gboolean handlers_deliver(Handlers *handlers, guint64 id, const HandlerStream *what, int fd);
