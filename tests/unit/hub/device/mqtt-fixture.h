/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions of devices. Everything below them is real, except for the store and TLS. The hub knows
 * the device dev1. A test is the peer of one connection at a time. */
#pragma once

#include "common/codec/mqtt-writer.h"
#include "hub/device/mqtt-session.h"
#include "hub/registry/job.h"

#define HOST "hub.example"

/* Knows dev1. While it HOLDS, it does not answer. */
typedef struct {
    RegistryBackend backend;
    gboolean holds;
    RegistryJob *held;
    RegistryFacts *facts; /* written last */
} Store;

typedef struct {
    Store store;
    Rekeys *rekeys;
    Registry *registry;
    Settings *settings;
    Admission *admission;
    Auth *auth;
    Clock *clock;
    Queue *queue;
    GSource *source;
    ReactorPool *reactors;
    Devices *devices;
    PacketShares *shares;
    Sightings *sightings;
    Telemetry *telemetry;
    MqttService service;
    GString *told;
    GPtrArray *slots; /* as the edge: a connection leaves its slot before it is closed */
    int peer;
} Fixture;

void fixture_setup(Fixture *f, gconstpointer data);
void fixture_teardown(Fixture *f, gconstpointer data);

void settle(Fixture *f); /* waits until the reactor and the main thread have nothing left to do */
/* What was seen of dev1 since the last time; the fixture's. */
const RegistryFacts *written(Fixture *f);
void forget(Fixture *f); /* drops dev1 from the cache */
void begin(Fixture *f);  /* a new connection, which replaces the one before */

/* The connection may be closed meanwhile. */
void send_bytes(Fixture *f, const GByteArray *bytes);
void send_text(Fixture *f, const char *bytes, gsize len);

/* Waits for LEN bytes of an answer, or for the end; then there are fewer. */
gsize receive(Fixture *f, guint8 *bytes, gsize len);
void expect_bytes(Fixture *f, const char *wanted, gsize len);
void expect_end(Fixture *f);

void append_field(GByteArray *out, const char *text, gsize len);

/* A packet around BODY, with a length of three bytes: that form is valid, too. */
GByteArray *packet_of(guint8 first, const GByteArray *body);

typedef struct {
    const char *id, *user; /* NULL: dev1 and the matching name */
    const guint8 *key;     /* NULL: the right one */
    gsize padding;         /* bytes of a will */
    gboolean keep;         /* clean session 0 */
} Login;

#define CONNACK(code) "\x20\x02\x00" code, 4

GByteArray *connect_packet(const Login *login);
void log_in(Fixture *f, const Login *login); /* on a new connection */
void up(Fixture *f);                         /* the same, as dev1, which must be accepted */
