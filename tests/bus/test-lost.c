/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bus dies under streamd while something is on its way through it (fault F29): what polkit was
 * asked is no yes, what apps had ends and is given back, and what does not need the bus goes on. */
#include "tests/bus/app-fixture.h"
#include "tests/bus/authority.h"
#include "tests/bus/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ASKED_PER_UID 32 /* daemon/bus/bouncer.h */
#define SERVICE "HostName=localhost:9;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0"

static void
add_hub_later(Calls *calls, sd_bus *bus)
{
    g_autoptr(sd_bus_message) message = fixture_message(bus, BUS_ROOT, BUS_MANAGER, "AddHub");
    int fd = fixture_memfd(SERVICE);

    g_assert_cmpint(sd_bus_message_append(message, "sha{sv}", "x", fd, 0), >=, 0);
    (void)close(fd);
    calls_send(calls, bus, message);
}

/* Nothing was done, and nothing is left: neither questions nor descriptors. */
static void
assert_nothing_was_done(Fixture *fixture, guint fds)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);

    g_assert_cmpuint(count_queries(bus), ==, 0);
    g_assert_cmpuint(fixture_number(bus, BUS_ROOT, BUS_MANAGER, "Targets", 'u'), ==, 0);
    g_assert_false(fixture_has_object(bus, BUS_PATH_HUB "/x"));
    fixture_assert_fds(fixture, fds);
}

/* Some questions are with polkit, others wait for their turn, and the bus dies. The next polkit
 * says yes to everything: but nobody asks it for what is gone. */
static void
test_asked(Fixture *fixture, gconstpointer data)
{
    guint fds = 0;

    for (guint round = 0; round < 3; round++) {
        sd_bus *bus = fixture_connect(fixture);
        Authority *authority = authority_new(fixture, AUTHORITY_HOLDS);
        g_auto(Calls) calls = {0};

        calls_greet(bus);
        fds = MAX(fds, fixture_count_fds(fixture));
        add_hub_later(&calls, bus);
        calls_add_targets(&calls, bus, ASKED_PER_UID + 8);
        add_hub_later(&calls, bus);
        authority_wait_asked(authority, ASKED_PER_UID);
        g_assert_cmpuint(count_queries(bus), ==, ASKED_PER_UID + 10);
        authority_detach(authority);
        fixture_lose_bus(fixture);
        fixture_regain_bus(fixture);
        authority_free(authority);
        authority = authority_new(fixture, AUTHORITY_ALLOWS);
        assert_nothing_was_done(fixture, fds);
        g_assert_cmpuint(authority_asked(authority), ==, 0);
        sd_bus_close_unref(bus);
        authority_free(authority);
    }
}

/* The yes is in streamd's socket when the bus has died already: with whom it was for gone, it is
 * nobody's; or it was in time, and one target is there. Never is anything left of the rest. */
static void
test_answered(Fixture *fixture, gconstpointer data)
{
    sd_bus *bus = fixture_connect(fixture);
    g_autoptr(sd_bus) again = NULL;
    Authority *authority = authority_new(fixture, AUTHORITY_HOLDS);
    g_auto(Calls) calls = {0}, later = {0};
    guint fds, targets;

    calls_greet(bus);
    fds = fixture_count_fds(fixture);
    calls_add_target(&calls, bus, "x");
    authority_wait_asked(authority, 1);
    fixture_stop(fixture);
    authority_release(authority, TRUE);
    authority_wait_answered(authority, 1);
    authority_detach(authority);
    fixture_lose_bus(fixture);
    fixture_continue(fixture);
    fixture_regain_bus(fixture);
    authority_free(authority);
    authority = authority_new(fixture, AUTHORITY_ALLOWS);
    again = fixture_connect(fixture);
    g_assert_cmpuint(count_queries(again), ==, 0);
    targets = (guint)fixture_number(again, BUS_ROOT, BUS_MANAGER, "Targets", 'u');
    g_assert_cmpuint(targets, <=, 1);
    fixture_assert_fds(fixture, fds);
    calls_add_target(&later, again, "y");
    fixture_wait(again, calls_are_answered, &later);
    g_assert_cmpuint(later.allowed, ==, 1);
    sd_bus_close_unref(bus);
    authority_free(authority);
}

/* The connections of the test to the bus of a streamd that has died. */
static void
forget_buses(Apps *apps, sd_bus **bus, Fixture *fixture)
{
    while (apps->buses->len > 2) {
        sd_bus_close_unref(g_ptr_array_index(apps->buses, 2));
        g_ptr_array_remove_index(apps->buses, 2);
    }
    g_assert_true(g_ptr_array_remove(apps->buses, *bus));
    sd_bus_close_unref(*bus);
    *bus = fixture_connect(fixture);
    g_ptr_array_insert(apps->buses, 0, *bus);
}

static guint
count(sd_bus *bus, const char *what)
{
    return (guint)fixture_number(bus, BUS_ROOT, BUS_MANAGER, what, 'u');
}

typedef struct {
    sd_bus *bus;
    const char *what;
    guint count;
} Counted;

static gboolean
is_counted(void *data)
{
    const Counted *counted = data;

    return count(counted->bus, counted->what) == counted->count;
}

static void
add_handler_rule(Apps *apps, const char *name)
{
    (void)apps_add_rule(apps, name, 2, "{sv}{sv}", "verdict", "s", "accept", "handler", "s", name);
}

/* A handler is asked and says nothing, another one has a stream. With the bus both have gone: the
 * first stream is refused, and the second is the descriptor's. */
static void
test_handler(Apps *apps, gconstpointer data)
{
    Fixture *gateway = &apps->site.gateway;
    HandlerApp silent, serving;
    Opening first, second, third;
    guint fds;
    char end;
    int fd;

    handler_app_init(apps, &silent, HANDLER_SAYS_NOTHING);
    handler_app_register(apps, &silent, "silent");
    handler_app_init(apps, &serving, HANDLER_SAYS_YES);
    handler_app_register(apps, &serving, "serving");
    add_handler_rule(apps, "silent");
    add_handler_rule(apps, "serving");
    fds = fixture_count_fds(gateway);
    apps_open(apps, &second, "serving");
    apps_wait_handler(apps, &serving, 1, 1);
    apps_assert_open(apps, &second);
    fd = handler_app_take(&serving);
    apps_pass(second.fd, fd, "before");
    apps_open(apps, &first, "silent");
    apps_wait_handler(apps, &silent, 1, 0);
    silent.held = sd_bus_message_unref(silent.held);
    fixture_lose_bus(gateway);
    apps_assert_fails(apps, &first, "Rejected", "not running");
    apps_pass(second.fd, fd, "without a bus");
    apps_open(apps, &third, "silent"); /* and there is none from now on */
    apps_assert_fails(apps, &third, "Rejected", "not running");
    fixture_regain_bus(gateway);
    forget_buses(apps, &apps->site.gateway_bus, gateway);
    apps_pass(fd, second.fd, "afterwards");
    g_assert_cmpuint(count(apps->site.gateway_bus, "Streams"), ==, 1);
    (void)close(fd);
    g_assert_cmpint(read(second.fd, &end, 1), ==, 0);
    opening_clear(&second);
    apps_wait(apps, is_counted, &(Counted){apps->site.gateway_bus, "Streams", 0});
    fixture_assert_fds(gateway, fds);
    handler_app_clear(&silent);
    handler_app_clear(&serving);
}

/* An agent is asked. Nobody can be asked any more when the bus has gone: the initiator hears so, or
 * waits no longer than it would have. */
static void
test_agent(Apps *apps, gconstpointer data)
{
    Fixture *gateway = &apps->site.gateway;
    AgentApp agent;
    Opening opening;
    guint fds;

    (void)apps_add_rule(apps, "ask", 2, "{sv}{sv}", "verdict", "s", "ask", "ask-timeout", "t",
                        (uint64_t)G_TIME_SPAN_SECOND);
    agent_app_register(apps, &agent);
    fds = fixture_count_fds(gateway);
    apps_open(apps, &opening, "ask");
    apps_wait_asked(apps, &agent, 1);
    fixture_lose_bus(gateway);
    apps_assert_fails(apps, &opening, "Rejected", "consent");
    apps_open(apps, &opening, "ask");
    apps_assert_fails(apps, &opening, "Rejected", "no agent on the device can be asked");
    fixture_regain_bus(gateway);
    forget_buses(apps, &apps->site.gateway_bus, gateway);
    g_assert_cmpuint(count(apps->site.gateway_bus, "Requests"), ==, 0);
    g_assert_cmpuint(count(apps->site.gateway_bus, "Streams"), ==, 0);
    fixture_assert_fds(gateway, fds);
    agent_app_clear(&agent);
}

/* OpenStream waits for somebody at the gateway, and the bus of its caller dies: nobody would get
 * the descriptor, so the stream has ended, and a yes comes too late. */
static void
test_opening(Apps *apps, gconstpointer data)
{
    Fixture *client = &apps->site.client;
    Opening openings[4];
    AgentApp agent;
    guint fds;

    (void)apps_add_rule(apps, "ask", 1, "{sv}", "verdict", "s", "ask");
    agent_app_register(apps, &agent);
    fds = fixture_count_fds(client);
    for (guint i = 0; i < G_N_ELEMENTS(openings); i++) {
        apps_open(apps, &openings[i], "ask");
        apps_wait_asked(apps, &agent, i + 1);
    }
    g_assert_cmpuint(count(apps->site.bus, "Streams"), ==, G_N_ELEMENTS(openings));
    g_assert_cmpuint(fixture_count_fds(client), >, fds);
    fixture_lose_bus(client);
    fixture_assert_fds(client, fds - 1); /* without a bus, even before there is one again */
    for (guint i = 0; i < G_N_ELEMENTS(openings); i++)
        opening_clear(&openings[i]);
    fixture_regain_bus(client);
    g_assert_true(g_ptr_array_remove(apps->buses, apps->site.bus));
    sd_bus_close_unref(apps->site.bus);
    apps->site.bus = fixture_connect(client);
    g_ptr_array_insert(apps->buses, 0, apps->site.bus);
    g_assert_cmpuint(count(apps->site.bus, "Streams"), ==, 0);
    fixture_assert_fds(client, fds);
    g_assert_cmpint(sd_bus_call_method(agent.bus, BUS_NAME, agent.request, BUS_REQUEST, "Accept",
                                       NULL, NULL, "a{sv}", 0),
                    <, 0);
    g_assert_cmpuint(count(apps->site.bus, "Streams"), ==, 0);
    g_assert_cmpuint(count(apps->site.gateway_bus, "Streams"), ==, G_N_ELEMENTS(openings) - 1);
    agent_app_clear(&agent);
}

#define ADD(path, func)                                                                            \
    g_test_add("/lost/" path, Fixture, &calls_guarded, fixture_set_up, func, fixture_tear_down)
#define ADD_APPS(path, func)                                                                       \
    g_test_add("/lost/" path, Apps, NULL, apps_set_up, func, apps_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("asked", test_asked);
    ADD("answered", test_answered);
    ADD_APPS("handler", test_handler);
    ADD_APPS("agent", test_agent);
    ADD_APPS("opening", test_opening);
    return g_test_run();
}
