/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A private bus, and the real streamd on it, for one test. The bus is the session's and the
 * system's to it. STREAMD names the program. */
#pragma once

#include "common/bus/names.h"
#include "common/bus/util.h"

/* How long anything may take before the test has failed; nothing waits for it otherwise. */
#define FIXTURE_PATIENCE (30 * G_TIME_SPAN_SECOND)

typedef struct {
    char *dir;
    char *address;
    GPid dbus;
    GPid streamd;
    char *log; /* what streamd says on standard error goes here */
} Fixture;

/* What to start instead of "STREAMD --user --threads=1". */
typedef struct {
    const char *program; /* of the environment variable of this name */
    const char *arguments[4];
} FixtureProgram;

/* DATA: a FixtureProgram, or NULL. */
void fixture_set_up(Fixture *fixture, gconstpointer data);
/* Asks streamd to stop and asserts that it does so in order: under a sanitizer that it leaks
 * nothing. */
void fixture_tear_down(Fixture *fixture, gconstpointer data);

/* A second connection is another caller. */
sd_bus *fixture_connect(Fixture *fixture);

/* One of another user, whom the bus knows: it takes those that have an account. Only root can be
 * others; FALSE, with the test skipped, otherwise. */
gboolean fixture_has_users(void);
sd_bus *fixture_connect_as(Fixture *fixture, uid_t uid);

/* Stops streamd where it stands, and lets it go on. */
void fixture_stop(const Fixture *fixture);
void fixture_continue(const Fixture *fixture);

/* Starts another streamd on the bus; wait for it with fixture_wait_exit. */
GPid fixture_spawn(Fixture *fixture, const char *const *arguments);
GPid fixture_spawn_program(Fixture *fixture, const char *program, const char *const *arguments);
int fixture_wait_exit(GPid pid);     /* the exit status */
void fixture_wait_name(sd_bus *bus); /* a streamd has the name */

/* Until a streamd has the name. */
void fixture_wait_ready(Fixture *fixture);

/* The bus dies (SIGKILL), and whoever is connected with it; another one takes its place, and
 * streamd has its name there. */
void fixture_lose_bus(Fixture *fixture);
void fixture_regain_bus(Fixture *fixture);

/* streamd's open descriptors, and the same once they are COUNT again. */
guint fixture_count_fds(const Fixture *fixture);
void fixture_assert_fds(const Fixture *fixture, guint count);

char *fixture_read_log(const Fixture *fixture);

/* Calls and asserts success; the reply. TYPES as sd_bus_message_append, NULL for no arguments. */
sd_bus_message *fixture_call(sd_bus *bus, const char *path, const char *interface,
                             const char *member, const char *types, ...);

/* Sends MESSAGE and asserts that the error NAME comes back: "Invalid" for one of streamd's, a full
 * name for one of the bus. Returns its text; takes nothing. */
char *fixture_call_fails(sd_bus *bus, sd_bus_message *message, const char *name);

/* The same for a call made of parts. */
char *fixture_fails(sd_bus *bus, const char *name, const char *path, const char *interface,
                    const char *member, const char *types, ...);

sd_bus_message *
fixture_message(sd_bus *bus, const char *path, const char *interface, const char *member);

/* A property as text. Caller frees. */
char *fixture_property(sd_bus *bus, const char *path, const char *interface, const char *name);
guint64
fixture_number(sd_bus *bus, const char *path, const char *interface, const char *name, char type);

/* A pipe or memfd that holds TEXT. */
int fixture_memfd(const char *text);

/* Adds a hub of this connection string; its path. When NOBODY is there, it waits until streamd has
 * found that out, so that no descriptor is on its way. */
char *
fixture_add_hub(sd_bus *bus, const char *name, const char *connection_string, gboolean nobody);

/* Listens on a free port of 127.0.0.1 and never answers; a connection string of a service there. */
int fixture_listen(char **ret_connection_string);

/* Processes the bus until CONDITION says TRUE. */
void fixture_wait(sd_bus *bus, gboolean (*condition)(void *data), void *data);

/* Whether GetManagedObjects has the path. */
gboolean fixture_has_object(sd_bus *bus, const char *path);
