/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Endpoint: the part of a dialog in which somebody says which hub, device and stream. It suggests
 * what was used before. Main thread. */
#pragma once

#include "model.h"

#include <gtk/gtk.h>

typedef struct Endpoint Endpoint;

/* HUB and DEVICE: what to begin with; may be "". Lives as long as its widget. CHANGED:
 * endpoint_valid() may be another one. */
typedef void (*EndpointChanged)(void *data);
Endpoint *endpoint_new(Model *model, const char *hub, const char *device, EndpointChanged changed,
                       void *data);

/* A grid with two columns, to which a dialog can add rows. */
GtkWidget *endpoint_widget(Endpoint *endpoint);
void endpoint_add_row(Endpoint *endpoint, const char *mnemonic, GtkWidget *widget);

/* All that is needed is there. */
gboolean endpoint_valid(Endpoint *endpoint);

const char *endpoint_hub(Endpoint *endpoint); /* "" when there is none to choose */
/* Without spaces at the ends. Caller frees. */
char *endpoint_device(Endpoint *endpoint);
char *endpoint_stream(Endpoint *endpoint);

/* Keeps what is in it for the next time. */
void endpoint_remember(Endpoint *endpoint);

/* Shows the dialog that it is part of, ready to be typed into; COMPLAINT says so when there is no
 * hub through which a stream could be opened. */
void endpoint_present(Endpoint *endpoint, GtkWindow *dialog, GtkWidget *complaint);
