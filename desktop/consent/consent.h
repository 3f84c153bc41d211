/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Consent: what asks the user whether a stream may come in, while there is a window and while there
 * is none. It is an agent of the user's streamd and of the system's, whichever of them runs, keeps
 * what waits, shows it as a notification and where that does not do as a window, and sends the
 * answer to the streamd that asked. Main thread. */
#pragma once

#include "desktop/bus/agent.h"

#include <gtk/gtk.h>

typedef struct Consent Consent;

typedef struct {
    /* Tells the result of an answer. IS_ERROR: it could not be given. */
    void (*notice)(const char *text, gboolean is_error, void *data);
    /* The result of consent_registered_on() or consent_error_on() has changed. */
    void (*changed)(void *data);
} ConsentEvents;

Consent *consent_new(GtkApplication *application, const ConsentEvents *events, void *data);

/* What waits is left to other agents, or to its deadline. */
void consent_free(Consent *consent);

/* Whether this app asks. At first it does not. */
void consent_set_wanted(Consent *consent, gboolean wanted);

/* While the main window is open, requests are put up in their window without being clicked on. */
void consent_set_open(Consent *consent, gboolean open);

/* Puts up what waits, and brings it to the front. */
void consent_present(Consent *consent);

/* Whether somebody waits for an answer. */
gboolean consent_waits(Consent *consent);

/* Asks again to be an agent where that was refused: another user may sit at the machine now. */
void consent_retry(Consent *consent);

/* Whether the user is asked for the streamd of that bus; and for any. */
gboolean consent_registered_on(Consent *consent, GBusType bus);
gboolean consent_registered(Consent *consent);

/* Why it is not an agent there though it is to be; may be NULL. */
const char *consent_error_on(Consent *consent, GBusType bus);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Consent, consent_free)
