/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Notice: requests as notifications of the desktop, of org.freedesktop.Notifications, with Allow
 * and Deny, and how much time is left. Each has its own, which is changed in place and closed with
 * it.
 *
 * A button is only what the server says was pressed. Allow does not count within the first moment
 * after a notification appeared or changed, and is not offered at all where the few lines cannot
 * tell all that there is to know, nor while the screen is locked: the window is shown instead. Main
 * thread; nothing blocks. */
#pragma once

#include "desktop/consent/ask.h"

typedef struct Notices Notices;

typedef enum { NOTICE_SHOW, NOTICE_ALLOW, NOTICE_DENY } NoticeChoice;

typedef struct {
    void (*chosen)(Ask *ask, NoticeChoice choice, void *data);
    /* Nobody can answer ASK by its notification: there is no server, or it has no buttons. */
    void (*helpless)(Ask *ask, void *data);
} NoticeEvents;

/* SESSION: the bus of the desktop; NULL: there is none. */
Notices *notices_new(GDBusConnection *session, const NoticeEvents *events, void *data);
void notices_free(Notices *notices); /* closes all */

/* Shows ASK, or what has changed of it; it does nothing as long as nothing has. Call it about five
 * times a second. LOCKED: the screen is. Whether it takes a place on the screen, as far as is
 * known: what the user has closed does not. */
gboolean notices_update(Notices *notices, Ask *ask, gboolean locked);

/* Whether it was shown before. */
gboolean notices_has(Notices *notices, const Ask *ask);

/* ASK waits no more; its notification goes. */
void notices_drop(Notices *notices, Ask *ask);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Notices, notices_free)
