/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net/keep-alive.h"

/* A pause that is less than an eighth longer is not worth a new connection. */
#define STEP_LEAST(pause) ((pause) / 8)

void
keep_alive_init(KeepAlive *self, guint most)
{
    *self = (KeepAlive){.most = most, .pause = MIN(KEEP_ALIVE_START, most)};
}

static guint
keep_alive_longer(const KeepAlive *self)
{
    guint longer = self->pause + MAX(self->pause / 2, 1);

    if (self->failed > 0)
        longer = MIN(longer, (self->pause + self->failed) / 2);
    return MIN(longer, self->most);
}

gboolean
keep_alive_survived(KeepAlive *self, gint64 now)
{
    guint longer;

    if (++self->proofs < KEEP_ALIVE_PROOF)
        return FALSE;
    if (self->failed > 0 && now - self->failed_at >= KEEP_ALIVE_MEMORY)
        self->failed = 0;
    longer = keep_alive_longer(self);
    if (longer <= self->pause ||
        (longer < self->most && longer <= self->pause + STEP_LEAST(self->pause)))
        return FALSE;
    self->pause = longer;
    self->proofs = 0;
    return TRUE;
}

void
keep_alive_died(KeepAlive *self, gint64 now)
{
    self->failed = self->failed > 0 ? MIN(self->failed, self->pause) : self->pause;
    self->failed_at = now;
    self->pause = MAX(self->pause / 2, MIN(KEEP_ALIVE_LEAST, self->most));
    self->proofs = 0;
}
