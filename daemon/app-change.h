/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Change: one change of the kept settings, from its check to its end; and the queue of all changes.
 * Shared by the files app*.c alone.
 *
 * A change is checked against the draft (app-draft.h): the settings as they will be once all
 * earlier changes are saved. One write is under way at a time. It carries all changes that waited
 * when it began. When it succeeds, they are applied in order and their callers are told. When it
 * fails, they are refused, and the waiting changes are checked again. A reload stands alone: it
 * waits until nothing is under way, and later changes are checked after it. */
#pragma once

#include "daemon/app-draft.h"
#include "daemon/app.h"

#include <gio/gio.h>

typedef struct ConfigPlan ConfigPlan;

typedef struct {
    /* Applies the change to the draft and makes every object whose making can fail. It may be
     * called again with another draft. FALSE: refused, and the draft is unchanged. */
    gboolean (*check)(App *app, AppChange *change, AppDraft *draft, GError **error);
    /* Puts the change in force; cannot fail. Returns the object that the change is about, for its
     * DONE. */
    gpointer (*apply)(App *app, AppChange *change);
    gboolean alone;
} ChangeKind;

struct AppChange {
    const ChangeKind *kind;
    AppDone done; /* NULL: nobody waits for it */
    void *data;
    Author *author; /* who asked over D-Bus; NULL: nobody */
    gboolean checked;
    gboolean keeps; /* it changes what is kept: it has to be written */
    /* What was asked for; which field is used depends on the kind. */
    StoreState *asked; /* a hub, a target, a rule or a tunnel to add */
    char *name;        /* of what to remove; or the reject text of the default */
    guint64 id;        /* of a rule or a tunnel; one to add gets it when it is checked */
    int position;
    gboolean accept;
    /* Made by the check; NULL once it is applied. */
    Hub *hub;
    Target *target;
    Tunnel *tunnel;
    ConfigPlan *plan;
};

AppChange *app_change_new(const ChangeKind *kind, AppDone done, void *data);

/* Takes CHANGE. NULL: it was refused at once. */
AppChange *app_submit(App *app, AppChange *change, GError **error);

/* Tunnels of a user that are not open yet. */
guint app_count_unopened(const App *app, guint32 uid);
