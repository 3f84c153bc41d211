/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bus source, with two connections that talk to each other in one loop, without a bus. */
#include "common/bus/source.h"
#include "common/bus/util.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define CALLS 200

typedef struct {
    GMainContext *context;
    sd_bus *server;
    sd_bus *client;
    GSource *server_source;
    GSource *client_source;
    guint answered;
    int error; /* of the last call that failed, or of the connection */
    guint lost;
} Pair;

static guint polls; /* of this thread's loop; a poll function has no data */

static int
counting_poll(GPollFD *fds, guint count, int timeout)
{
    polls++;
    return g_poll(fds, count, timeout);
}

static int
on_echo(sd_bus_message *message, void *data, sd_bus_error *error)
{
    return sd_bus_reply_method_return(message, NULL);
}

/* Taken, and never answered. */
static int
on_silence(sd_bus_message *message, void *data, sd_bus_error *error)
{
    return 1;
}

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Echo", "", "", on_echo, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Silence", "", "", on_silence, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static void
on_lost(sd_bus *bus, int error, void *data)
{
    Pair *pair = data;

    pair->lost++;
    pair->error = error;
}

static sd_bus *
open_end(int fd, gboolean server)
{
    sd_id128_t id = SD_ID128_MAKE(c7, f3, 39, 86, 1f, 5b, 4d, 4e, 9a, 0b, 34, 2f, 0d, 5a, 11, 02);
    sd_bus *bus = NULL;

    g_assert_cmpint(sd_bus_new(&bus), >=, 0);
    g_assert_cmpint(sd_bus_set_fd(bus, fd, fd), >=, 0);
    if (server)
        g_assert_cmpint(sd_bus_set_server(bus, 1, id), >=, 0);
    g_assert_cmpint(sd_bus_start(bus), >=, 0);
    return bus;
}

static void
pair_set_up(Pair *pair, gconstpointer data)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), ==, 0);
    pair->context = g_main_context_new();
    g_main_context_set_poll_func(pair->context, counting_poll);
    pair->server = open_end(fds[0], TRUE);
    pair->client = open_end(fds[1], FALSE);
    g_assert_cmpint(sd_bus_add_object_vtable(pair->server, NULL, "/x", "x.X", vtable, NULL), >=, 0);
    pair->server_source = bus_source_new(pair->server, on_lost, pair);
    pair->client_source = bus_source_new(pair->client, on_lost, pair);
    (void)g_source_attach(pair->server_source, pair->context);
    (void)g_source_attach(pair->client_source, pair->context);
}

static void
pair_tear_down(Pair *pair, gconstpointer data)
{
    g_source_destroy(pair->client_source);
    g_source_unref(pair->client_source);
    g_source_destroy(pair->server_source);
    g_source_unref(pair->server_source);
    sd_bus_flush_close_unref(pair->client);
    sd_bus_flush_close_unref(pair->server);
    g_main_context_unref(pair->context);
}

static int
on_answer(sd_bus_message *reply, void *data, sd_bus_error *error)
{
    Pair *pair = data;

    pair->answered++;
    if (sd_bus_message_is_method_error(reply, NULL))
        pair->error = -sd_bus_message_get_errno(reply);
    return 0;
}

static void
call(Pair *pair, const char *member, guint64 timeout)
{
    g_autoptr(sd_bus_message) message = NULL;

    g_assert_cmpint(
        sd_bus_message_new_method_call(pair->client, &message, NULL, "/x", "x.X", member), >=, 0);
    g_assert_cmpint(sd_bus_call_async(pair->client, NULL, message, on_answer, pair, timeout), >=,
                    0);
}

static void
test_every_call_is_answered(Pair *pair, gconstpointer data)
{
    for (guint i = 0; i < CALLS; i++)
        call(pair, "Echo", 0);
    while (pair->answered < CALLS)
        (void)g_main_context_iteration(pair->context, TRUE);
    g_assert_cmpint(pair->error, ==, 0);
}

/* Nothing arrives: only the deadline of the call wakes the loop. */
static void
test_a_deadline_alone_wakes_the_loop(Pair *pair, gconstpointer data)
{
    guint before = pair->answered;

    call(pair, "Silence", 20 * G_TIME_SPAN_MILLISECOND);
    while (pair->answered == before)
        (void)g_main_context_iteration(pair->context, TRUE);
    g_assert_cmpint(pair->error, ==, -ETIMEDOUT);
}

static gboolean
on_timeout(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

/* The loop sleeps until the timer, whatever the source did in its prepare. */
static void
test_it_sleeps_when_there_is_nothing(Pair *pair, gconstpointer data)
{
    g_autoptr(GSource) timer = g_timeout_source_new(50);
    gboolean over = FALSE;

    call(pair, "Echo", 0);
    while (pair->answered < 1)
        (void)g_main_context_iteration(pair->context, TRUE);
    while (g_main_context_iteration(pair->context, FALSE))
        continue;
    g_source_set_callback(timer, on_timeout, &over, NULL);
    (void)g_source_attach(timer, pair->context);
    polls = 0;
    while (!over)
        (void)g_main_context_iteration(pair->context, TRUE);
    g_assert_cmpuint(polls, <=, 5);
}

typedef struct {
    GMainContext *context;
    atomic_bool stop;
} Hostile;

static gboolean
on_idle(gpointer data)
{
    return G_SOURCE_CONTINUE;
}

/* Sources that come and go from another thread make GLib prepare twice without a check. */
static void *
hostile_thread(void *data)
{
    Hostile *hostile = data;

    while (!atomic_load(&hostile->stop)) {
        GSource *source = g_timeout_source_new(1000);

        g_source_set_callback(source, on_idle, NULL, NULL);
        (void)g_source_attach(source, hostile->context);
        g_source_destroy(source);
        g_source_unref(source);
    }
    return NULL;
}

static void
test_another_thread_changes_the_context(Pair *pair, gconstpointer data)
{
    Hostile hostile = {.context = pair->context};
    pthread_t thread;

    g_assert_cmpint(pthread_create(&thread, NULL, hostile_thread, &hostile), ==, 0);
    test_every_call_is_answered(pair, NULL);
    test_a_deadline_alone_wakes_the_loop(pair, NULL);
    atomic_store(&hostile.stop, TRUE);
    g_assert_cmpint(pthread_join(thread, NULL), ==, 0);
}

static void
test_a_lost_connection_is_told_once(Pair *pair, gconstpointer data)
{
    call(pair, "Echo", 0);
    while (pair->answered < 1)
        (void)g_main_context_iteration(pair->context, TRUE);
    g_source_destroy(pair->server_source);
    sd_bus_close(pair->server);
    while (pair->lost == 0)
        (void)g_main_context_iteration(pair->context, TRUE);
    while (g_main_context_iteration(pair->context, FALSE))
        continue;
    g_assert_cmpuint(pair->lost, ==, 1);
    g_assert_cmpint(pair->error, <, 0);
    g_assert_true(g_source_is_destroyed(pair->client_source));
}

#define ADD(path, func) g_test_add(path, Pair, NULL, pair_set_up, func, pair_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/bus-source/calls", test_every_call_is_answered);
    ADD("/bus-source/deadline", test_a_deadline_alone_wakes_the_loop);
    ADD("/bus-source/sleep", test_it_sleeps_when_there_is_nothing);
    ADD("/bus-source/hostile-thread", test_another_thread_changes_the_context);
    ADD("/bus-source/lost", test_a_lost_connection_is_told_once);
    return g_test_run();
}
