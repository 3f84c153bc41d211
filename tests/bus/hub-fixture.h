/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A real hub beside two buses with a streamd each: a gateway with targets, and a client. STREAMHUB
 * names the program. */
#pragma once

#include "tests/bus/bus-fixture.h"

typedef struct {
    Fixture gateway;
    Fixture client;
    sd_bus *gateway_bus;
    sd_bus *bus; /* the client's */
    char *dir;   /* the hub's state */
    char *ca;
    GPid hub;
    int output;
    guint16 port;
} Site;

/* The hub serves, "gw-1" is connected and subscribed, the client has the hub "office". */
void site_set_up(Site *site, gconstpointer data);
/* The same in two steps: both streamd run, the gateway's as it is said; then the rest. */
void site_begin(Site *site, const FixtureProgram *gateway);
void site_join(Site *site);
void site_tear_down(Site *site, gconstpointer data);

/* The hub dies (SIGKILL), and no other takes its place. */
void site_kill_hub(Site *site);

/* The standard output of an admin verb, without its line end. */
char *site_admin(Site *site, const char *verb, ...) G_GNUC_NULL_TERMINATED;

/* Adds a hub to a streamd; CA NULL: the system's trust. */
void site_add_hub(sd_bus *bus, const char *name, const char *connection_string, const char *ca);

/* A target of the gateway at unix:DIR/NAME, and a rule that accepts streams of that name to it. A
 * listener for the test to serve. */
int site_expose(Site *site, const char *name);
