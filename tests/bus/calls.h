/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls of a system's instance that polkit is asked about, many at once, and what came of them. */
#pragma once

#include "tests/bus/bus-fixture.h"

#define DENIED "org.freedesktop.DBus.Error.AccessDenied"
#define AUTH_FAILED "org.freedesktop.DBus.Error.AuthFailed"
#define LIMIT BUS_ERROR_PREFIX "LimitReached"
#define TARGET BUS_PATH_TARGET "/"

/* The system's instance that asks about everybody; the same, whose questions have 500 ms. */
extern const FixtureProgram calls_guarded;
extern const FixtureProgram calls_impatient;

/* Calls that are under way, and what came of them. */
typedef struct {
    guint sent, allowed, failed;
    char *error; /* the name of the last one */
} Calls;

void calls_clear(Calls *calls);

/* Sends MESSAGE; ExposeTarget for a target NAME. */
void calls_send(Calls *calls, sd_bus *bus, sd_bus_message *message);
void calls_add_target(Calls *calls, sd_bus *bus, const char *name);
void calls_add_targets(Calls *calls, sd_bus *bus, guint count);
gboolean calls_are_answered(void *data); /* for fixture_wait; DATA is a Calls */

sd_bus_message *new_target(sd_bus *bus, const char *name);

/* The questions that streamd has not forgotten yet. */
guint count_queries(sd_bus *bus);
gboolean has_no_queries(void *bus);

/* Makes streamd known to the caller, whose first calls it would hold otherwise. */
void calls_greet(sd_bus *bus);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Calls, calls_clear)
