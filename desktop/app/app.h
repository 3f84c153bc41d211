/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* App: the parts of the program, and how they are connected. Main thread. */
#pragma once

#include "desktop/bus/daemon.h"
#include "desktop/bus/model.h"
#include "desktop/consent/consent.h"
#include "desktop/base/settings.h"
#include "desktop/setup/rules.h"

#include <adwaita.h>

typedef struct Window Window;

typedef struct {
    GtkApplication *application;
    GBusType bus; /* the bus asked for; NONE: where streamd is */
    AdwColorScheme scheme;
    /* Valid from the start-up of the application to its end. */
    Settings *settings;
    Model *model;
    Daemon *daemon;
    Rules *rules;
    Consent *consent;
    Window *window;  /* NULL while there is none; the daemon rests then */
    gboolean hidden; /* started in the background: the first activation opens no window */
    gboolean stays;  /* goes on without a window until it is quit, whatever the settings say */
    gboolean starting, start_again; /* autostart is being set; and has to be once more */
    gboolean held;                  /* it does, for one reason or the other: see background.h */
    GtkWindow *question;            /* whether to quit; NULL: it is not asked */
    GCancellable *cancellable;      /* of what ends with the application */
    guint closing;                  /* an idle source, after the window was closed */
} App;

/* Connects the parts to the application's signals. APP must outlive the run. */
void app_attach(App *app);

#include "desktop/app/window.h"
