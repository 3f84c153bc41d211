/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Outcalls: calls from streamd to apps whose answer it waits for. The number of calls at once is
 * limited; the others wait. An app that does not answer delays only calls to apps of the same user.
 *
 * The system bus lets a connection wait for at most 128 replies (dbus-daemon(1),
 * max_replies_per_connection), and most of them are for polkit (bus/bouncer.h). The bus counts a
 * call until it is answered or the app has left, however long that takes. So a call keeps its place
 * until then, even when it is cancelled. Main thread. */
#pragma once

#include "common/bus/util.h"

#define OUTCALLS_MAX 24
#define OUTCALLS_PER_UID 8
#define OUTCALLS_WAITING_MAX 4096

typedef struct Outcalls Outcalls;
typedef struct Outcall Outcall;

/* Called once, later, unless the app neither answers nor leaves. REPLY may be an error; NULL: the
 * call could not be sent. */
typedef void (*OutcallDone)(sd_bus_message *reply, void *data);

Outcalls *outcalls_new(sd_bus *bus);
void outcalls_free(Outcalls *outcalls); /* all are cancelled by then; NULL is fine */

/* Sends MESSAGE to an app of UID, now or when there is a place. It has no time limit of its own.
 * NULL: too many wait. */
Outcall *
outcalls_send(Outcalls *outcalls, uid_t uid, sd_bus_message *message, OutcallDone done, void *data);

gboolean outcall_is_sent(const Outcall *call);

/* DONE is not called. A call that was sent stays sent, and keeps its place. */
void outcall_cancel(Outcall *call);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Outcalls, outcalls_free)
