/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net/last-word.h"

#include "common/codec/ws-frame.h"
#include "common/codec/ws-mask.h"
#include "daemon/net/job.h"

#include <errno.h>
#include <string.h>

#define LAST_WORD_BUFFER 4096

typedef struct {
    Job job;
    char *first, *second, *text;
    guint16 code;
    WsMaskPool masks;
} LastWord;

static void
last_word_queue(LastWord *word, const char *message)
{
    guint8 frame[WS_MAX_CONTROL_FRAME], key[WS_MASK_KEY_LEN];

    ws_mask_pool_next(&word->masks, key);
    (void)connection_queue(
        word->job.connection, frame,
        ws_control_write(frame, WS_OP_TEXT, message, MIN(strlen(message), WS_MAX_CONTROL), key));
}

static void
last_word_begin(Job *job)
{
    LastWord *word = CONTAINER_OF(job, LastWord, job);
    guint8 frame[WS_MAX_CONTROL_FRAME], key[WS_MASK_KEY_LEN];

    last_word_queue(word, word->first);
    if (word->second)
        last_word_queue(word, word->second);
    ws_mask_pool_next(&word->masks, key);
    (void)connection_queue(job->connection, frame,
                           ws_close_write(frame, word->code, word->text, key));
}

/* What comes is of no interest any more; when the peer has read it all, it ends the connection. */
static void
last_word_ready(Job *job)
{
    guint8 bytes[LAST_WORD_BUFFER];
    ssize_t n;

    (void)connection_flush(job->connection);
    do
        n = connection_read(job->connection, bytes, sizeof bytes);
    while (n > 0);
    if (n != -EAGAIN)
        job_succeed(job);
}

static void
last_word_home(Job *job)
{
    connection_free(job_take_connection(job));
}

static void
last_word_free(Job *job)
{
    LastWord *word = CONTAINER_OF(job, LastWord, job);

    g_free(word->first);
    g_free(word->second);
    g_free(word->text);
    g_free(word);
}

static const JobClass last_word_class = {
    .begin = last_word_begin,
    .ready = last_word_ready,
    .done = last_word_home,
    .free = last_word_free,
};

void
last_word_say(Runtime *runtime, Reactor *reactor, Connection *leg, const char *first,
              const char *second, guint16 code, const char *text)
{
    LastWord *word = g_new0(LastWord, 1);

    word->first = g_strdup(first);
    word->second = g_strdup(second);
    word->text = g_strdup(text);
    word->code = code;
    job_run(&word->job, &last_word_class, leg, reactor, runtime, LAST_WORD_TIME);
}
