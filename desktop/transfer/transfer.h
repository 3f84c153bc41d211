/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Transfer: opens a stream to a target that echoes, sends bytes through the descriptor and reads
 * them back at the same time, and compares them. Main thread; nothing blocks, and drawing the
 * window comes first. */
#pragma once

#include "desktop/bus/daemon.h"

typedef struct Transfer Transfer;

typedef struct {
    const char *hub, *device, *stream;
    guint64 size; /* bytes each way */
    guint64 wait; /* µs to wait for a device that is offline */
} TransferPlan;

typedef enum {
    TRANSFER_OPENING,
    TRANSFER_RUNNING,
    TRANSFER_SAME,   /* all bytes came back unchanged */
    TRANSFER_FAILED, /* transfer_error() says how */
} TransferState;

/* Called when the state has changed. The progress can be read at any time. */
typedef void (*TransferChanged)(Transfer *transfer, void *data);

Transfer *
transfer_new(Daemon *daemon, const TransferPlan *plan, TransferChanged changed, void *data);

/* Stops the transfer and its stream. CHANGED is not called any more. */
void transfer_free(Transfer *transfer);

TransferState transfer_state(Transfer *transfer);
const char *transfer_error(Transfer *transfer); /* may be NULL */
guint64 transfer_sent(Transfer *transfer);
guint64 transfer_received(Transfer *transfer); /* received and compared */
guint64 transfer_size(Transfer *transfer);
double transfer_seconds(Transfer *transfer); /* since the stream opened, or in all */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Transfer, transfer_free)
