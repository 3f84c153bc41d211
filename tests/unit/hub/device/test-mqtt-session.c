/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions of devices: who is let in, what a packet is answered with, and each bound at the bound
 * and one past it. */
#include "tests/unit/hub/device/mqtt-fixture.h"

#include "common/topic/stream-topic.h"

#include <string.h>

#define EARLY 16384 /* what is kept before CONNACK, see mqtt-session.c */

#define PINGREQ "\xc0\x00", 2
#define PINGRESP "\xd0\x00", 2

/* 5 for what is wrong, 3 for what is wrong too soon after it, and while the hub stops; the
 * connection ends. */
static void
test_credentials(Fixture *f, gconstpointer data)
{
    static const guint8 wrong[REGISTRY_KEY_NEW] = "wrong";

    log_in(f, &(Login){.key = wrong});
    expect_bytes(f, CONNACK("\x05"));
    expect_end(f);
    log_in(f, &(Login){.key = wrong});
    expect_bytes(f, CONNACK("\x03"));
    expect_end(f);
    up(f);
    g_assert_true(devices_is_connected(f->devices, "dev1"));
    log_in(f, &(Login){.user = HOST "/dev2"});
    expect_bytes(f, CONNACK("\x05"));
    log_in(f, &(Login){.id = "dev2"});
    expect_bytes(f, CONNACK("\x05"));
    g_assert_cmpuint(devices_count(f->devices), ==, 0); /* its connection was closed by us */
    f->service.stopping = TRUE;
    log_in(f, &(Login){0});
    expect_bytes(f, CONNACK("\x03"));
    expect_end(f);
}

/* The first packet of all has its bound: 16 KiB whole, whatever is in it. */
static void
test_first_packet(Fixture *f, gconstpointer data)
{
    g_autofree char *user = g_strnfill(8192, 'u');
    g_autoptr(GByteArray) small = NULL;
    gsize padding;

    memcpy(user, HOST "/dev1/?", strlen(HOST "/dev1/?"));
    small = connect_packet(&(Login){.user = user});
    padding = MQTT_CONNECT_MAX - small->len;
    log_in(f, &(Login){.user = user, .padding = padding});
    expect_bytes(f, CONNACK("\x00"));
    log_in(f, &(Login){.user = user, .padding = padding + 1});
    expect_end(f);
    begin(f);
    send_text(f, PINGREQ);
    expect_end(f);
}

/* Telemetry of so many bytes as a packet. */
static GByteArray *
telemetry_packet(gsize len)
{
    static const char *const topic = "devices/dev1/messages/events/";
    g_autoptr(GByteArray) body = g_byte_array_new();

    append_field(body, topic, strlen(topic));
    g_byte_array_append(body, (const guint8 *)"\x00\x09", 2);
    g_byte_array_set_size(body, (guint)len - 4);
    return packet_of(0x32, body);
}

#define PUBACK "\x40\x02\x00\x09", 4

/* Behind CONNECT, before it is answered: 16 KiB of packets are kept and done in their order; a byte
 * more ends it. */
static void
test_early(Fixture *f, gconstpointer data)
{
    for (guint over = 0; over < 2; over++) {
        g_autoptr(GByteArray) all = connect_packet(&(Login){0}), last = NULL;

        g_byte_array_append(all, (const guint8 *)"\xc0\x00", 2);
        last = telemetry_packet(EARLY - 2 + over);
        g_byte_array_append(all, last->data, last->len);
        f->store.holds = TRUE;
        begin(f);
        send_bytes(f, all);
        if (over)
            expect_end(f);
        while (!f->store.held)
            g_main_context_iteration(NULL, TRUE);
        settle(f);
        f->store.holds = FALSE;
        registry_job_finish(g_steal_pointer(&f->store.held), REGISTRY_OK, NULL);
        if (over)
            continue;
        expect_bytes(f, CONNACK("\x00"));
        expect_bytes(f, PINGRESP);
        expect_bytes(f, PUBACK);
        send_text(f, PINGREQ);
        expect_bytes(f, PINGRESP);
        forget(f);
    }
}

static GByteArray *
subscribe_packet(const char *filter, guint count, guint8 qos)
{
    g_autoptr(GByteArray) body = g_byte_array_new();

    g_byte_array_append(body, (const guint8 *)"\x00\x07", 2);
    for (guint i = 0; i < count; i++) {
        append_field(body, filter, strlen(filter));
        g_byte_array_append(body, &qos, 1);
    }
    return packet_of(0x82, body);
}

/* 50 filters in a packet and not 51; QoS 2 is granted as 1; what is not known is refused, and what
 * is known is told on. */
static void
test_filters(Fixture *f, gconstpointer data)
{
    for (guint count = 50; count <= 51; count++) {
        g_autoptr(GByteArray) packet = subscribe_packet("#", count, 0);
        guint8 answer[4 + 50];

        up(f);
        send_bytes(f, packet);
        if (count == 51) {
            expect_end(f);
            continue;
        }
        g_assert_cmpuint(receive(f, answer, sizeof answer), ==, sizeof answer);
        g_assert_true(memcmp(answer, "\x90\x34\x00\x07\x80\x80", 6) == 0);
    }
    for (guint8 qos = 0; qos <= 2; qos++) {
        g_autoptr(GByteArray) packet = subscribe_packet(STREAM_FILTER_REQUESTS, 1, qos);
        const char wanted[] = {(char)0x90, 3, 0, 7, (char)MIN(qos, 1)};

        up(f);
        g_string_truncate(f->told, 0);
        send_bytes(f, packet);
        expect_bytes(f, wanted, sizeof wanted);
        g_assert_cmpstr(f->told->str, ==, "+dev1 ");
    }
}

/* Each of the two is granted and kept for clean session 0; what is given up is gone. */
static void
test_kept(Fixture *f, gconstpointer data)
{
    g_autoptr(GByteArray) requests = subscribe_packet(STREAM_FILTER_REQUESTS, 1, 0);
    g_autoptr(GByteArray) answers = subscribe_packet(STREAM_FILTER_ANSWERS, 1, 0);
    g_autoptr(GByteArray) body = g_byte_array_new(), unsubscribe = NULL;

    log_in(f, &(Login){.keep = TRUE});
    expect_bytes(f, CONNACK("\x00"));
    send_bytes(f, answers);
    expect_bytes(f, "\x90\x03\x00\x07\x00", 5);
    send_bytes(f, requests);
    expect_bytes(f, "\x90\x03\x00\x07\x00", 5);
    g_string_truncate(f->told, 0);
    log_in(f, &(Login){.keep = TRUE});
    expect_bytes(f, "\x20\x02\x01\x00", 4);
    g_assert_nonnull(strstr(f->told->str, "+dev1 "));
    g_assert_true(devices_is_online(f->devices, "dev1"));
    g_byte_array_append(body, (const guint8 *)"\x00\x08", 2);
    append_field(body, STREAM_FILTER_REQUESTS, strlen(STREAM_FILTER_REQUESTS));
    unsubscribe = packet_of(0xa2, body);
    send_bytes(f, unsubscribe);
    expect_bytes(f, "\xb0\x02\x00\x08", 4);
    g_assert_false(devices_is_online(f->devices, "dev1"));
    up(f); /* clean session 1 */
    log_in(f, &(Login){.keep = TRUE});
    expect_bytes(f, CONNACK("\x00"));
}

static void
send_publish(Fixture *f, const char *topic, guint8 qos, gsize payload)
{
    g_autoptr(GByteArray) body = g_byte_array_new(), packet = NULL;

    append_field(body, topic, strlen(topic));
    if (qos > 0)
        g_byte_array_append(body, (const guint8 *)"\x00\x09", 2);
    g_byte_array_set_size(body, body->len + (guint)payload);
    packet = packet_of((guint8)(0x30 | qos << 1), body);
    send_bytes(f, packet);
}

/* Its own telemetry is acknowledged and dropped, an answer is told on; any other topic, QoS 2, a
 * bad answer, ends the connection. */
static void
test_publishes(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *topic;
        guint8 qos;
        gboolean good;
    } rows[] = {
        {"devices/dev1/messages/events/", 1, TRUE},
        {"devices/dev1/messages/events/", 2, FALSE},
        {"devices/dev2/messages/events/", 1, FALSE},
        {"devices/dev1/modules/m/messages/events/", 1, FALSE},
        {"$iothub/streams/res/200/?$rid=7", 1, TRUE},
        {"$iothub/streams/res/200/?$rid=", 1, FALSE},
        {"$iothub/streams/res/300/?$rid=7", 1, FALSE},
        {"$iothub/methods/res/200/?$rid=7", 1, TRUE},
        {"$iothub/twin/GET/", 1, TRUE}, /* without $rid there is no answer */
        {"elsewhere", 1, FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gboolean answer = g_str_has_prefix(rows[i].topic, "$iothub/streams");

        up(f);
        g_string_truncate(f->told, 0);
        send_publish(f, rows[i].topic, rows[i].qos, 3);
        g_test_message("%s at %u", rows[i].topic, rows[i].qos);
        if (rows[i].good)
            expect_bytes(f, PUBACK);
        else
            expect_end(f);
        g_assert_cmpstr(f->told->str, ==, !rows[i].good ? "-dev1 " : answer ? "=dev1:7 " : "");
    }
}

static const char own_telemetry[] = "devices/dev1/messages/events/";

/* `drop`: acknowledged and counted, to the byte. `refuse`: the end, without an acknowledgement; the
 * reason is among the facts of the device. */
static void
test_telemetry(Fixture *f, gconstpointer data)
{
    const RegistryFacts *facts;

    up(f);
    for (guint i = 0; i < 3; i++) {
        send_publish(f, own_telemetry, 1, 5 + i);
        expect_bytes(f, PUBACK);
    }
    send_publish(f, own_telemetry, 0, 0);
    send_text(f, PINGREQ);
    expect_bytes(f, PINGRESP);
    facts = written(f);
    g_assert_cmpuint(facts->messages, ==, 4);
    g_assert_cmpuint(facts->message_bytes, ==, 18);
    g_assert_cmpint(facts->messages_since, >, 0);
    g_assert_null(facts->refusal);
    f->settings->telemetry = TELEMETRY_REFUSE;
    send_publish(f, own_telemetry, 1, 5);
    expect_end(f);
    facts = written(f);
    g_assert_cmpuint(facts->messages, ==, 0);
    g_assert_cmpstr(facts->refusal, ==, "it sends telemetry, which this hub refuses");
    g_assert_cmpint(facts->refused, >=, facts->seen);
}

/* Answered whether it was subscribed to or not, before the acknowledgement. */
static void
test_twin(Fixture *f, gconstpointer data)
{
    static const char empty[] = "\x30\x52\x00\x1c$iothub/twin/res/200/?$rid=7"
                                "{\"desired\":{\"$version\":1},\"reported\":{\"$version\":1}}";
    guint8 head[4 + 28];

    up(f);
    send_publish(f, "$iothub/twin/GET/?$rid=7", 1, 0);
    expect_bytes(f, empty, sizeof empty - 1);
    expect_bytes(f, PUBACK);
    send_publish(f, "$iothub/twin/PATCH/properties/reported/?$rid=8", 1, 2);
    g_assert_cmpuint(receive(f, head, sizeof head), ==, sizeof head);
    g_assert_cmphex(head[0], ==, 0x30);
    g_assert_true(memcmp(head + 4, "$iothub/twin/res/501/?$rid=8", 28) == 0);
}

/* `packet-max` bytes whole, and not one more. */
static void
test_packet_max(Fixture *f, gconstpointer data)
{
    f->settings->packet_max = 20000;
    for (guint over = 0; over < 2; over++) {
        g_autoptr(GByteArray) packet = telemetry_packet(f->settings->packet_max + over);

        up(f);
        send_bytes(f, packet);
        if (over)
            expect_end(f);
        else
            expect_bytes(f, PUBACK);
    }
}

/* What has no place, or is no packet, ends it; DISCONNECT does, too. */
static void
test_others(Fixture *f, gconstpointer data)
{
    static const char *const packets[] = {"\xe0\x00", "\xd0\x00", "\x20\x02", "\xf0\x00",
                                          "\x81\x00"};

    f->settings->publishes_per_second = 1; /* what is owed is paid late */
    for (guint i = 0; i < G_N_ELEMENTS(packets); i++) {
        up(f);
        send_text(f, packets[i], 2);
        if (i == 2)
            send_text(f, "\x00\x00", 2);
        expect_end(f);
        while (devices_count(f->devices) > 0) /* its reactor may have seen it first */
            g_main_context_iteration(NULL, TRUE);
        if (i == 0) /* what it brought is owed still */
            g_assert_cmpuint(packet_shares_debts(f->shares), ==, 1);
    }
    up(f);
    send_text(f, "\x40\x02\x00\x01", 4); /* a PUBACK does no harm */
    send_text(f, PINGREQ);
    expect_bytes(f, PINGRESP);
}

/* Until it is let in a connection waits in a slot, and afterwards it does not. */
static void
test_slot(Fixture *f, gconstpointer data)
{
    const Source source = source_of_peer("192.0.2.1:1");

    begin(f);
    g_assert_cmpuint(admission_waiting(f->admission), ==, 1);
    up(f);
    g_assert_cmpuint(admission_waiting(f->admission), <=,
                     1); /* the first one may not be gone yet */
    g_assert_true(admission_knows(f->admission, &source, g_get_monotonic_time()));
}

/* A notice is a PUBLISH of QoS 0 with the topic of notices, to whoever said that it takes them. */
static void
test_notice(Fixture *f, gconstpointer data)
{
    static const char packet[] = "\x30\x25\x00\x17$iothub/streamd/notice/{\"kind\":\"k\"}";

    up(f);
    g_assert_false(devices_notify(f->devices, "dev1", "{\"kind\":\"k\"}"));
    log_in(f, &(Login){.user = HOST "/dev1/?DeviceClientType=x(caps=notice)"});
    expect_bytes(f, CONNACK("\x00"));
    g_assert_true(devices_notify(f->devices, "dev1", "{\"kind\":\"k\"}"));
    expect_bytes(f, packet, sizeof packet - 1);
}

#define ADD(path, func)                                                                            \
    g_test_add("/mqtt-session/" path, Fixture, NULL, fixture_setup, func, fixture_teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("credentials", test_credentials);
    ADD("first-packet", test_first_packet);
    ADD("early", test_early);
    ADD("filters", test_filters);
    ADD("kept", test_kept);
    ADD("publishes", test_publishes);
    ADD("telemetry", test_telemetry);
    ADD("twin", test_twin);
    ADD("packet-max", test_packet_max);
    ADD("others", test_others);
    ADD("notice", test_notice);
    ADD("slot", test_slot);
    return g_test_run();
}
