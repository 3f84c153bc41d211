/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Transfer: opens a stream to a target that sends back what it gets, has bytes go through its
 * descriptor both ways at once, and compares them. Main thread; nothing blocks, and the window is
 * drawn first. */
#pragma once

#include "daemon.h"

typedef struct Transfer Transfer;

typedef struct {
    const char *hub, *device, *stream;
    guint64 size; /* bytes each way */
    guint64 wait; /* for a device that is offline; µs */
} TransferPlan;

typedef enum {
    TRANSFER_OPENING,
    TRANSFER_RUNNING,
    TRANSFER_SAME,   /* all bytes came back as they went */
    TRANSFER_FAILED, /* transfer_error() says how */
} TransferState;

/* Called when the state is another one; how far it is can be asked for at any time. */
typedef void (*TransferChanged)(Transfer *transfer, void *data);

Transfer *
transfer_new(Daemon *daemon, const TransferPlan *plan, TransferChanged changed, void *data);

/* Ends it where it is; its stream with it. CHANGED is not called any more. */
void transfer_free(Transfer *transfer);

TransferState transfer_state(Transfer *transfer);
const char *transfer_error(Transfer *transfer); /* may be NULL */
guint64 transfer_sent(Transfer *transfer);
guint64 transfer_received(Transfer *transfer); /* and compared */
guint64 transfer_size(Transfer *transfer);
double transfer_seconds(Transfer *transfer); /* since the stream opened, or what it took */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Transfer, transfer_free)
