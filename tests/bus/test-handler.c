/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Apps that take streams, through a real hub: well-behaved ones, hostile ones, and such as vanish.
 */
#include "tests/bus/app-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY 50
#define HANDLERS_PER_UID 8 /* daemon/stream/handler.h */
#define OUTCALLS_PER_UID 8 /* daemon/bus/outcall.h */

/* For the streams of a name, the handler of that name. */
static void
add_rule(Apps *apps, const char *name)
{
    (void)apps_add_rule(apps, name, 2, "{sv}{sv}", "verdict", "s", "accept", "handler", "s", name);
}

static void
set_up_handler(Apps *apps, HandlerApp *handler, HandlerMode mode, const char *name)
{
    handler_app_init(apps, handler, mode);
    handler_app_register(apps, handler, name);
    add_rule(apps, name);
}

/* Opens a stream to HANDLER: the initiator's end is in OPENING, the app's is returned. */
static int
open_to(Apps *apps, HandlerApp *handler, Opening *opening, const char *name)
{
    apps_open(apps, opening, name);
    apps_wait_handler(apps, handler, handler->asked + 1, handler->got + 1);
    apps_assert_open(apps, opening);
    return handler_app_take(handler);
}

static void
test_echo(Apps *apps, gconstpointer data)
{
    HandlerApp handler;
    Opening opening;
    char end;
    int fd;

    set_up_handler(apps, &handler, HANDLER_SAYS_YES, "echo");
    fd = open_to(apps, &handler, &opening, "echo");
    g_assert_true(g_str_has_prefix(
        handler.log->str, "asked Hub=office DeviceId=gw-1 StreamName=echo Initiator=service "
                          "Address=127.0.0.1:"));
    g_assert_nonnull(strstr(handler.log->str, " Rule="));
    g_assert_nonnull(strstr(handler.log->str, " Deadline="));
    g_assert_nonnull(strstr(handler.log->str, "\ngot Hub=office DeviceId=gw-1 StreamName=echo"));
    g_assert_cmpuint(fixture_number(handler.bus, handler.stream, BUS_STREAM, "OwnerUid", 'u'), ==,
                     getuid());
    apps_pass(opening.fd, fd, "to the app");
    apps_pass(fd, opening.fd, "and back");
    g_assert_cmpint(shutdown(opening.fd, SHUT_WR), ==, 0);
    g_assert_cmpint(read(fd, &end, 1), ==, 0);
    apps_pass(fd, opening.fd, "the other half");
    (void)close(fd);
    g_assert_cmpint(read(opening.fd, &end, 1), ==, 0);
    apps_assert_end(apps, handler.stream, "completed");
    opening_clear(&opening);
    handler_app_clear(&handler);
}

static void
test_no(Apps *apps, gconstpointer data)
{
    HandlerApp handler;
    Opening opening;

    set_up_handler(apps, &handler, HANDLER_SAYS_NO, "echo");
    apps_open(apps, &opening, "echo");
    apps_assert_fails(apps, &opening, "Rejected", "not today");
    apps_assert_end(apps, handler.stream, "rejected");
    g_assert_cmpuint(handler.got, ==, 0);
    handler_app_clear(&handler);
}

/* Not registered, registered under another name, and not any more. */
static void
test_none(Apps *apps, gconstpointer data)
{
    HandlerApp handler;
    Opening opening;

    add_rule(apps, "echo");
    apps_open(apps, &opening, "echo");
    apps_assert_fails(apps, &opening, "Rejected", "not running");
    set_up_handler(apps, &handler, HANDLER_SAYS_YES, "other");
    apps_open(apps, &opening, "echo");
    apps_assert_fails(apps, &opening, "Rejected", "not running");
    sd_bus_message_unref(
        fixture_call(handler.bus, BUS_ROOT, BUS_MANAGER, "UnregisterHandler", "o", "/app"));
    apps_open(apps, &opening, "other");
    apps_assert_fails(apps, &opening, "Rejected", "not running");
    g_assert_cmpuint(handler.asked, ==, 0);
    handler_app_clear(&handler);
}

/* What is no answer is a no; one that comes when the stream has ended is nothing. */
static void
test_replies(Apps *apps, gconstpointer data)
{
    HandlerApp handler, babbling;
    Opening opening;

    set_up_handler(apps, &handler, HANDLER_FAILS, "echo");
    apps_open(apps, &opening, "echo");
    apps_assert_fails(apps, &opening, "Rejected", "app for this stream failed");
    set_up_handler(apps, &babbling, HANDLER_SAYS_NONSENSE, "babble");
    apps_open(apps, &opening, "babble");
    apps_assert_fails(apps, &opening, "Rejected", "no proper answer");
    handler_app_clear(&babbling);
    handler.mode = HANDLER_SAYS_NOTHING;
    apps_open(apps, &opening, "echo");
    apps_wait_handler(apps, &handler, 2, 0);
    sd_bus_message_unref(fixture_call(handler.bus, handler.stream, BUS_STREAM, "Close", NULL));
    apps_assert_fails(apps, &opening, "Rejected", "");
    g_assert_cmpint(sd_bus_reply_method_return(handler.held, "bs", 1, ""), >=, 0);
    handler.mode = HANDLER_SAYS_YES;
    handler.refuses = TRUE;
    apps_open(apps, &opening, "echo");
    apps_wait_handler(apps, &handler, 3, 1);
    apps_assert_end(apps, handler.stream, "local-cut");
    opening_clear(&opening);
    handler_app_clear(&handler);
}

/* It leaves before it has answered; right after; and when it has given the descriptor away. Nobody
 * else's stream notices. */
static void
test_leaves(Apps *apps, gconstpointer data)
{
    g_autofree char *reason = NULL;
    HandlerApp staying, handler;
    Opening witness, opening;
    int other, fd;

    set_up_handler(apps, &staying, HANDLER_SAYS_YES, "staying");
    other = open_to(apps, &staying, &witness, "staying");
    set_up_handler(apps, &handler, HANDLER_SAYS_NOTHING, "echo");
    apps_open(apps, &opening, "echo");
    apps_wait_handler(apps, &handler, 1, 0);
    apps_leave(apps, handler.bus);
    apps_assert_fails(apps, &opening, "Rejected", "has left");
    handler_app_clear(&handler);

    handler_app_init(apps, &handler, HANDLER_SAYS_NOTHING);
    handler_app_register(apps, &handler, "echo");
    apps_open(apps, &opening, "echo");
    apps_wait_handler(apps, &handler, 1, 0);
    g_assert_cmpint(sd_bus_reply_method_return(handler.held, "bs", 1, ""), >=, 0);
    apps_leave(apps, handler.bus);
    /* Either it left before its descriptor was on the way, or the bus closed that, which looks as if
     * the app had. */
    reason = apps_wait_end(apps, handler.stream);
    g_assert_true(g_str_equal(reason, "local-cut") || g_str_equal(reason, "device-closed"));
    opening_clear(&opening);
    handler_app_clear(&handler);

    handler_app_init(apps, &handler, HANDLER_SAYS_YES);
    handler_app_register(apps, &handler, "echo");
    fd = open_to(apps, &handler, &opening, "echo");
    apps_leave(apps, handler.bus);
    apps_pass(opening.fd, fd, "it lives on");
    apps_pass(fd, opening.fd, "with its descriptor");
    (void)close(fd);
    opening_clear(&opening);
    handler_app_clear(&handler);
    apps_pass(witness.fd, other, "nothing has happened here");
    (void)close(other);
    opening_clear(&witness);
    handler_app_clear(&staying);
}

/* Half read, closed, and open twice: each ends its own stream only. */
static void
test_descriptors(Apps *apps, gconstpointer data)
{
    g_autofree char *much = g_strnfill(100000, 'x');
    Opening half, closed, twice;
    HandlerApp handler;
    int fds[3], copy;
    char buffer[10];

    set_up_handler(apps, &handler, HANDLER_SAYS_YES, "echo");
    fds[0] = open_to(apps, &handler, &half, "echo");
    fds[1] = open_to(apps, &handler, &closed, "echo");
    fds[2] = open_to(apps, &handler, &twice, "echo");
    copy = fcntl(fds[2], F_DUPFD_CLOEXEC, 3);
    g_assert_cmpint(write(half.fd, much, 100000), ==, 100000);
    g_assert_cmpint(recv(fds[0], buffer, sizeof(buffer), MSG_WAITALL), ==, sizeof(buffer));
    (void)close(fds[0]);
    (void)close(fds[1]);
    (void)close(fds[2]);
    while (recv(half.fd, buffer, 1, 0) > 0) /* an end, or an error: nothing comes any more */
        continue;
    g_assert_cmpint(recv(closed.fd, buffer, 1, 0), ==, 0);
    apps_pass(twice.fd, copy, "still there");
    apps_pass(copy, twice.fd, "both ways");
    (void)close(copy);
    g_assert_cmpint(recv(twice.fd, buffer, 1, 0), ==, 0);
    opening_clear(&half);
    opening_clear(&closed);
    opening_clear(&twice);
    handler_app_clear(&handler);
}

/* More at once than streamd asks at once, of an app that takes its time. */
static void
test_many(Apps *apps, gconstpointer data)
{
    Opening openings[MANY];
    HandlerApp handler;

    set_up_handler(apps, &handler, HANDLER_SAYS_YES, "echo");
    for (guint i = 0; i < MANY; i++)
        apps_open(apps, &openings[i], "echo");
    apps_wait_handler(apps, &handler, MANY, MANY);
    g_assert_cmpuint(handler.fds->len, ==, MANY);
    for (guint i = 0; i < MANY; i++)
        apps_assert_open(apps, &openings[i]);
    for (guint i = 0; i < MANY; i++) {
        char byte = (char)i;

        g_assert_cmpint(write(openings[i].fd, &byte, 1), ==, 1);
    }
    for (guint i = 0; i < MANY; i++) {
        int fd = handler_app_take(&handler);
        char bytes[2];

        g_assert_cmpint(recv(fd, bytes, 1, MSG_WAITALL), ==, 1);
        (void)close(fd);
    }
    for (guint i = 0; i < MANY; i++)
        opening_clear(&openings[i]);
    handler_app_clear(&handler);
}

/* One app after the other that answers what it likes, or nothing, or leaves; agents that come and
 * go; initiators that give up. Then all is as it was. */
#define ROUNDS 40
#define ROUNDS_LONG 2000

static gboolean
is_done(void *data)
{
    return ((Opening *)data)->done;
}

static void
hostile_round(Apps *apps, GRand *rand)
{
    HandlerApp handler;
    Opening opening;

    handler_app_init(apps, &handler, (HandlerMode)g_rand_int_range(rand, 0, 5));
    handler.refuses = g_rand_boolean(rand);
    handler_app_register(apps, &handler, "echo");
    apps_open_within(apps, &opening, "echo", 60);
    if (g_rand_boolean(rand))
        apps_wait_handler(apps, &handler, 1, 0);
    if (handler.held != NULL && g_rand_boolean(rand))
        sd_bus_message_unref(fixture_call(handler.bus, handler.stream, BUS_STREAM, "Close", NULL));
    if (handler.held != NULL && g_rand_boolean(rand))
        g_assert_cmpint(sd_bus_reply_method_return(handler.held, "bs", 1, ""), >=, 0);
    if (handler.held != NULL && g_rand_boolean(rand)) /* a second time: nobody waits for it */
        g_assert_cmpint(sd_bus_reply_method_return(handler.held, "bs", 1, ""), >=, 0);
    apps_leave(apps, handler.bus);
    apps_wait(apps, is_done, &opening);
    opening_clear(&opening);
    handler_app_clear(&handler);
}

static void
hostile_agent_round(Apps *apps, GRand *rand)
{
    AgentApp agent;
    Opening opening;

    agent_app_register(apps, &agent);
    apps_open_within(apps, &opening, "ask", 60);
    apps_wait_asked(apps, &agent, 1);
    switch (g_rand_int_range(rand, 0, 4)) {
    case 0:
        sd_bus_message_unref(
            fixture_call(agent.bus, agent.request, BUS_REQUEST, "Reject", "s", "no"));
        break;
    case 1:
        (void)sd_bus_call_method_async(agent.bus, NULL, BUS_NAME, agent.request, BUS_REQUEST,
                                       "Accept", NULL, NULL, "a{sv}", 0);
        break;
    default: /* another one answers for it */
        sd_bus_message_unref(
            fixture_call(apps->site.gateway_bus, agent.request, BUS_REQUEST, "Reject", "s", "no"));
    }
    apps_leave(apps, agent.bus);
    apps_wait(apps, is_done, &opening);
    opening_clear(&opening);
    agent_app_clear(&agent);
}

static void
test_hostile(Apps *apps, gconstpointer data)
{
    guint rounds = g_getenv("STREAMD_LONG") != NULL ? ROUNDS_LONG : ROUNDS;
    GRand *rand = g_rand_new_with_seed(1);
    HandlerApp staying;
    Opening witness;
    guint fds;
    int other;

    set_up_handler(apps, &staying, HANDLER_SAYS_YES, "staying");
    other = open_to(apps, &staying, &witness, "staying");
    add_rule(apps, "echo");
    (void)apps_add_rule(apps, "ask", 1, "{sv}", "verdict", "s", "ask");
    fds = fixture_count_fds(&apps->site.gateway);
    for (guint i = 0; i < rounds; i++)
        (i % 4 == 3 ? hostile_agent_round : hostile_round)(apps, rand);
    apps_pass(witness.fd, other, "nothing has happened here");
    apps_pass(other, witness.fd, "nor there");
    fixture_assert_fds(&apps->site.gateway, fds);
    g_assert_cmpuint(fixture_number(apps->site.gateway_bus, BUS_ROOT, BUS_MANAGER, "Requests", 'u'),
                     ==, 0);
    (void)close(other);
    opening_clear(&witness);
    handler_app_clear(&staying);
    g_rand_free(rand);
}

static void
test_registering(Apps *apps, gconstpointer data)
{
    sd_bus *bus = apps->site.gateway_bus;
    g_autofree char *text = NULL;
    HandlerApp handler;

    handler_app_init(apps, &handler, HANDLER_SAYS_YES);
    handler_app_register(apps, &handler, "echo");
    g_free(fixture_fails(bus, "Exists", BUS_ROOT, BUS_MANAGER, "RegisterHandler", "oa{sv}", "/x", 1,
                         "name", "s", "echo"));
    g_free(fixture_fails(handler.bus, "Exists", BUS_ROOT, BUS_MANAGER, "RegisterHandler", "oa{sv}",
                         "/app", 1, "name", "s", "other"));
    g_free(
        fixture_fails(bus, "Invalid", BUS_ROOT, BUS_MANAGER, "RegisterHandler", "oa{sv}", "/x", 0));
    g_free(fixture_fails(bus, "Invalid", BUS_ROOT, BUS_MANAGER, "RegisterHandler", "oa{sv}", "/x",
                         1, "name", "s", "two words"));
    g_free(fixture_fails(bus, "NotFound", BUS_ROOT, BUS_MANAGER, "UnregisterHandler", "o", "/app"));
    for (guint i = 1; i < HANDLERS_PER_UID; i++) {
        g_autofree char *name = g_strdup_printf("h%u", i);
        g_autofree char *path = g_strconcat("/", name, NULL);

        sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_MANAGER, "RegisterHandler", "oa{sv}",
                                          path, 1, "name", "s", name));
    }
    text = fixture_fails(bus, "LimitReached", BUS_ROOT, BUS_MANAGER, "RegisterHandler", "oa{sv}",
                         "/more", 1, "name", "s", "more");
    g_assert_nonnull(strstr(text, "8"));
    handler_app_clear(&handler);
}

typedef struct {
    AgentApp agent;
    HandlerApp handler;
} Both;

static gboolean
are_released(void *data)
{
    const Both *both = data;

    return both->agent.released == 1 && both->handler.released == 1;
}

/* streamd stops while it asks both: they are told, and it waits for neither. */
static void
test_released(Apps *apps, gconstpointer data)
{
    Opening asked, offered;
    Both both;

    agent_app_register(apps, &both.agent);
    set_up_handler(apps, &both.handler, HANDLER_SAYS_NOTHING, "echo");
    (void)apps_add_rule(apps, "ask", 1, "{sv}", "verdict", "s", "ask");
    apps_open(apps, &asked, "ask");
    apps_open(apps, &offered, "echo");
    apps_wait_asked(apps, &both.agent, 1);
    apps_wait_handler(apps, &both.handler, 1, 0);
    g_assert_cmpint(kill(apps->site.gateway.streamd, SIGTERM), ==, 0);
    apps_wait(apps, are_released, &both);
    apps_assert_fails(apps, &asked, "Rejected", "");
    apps_assert_fails(apps, &offered, "Rejected", "");
    agent_app_clear(&both.agent);
    handler_app_clear(&both.handler);
}

/* One that never answers has its user's places and no more of them, however often it is asked: the
 * bus would let streamd wait for so many replies only, and not ask about anybody else. */
static gboolean
is_asked_for(void *data)
{
    g_autofree char *path = g_strdup_printf(BUS_PATH_STREAM "/%d", OUTCALLS_PER_UID + 1);

    return fixture_has_object(((Apps *)data)->site.gateway_bus, path);
}

static void
test_silent(Apps *apps, gconstpointer data)
{
    HandlerApp handler;
    Opening opening;

    set_up_handler(apps, &handler, HANDLER_SAYS_NOTHING, "echo");
    for (guint i = 0; i < OUTCALLS_PER_UID; i++) {
        apps_open(apps, &opening, "echo");
        apps_wait_handler(apps, &handler, i + 1, 0);
        sd_bus_message_unref(fixture_call(handler.bus, handler.stream, BUS_STREAM, "Close", NULL));
        apps_assert_fails(apps, &opening, "Rejected", "");
    }
    apps_open(apps, &opening, "echo");
    apps_wait(apps, is_asked_for, apps);
    g_assert_cmpuint(handler.asked, ==, OUTCALLS_PER_UID);
    g_assert_cmpint(sd_bus_reply_method_return(handler.held, "bs", 1, ""), >=, 0);
    apps_wait_handler(apps, &handler, OUTCALLS_PER_UID + 1, 0);
    apps_leave(apps, handler.bus);
    apps_assert_fails(apps, &opening, "Rejected", "has left");
    handler_app_clear(&handler);
}

/* Its rule goes while it thinks: a yes leads to nothing any more. */
static void
test_rule_goes(Apps *apps, gconstpointer data)
{
    HandlerApp handler;
    Opening opening;
    guint64 rule;

    handler_app_init(apps, &handler, HANDLER_SAYS_NOTHING);
    handler_app_register(apps, &handler, "echo");
    rule = apps_add_rule(apps, "echo", 2, "{sv}{sv}", "verdict", "s", "accept", "handler", "s",
                         "echo");
    apps_open(apps, &opening, "echo");
    apps_wait_handler(apps, &handler, 1, 0);
    sd_bus_message_unref(
        fixture_call(apps->site.gateway_bus, BUS_ROOT, BUS_POLICY, "Remove", "t", rule));
    g_assert_cmpint(sd_bus_reply_method_return(handler.held, "bs", 1, ""), >=, 0);
    apps_assert_fails(apps, &opening, "Rejected", "rule");
    g_assert_cmpuint(handler.got, ==, 0);
    handler_app_clear(&handler);
}

#define ADD(path, func) g_test_add("/handler/" path, Apps, NULL, apps_set_up, func, apps_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("echo", test_echo);
    ADD("no", test_no);
    ADD("none", test_none);
    ADD("replies", test_replies);
    ADD("leaves", test_leaves);
    ADD("descriptors", test_descriptors);
    ADD("many", test_many);
    ADD("registering", test_registering);
    ADD("hostile", test_hostile);
    ADD("released", test_released);
    ADD("silent", test_silent);
    ADD("rule-goes", test_rule_goes);
    return g_test_run();
}
