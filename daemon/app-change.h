/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Change: one change of what is kept, from its check to its end; and the queue of all. Shared by
 * the files app*.c alone.
 *
 * A change is checked against the draft (app-draft.h), which is what will be in force once all that
 * came before it is saved. One write is under way at a time and carries all changes that were there
 * when it began. When it succeeds they are applied in their order and told; when it fails they are
 * refused, and those that wait are checked again. A change that stands alone, a reload, waits until
 * nothing is under way, and what comes after it is checked when it is through. */
#pragma once

#include "daemon/app-draft.h"
#include "daemon/app.h"

#include <gio/gio.h>

typedef struct ConfigPlan ConfigPlan;

typedef struct {
    /* Takes the change into the draft, and makes what can fail to be made. It may be called again
     * with another draft. FALSE: refused, and the draft is as it was. */
    gboolean (*check)(App *app, AppChange *change, AppDraft *draft, GError **error);
    /* The object that the change is about, for its DONE; cannot fail. */
    gpointer (*apply)(App *app, AppChange *change);
    gboolean alone;
} ChangeKind;

struct AppChange {
    const ChangeKind *kind;
    AppDone done; /* NULL: nobody wants to know */
    void *data;
    gboolean checked;
    gboolean keeps; /* something that is kept becomes another: it has to be written */
    /* What was asked for, as its kind needs it. */
    StoreState *asked; /* a hub, a target, a rule or a tunnel to add */
    char *name;        /* to remove; or the reject text of the default */
    guint64 id;        /* of a rule or a tunnel; to add: once it is checked */
    int position;
    gboolean accept;
    /* Made by its check; NULL from its application on. */
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
