/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is asked of the service manager, and what its answers mean. The other end of a connection
 * without a bus answers as systemd does; the real one is asked in tests/system/handover.sh. */
#include "common/bus/source.h"
#include "common/bus/unit-job.h"
#include "common/bus/util.h"

#include <sys/socket.h>

#define UNIT "/org/freedesktop/systemd1/unit/streamd_2eservice"
#define JOB "/org/freedesktop/systemd1/job/77"

typedef struct {
    sd_bus *server, *client;
    GSource *server_source, *client_source;
    const char *type; /* NULL: there is no job; "": no unit of this process; "-": no answer */
    guint store;      /* descriptors that are kept; G_MAXUINT32: an error */
    UnitJobKind told;
    guint told_store;
    guint times;
} Pair;

static int
on_unit(sd_bus_message *message, void *data, sd_bus_error *error)
{
    const Pair *pair = data;
    guint32 pid = 1;

    g_assert_cmpint(sd_bus_message_read(message, "u", &pid), >=, 0);
    g_assert_cmpuint(pid, ==, 0);
    if (pair->type && *pair->type == '\0')
        return sd_bus_error_set(error, "org.freedesktop.systemd1.NoUnitForPID", "none");
    if (g_strcmp0(pair->type, "-") == 0)
        return 1;
    return sd_bus_reply_method_return(message, "o", UNIT);
}

static int
get_job(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *data, sd_bus_error *error)
{
    const Pair *pair = data;

    return pair->type ? sd_bus_message_append(reply, "(uo)", (guint32)77, JOB)
                      : sd_bus_message_append(reply, "(uo)", (guint32)0, "/");
}

static int
get_type(sd_bus *bus, const char *path, const char *interface, const char *property,
         sd_bus_message *reply, void *data, sd_bus_error *error)
{
    return sd_bus_message_append(reply, "s", ((const Pair *)data)->type);
}

static int
get_store(sd_bus *bus, const char *path, const char *interface, const char *property,
          sd_bus_message *reply, void *data, sd_bus_error *error)
{
    const Pair *pair = data;

    if (pair->store == G_MAXUINT32)
        return sd_bus_error_set(error, SD_BUS_ERROR_UNKNOWN_PROPERTY, "none");
    return sd_bus_message_append(reply, "u", (guint32)pair->store);
}

static const sd_bus_vtable manager_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("GetUnitByPID", "u", "o", on_unit, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};
static const sd_bus_vtable unit_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Job", "(uo)", get_job, 0, 0),
    SD_BUS_VTABLE_END,
};
static const sd_bus_vtable service_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("FileDescriptorStoreMax", "u", get_store, 0, 0),
    SD_BUS_VTABLE_END,
};
static const sd_bus_vtable job_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("JobType", "s", get_type, 0, 0),
    SD_BUS_VTABLE_END,
};

static void
on_lost(sd_bus *bus, int error, void *data)
{
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
    pair->server = open_end(fds[0], TRUE);
    pair->client = open_end(fds[1], FALSE);
    g_assert_cmpint(sd_bus_add_object_vtable(pair->server, NULL, "/org/freedesktop/systemd1",
                                             "org.freedesktop.systemd1.Manager", manager_vtable,
                                             pair),
                    >=, 0);
    g_assert_cmpint(sd_bus_add_object_vtable(pair->server, NULL, UNIT,
                                             "org.freedesktop.systemd1.Unit", unit_vtable, pair),
                    >=, 0);
    g_assert_cmpint(sd_bus_add_object_vtable(pair->server, NULL, UNIT,
                                             "org.freedesktop.systemd1.Service", service_vtable,
                                             pair),
                    >=, 0);
    g_assert_cmpint(sd_bus_add_object_vtable(pair->server, NULL, JOB,
                                             "org.freedesktop.systemd1.Job", job_vtable, pair),
                    >=, 0);
    pair->server_source = bus_source_new(pair->server, on_lost, pair);
    pair->client_source = bus_source_new(pair->client, on_lost, pair);
    (void)g_source_attach(pair->server_source, NULL);
    (void)g_source_attach(pair->client_source, NULL);
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
}

static void
on_told(UnitJobKind kind, guint store, void *data)
{
    Pair *pair = data;

    pair->told = kind;
    pair->told_store = store;
    pair->times++;
}

static void
check(Pair *pair, const char *type, gint64 limit, UnitJobKind kind)
{
    g_autoptr(UnitJob) job = NULL;

    pair->type = type;
    pair->times = 0;
    job = unit_job_ask(pair->client, limit, on_told, pair);
    g_assert_nonnull(job);
    while (pair->times == 0)
        (void)g_main_context_iteration(NULL, TRUE);
    g_assert_cmpint(pair->told, ==, kind);
}

static void
test_types(Pair *pair, gconstpointer data)
{
    check(pair, "stop", G_TIME_SPAN_MINUTE, UNIT_JOB_STOP);
    check(pair, "restart", G_TIME_SPAN_MINUTE, UNIT_JOB_OTHER);
    check(pair, "try-restart", G_TIME_SPAN_MINUTE, UNIT_JOB_OTHER);
    check(pair, NULL, G_TIME_SPAN_MINUTE, UNIT_JOB_NONE);
    check(pair, "", G_TIME_SPAN_MINUTE, UNIT_JOB_UNKNOWN);
}

/* What is kept now, whatever was set when this process was started. */
static void
test_store(Pair *pair, gconstpointer data)
{
    static const guint stores[] = {0, 1, 640, G_MAXUINT32};

    for (guint i = 0; i < G_N_ELEMENTS(stores); i++) {
        pair->store = stores[i];
        check(pair, "restart", G_TIME_SPAN_MINUTE, UNIT_JOB_OTHER);
        g_assert_cmpuint(pair->told_store, ==, stores[i]);
        check(pair, NULL, G_TIME_SPAN_MINUTE, UNIT_JOB_NONE);
        g_assert_cmpuint(pair->told_store, ==, stores[i]);
    }
}

/* The manager hangs: the limit is over all. */
static void
test_silence(Pair *pair, gconstpointer data)
{
    const gint64 begin = g_get_monotonic_time(), limit = 100 * G_TIME_SPAN_MILLISECOND;

    check(pair, "-", limit, UNIT_JOB_UNKNOWN);
    g_assert_cmpint(g_get_monotonic_time() - begin, >=, limit);
}

/* Freed before the answer: nobody is told. */
static void
test_free(Pair *pair, gconstpointer data)
{
    UnitJob *job;

    pair->type = "stop";
    job = unit_job_ask(pair->client, G_TIME_SPAN_MINUTE, on_told, pair);
    unit_job_free(job);
    check(pair, "restart", G_TIME_SPAN_MINUTE, UNIT_JOB_OTHER);
    g_assert_cmpuint(pair->times, ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/unit-job/types", Pair, NULL, pair_set_up, test_types, pair_tear_down);
    g_test_add("/unit-job/store", Pair, NULL, pair_set_up, test_store, pair_tear_down);
    g_test_add("/unit-job/silence", Pair, NULL, pair_set_up, test_silence, pair_tear_down);
    g_test_add("/unit-job/free", Pair, NULL, pair_set_up, test_free, pair_tear_down);
    return g_test_run();
}
