/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/stream/resume.h"

#include "common/base/secret.h"

#include <string.h>

static gboolean
fail(const char **ret_why, const char *why)
{
    *ret_why = why;
    return FALSE;
}

gboolean
stream_resume_read(const Request *request, Caps caps, StreamResume *ret, const char **ret_why)
{
    const char *key = request->resume_key, *resume = request->resume, *info = request->resume_info;
    StreamResume found = {.key = request->resume_key};

    if (key && !resume_key_is_valid(key, strlen(key)))
        return fail(ret_why, RESUME_FIELD_KEY " is 32 bytes as 43 characters of base64url.");
    if (resume && !resume_ask_parse(resume, strlen(resume), RESUME_ASK_HTTP, &found.ask))
        return fail(ret_why, RESUME_FIELD " is ID ATTEMPT.");
    if (info && !resume_info_parse(info, strlen(info), &found.info))
        return fail(ret_why, RESUME_FIELD_INFO " is PAUSE_MS REPLAYED.");
    if (resume && !key)
        return fail(ret_why, RESUME_FIELD " needs " RESUME_FIELD_KEY ".");
    if (resume && (caps & STREAM_RESUME_SERVICE) != STREAM_RESUME_SERVICE)
        return fail(ret_why, RESUME_FIELD " needs half-close, reason and resume in streamd-caps.");
    found.resumes = resume != NULL;
    found.informed = resume && info;
    *ret = found;
    return TRUE;
}

Caps
stream_resume_asked(const StreamResume *resume, Caps caps)
{
    gboolean whole = (caps & STREAM_RESUME_SERVICE) == STREAM_RESUME_SERVICE;

    return resume->key && whole ? caps : caps & (Caps)~CAP_RESUME;
}

gboolean
stream_resume_applies(const Settings *settings, Caps asked, Caps capable)
{
    return settings->resume && (asked & STREAM_RESUME_SERVICE) == STREAM_RESUME_SERVICE &&
           (capable & STREAM_RESUME_DEVICE) == STREAM_RESUME_DEVICE;
}

Caps
stream_resume_agreed(Caps caps, gboolean applies)
{
    gboolean resume = applies && (caps & STREAM_RESUME_SERVICE) == STREAM_RESUME_SERVICE;

    return (caps & (CAP_REASON | CAP_HALF_CLOSE)) | (resume ? CAP_RESUME : 0);
}

void
stream_resume_forget_key(StreamResume *resume)
{
    secret_free(g_steal_pointer(&resume->key));
}

void
stream_resume_copy(StreamResume *to, const StreamResume *from)
{
    stream_resume_forget_key(to);
    *to = from ? *from : (StreamResume){0};
    to->key = g_strdup(to->key);
}
