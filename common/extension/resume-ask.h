/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resume ask: how a service says which stream it leads back, with which key, and what it knows of
 * the pause (docs/wire-protocol.md, section 8a): the fields `streamd-resume`, `streamd-resume-key`
 * and `streamd-resume-info` of its POST, and `$resume=` and `$rkey=` to the device. Pure; any
 * thread. */
#pragma once

#include <glib.h>

/* Fields of the POST. */
#define RESUME_FIELD "streamd-resume"
#define RESUME_FIELD_KEY "streamd-resume-key"
#define RESUME_FIELD_INFO "streamd-resume-info"

#define RESUME_ID_MAX 64
#define RESUME_ATTEMPT_MAX G_MAXINT32
#define RESUME_KEY_LEN 32
#define RESUME_KEY_TEXT 43 /* base64url, without padding */

typedef struct {
    char id[RESUME_ID_MAX + 1]; /* letters, digits and -._ */
    guint32 attempt;            /* 1 to RESUME_ATTEMPT_MAX */
} ResumeAsk;

/* "ID ATTEMPT" in HTTP and "ID.ATTEMPT" in a topic: SEPARATOR is the last one of its kind. FALSE:
 * malformed, and *RET does not change. Each has only one text. */
#define RESUME_ASK_HTTP ' '
#define RESUME_ASK_TOPIC '.'
gboolean resume_ask_parse(const char *text, gsize len, char separator, ResumeAsk *ret);
char *resume_ask_format(const ResumeAsk *ask, char separator); /* caller frees */

/* The key. Wiping it, and its text, is the caller's. */
gboolean resume_key_is_valid(const char *text, gsize len);
gboolean resume_key_parse(const char *text, gsize len, guint8 ret[RESUME_KEY_LEN]);
char *resume_key_format(const guint8 key[RESUME_KEY_LEN]); /* free it with secret_free */

/* The SHA-256 of a key, which is all that a device keeps of it; and whether two of them are equal,
 * in a time that does not depend on it. */
void resume_key_digest(const guint8 key[RESUME_KEY_LEN], guint8 ret[RESUME_KEY_LEN]);
gboolean resume_digest_equals(const guint8 a[RESUME_KEY_LEN], const guint8 b[RESUME_KEY_LEN]);

/* For the records alone. */
typedef struct {
    guint64 pause;    /* ms since the loss */
    guint64 replayed; /* bytes that were not acknowledged by then */
} ResumeInfo;

/* "PAUSE_MS REPLAYED", each below 2^63. */
gboolean resume_info_parse(const char *text, gsize len, ResumeInfo *ret);
char *resume_info_format(const ResumeInfo *info); /* caller frees */
