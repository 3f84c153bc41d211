/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* StreamResume: what a service says of a stream that survives its legs, and whether it applies
 * (docs/wire-protocol.md, section 8a). The hub remembers nothing of a stream whose legs are gone;
 * it keeps the key until the device has been asked. Main thread. */
#pragma once

#include "common/codec/caps.h"
#include "common/extension/resume-ask.h"
#include "hub/base/settings.h"
#include "hub/edge/http-request.h"

/* What both the service and the device must have. */
#define STREAM_RESUME_SERVICE (CAP_HALF_CLOSE | CAP_REASON | CAP_RESUME)
#define STREAM_RESUME_DEVICE (STREAM_RESUME_SERVICE | CAP_SID)

typedef struct {
    char *key;        /* a secret, as the service sent it; NULL: none, or not needed any more */
    gboolean resumes; /* an earlier stream: */
    ResumeAsk ask;
    gboolean informed; /* it says of the pause: */
    ResumeInfo info;
} StreamResume;

/* Of a request whose service has CAPS. FALSE: a field is malformed or not enough, and *RET_WHY is a
 * static sentence for the answer 400. */
gboolean
stream_resume_read(const Request *request, Caps caps, StreamResume *ret, const char **ret_why);

/* Of a service's CAPS, what it can have: without all of it, or without a key, no `resume`. */
Caps stream_resume_asked(const StreamResume *resume, Caps caps);

/* Whether the stream of such a service may survive at a device that said CAPABLE at CONNECT. */
gboolean stream_resume_applies(const Settings *settings, Caps asked, Caps capable);

/* What a device accepts that said CAPS in its answer; APPLIES: it may survive there. */
Caps stream_resume_agreed(Caps caps, gboolean applies);

void stream_resume_copy(StreamResume *to, const StreamResume *from); /* NULL: clears */
void stream_resume_forget_key(StreamResume *resume);
