/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who changed what: every method and every property that can be written, one by one. Each writes
 * exactly one record of who did it, or is said here to change nothing. */
#include "common/log/rate.h"
#include "daemon/bus/kind.h"
#include "tests/bus/app-fixture.h"
#include "tests/bus/authority.h"
#include "tests/bus/calls.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define DENIED_CALLS 400

#define NOTHING NULL /* it changes nothing that is kept, or has a record of its own kind */

typedef struct {
    Apps apps;
    AgentApp agent;
    Opening opening;
    char *tunnel, *kept, *stream;
    int fd; /* /dev/null */
    guint expected[2];
} Walk;

typedef struct {
    const char *interface;
    const char *member;
    void (*act)(Walk *walk); /* NULL: the step before has called it */
    gboolean at_client;
    const char *says; /* what the record says, but for who did it; or NOTHING */
} Step;

/* A call at the gateway that succeeds. */
#define CALL(path, interface, member, ...)                                                         \
    sd_bus_message_unref(                                                                          \
        fixture_call(walk->apps.site.gateway_bus, path, interface, member, __VA_ARGS__))

static void
add_hub(Walk *walk)
{
    int fd = fixture_memfd("HostName=localhost:9;SharedAccessKeyName=service;"
                           "SharedAccessKey=c2VjcmV0");

    CALL(BUS_ROOT, BUS_MANAGER, "AddHub", "sha{sv}", "other", fd, 0);
    (void)close(fd);
}

static void
disconnect_hub(Walk *walk)
{
    CALL(BUS_PATH_HUB "/other", BUS_HUB, "Disconnect", NULL);
    CALL(BUS_PATH_HUB "/other", BUS_HUB, "Disconnect", NULL); /* the second changes nothing */
}

static void
connect_hub(Walk *walk)
{
    CALL(BUS_PATH_HUB "/other", BUS_HUB, "Connect", NULL);
    CALL(BUS_PATH_HUB "/other", BUS_HUB, "Connect", NULL);
}

static void
diagnose_hub(Walk *walk)
{
    CALL(BUS_PATH_HUB "/other", BUS_HUB, "Diagnose", "a{sv}", 0);
}

/* Nothing is pending, so it is refused: what fails has no record. */
static void
accept_authority(Walk *walk)
{
    g_autoptr(sd_bus_message) message = fixture_message(
        walk->apps.site.gateway_bus, BUS_PATH_HUB "/office", BUS_HUB, "AcceptAuthority");

    g_assert_cmpint(sd_bus_call(walk->apps.site.gateway_bus, message, 0, NULL, NULL), <, 0);
}

static void
update_hub(Walk *walk)
{
    CALL(BUS_PATH_HUB "/other", BUS_HUB, "Update", "a{sv}", 2, "proxy", "s", "direct", "force",
         "b", 1);
}

static void
remove_hub(Walk *walk)
{
    CALL(BUS_PATH_HUB "/other", BUS_HUB, "Remove", NULL);
}

static void
expose_target(Walk *walk)
{
    CALL(BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", "echo", "tcp:127.0.0.1:9", 1,
         "max-streams", "u", 3);
}

static void
remove_target(Walk *walk)
{
    CALL(BUS_PATH_TARGET "/echo", BUS_TARGET, "Remove", NULL);
}

/* Its id is 1000: the first of those that are no configuration's. */
static void
add_rule(Walk *walk)
{
    (void)apps_add_rule(&walk->apps, "ask", 1, "{sv}", "verdict", "s", "ask");
}

static void
add_another_rule(Walk *walk)
{
    CALL(BUS_ROOT, BUS_POLICY, "Add", "a{sv}", 2, "stream", "s", "two", "verdict", "s", "reject");
}

static void
move_rule(Walk *walk)
{
    CALL(BUS_ROOT, BUS_POLICY, "Move", "tu", (uint64_t)1001, 0);
}

static void
remove_rule(Walk *walk)
{
    CALL(BUS_ROOT, BUS_POLICY, "Remove", "t", (uint64_t)1001);
}

static void
set_default(Walk *walk)
{
    CALL(BUS_ROOT, BUS_POLICY, "SetDefault", "sa{sv}", "reject", 1, "reason", "s", "not today");
}

static void
list_rules(Walk *walk)
{
    CALL(BUS_ROOT, BUS_POLICY, "List", NULL);
}

static void
test_rules(Walk *walk)
{
    CALL(BUS_ROOT, BUS_POLICY, "Test", "sa{sv}", "ask", 0);
}

static void
reload(Walk *walk)
{
    CALL(BUS_ROOT, BUS_MANAGER, "Reload", NULL);
}

static void
set_level(Walk *walk)
{
    CALL(BUS_PATH_LOG, BUS_PROPERTIES, "Set", "ssv", BUS_LOG, "LogLevel", "s", "warning");
}

/* What changes something is written at every level of the log, and below this one nothing else. */
static void
set_level_down(Walk *walk)
{
    CALL(BUS_PATH_LOG, BUS_PROPERTIES, "Set", "ssv", BUS_LOG, "LogLevel", "s", "emerg");
}

static void
set_level_back(Walk *walk)
{
    CALL(BUS_PATH_LOG, BUS_PROPERTIES, "Set", "ssv", BUS_LOG, "LogLevel", "s", "info");
}

static void
watch(Walk *walk)
{
    CALL(BUS_ROOT, BUS_MANAGER, "Watch", "a{sv}", 0);
}

static void
get_metrics(Walk *walk)
{
    CALL(BUS_ROOT, BUS_MANAGER, "GetMetrics", NULL);
}

static void
register_agent(Walk *walk)
{
    agent_app_register(&walk->apps, &walk->agent);
}

static void
register_handler(Walk *walk)
{
    CALL(BUS_ROOT, BUS_MANAGER, "RegisterHandler", "oa{sv}", "/handler", 1, "name", "s", "echo");
}

static void
unregister_handler(Walk *walk)
{
    CALL(BUS_ROOT, BUS_MANAGER, "UnregisterHandler", "o", "/handler");
}

static void
unregister_agent(Walk *walk)
{
    sd_bus_message_unref(
        fixture_call(walk->agent.bus, BUS_ROOT, BUS_MANAGER, "UnregisterAgent", "o", "/app"));
}

/* A stream that an agent is asked about. */
static void
ask(Walk *walk)
{
    guint asked = walk->agent.asked;

    opening_clear(&walk->opening);
    apps_open(&walk->apps, &walk->opening, "ask");
    apps_wait_asked(&walk->apps, &walk->agent, asked + 1);
}

static void
reject_request(Walk *walk)
{
    ask(walk);
    CALL(walk->agent.request, BUS_REQUEST, "Reject", "s", "no");
    apps_assert_fails(&walk->apps, &walk->opening, "Rejected", "no");
}

/* Nothing listens there, but the decision is one. */
static void
accept_request_to(Walk *walk)
{
    ask(walk);
    CALL(walk->agent.request, BUS_REQUEST, "AcceptTo", "s", "echo");
    apps_assert_fails(&walk->apps, &walk->opening, "Rejected", "");
}

static void
accept_request(Walk *walk)
{
    g_autoptr(sd_bus_message) reply = NULL;
    const char *path;
    int fd;

    ask(walk);
    reply = fixture_call(walk->apps.site.gateway_bus, walk->agent.request, BUS_REQUEST, "Accept",
                         "a{sv}", 0);
    g_assert_cmpint(sd_bus_message_read(reply, "ho", &fd, &path), >=, 0);
    walk->stream = g_strdup(path);
    walk->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static void
inspect_stream(Walk *walk)
{
    CALL(walk->stream, BUS_STREAM, "Inspect", NULL);
}

static void
close_stream(Walk *walk)
{
    CALL(walk->stream, BUS_STREAM, "Close", NULL);
    apps_assert_end(&walk->apps, walk->stream, "closed-by-user");
    CALL(walk->stream, BUS_STREAM, "Close", NULL); /* it has ended already */
}

static void
list_devices(Walk *walk)
{
    sd_bus_message_unref(
        fixture_call(walk->apps.site.bus, BUS_ROOT, BUS_MANAGER, "ListDevices", "sa{sv}", "", 0));
}

static char *
open_tunnel(Walk *walk, gboolean persistent)
{
    g_autoptr(sd_bus_message) reply =
        fixture_call(walk->apps.site.bus, BUS_ROOT, BUS_MANAGER, "OpenTunnel", "ssssa{sv}", "",
                     "gw-1", "echo", "", 1, "persistent", "b", (int)persistent);
    const char *path;

    g_assert_cmpint(sd_bus_message_read(reply, "os", &path, NULL), >=, 0);
    return g_strdup(path);
}

static void
open_own_tunnel(Walk *walk)
{
    walk->tunnel = open_tunnel(walk, FALSE);
}

static void
open_kept_tunnel(Walk *walk)
{
    walk->kept = open_tunnel(walk, TRUE);
}

static void
close_tunnel(Walk *walk)
{
    sd_bus_message_unref(
        fixture_call(walk->apps.site.bus, walk->tunnel, BUS_TUNNEL, "Close", NULL));
}

static void
close_kept_tunnel(Walk *walk)
{
    sd_bus_message_unref(fixture_call(walk->apps.site.bus, walk->kept, BUS_TUNNEL, "Close", NULL));
}

/* NAME stands for who did it, as "alice (UID 1000)". */
static const Step steps[] = {
    {BUS_MANAGER, "AddHub", add_hub, FALSE, "Hub other was added, as service, by @"},
    {BUS_HUB, "Disconnect", disconnect_hub, FALSE,
     "Hub other: to be disconnected (before: to be connected), by @"},
    {BUS_HUB, "Connect", connect_hub, FALSE,
     "Hub other: to be connected (before: to be disconnected), by @"},
    {BUS_HUB, "Diagnose", diagnose_hub, FALSE, NOTHING},
    {BUS_HUB, "AcceptAuthority", accept_authority, FALSE, NOTHING},
    {BUS_HUB, "Update", update_hub, FALSE,
     "Hub other: proxy direct (before: proxy as for all hubs), by @"},
    {BUS_HUB, "Remove", remove_hub, FALSE, "Hub other was removed by @"},
    {BUS_MANAGER, "ExposeTarget", expose_target, FALSE,
     "Target echo was added: tcp:127.0.0.1:9, by @"},
    {BUS_POLICY, "Add", add_rule, FALSE,
     "The accept policy was changed by @: rule 1000: stream=ask, ask, then to the target named "
     "like "
     "the stream (before: none)"},
    {BUS_POLICY, "Add", add_another_rule, FALSE,
     "The accept policy was changed by @: rule 1001: stream=two, reject (before: none)"},
    {BUS_POLICY, "Move", move_rule, FALSE,
     "The accept policy was changed by @: rule 1001 at position 0 (before: rule 1001 at position "
     "1)"},
    {BUS_POLICY, "Remove", remove_rule, FALSE,
     "The accept policy was changed by @: none (before: rule 1001: stream=two, reject)"},
    {BUS_POLICY, "SetDefault", set_default, FALSE,
     "The accept policy was changed by @: default: reject: not today (before: default: "
     "reject)"},
    {BUS_POLICY, "List", list_rules, FALSE, NOTHING},
    {BUS_POLICY, "Test", test_rules, FALSE, NOTHING},
    {BUS_MANAGER, "Reload", reload, FALSE,
     "Configuration reloaded by @: hubs: office; targets: echo; rules: 1000; default: reject: "
     "not today"},
    {BUS_LOG, "LogLevel", set_level, FALSE,
     "The level of the log is warning now (before: info), by @"},
    {BUS_LOG, "LogLevel", set_level_down, FALSE,
     "The level of the log is emerg now (before: warning), by @"},
    {BUS_LOG, "LogLevel", set_level_back, FALSE,
     "The level of the log is info now (before: emerg), by @"},
    {BUS_MANAGER, "Watch", watch, FALSE, NOTHING},
    {BUS_MANAGER, "GetMetrics", get_metrics, FALSE, NOTHING},
    {BUS_MANAGER, "RegisterAgent", register_agent, FALSE, NOTHING},
    {BUS_MANAGER, "RegisterHandler", register_handler, FALSE, NOTHING},
    {BUS_MANAGER, "UnregisterHandler", unregister_handler, FALSE, NOTHING},
    {BUS_REQUEST, "Reject", reject_request, FALSE, "user @ has decided on ask from service:"},
    {BUS_REQUEST, "AcceptTo", accept_request_to, FALSE, "user @ has decided on ask from service:"},
    {BUS_REQUEST, "Accept", accept_request, FALSE, "user @ has decided on ask from service:"},
    {BUS_STREAM, "Inspect", inspect_stream, FALSE, NOTHING},
    {BUS_STREAM, "Close", close_stream, FALSE, "was closed by @: stream ask of gw-1 at hub office"},
    {BUS_MANAGER, "UnregisterAgent", unregister_agent, FALSE, NOTHING},
    {BUS_TARGET, "Remove", remove_target, FALSE, "Target echo was removed by @"},
    {BUS_MANAGER, "OpenStream", NULL, TRUE, NOTHING}, /* the streams above: records of streams */
    {BUS_MANAGER, "ListDevices", list_devices, TRUE, NOTHING},
    {BUS_MANAGER, "OpenTunnel", open_own_tunnel, TRUE, NOTHING}, /* TUNNEL_OPENED says whose */
    {BUS_MANAGER, "OpenTunnel", open_kept_tunnel, TRUE, "is kept over restarts, by @: tunnel of"},
    {BUS_TUNNEL, "Close", close_tunnel, TRUE, "was closed by @: tunnel of"},
    {BUS_TUNNEL, "Close", close_kept_tunnel, TRUE, "was closed by @: tunnel of"},
};

static guint
count_of(const char *text, const char *what)
{
    guint count = 0;

    for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what))
        count++;
    return count;
}

typedef struct {
    const Fixture *fixture;
    const char *text;
    guint count;
} Awaited;

static gboolean
has_so_many(void *data)
{
    const Awaited *awaited = data;
    g_autofree char *log = fixture_read_log(awaited->fixture);

    return count_of(log, awaited->text) >= awaited->count;
}

/* Every record of a change has who did it, and nothing else has. */
static void
assert_step(Walk *walk, const Step *step)
{
    Fixture *fixture = step->at_client ? &walk->apps.site.client : &walk->apps.site.gateway;
    const struct passwd *user = getpwuid(getuid());
    g_autofree char *who = g_strdup_printf("%s (UID %u)", user->pw_name, (unsigned)getuid());
    g_auto(GStrv) parts = step->says != NULL ? g_strsplit(step->says, "@", 2) : NULL;
    g_autofree char *text = parts != NULL ? g_strjoinv(who, parts) : NULL;
    Awaited awaited = {fixture, " (UID ", walk->expected[step->at_client] + (text != NULL)};
    g_autofree char *log = NULL;

    g_test_message("%s.%s", step->interface, step->member);
    if (step->act != NULL)
        step->act(walk);
    apps_wait(&walk->apps, has_so_many, &awaited);
    log = fixture_read_log(fixture);
    if (text != NULL && strstr(log, text) == NULL)
        g_error("%s.%s did not write: %s", step->interface, step->member, text);
    g_assert_cmpuint(count_of(log, " (UID "), ==, awaited.count);
    walk->expected[step->at_client] = awaited.count;
}

static gboolean
is_known(const char *interface, const char *member)
{
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++)
        if (g_str_equal(steps[i].interface, interface) && g_str_equal(steps[i].member, member))
            return TRUE;
    return FALSE;
}

/* A new method or writable property has to get a step here. */
static void
assert_all_are_known(void)
{
    for (const BusKind *const *kind = bus_kinds; *kind != NULL; kind++)
        for (const sd_bus_vtable *row = (*kind)->vtable; row->type != _SD_BUS_VTABLE_END; row++) {
            const char *member = row->type == _SD_BUS_VTABLE_METHOD ? row->x.method.member
                                 : row->type == _SD_BUS_VTABLE_WRITABLE_PROPERTY
                                     ? row->x.property.member
                                     : NULL;

            if (member != NULL && !is_known((*kind)->interface, member))
                g_error("%s.%s: does it change anything?", (*kind)->interface, member);
        }
}

/* Of the log, whose table is not among the kinds. */
static void
assert_log_is_known(sd_bus *bus)
{
    g_autoptr(sd_bus_message) reply =
        fixture_call(bus, BUS_PATH_LOG, BUS_INTROSPECTABLE, "Introspect", NULL);
    const char *xml, *log;
    g_autofree char *own = NULL;

    g_assert_cmpint(sd_bus_message_read(reply, "s", &xml), >=, 0);
    log = strstr(xml, "<interface name=\"" BUS_LOG "\">");
    g_assert_nonnull(log);
    own = g_strndup(log, (gsize)(strstr(log, "</interface>") - log));
    g_assert_cmpuint(count_of(own, "readwrite"), ==, 1);
    g_assert_cmpuint(count_of(own, "<method"), ==, 0);
    g_assert_nonnull(strstr(own, "name=\"LogLevel\" type=\"s\" access=\"readwrite\""));
}

/* The fixture has added the hub: that is the first record. */
static void
test_walk(Walk *walk, gconstpointer data)
{
    assert_all_are_known();
    assert_log_is_known(walk->apps.site.gateway_bus);
    walk->expected[FALSE] = walk->expected[TRUE] = 1;
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++)
        assert_step(walk, &steps[i]);
}

/* What is kept, or in the configuration, is no change when streamd starts with it. */
static void
test_start(Walk *walk, gconstpointer data)
{
    Fixture *gateway = &walk->apps.site.gateway;
    const char *again[] = {"--user", "--threads=1", NULL};
    g_autofree char *before = NULL, *after = NULL;
    g_autofree char *state = NULL;

    add_hub(walk);
    expose_target(walk);
    add_rule(walk);
    set_default(walk);
    (void)kill(gateway->streamd, SIGTERM);
    g_assert_cmpint(fixture_wait_exit(gateway->streamd), ==, 0);
    before = fixture_read_log(gateway);
    gateway->streamd = fixture_spawn(gateway, again);
    fixture_wait_ready(gateway);
    state = fixture_property(walk->apps.site.gateway_bus, BUS_PATH_HUB "/other", BUS_HUB, "State");
    g_assert_nonnull(state);
    after = fixture_read_log(gateway);
    g_assert_cmpuint(count_of(before, " (UID "), ==, 5);
    g_assert_cmpuint(count_of(after, " (UID "), ==, 5);
    g_assert_null(strstr(after + strlen(before), " was added"));
}

static guint
count_denied(const Fixture *fixture)
{
    g_autofree char *log = fixture_read_log(fixture);

    return count_of(log, "may not do this: " BUS_MANAGER ".ExposeTarget at " BUS_ROOT "\n");
}

/* Who may not is told, by name; not each time, but with how often. */
static void
test_denied(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    Authority *authority = authority_new(fixture, AUTHORITY_DENIES);
    Awaited left_out = {fixture, "records were left out", 1};
    g_autofree char *log = NULL;

    for (guint i = 0; i < DENIED_CALLS; i++) {
        g_autoptr(sd_bus_message) message = new_target(bus, "echo");

        g_free(fixture_call_fails(bus, message, DENIED));
        if (i == 0)
            fixture_wait(bus, has_so_many, &(Awaited){fixture, "may not do this", 1});
    }
    authority_free(authority);
    (void)kill(fixture->streamd, SIGTERM);
    fixture_wait(bus, has_so_many, &left_out);
    log = fixture_read_log(fixture);
    g_assert_cmpuint(count_denied(fixture), >=, LOG_RATE_SURE);
    g_assert_cmpuint(count_denied(fixture), <=, DENIED_CALLS / 2);
    g_assert_null(strstr(log, "was added"));
    g_assert_cmpint(fixture_wait_exit(fixture->streamd), ==, 0);
    fixture->streamd = fixture_spawn_program(fixture, "GUARDED_STREAMD", (const char *[]){NULL});
    fixture_wait_ready(fixture);
}

static void
walk_set_up(Walk *walk, gconstpointer data)
{
    *walk = (Walk){.fd = -1, .opening = {.fd = -1}};
    apps_set_up(&walk->apps, data);
}

static void
walk_tear_down(Walk *walk, gconstpointer data)
{
    opening_clear(&walk->opening);
    if (walk->agent.bus != NULL)
        agent_app_clear(&walk->agent);
    if (walk->fd >= 0)
        (void)close(walk->fd);
    g_free(walk->tunnel);
    g_free(walk->kept);
    g_free(walk->stream);
    apps_tear_down(&walk->apps, data);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/changes/walk", Walk, NULL, walk_set_up, test_walk, walk_tear_down);
    g_test_add("/changes/denied", Fixture, &calls_guarded, fixture_set_up, test_denied,
               fixture_tear_down);
    g_test_add("/changes/start", Walk, NULL, walk_set_up, test_start, walk_tear_down);
    return g_test_run();
}
