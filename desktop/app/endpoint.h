/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Endpoint: the part of a dialog in which the user gives hub, device and stream. It suggests
 * earlier ones. Main thread. */
#pragma once

#include "desktop/bus/model.h"

#include <gtk/gtk.h>

typedef struct Endpoint Endpoint;

/* HUB and DEVICE are the first values; may be "". It lives as long as its widget. CHANGED is called
 * when endpoint_valid() may have changed. */
typedef void (*EndpointChanged)(void *data);
Endpoint *endpoint_new(Model *model, const char *hub, const char *device, EndpointChanged changed,
                       void *data);

/* A group (base/form.h), to which a dialog can add rows. */
GtkWidget *endpoint_widget(Endpoint *endpoint);

/* Whether everything needed is filled in. */
gboolean endpoint_valid(Endpoint *endpoint);

const char *endpoint_hub(Endpoint *endpoint); /* "" when there is no hub to choose */
/* Without spaces at its ends. Caller frees. */
char *endpoint_device(Endpoint *endpoint);
char *endpoint_stream(Endpoint *endpoint);

/* Remembers the values for the next time. */
void endpoint_remember(Endpoint *endpoint);

/* Shows the dialog that contains it, with the focus on the device or, if that is given, on the
 * stream. When no hub can open streams, COMPLAINT says so. */
void endpoint_present(Endpoint *endpoint, GtkWindow *dialog, GtkWidget *complaint);
