/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* App: the parts of the program, and how they are connected. Main thread. */
#pragma once

#include "desktop/bus/agent.h"
#include "desktop/bus/daemon.h"
#include "desktop/bus/model.h"
#include "desktop/consent/prompt.h"
#include "desktop/base/settings.h"

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
    Agent *agent;
    Prompt *prompt;
    Window *window; /* NULL until it is made */
} App;

/* Connects the parts to the application's signals. APP must outlive the run. */
void app_attach(App *app);

#include "desktop/app/window.h"
