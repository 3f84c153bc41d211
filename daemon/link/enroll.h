/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Enroll: one attempt to join a hub by an invitation (docs/wire-protocol.md, section 9). It tells
 * the hub the key that is kept here already, so an attempt may be repeated whatever became of the
 * last one. Main thread. */
#pragma once

#include "common/codec/connection-string.h"
#include "common/codec/invitation.h"
#include "common/net/tls-context.h"
#include "daemon/net/proxy.h"
#include "daemon/net/runtime.h"

typedef struct Enroll Enroll;

#define ENROLL_TIME (15 * G_TIME_SPAN_SECOND) /* for the answer */

typedef enum {
    ENROLL_JOINED,
    ENROLL_WAITS,   /* until somebody approves of it at the hub */
    ENROLL_REFUSED, /* by a hub that could be asked: the same again will hardly help */
    ENROLL_FAILED,  /* the hub was not reached, or cannot take it now */
} EnrollResult;

/* TEXT: one clause for people; NULL with ENROLL_JOINED. WAIT: µs that the hub asks to wait at
 * least; 0: nothing was said. Once, later. */
typedef void (*EnrollDone)(EnrollResult result, const char *text, gint64 wait, void *data);

typedef struct {
    Runtime *runtime;
    const char *host;
    guint16 port;
    TlsContext *tls;
    Proxy *proxy;                     /* NULL: directly */
    const ConnectionString *identity; /* with the key */
    const InvitationTicket *ticket;
} EnrollOptions;

/* Nothing of OPTIONS is used after the call but RUNTIME. NULL: its parts make no request (INVALID).
 */
Enroll *enroll_new(const EnrollOptions *options, EnrollDone done, void *data, GError **error);
void enroll_cancel(Enroll *enroll); /* DONE is not called; NULL is fine; not after DONE */

/* What an answer means. CODE: iothub-errorcode, or "". *RET_TEXT is for the caller to free. Pure.
 */
EnrollResult
enroll_judge(guint status, const char *code, const ConnectionString *identity, char **ret_text);
