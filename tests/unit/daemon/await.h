/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waits for the end of changes (app.h), in the main loop, for AWAIT_PATIENCE at most. */
#pragma once

#include "daemon/app.h"

#define AWAIT_PATIENCE (20 * G_TIME_SPAN_SECOND)

typedef struct {
    gboolean ended;
    gpointer object; /* borrowed */
    GError *error;
} Awaited;

/* An AppDone whose DATA is an Awaited. */
void await_done(gpointer object, const GError *error, void *data);
void await_end(Awaited *awaited);

/* CHANGE was made with AWAIT(): it succeeds, and its object. */
gpointer await_well(AppChange *change, Awaited *awaited);
/* It is refused, at once or later, with CODE: the message, for the caller. */
char *await_fails(AppChange *change, Awaited *awaited, int code);

/* The last arguments of the functions that return a change. */
#define AWAIT(awaited) await_done, (awaited), &(awaited)->error
