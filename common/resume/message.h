/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text messages on a leg of a stream that survives its legs (docs/wire-protocol.md, section
 * 8a): one letter and what belongs to it. Pure; any thread. */
#pragma once

#include "common/base/reason.h"

#define RESUME_TEXT_MAX 64 /* bytes of a message */
#define RESUME_OFFSET_MAX ((guint64)G_MAXINT64)

typedef enum {
    RESUME_BEGIN = 'r',   /* first: consumed, second: limit */
    RESUME_TOLD = 'w',    /* the same */
    RESUME_END = 'e',     /* first: the offset at which the data end */
    RESUME_BLOCKED = 'b', /* first: the limit */
    RESUME_GIVE = 'g',    /* first: the limit that was seen, second: the new one */
    RESUME_CLOSE = 'c',   /* the reason */
} ResumeWord;

typedef struct {
    ResumeWord word;
    guint64 first, second; /* 0 where the word has none */
    Reason reason;         /* of RESUME_CLOSE; REASON_CUT for a code that is not known */
} ResumeMessage;

/* Strict: exactly the form that resume_message_write makes. A `c` takes any code of [a-z-]. FALSE:
 * not a message. */
gboolean resume_message_parse(const void *text, gsize len, ResumeMessage *ret);

/* Without a NUL. Returns its length, at most RESUME_TEXT_MAX. */
gsize resume_message_write(char out[RESUME_TEXT_MAX], const ResumeMessage *message);
