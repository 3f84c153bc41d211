/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Offer dialog: asks which service of this machine to offer, and offers it. Main thread. */
#pragma once

#include "desktop/app/app.h"

/* NAME and ADDRESS are the first values; may be "". */
void offer_dialog_present(App *app, const char *name, const char *address);

/* Withdraws the service of that name, and tells how it went. */
void offer_dialog_withdraw(App *app, const char *name);
