/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* App end: the local end of an accepted stream that an app will get. It waits here from the
 * decision until the stream is open or has failed. Main thread. */
#pragma once

#include "daemon/stream/private.h"

typedef struct AppEnd AppEnd;

/* Called once, later: with the descriptor, which the callee owns, or with -1 and ERROR. */
typedef void (*AppEndDone)(Stream *stream, int fd, const GError *error, void *data);

/* Two connected sockets (AF_UNIX, SOCK_STREAM, CLOEXEC, blocking). STREAMD_ERROR_LIMIT. */
gboolean app_end_socketpair(int ret[2], GError **error);

/* The other end becomes STREAM's local one. STREAMD_ERROR_LIMIT. */
AppEnd *app_end_new(Stream *stream, AppEndDone done, void *data, GError **error);

/* The stream is open; or with ERROR it will not be. Frees it. */
void app_end_finish(AppEnd *end, const GError *error);

/* The app that should get it has gone: DONE will not be called. The other side has been accepted
 * already and learns of the end through the stream: it is ended once it is open. */
void app_end_cancel(AppEnd *end);
