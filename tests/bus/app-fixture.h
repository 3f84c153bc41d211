/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Apps on both sides of a site: one that opens streams, agents and handlers at the gateway. All of
 * them in one thread, and none waits for another. */
#pragma once

#include "tests/bus/hub-fixture.h"

typedef struct {
    Site site;
    GPtrArray *buses; /* sd_bus, of all apps: see apps_wait */
} Apps;

void apps_set_up(Apps *apps, gconstpointer data);
void apps_tear_down(Apps *apps, gconstpointer data);

/* Another app at the gateway; and the end of one. */
sd_bus *apps_connect(Apps *apps);
void apps_leave(Apps *apps, sd_bus *bus);

/* Serves all of them until CONDITION holds. */
void apps_wait(Apps *apps, gboolean (*condition)(void *data), void *data);

/* Adds a rule of the gateway's for the streams of a name. Types as sd_bus_message_append, of what
 * comes after "stream" in the a{sv}. Its id. */
guint64 apps_add_rule(Apps *apps, const char *stream, guint pairs, const char *types, ...);

/* An OpenStream that is under way, or has ended. */
typedef struct {
    sd_bus_slot *slot; /* of the call: cleared, its late answer is nobody's */
    gboolean done;
    int fd;      /* -1: it failed */
    char *error; /* its name without the prefix */
    char *text;
} Opening;

void apps_open(Apps *apps, Opening *opening, const char *stream);
/* The same for an initiator who waits for so long. */
void apps_open_within(Apps *apps, Opening *opening, const char *stream, guint seconds);
void opening_clear(Opening *opening);

/* Waits for its end: it is open; it has failed like this, with TEXT in its message. */
void apps_assert_open(Apps *apps, Opening *opening);
void apps_assert_fails(Apps *apps, Opening *opening, const char *error, const char *text);

/* Writes TEXT to one end and finds it at the other. */
void apps_pass(int from, int to, const char *text);

/* Waits for a stream of the gateway's, by its path, to have ended, and returns the reason, which
 * the caller frees. The other one wants it to be REASON. */
char *apps_wait_end(Apps *apps, const char *path);
void apps_assert_end(Apps *apps, const char *path, const char *reason);

/* What an agent has been told. */
typedef struct {
    sd_bus *bus;
    guint asked, cancelled, released;
    char *request; /* the last one */
    GString *log;  /* "asked NAME=value ..." and "cancelled PATH REASON", a line each */
    char *reason;  /* of the last Cancel */
} AgentApp;

void agent_app_init(Apps *apps, AgentApp *agent);
void agent_app_register(Apps *apps, AgentApp *agent);
void agent_app_clear(AgentApp *agent);
void apps_wait_asked(Apps *apps, AgentApp *agent, guint count);
void apps_wait_cancelled(Apps *apps, AgentApp *agent, guint count);

/* How a handler answers HandleRequest. */
typedef enum {
    HANDLER_SAYS_YES,
    HANDLER_SAYS_NO, /* "not today" */
    HANDLER_SAYS_NOTHING,
    HANDLER_FAILS,
    HANDLER_SAYS_NONSENSE, /* other types */
} HandlerMode;

typedef struct {
    sd_bus *bus;
    HandlerMode mode;
    gboolean refuses; /* what NewStream brings, with an error */
    guint asked, got, released;
    char *stream;         /* the last one */
    sd_bus_message *held; /* the last HandleRequest without an answer */
    GString *log;
    GArray *fds; /* int, of all NewStreams */
} HandlerApp;

void handler_app_init(Apps *apps, HandlerApp *handler, HandlerMode mode);
void handler_app_register(Apps *apps, HandlerApp *handler, const char *name);
void handler_app_clear(HandlerApp *handler);
void apps_wait_handler(Apps *apps, HandlerApp *handler, guint asked, guint got);

/* The descriptor of the last NewStream; the caller's. */
int handler_app_take(HandlerApp *handler);
