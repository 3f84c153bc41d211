/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Last word: what is said on a leg to whose stream nothing else will be said, and the closing
 * handshake (docs/wire-protocol.md, section 8a, `c`). Main thread; the bytes move on the reactor.
 */
#pragma once

#include "common/net/connection.h"
#include "daemon/net/runtime.h"

#define LAST_WORD_TIME (5 * G_TIME_SPAN_SECOND) /* for the peer to have read it */

/* Takes LEG, detached, of which we are the WebSocket client. Says FIRST and SECOND (NULL: nothing)
 * as text messages of at most WS_MAX_CONTROL bytes, then closes with CODE and TEXT. Nobody waits
 * for it. */
void last_word_say(Runtime *runtime, Reactor *reactor, Connection *leg, const char *first,
                   const char *second, guint16 code, const char *text);
