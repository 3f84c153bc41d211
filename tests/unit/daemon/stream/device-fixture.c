/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/daemon/stream/device-fixture.h"

#include <string.h>

guint
device_count_open(StreamTable *table)
{
    g_autoptr(GPtrArray) list = stream_table_list(table);
    guint open = 0;

    for (guint i = 0; i < list->len; i++)
        open += stream_has_ended(list->pdata[i]) ? 0 : 1;
    return open;
}

/* A listener on a port of the loopback. Whose a connection is does not matter here, and not every
 * kernel tells (QEMU's for programs of another architecture). */
static Listener *
listen_here(void)
{
    const ListenerOptions options = {NULL, TRUE, 0};

    return listener_new(&options, NULL);
}

static guint64
next_id(void *data)
{
    Fixture *fixture = data;

    return ++fixture->last_id;
}

Target *
device_find_target(const char *name, void *data)
{
    Fixture *fixture = data;

    for (guint i = 0; i < fixture->targets->len; i++)
        if (g_str_equal(target_name(fixture->targets->pdata[i]), name))
            return fixture->targets->pdata[i];
    return NULL;
}

static gboolean
publish(const char *topic, void *data)
{
    Fixture *fixture = data;

    if (fixture->connected)
        g_ptr_array_add(fixture->answers, g_strdup(topic));
    return fixture->connected;
}

static void
ignore_stream(Stream *stream, void *data)
{
}

static void
request_added(Consent *request, void *data)
{
    ((Fixture *)data)->added++;
}

static void
request_removed(Consent *request, void *data)
{
    ((Fixture *)data)->removed++;
    ((Fixture *)data)->end = consent_end(request);
}

static const ConsentsEvents request_events = {request_added, request_removed};

static void
owner_changed(Stream *stream, guint32 before, void *data)
{
    ((Fixture *)data)->owners++;
}

static const StreamTableEvents events = {ignore_stream, ignore_stream, ignore_stream, owner_changed,
                                         ignore_stream};

static void
free_target(void *target)
{
    target_unref(target);
}

void
device_add_target(Fixture *fixture, const char *name, const char *address)
{
    Target *target = target_new(&(TargetSettings){.name = name, .address = address}, NULL);

    g_assert_nonnull(target);
    g_ptr_array_add(fixture->targets, target);
}

/* A port on which nobody listens any more. */
static char *
closed_address(void)
{
    g_autoptr(Listener) listener = listen_here();

    return g_strdup(listener_address(listener));
}

/* Those of a hub that is where nothing but silence listens. */
static StreamHosts *
loopback_hosts(const char *address)
{
    g_autofree char *text = g_strdup_printf(
        "HostName=127.0.0.1%s;DeviceId=dev1;SharedAccessKey=AAAA", strrchr(address, ':'));
    g_autoptr(ConnectionString) hub = connection_string_parse(text, -1, NULL);

    return stream_hosts_new(hub, NULL);
}

void
device_set_up(Fixture *fixture, gconstpointer data)
{
    g_autofree char *closed = closed_address();
    DeviceStreamsContext context = {
        .hub = "home",
        .device = "dev1",
        .resume_time = STREAM_RESUME_TIME,
        .next_id = next_id,
        .find_target = device_find_target,
        .publish = publish,
        .data = fixture,
    };

    context.runtime = fixture->runtime = runtime_new(1);
    context.table = fixture->table = stream_table_new(fixture->runtime, 100, 4, &events, fixture);
    context.policy = fixture->policy = accept_policy_new();
    context.consents = fixture->consents = consents_new(&request_events, fixture);
    context.handlers = fixture->handlers = handlers_new();
    context.tombstones = fixture->tombstones = tombstones_new();
    fixture->silent = listen_here();
    context.stream_hosts = fixture->stream_hosts =
        loopback_hosts(listener_address(fixture->silent));
    context.tls = fixture->tls = tls_context_new_client(NULL, NULL, NULL);
    fixture->open = listen_here();
    fixture->targets = g_ptr_array_new_with_free_func(free_target);
    fixture->answers = g_ptr_array_new_with_free_func(g_free);
    fixture->connected = TRUE;
    device_add_target(fixture, "up", listener_address(fixture->open));
    device_add_target(fixture, "down", closed);
    (void)accept_policy_set_default(fixture->policy, TRUE, NULL, NULL);
    fixture->streams = device_streams_new(&context);
}

void
device_tear_down(Fixture *fixture, gconstpointer data)
{
    device_streams_free(fixture->streams);
    runtime_free(fixture->runtime);
    stream_table_free(fixture->table);
    consents_free(fixture->consents);
    handlers_free(fixture->handlers);
    tombstones_free(fixture->tombstones);
    accept_policy_free(fixture->policy);
    tls_context_unref(fixture->tls);
    stream_hosts_unref(fixture->stream_hosts);
    listener_free(fixture->open);
    listener_free(fixture->silent);
    g_ptr_array_unref(fixture->targets);
    g_ptr_array_unref(fixture->answers);
}

void
device_request_by(Fixture *fixture, const char *name, const char *rid, gboolean capable,
                  gint64 deadline)
{
    const char *port = strrchr(listener_address(fixture->silent), ':') + 1;
    g_autofree char *url = g_strdup_printf("wss://127.0.0.1:%s/bridges/1", port);

    device_request_to(fixture, name, rid, capable, deadline, url);
}

void
device_request_to(Fixture *fixture, const char *name, const char *rid, gboolean capable,
                  gint64 deadline, const char *url)
{
    const StreamRequest asked = {
        .name = name,
        .rid = rid,
        .url = url,
        .token = "token",
        .capable = capable,
        .caps = capable ? CAP_REASON | CAP_HALF_CLOSE : 0,
        .deadline = deadline,
        .from = fixture->from,
        .sid = fixture->sid,
    };

    device_streams_request(fixture->streams, &asked);
}

void
device_request(Fixture *fixture, const char *name, const char *rid, gboolean capable)
{
    device_request_by(fixture, name, rid, capable, -1);
}

const char *
device_wait_answer(Fixture *fixture, guint index)
{
    while (fixture->answers->len <= index)
        g_main_context_iteration(NULL, TRUE);
    return fixture->answers->pdata[index];
}

Stream *
device_only_stream(Fixture *fixture)
{
    g_autoptr(GPtrArray) list = stream_table_list(fixture->table);

    g_assert_cmpuint(list->len, ==, 1);
    return list->pdata[0];
}
