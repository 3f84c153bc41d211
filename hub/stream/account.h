/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Account: what one user has open, and whether it may open more (R10). Main thread; for
 * hub/stream/streams.c. */
#pragma once

#include "hub/base/settings.h"
#include "hub/registry/scope.h"

typedef struct {
    char *name;
    RegistryScope *scope; /* as it was told last; NULL: no bounds but the hub's own */
    guint live;           /* its streams that have not ended */
    double tokens;        /* new streams that the hub's setting allows it now */
    double own_tokens;    /* the same of its scope */
    double resumptions;   /* of streams that it may still lead back: stream_account_resume */
    gint64 updated;       /* when these were counted, monotonic µs */
    gint64 day;           /* of `bytes`, since the epoch, in UTC */
    guint64 bytes;        /* both ways, of all its streams on that day */
} StreamAccount;

StreamAccount *stream_account_new(const char *name, const Settings *settings, gint64 now);
void stream_account_free(void *account);

/* From now on. */
void stream_account_set_scope(StreamAccount *account, const RegistryScope *scope);

/* Why no further stream of it can begin, one English sentence, or NULL: then one is counted as
 * begun. NOW: monotonic µs; WALL: µs since the epoch. */
const char *
stream_account_limit(StreamAccount *account, const Settings *settings, gint64 now, gint64 wall);

/* The same for an opening that leads a stream back. It is not counted as an opening until the
 * device does not know the stream (stream_account_charge). But a device may say yes to whatever it
 * is asked, so that these have a measure of their own: as many at once as the user may have
 * streams, and as many a second as openings. REPLACES: one of its streams is this very one, of
 * which the hub has not noticed yet that its legs are lost: it is not counted. */
const char *stream_account_resume(StreamAccount *account, gboolean replaces,
                                  const Settings *settings, gint64 now, gint64 wall);

/* Its device did not know the stream that it resumed: it was an opening as any other. */
void stream_account_charge(StreamAccount *account);

/* So many bytes went. TRUE: it has had what its scope gives it a day. */
gboolean stream_account_count(StreamAccount *account, guint64 bytes, gint64 wall);

/* Whether its scope is one that ends streams as time goes by. */
gboolean stream_account_is_timed(const StreamAccount *account);
