/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamctl agent and streamctl request, at the gateway of a site. */
#include "tests/bus/app-fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

typedef struct {
    GPid pid;
    int input;
    int output;
    GString *text; /* what it has printed */
} Ctl;

static void
die_with_parent(gpointer data)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* ARGUMENTS are words separated by single blanks. INPUT -1: a pipe. */
static Ctl
start_on(Apps *apps, const char *arguments, int input)
{
    g_autofree char *line = g_strconcat(g_getenv("STREAMCTL"), " ", arguments, NULL);
    g_auto(GStrv) argv = g_strsplit(line, " ", 0);
    g_auto(GStrv) env = g_environ_setenv(g_get_environ(), "DBUS_SESSION_BUS_ADDRESS",
                                         apps->site.gateway.address, TRUE);
    g_autoptr(GError) error = NULL;
    int pipes[2];
    Ctl ctl = {.text = g_string_new(NULL)};

    env = g_environ_setenv(env, "LC_ALL", "C.UTF-8", TRUE);
    g_assert_cmpint(pipe2(pipes, O_CLOEXEC), ==, 0);
    g_spawn_async_with_pipes_and_fds(NULL, (const char *const *)argv, (const char *const *)env,
                                     G_SPAWN_DO_NOT_REAP_CHILD, die_with_parent, NULL, input,
                                     pipes[1], pipes[1], NULL, NULL, 0, &ctl.pid,
                                     input < 0 ? &ctl.input : NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    (void)close(pipes[1]);
    ctl.output = pipes[0];
    (void)fcntl(ctl.output, F_SETFL, O_NONBLOCK);
    return ctl;
}

static Ctl
start(Apps *apps, const char *arguments)
{
    return start_on(apps, arguments, -1);
}

/* With a terminal to type at. */
static Ctl
start_at_terminal(Apps *apps, const char *arguments)
{
    int master, terminal;
    Ctl ctl;

    g_assert_cmpint(openpty(&master, &terminal, NULL, NULL, NULL), ==, 0);
    (void)fcntl(master, F_SETFD, FD_CLOEXEC);
    ctl = start_on(apps, arguments, terminal);
    ctl.input = master;
    (void)close(terminal);
    return ctl;
}

static void
take_output(Ctl *ctl)
{
    char buffer[512];
    ssize_t n;

    while ((n = read(ctl->output, buffer, sizeof(buffer))) > 0)
        g_string_append_len(ctl->text, buffer, n);
}

typedef struct {
    Ctl *ctl;
    const char *text;
} Awaited;

static gboolean
has_said(void *data)
{
    const Awaited *awaited = data;

    take_output(awaited->ctl);
    return strstr(awaited->ctl->text->str, awaited->text) != NULL;
}

/* Waits for TEXT, and forgets all up to its end. */
static void
expect(Apps *apps, Ctl *ctl, const char *text)
{
    const char *found;

    apps_wait(apps, has_said, &(Awaited){ctl, text});
    found = strstr(ctl->text->str, text);
    g_string_erase(ctl->text, 0, found - ctl->text->str + (gssize)strlen(text));
}

static void
say(const Ctl *ctl, const char *text)
{
    g_assert_cmpint(write(ctl->input, text, strlen(text)), ==, (int)strlen(text));
}

/* Its exit status, and what it has said and nobody has expected. */
static int
finish(Ctl *ctl, char **ret_text)
{
    int status = fixture_wait_exit(ctl->pid);

    take_output(ctl);
    (void)close(ctl->input);
    (void)close(ctl->output);
    *ret_text = g_string_free(ctl->text, FALSE);
    return status;
}

/* Runs it to its end. */
static char *
run(Apps *apps, int expected, const char *arguments)
{
    Ctl ctl = start(apps, arguments);
    char *text;
    int status = finish(&ctl, &text);

    if (status != expected)
        g_error("'%s' ended with %d and said '%s'", arguments, status, text);
    return text;
}

static void
add_rules(Apps *apps)
{
    (void)apps_add_rule(apps, "one", 2, "{sv}{sv}", "verdict", "s", "ask", "target", "s", "door");
    (void)apps_add_rule(apps, "two", 2, "{sv}{sv}", "verdict", "s", "ask", "target", "s", "door");
}

static gboolean
has_two_requests(void *data)
{
    const Apps *apps = data;

    return fixture_number(apps->site.gateway_bus, BUS_ROOT, BUS_MANAGER, "Requests", 'u') == 2;
}

/* Several at once, one after the other; what is decided elsewhere is not asked any more. */
static void
test_agent(Apps *apps, gconstpointer data)
{
    int listener = site_expose(&apps->site, "door");
    Ctl agent = start(apps, "agent");
    Opening first, second, third, fourth;
    g_autofree char *rest = NULL;

    add_rules(apps);
    expect(apps, &agent, "Waiting for streams");
    apps_open(apps, &first, "one");
    expect(apps, &agent, "asks at the hub office for the stream one, to the target door.");
    expect(apps, &agent, "[y/n] ");
    apps_open(apps, &second, "two");
    apps_wait(apps, has_two_requests, apps);
    apps_open(apps, &third, "two");
    say(&agent, "what?\n");
    expect(apps, &agent, "for the stream one"); /* still */
    expect(apps, &agent, "[y/n] ");
    say(&agent, "y\n");
    expect(apps, &agent, "It is let in.");
    apps_assert_open(apps, &first);
    opening_clear(&first);
    expect(apps, &agent, "for the stream two");
    expect(apps, &agent, "[y/n] ");
    say(&agent, "n\n");
    expect(apps, &agent, "It is turned away.");
    expect(apps, &agent, "for the stream two");
    g_free(run(apps, 0, "request reject 3 elsewhere"));
    g_free(run(apps, 4, "request reject 3"));
    expect(apps, &agent, "Somebody else has answered.");
    apps_assert_fails(apps, &second, "Rejected", "rejected the stream");
    apps_assert_fails(apps, &third, "Rejected", "elsewhere");
    g_assert_cmpint(kill(agent.pid, SIGINT), ==, 0);
    g_assert_cmpint(finish(&agent, &rest), ==, 0);
    apps_open(apps, &fourth, "one");
    apps_assert_fails(apps, &fourth, "Rejected", "no agent on the device can be asked");
    (void)close(listener);
}

/* A yes that was typed to a question which went away is none to the next. */
static void
test_agent_typed_before(Apps *apps, gconstpointer data)
{
    int listener = site_expose(&apps->site, "door");
    Ctl agent = start_at_terminal(apps, "agent");
    g_autofree char *rest = NULL;
    Opening first, second;

    add_rules(apps);
    expect(apps, &agent, "Waiting for streams");
    apps_open(apps, &first, "one");
    expect(apps, &agent, "for the stream one");
    apps_open(apps, &second, "two");
    apps_wait(apps, has_two_requests, apps);
    say(&agent, "y");
    g_free(run(apps, 0, "request reject 1 elsewhere"));
    expect(apps, &agent, "Somebody else has answered.");
    expect(apps, &agent, "for the stream two");
    expect(apps, &agent, "[y/n] ");
    say(&agent, "\n");
    expect(apps, &agent, "for the stream two"); /* still */
    expect(apps, &agent, "[y/n] ");
    g_usleep(G_USEC_PER_SEC); /* to read it */
    say(&agent, "n\n");
    expect(apps, &agent, "It is turned away.");
    apps_assert_fails(apps, &first, "Rejected", "elsewhere");
    apps_assert_fails(apps, &second, "Rejected", "");
    g_assert_cmpint(kill(agent.pid, SIGINT), ==, 0);
    g_assert_cmpint(finish(&agent, &rest), ==, 0);
    (void)close(listener);
}

/* The end of its input is its own. */
static void
test_agent_input_ends(Apps *apps, gconstpointer data)
{
    Ctl agent = start(apps, "agent");
    g_autofree char *rest = NULL;

    expect(apps, &agent, "Waiting for streams");
    (void)close(agent.input);
    agent.input = -1;
    g_assert_cmpint(finish(&agent, &rest), ==, 0);
}

static void
test_requests(Apps *apps, gconstpointer data)
{
    int listener = site_expose(&apps->site, "door");
    g_autofree char *none = NULL, *table = NULL, *json = NULL, *missing = NULL;
    Opening first;
    AgentApp agent;

    (void)apps_add_rule(apps, "one", 1, "{sv}", "verdict", "s", "ask");
    agent_app_register(apps, &agent);
    none = run(apps, 0, "request list");
    g_assert_cmpstr(none, ==, "Nobody waits for consent.\n");
    apps_open(apps, &first, "one");
    apps_wait_asked(apps, &agent, 1);
    table = run(apps, 0, "request list");
    g_assert_nonnull(strstr(table, "service"));
    json = run(apps, 0, "request list --json");
    g_assert_nonnull(strstr(json, "\"stream_name\" : \"one\""));
    missing = run(apps, 4, "request accept 1"); /* there is no target "one" */
    g_assert_nonnull(strstr(missing, "\"one\""));
    g_free(run(apps, 2, "request accept first"));
    g_free(run(apps, 0, "request accept 1 --target door"));
    apps_assert_open(apps, &first);
    opening_clear(&first);
    g_free(run(apps, 4, "request accept 1 --target door"));
    agent_app_clear(&agent);
    (void)close(listener);
}

#define ADD(path, func) g_test_add("/ask/" path, Apps, NULL, apps_set_up, func, apps_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("agent", test_agent);
    ADD("typed-before", test_agent_typed_before);
    ADD("input-ends", test_agent_input_ends);
    ADD("requests", test_requests);
    return g_test_run();
}
