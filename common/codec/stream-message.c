/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/stream-message.h"

#include <string.h>

void
stream_request_clear(StreamRequest *request)
{
    /* Wipe the token of a leg in it, and the stream's key. A NUL ends each. */
    if (request->storage)
        explicit_bzero((char *)request->token, strlen(request->token));
    if (request->storage && request->rkey)
        explicit_bzero((char *)request->rkey, strlen(request->rkey));
    g_free(request->storage);
    *request = (StreamRequest){.deadline = -1};
}

void
stream_answer_clear(StreamAnswer *answer)
{
    g_free(answer->storage);
    *answer = (StreamAnswer){.reason = REASON_NONE};
}
