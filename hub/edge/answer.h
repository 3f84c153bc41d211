/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers to the POST that opens a stream (docs/wire-protocol.md, sections 3 and 8). Each function
 * answers the request, which may be answered only once. Main thread. */
#pragma once

#include "common/base/reason.h"
#include "common/codec/caps.h"
#include "hub/edge/error.h"
#include "hub/edge/http-request.h"

typedef struct {
    const char *url;
    const char *token;
    const char *stream_id;
    Caps caps; /* what this service gets of what it asked for */
} RestAccepted;

/* Extensions of the original protocol are sent only to clients that sent streamd-caps. */
void rest_answer_accepted(Request *request, const RestAccepted *accepted);

/* TEXT: the device's own words, or NULL. */
void rest_answer_rejected(Request *request, const char *stream_id, Reason reason, const char *text);

/* TEXT NULL: the error's own. */
void rest_answer_error(Request *request, RestError error, const char *text);

/* 429 with Retry-After: SECONDS, for wrong credentials that were repeated too soon. */
void rest_answer_too_soon(Request *request, guint seconds);

/* 503 with Retry-After. */
#define REST_RETRY_SECONDS 1
