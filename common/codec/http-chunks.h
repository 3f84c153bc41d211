/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The body of a request in chunks (RFC 9112 section 7.1), by a strict grammar (requirement R7).
 *
 * Each chunk is its size in 1 to HTTP_CHUNK_DIGITS hexadecimal digits, CR LF, so many bytes, CR LF.
 * A chunk of size 0 and an empty line end the body. There are no extensions, no trailers, no spaces
 * and no bare LF: where two readers could disagree, the body is refused. What has been read is not
 * kept, so the input may be cut anywhere. Pure; any thread. */
#pragma once

#include "common/codec/http-field.h"

#define HTTP_CHUNK_DIGITS 8

/* Zero, but for `max`, at the start of a body. */
typedef struct {
    guint64 max; /* bytes of the whole body */
    /* private */
    guint64 total;
    guint64 left; /* of this chunk */
    guint digits;
    guint state;
} HttpChunks;

typedef enum {
    HTTP_CHUNKS_MORE,    /* all of the input is read, and the body goes on */
    HTTP_CHUNKS_DATA,    /* *ret_data is the next piece of the body, in the input */
    HTTP_CHUNKS_END,     /* the body is complete; what is left of the input is not part of it */
    HTTP_CHUNKS_REFUSED, /* 400, or 413 for a body of more than `max`; answer and close */
} HttpChunksResult;

/* Takes what it reads off *INPUT. Call it again after HTTP_CHUNKS_DATA. */
HttpChunksResult
http_chunks_read(HttpChunks *chunks, Slice *input, Slice *ret_data, HttpRefusal *ret_refusal);
