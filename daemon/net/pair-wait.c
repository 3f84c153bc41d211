/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net/pair-wait.h"

#include "common/codec/ws-frame.h"
#include "common/codec/ws-mask.h"
#include "daemon/net/job.h"

#include <errno.h>
#include <string.h>

/* More than any control frame, so that it holds a complete close frame. */
#define PAIR_WAIT_BUFFER 512

struct PairWait {
    Job job;
    WsDecoder decoder;
    guint8 bytes[PAIR_WAIT_BUFFER]; /* as received */
    gsize len;
    Reason reason; /* the reactor's, until the job has come home */
    PairWaitDone done;
    void *data;
};

static Reason
close_reason(const WsEvent *event)
{
    Reason told = reason_from_code((const char *)event->payload, (gssize)event->payload_len);

    if (told != REASON_NONE && reason_close_code(told) == event->code)
        return told;
    return event->code == WS_CLOSE_GOING_AWAY ? REASON_HUB_STOPPING
           : event->code == WS_CLOSE_POLICY   ? REASON_REVOKED
                                              : REASON_CUT;
}

/* An orderly close is for a stream that was open. */
static gboolean
close_is_late(const WsEvent *event)
{
    return event->code == WS_CLOSE_NONE || event->code == WS_CLOSE_NORMAL;
}

typedef enum {
    WAIT_MORE,
    WAIT_PAIRED,
    WAIT_ENDED, /* wait->reason has the reason */
} WaitResult;

/* Looks at the LEN bytes that came last. The decoder works on a copy, because the relay needs them
 * unchanged. */
static WaitResult
pair_wait_look(PairWait *wait, const guint8 *bytes, gsize len)
{
    guint8 copy[PAIR_WAIT_BUFFER];
    WsEvent event;
    gsize used;

    memcpy(copy, bytes, len);
    ws_decoder_run(&wait->decoder, copy, len, &used, &event);
    if (event.data_len > 0)
        return WAIT_PAIRED;
    switch (event.type) {
    case WS_EVENT_NONE:
        return wait->len == PAIR_WAIT_BUFFER ? WAIT_PAIRED : WAIT_MORE;
    case WS_EVENT_CLOSE:
        wait->reason = close_reason(&event);
        return close_is_late(&event) ? WAIT_PAIRED : WAIT_ENDED;
    case WS_EVENT_ERROR:
        wait->reason = REASON_PROTOCOL;
        return WAIT_ENDED;
    default:
        return WAIT_PAIRED;
    }
}

/* Once the job has ended it belongs to the main thread: every end must return at once. */
static void
pair_wait_ready(Job *job)
{
    PairWait *wait = CONTAINER_OF(job, PairWait, job);
    int r = connection_flush(job->connection);
    WaitResult result = WAIT_MORE;

    while (result == WAIT_MORE) {
        guint8 *at = wait->bytes + wait->len;
        ssize_t n = connection_read(job->connection, at, PAIR_WAIT_BUFFER - wait->len);

        if (n == -EAGAIN && (r == 0 || r == -EAGAIN))
            return;
        if (n <= 0) {
            wait->reason = REASON_CUT;
            result = WAIT_ENDED;
            break;
        }
        wait->len += (gsize)n;
        result = pair_wait_look(wait, at, (gsize)n);
    }
    if (result == WAIT_ENDED) {
        job_fail(job, STREAMD_ERROR_UNREACHABLE, "the leg was closed before it was paired");
        return;
    }
    wait->reason = REASON_NONE;
    connection_keep_alive(job->connection, 0);
    connection_unread(job->connection, wait->bytes, wait->len);
    job_succeed(job);
}

static void
pair_wait_begin(Job *job)
{
    guint8 frame[WS_MAX_CONTROL_FRAME], key[WS_MASK_KEY_LEN];
    WsMaskPool masks = {0};

    connection_keep_alive(job->connection, CONNECTION_IDLE);
    ws_mask_pool_next(&masks, key);
    (void)connection_queue(job->connection, frame,
                           ws_control_write(frame, WS_OP_PING, NULL, 0, key));
}

static void
pair_wait_home(Job *job)
{
    PairWait *wait = CONTAINER_OF(job, PairWait, job);
    Connection *connection = job_take_connection(job);

    wait->done(connection, connection ? REASON_NONE : wait->reason, wait->data);
}

static void
pair_wait_free(Job *job)
{
    g_free(CONTAINER_OF(job, PairWait, job));
}

static const JobClass pair_wait_class = {
    .begin = pair_wait_begin,
    .ready = pair_wait_ready,
    .done = pair_wait_home,
    .free = pair_wait_free,
};

PairWait *
pair_wait_new(Runtime *runtime, Reactor *reactor, Connection *connection, gint64 limit,
              PairWaitDone done, void *data)
{
    PairWait *wait = g_new0(PairWait, 1);

    ws_decoder_init(&wait->decoder, WS_ROLE_CLIENT, 0);
    wait->reason = REASON_NOT_PAIRED; /* unless another reason comes before the limit */
    wait->done = done;
    wait->data = data;
    job_run(&wait->job, &pair_wait_class, connection, reactor, runtime, limit);
    return wait;
}

void
pair_wait_cancel(PairWait *wait)
{
    if (wait)
        job_cancel(&wait->job);
}
