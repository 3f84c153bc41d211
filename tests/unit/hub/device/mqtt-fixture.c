/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/hub/device/mqtt-fixture.h"

#include "common/codec/sas-token.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 5000

static const guint8 right_key[REGISTRY_KEY_NEW] = "the right key";

static void
store_submit(RegistryBackend *backend, RegistryJob *job)
{
    Store *store = CONTAINER_OF(backend, Store, backend);
    gboolean there = job->device && strcmp(job->device->id, "dev1") == 0;

    if (there) {
        memcpy(job->device->primary.bytes, right_key, sizeof right_key);
        job->device->primary.len = sizeof right_key;
        job->device->admitted = TRUE;
    }
    if (job->kind == REGISTRY_WRITE_FACTS) {
        const GPtrArray *facts = job->extra;

        g_assert_cmpuint(facts->len, ==, 1);
        g_clear_pointer(&store->facts, registry_facts_free);
        store->facts = registry_facts_copy(facts->pdata[0]);
        registry_job_finish(job, REGISTRY_OK, NULL);
        return;
    }
    /* A look for keys whose grace is over is not what a test holds. */
    if (job->kind == REGISTRY_LIST_REKEYS)
        registry_job_finish(job, REGISTRY_OK, NULL);
    else if (store->holds)
        store->held = job;
    else
        registry_job_finish(job, there ? REGISTRY_OK : REGISTRY_NOT_FOUND, NULL);
}

static void
store_free(RegistryBackend *backend G_GNUC_UNUSED)
{
}

static void
on_subscribed(const char *client_id, void *data)
{
    g_string_append_printf(((Fixture *)data)->told, "+%s ", client_id);
}

static void
on_link_lost(const char *client_id, void *data)
{
    g_string_append_printf(((Fixture *)data)->told, "-%s ", client_id);
}

static void
on_answer(const char *client_id, const StreamAnswer *answer, void *data)
{
    g_string_append_printf(((Fixture *)data)->told, "=%s:%s ", client_id, answer->rid);
}

static const DevicesEvents events = {
    .subscribed = on_subscribed, .link_lost = on_link_lost, .answer = on_answer};

static void
on_refresh(Sightings *sightings G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
}

static void
slot_end(gpointer data)
{
    slot_leave(data, g_get_monotonic_time());
    slot_unref(data);
}

void
fixture_setup(Fixture *f, gconstpointer data)
{
    static const char *const names[] = {HOST, NULL};

    f->store.backend = (RegistryBackend){store_submit, store_free};
    f->registry = registry_new(&f->store.backend);
    f->settings = settings_new();
    f->settings->reconnects_per_minute = 0; /* a test has one device, and many connections of it */
    f->admission = admission_new(f->settings);
    f->auth = auth_new(f->settings, f->registry, f->admission, names);
    f->clock = clock_new();
    f->queue = queue_new();
    f->source = queue_source_new(f->queue);
    g_source_attach(f->source, NULL);
    f->reactors = reactor_pool_new(1, "test");
    f->told = g_string_new(NULL);
    f->slots = g_ptr_array_new_with_free_func(slot_end);
    f->devices = devices_new(f->settings, &events, f);
    f->shares = packet_shares_new(f->settings);
    f->sightings = sightings_new(f->registry, f->clock, on_refresh, f);
    f->telemetry = telemetry_new(f->settings, f->sightings);
    f->service = (MqttService){.settings = f->settings,
                               .auth = f->auth,
                               .clock = f->clock,
                               .devices = f->devices,
                               .shares = f->shares,
                               .sightings = f->sightings,
                               .telemetry = f->telemetry,
                               .queue = f->queue};
    f->rekeys = rekeys_new(f->settings, f->registry, f->devices, f->clock);
    f->service.rekeys = f->rekeys;
    f->peer = -1;
}

typedef struct {
    Fixture *f;
    gboolean back;
} Round;

static void
round_back(void *data)
{
    ((Round *)data)->back = TRUE;
}

static void
round_there(void *data)
{
    queue_call(((Round *)data)->f->queue, round_back, data);
}

void
settle(Fixture *f)
{
    for (guint i = 0; i < 4; i++) {
        Round round = {.f = f};

        reactor_call(reactor_pool_get(f->reactors, 0), round_there, &round);
        while (!round.back)
            g_main_context_iteration(NULL, TRUE);
    }
}

void
fixture_teardown(Fixture *f, gconstpointer data)
{
    mqtt_service_close_all(&f->service);
    if (f->peer >= 0)
        close(f->peer);
    settle(f);
    registry_close(f->registry); /* no completion may reach what is freed */
    g_ptr_array_unref(f->slots);
    packet_shares_free(f->shares);
    rekeys_free(f->rekeys);
    devices_free(f->devices);
    reactor_pool_free(f->reactors);
    g_source_destroy(f->source);
    g_source_unref(f->source);
    queue_free(f->queue);
    telemetry_free(f->telemetry);
    sightings_free(f->sightings);
    g_clear_pointer(&f->store.facts, registry_facts_free);
    clock_free(f->clock);
    auth_free(f->auth);
    registry_free(f->registry);
    admission_free(f->admission);
    settings_free(f->settings);
    g_string_free(f->told, TRUE);
}

void
forget(Fixture *f)
{
    static const char *const names[] = {HOST, NULL};

    mqtt_service_close_all(&f->service);
    registry_close(f->registry);
    rekeys_free(f->rekeys);
    auth_free(f->auth);
    registry_free(f->registry);
    f->registry = registry_new(&f->store.backend);
    f->auth = auth_new(f->settings, f->registry, f->admission, names);
    f->service.auth = f->auth;
    f->rekeys = rekeys_new(f->settings, f->registry, f->devices, f->clock);
    f->service.rekeys = f->rekeys;
    telemetry_free(f->telemetry);
    sightings_free(f->sightings);
    f->service.sightings = f->sightings = sightings_new(f->registry, f->clock, on_refresh, f);
    f->service.telemetry = f->telemetry = telemetry_new(f->settings, f->sightings);
}

const RegistryFacts *
written(Fixture *f)
{
    sightings_flush(f->sightings);
    while (sightings_waiting(f->sightings) > 0)
        g_main_context_iteration(NULL, TRUE);
    settle(f);
    g_assert_nonnull(f->store.facts);
    return f->store.facts;
}

void
begin(Fixture *f)
{
    Handover handover = {.reactor = reactor_pool_get(f->reactors, 0)};
    int fds[2];

    if (f->peer >= 0)
        close(f->peer);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    handover.connection = connection_new(fds[0]);
    handover.slot =
        admission_take(f->admission, -1, "192.0.2.1:1", g_get_monotonic_time(), G_MAXUINT32);
    g_assert_nonnull(handover.slot);
    g_ptr_array_add(f->slots, slot_ref(handover.slot));
    f->peer = fds[1];
    mqtt_session_new(&f->service, &handover);
}

void
send_bytes(Fixture *f, const GByteArray *bytes)
{
    for (guint at = 0; at < bytes->len;) {
        ssize_t n = send(f->peer, bytes->data + at, bytes->len - at, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
            return; /* it has been closed already */
        at += n > 0 ? (guint)n : 0;
        while (g_main_context_iteration(NULL, FALSE))
            continue;
    }
}

gsize
receive(Fixture *f, guint8 *bytes, gsize len)
{
    gsize got = 0;

    for (guint waited = 0; got < len; waited++) {
        ssize_t n = recv(f->peer, bytes + got, len - got, MSG_DONTWAIT);

        if (n == 0 || (n < 0 && errno != EAGAIN))
            return got;
        got += n > 0 ? (gsize)n : 0;
        g_assert_cmpuint(waited, <, PATIENCE_MS);
        while (g_main_context_iteration(NULL, FALSE))
            continue;
        if (n < 0)
            g_usleep(1000);
    }
    return got;
}

void
expect_bytes(Fixture *f, const char *wanted, gsize len)
{
    guint8 bytes[128] = {0};

    g_assert_cmpuint(len, <=, sizeof bytes);
    g_assert_cmpuint(receive(f, bytes, len), ==, len);
    g_assert_true(memcmp(bytes, wanted, len) == 0);
}

void
expect_end(Fixture *f)
{
    guint8 byte;

    g_assert_cmpuint(receive(f, &byte, 1), ==, 0);
}

void
append_field(GByteArray *out, const char *text, gsize len)
{
    const guint8 size[] = {(guint8)(len >> 8), (guint8)len};

    g_byte_array_append(out, size, 2);
    g_byte_array_append(out, (const guint8 *)text, (guint)len);
}

GByteArray *
packet_of(guint8 first, const GByteArray *body)
{
    GByteArray *packet = g_byte_array_new();
    const guint8 head[] = {first, (guint8)(body->len | 0x80), (guint8)(body->len >> 7 | 0x80),
                           (guint8)(body->len >> 14)};

    g_byte_array_append(packet, head, sizeof head);
    g_byte_array_append(packet, body->data, body->len);
    return packet;
}

GByteArray *
connect_packet(const Login *login)
{
    const guint8 head[] = {0, 4, 'M', 'Q', 'T', 'T', 4, login->keep ? 0xc4 : 0xc6, 0, 60};
    g_autoptr(GByteArray) body = g_byte_array_new();
    static guint64 expiry; /* the length of a token depends on it: two of one login are the same */
    g_autofree char *token = NULL;
    const char *id = login->id ? login->id : "dev1";
    const char *user = login->user ? login->user : HOST "/dev1/?api-version=x";
    g_autofree char *will = g_strnfill(8192, 'w');

    if (expiry == 0)
        expiry = (guint64)(g_get_real_time() / G_TIME_SPAN_SECOND + 3600);
    token = sas_token_build(HOST "/devices/dev1", login->key ? login->key : right_key,
                            REGISTRY_KEY_NEW, expiry, NULL);
    g_byte_array_append(body, head, sizeof head);
    append_field(body, id, strlen(id));
    append_field(body, "will", 4);
    append_field(body, will, login->padding);
    append_field(body, user, strlen(user));
    append_field(body, token, strlen(token));
    return packet_of(0x10, body);
}

void
log_in(Fixture *f, const Login *login)
{
    g_autoptr(GByteArray) packet = connect_packet(login);

    begin(f);
    send_bytes(f, packet);
}

void
up(Fixture *f)
{
    log_in(f, &(Login){0});
    expect_bytes(f, CONNACK("\x00"));
}

void
send_text(Fixture *f, const char *bytes, gsize len)
{
    g_autoptr(GByteArray) packet = g_byte_array_new();

    g_byte_array_append(packet, (const guint8 *)bytes, (guint)len);
    send_bytes(f, packet);
}
