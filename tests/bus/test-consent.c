/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Consent through a real hub: what agents are told, who answers, and what the initiator hears. */
#include "tests/bus/app-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define AGENTS_PER_UID 8 /* daemon/bus/agent.h */

static guint64
add_rule(Apps *apps)
{
    return apps_add_rule(apps, "echo", 2, "{sv}{sv}", "verdict", "s", "ask", "target", "s", "door");
}

/* A listener behind the target that the rule names. */
static int
add_target(Apps *apps)
{
    return site_expose(&apps->site, "door");
}

static void
accept_to(sd_bus *bus, const char *request)
{
    sd_bus_message_unref(fixture_call(bus, request, BUS_REQUEST, "AcceptTo", "s", ""));
}

/* The path of a request's stream. */
static char *
stream_of(const AgentApp *agent)
{
    g_autoptr(sd_bus_message) reply = NULL;
    const char *path;

    g_assert_cmpint(sd_bus_get_property(agent->bus, BUS_NAME, agent->request, BUS_REQUEST, "Stream",
                                        NULL, &reply, "o"),
                    >=, 0);
    g_assert_cmpint(sd_bus_message_read(reply, "o", &path), >=, 0);
    return g_strdup(path);
}

static guint
count_requests(Apps *apps)
{
    return (guint)fixture_number(apps->site.gateway_bus, BUS_ROOT, BUS_MANAGER, "Requests", 'u');
}

static void
test_first_answer_counts(Apps *apps, gconstpointer data)
{
    int listener = add_target(apps), target;
    g_autofree char *late = NULL, *stream = NULL, *rule = NULL;
    AgentApp first, second;
    Opening opening;

    rule = g_strdup_printf(" Rule=%" G_GUINT64_FORMAT " ", add_rule(apps));
    agent_app_register(apps, &first);
    agent_app_register(apps, &second);
    apps_open(apps, &opening, "echo");
    apps_wait_asked(apps, &first, 1);
    apps_wait_asked(apps, &second, 1);
    g_assert_cmpstr(first.log->str, ==, second.log->str);
    g_assert_nonnull(strstr(first.log->str, "asked Id=1 Hub=office DeviceId=gw-1 StreamName=echo "
                                            "Initiator=service Address=127.0.0.1"));
    g_assert_nonnull(strstr(first.log->str, rule));
    g_assert_nonnull(strstr(first.log->str, " Target=door "));
    g_assert_true(fixture_has_object(first.bus, first.request));
    g_assert_cmpuint(count_requests(apps), ==, 1);
    stream = stream_of(&first);
    accept_to(second.bus, second.request);
    late = fixture_fails(first.bus, "NotFound", first.request, BUS_REQUEST, "AcceptTo", "s", "");
    g_free(fixture_fails(first.bus, "NotFound", first.request, BUS_REQUEST, "Reject", "s", ""));
    g_assert_nonnull(strstr(late, "decided"));
    apps_wait_cancelled(apps, &first, 1);
    apps_wait_cancelled(apps, &second, 1);
    g_assert_cmpstr(first.reason, ==, "decided");
    apps_assert_open(apps, &opening);
    target = accept(listener, NULL, NULL);
    apps_pass(opening.fd, target, "in");
    apps_pass(target, opening.fd, "out");
    g_assert_false(fixture_has_object(first.bus, first.request));
    g_assert_cmpuint(count_requests(apps), ==, 0);
    (void)close(target);
    opening_clear(&opening);
    apps_assert_end(apps, stream, "completed"); /* both have ended their data */
    (void)close(listener);
    agent_app_clear(&first);
    agent_app_clear(&second);
}

/* Accept: the agent itself is the other end. */
static void
test_descriptor(Apps *apps, gconstpointer data)
{
    AgentApp agent;
    Opening opening;
    sd_bus *bus;
    int fd, copy;
    char end;

    (void)add_rule(apps);
    agent_app_register(apps, &agent);
    apps_open(apps, &opening, "echo");
    apps_wait_asked(apps, &agent, 1);
    bus = apps_connect(apps);
    {
        g_autoptr(sd_bus_message) reply =
            fixture_call(bus, agent.request, BUS_REQUEST, "Accept", "a{sv}", 0);
        const char *path;

        g_assert_cmpint(sd_bus_message_read(reply, "ho", &fd, &path), >=, 0);
        copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        g_assert_cmpuint(fixture_number(bus, path, BUS_STREAM, "OwnerUid", 'u'), ==, getuid());
    }
    apps_leave(apps, bus);
    apps_assert_open(apps, &opening);
    apps_pass(opening.fd, copy, "to the agent");
    apps_pass(copy, opening.fd, "and back");
    g_assert_cmpint(shutdown(opening.fd, SHUT_WR), ==, 0);
    g_assert_cmpint(read(copy, &end, 1), ==, 0);
    apps_pass(copy, opening.fd, "the other half");
    (void)close(copy);
    g_assert_cmpint(read(opening.fd, &end, 1), ==, 0);
    opening_clear(&opening);
    agent_app_clear(&agent);
}

static gboolean
opening_is_over(void *data)
{
    const Opening *opening = data;
    ssize_t n = 0;
    char end;

    if (opening->done && opening->fd >= 0)
        n = recv(opening->fd, &end, 1, MSG_DONTWAIT);
    return opening->done && (n == 0 || (n < 0 && errno != EAGAIN));
}

/* The stream was let in for nobody: its initiator hears so at once, and nothing is left. */
static void
test_accepter_leaves(Apps *apps, gconstpointer data)
{
    AgentApp agent;

    (void)add_rule(apps);
    agent_app_register(apps, &agent);
    for (guint i = 1; i <= 5; i++) {
        sd_bus *bus = apps_connect(apps);
        g_autofree char *stream = NULL;
        g_autoptr(sd_bus_message) message = NULL;
        Opening opening;

        apps_open(apps, &opening, "echo");
        apps_wait_asked(apps, &agent, i);
        stream = stream_of(&agent);
        sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_PEER, "Ping", NULL));
        message = fixture_message(bus, agent.request, BUS_REQUEST, "Accept");
        g_assert_cmpint(sd_bus_message_append(message, "a{sv}", 0), >=, 0);
        g_assert_cmpint(sd_bus_send(bus, message, NULL), >=, 0);
        apps_leave(apps, bus);
        apps_wait_cancelled(apps, &agent, i);
        apps_wait(apps, opening_is_over, &opening);
        opening_clear(&opening);
    }
    g_assert_cmpuint(count_requests(apps), ==, 0);
    agent_app_clear(&agent);
}

static void
test_rejected(Apps *apps, gconstpointer data)
{
    g_autofree char *long_text = g_strnfill(97, 'x');
    AgentApp agent;
    Opening opening;

    (void)add_rule(apps);
    agent_app_register(apps, &agent);
    apps_open(apps, &opening, "echo");
    apps_wait_asked(apps, &agent, 1);
    g_free(
        fixture_fails(agent.bus, "Invalid", agent.request, BUS_REQUEST, "Reject", "s", long_text));
    g_free(fixture_fails(agent.bus, "Invalid", agent.request, BUS_REQUEST, "Reject", "s", "a\nb"));
    g_free(fixture_fails(agent.bus, "NotFound", agent.request, BUS_REQUEST, "AcceptTo", "s", ""));
    sd_bus_message_unref(
        fixture_call(agent.bus, agent.request, BUS_REQUEST, "Reject", "s", "not now"));
    apps_assert_fails(apps, &opening, "Rejected", "not now");
    agent_app_clear(&agent);
}

/* Nobody to be asked, from the start or after the last one has gone: nobody waits. */
static void
test_no_agent(Apps *apps, gconstpointer data)
{
    AgentApp agent;
    Opening opening;

    (void)add_rule(apps);
    apps_open(apps, &opening, "echo");
    apps_assert_fails(apps, &opening, "Rejected", "no agent on the device can be asked");
    agent_app_register(apps, &agent);
    sd_bus_message_unref(
        fixture_call(agent.bus, BUS_ROOT, BUS_MANAGER, "UnregisterAgent", "o", "/app"));
    sd_bus_message_unref(fixture_call(agent.bus, BUS_ROOT, BUS_MANAGER, "RegisterAgent", "oa{sv}",
                                      "/app", 1, "passive", "b", 1));
    apps_open(apps, &opening, "echo");
    apps_assert_fails(apps, &opening, "Rejected", "no agent on the device can be asked");
    g_assert_cmpuint(agent.asked, ==, 0);
    agent_app_clear(&agent);
}

static void
test_timed_out(Apps *apps, gconstpointer data)
{
    AgentApp agent;
    Opening opening;

    (void)apps_add_rule(apps, "echo", 2, "{sv}{sv}", "verdict", "s", "ask", "ask-timeout", "t",
                        (uint64_t)G_TIME_SPAN_SECOND);
    agent_app_register(apps, &agent);
    apps_open(apps, &opening, "echo");
    apps_wait_asked(apps, &agent, 1);
    apps_assert_fails(apps, &opening, "Rejected", "consent");
    apps_wait_cancelled(apps, &agent, 1);
    g_assert_cmpstr(agent.reason, ==, "timed-out");
    /* The initiator waits for less than the rule would: it hears no-consent all the same. */
    (void)apps_add_rule(apps, "soon", 1, "{sv}", "verdict", "s", "ask");
    apps_open_within(apps, &opening, "soon", 4);
    apps_wait_asked(apps, &agent, 2);
    apps_assert_fails(apps, &opening, "Rejected", "consent");
    agent_app_clear(&agent);
}

/* One agent has no such object, one leaves when it is asked, one comes late: that one answers. */
static void
test_agents_come_and_go(Apps *apps, gconstpointer data)
{
    int listener = add_target(apps);
    sd_bus *deaf = apps_connect(apps);
    AgentApp leaving, late;
    Opening opening;

    (void)add_rule(apps);
    sd_bus_message_unref(
        fixture_call(deaf, BUS_ROOT, BUS_MANAGER, "RegisterAgent", "oa{sv}", "/nothing/here", 0));
    agent_app_register(apps, &leaving);
    apps_open(apps, &opening, "echo");
    apps_wait_asked(apps, &leaving, 1);
    apps_leave(apps, leaving.bus);
    apps_leave(apps, deaf);
    agent_app_register(apps, &late);
    apps_wait_asked(apps, &late, 1);
    accept_to(late.bus, late.request);
    apps_assert_open(apps, &opening);
    opening_clear(&opening);
    (void)close(listener);
    agent_app_clear(&leaving);
    agent_app_clear(&late);
}

static void
test_withdrawn(Apps *apps, gconstpointer data)
{
    sd_bus *bus = apps->site.gateway_bus;
    guint64 rule = add_rule(apps);
    g_autofree char *stream = NULL;
    AgentApp agent;
    Opening opening;

    agent_app_register(apps, &agent);
    apps_open(apps, &opening, "echo");
    apps_wait_asked(apps, &agent, 1);
    stream = stream_of(&agent);
    sd_bus_message_unref(fixture_call(bus, stream, BUS_STREAM, "Close", NULL));
    apps_assert_fails(apps, &opening, "Rejected", "");
    apps_wait_cancelled(apps, &agent, 1);
    g_assert_cmpstr(agent.reason, ==, "withdrawn");
    apps_open(apps, &opening, "echo");
    apps_wait_asked(apps, &agent, 2);
    sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_POLICY, "Remove", "t", rule));
    apps_assert_fails(apps, &opening, "Rejected", "the rule that asked");
    apps_wait_cancelled(apps, &agent, 2);
    (void)add_rule(apps);
    apps_open(apps, &opening, "echo");
    apps_wait_asked(apps, &agent, 3);
    sd_bus_message_unref(fixture_call(bus, BUS_PATH_HUB "/office", BUS_HUB, "Remove", NULL));
    apps_assert_fails(apps, &opening, "Rejected", "");
    apps_wait_cancelled(apps, &agent, 3);
    g_assert_cmpstr(agent.reason, ==, "withdrawn");
    g_assert_cmpuint(count_requests(apps), ==, 0);
    agent_app_clear(&agent);
}

static void
test_registering(Apps *apps, gconstpointer data)
{
    sd_bus *bus = apps->site.gateway_bus;
    g_autofree char *text = NULL;
    AgentApp agent;

    agent_app_register(apps, &agent);
    g_free(fixture_fails(agent.bus, "Exists", BUS_ROOT, BUS_MANAGER, "RegisterAgent", "oa{sv}",
                         "/app", 0));
    g_free(fixture_fails(bus, "NotFound", BUS_ROOT, BUS_MANAGER, "UnregisterAgent", "o", "/app"));
    g_free(fixture_fails(bus, "Invalid", BUS_ROOT, BUS_MANAGER, "RegisterAgent", "oa{sv}", "/x", 1,
                         "colour", "s", "red"));
    for (guint i = 1; i < AGENTS_PER_UID; i++) {
        g_autofree char *path = g_strdup_printf("/agent/%u", i);

        sd_bus_message_unref(
            fixture_call(bus, BUS_ROOT, BUS_MANAGER, "RegisterAgent", "oa{sv}", path, 0));
    }
    text = fixture_fails(bus, "LimitReached", BUS_ROOT, BUS_MANAGER, "RegisterAgent", "oa{sv}",
                         "/more", 0);
    g_assert_nonnull(strstr(text, "8"));
    apps_leave(apps, agent.bus);
    do
        sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_PEER, "Ping", NULL));
    while (sd_bus_call_method(bus, BUS_NAME, BUS_ROOT, BUS_MANAGER, "RegisterAgent", NULL, NULL,
                              "oa{sv}", "/more", 0) < 0);
    agent_app_clear(&agent);
}

#define ADD(path, func) g_test_add("/consent/" path, Apps, NULL, apps_set_up, func, apps_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("first", test_first_answer_counts);
    ADD("descriptor", test_descriptor);
    ADD("accepter-leaves", test_accepter_leaves);
    ADD("rejected", test_rejected);
    ADD("no-agent", test_no_agent);
    ADD("timed-out", test_timed_out);
    ADD("come-and-go", test_agents_come_and_go);
    ADD("withdrawn", test_withdrawn);
    ADD("registering", test_registering);
    return g_test_run();
}
