/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions of devices with everything below them real, but for what is stored and for TLS. The hub
 * knows the device dev1; a test is the peer of one connection at a time. */
#pragma once

#include "common/codec/mqtt-writer.h"
#include "hub/device/mqtt-session.h"
#include "hub/registry/job.h"

#define HOST "hub.example"

/* Knows dev1, and answers when it may. */
typedef struct {
    RegistryBackend backend;
    gboolean holds;
    RegistryJob *held;
} Store;

typedef struct {
    Store store;
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
    MqttService service;
    GString *told;
    GPtrArray *slots; /* the edge's part: a connection has left its slot before it is closed */
    int peer;
} Fixture;

void fixture_setup(Fixture *f, gconstpointer data);
void fixture_teardown(Fixture *f, gconstpointer data);

void settle(Fixture *f); /* what the reactor and we have for each other is done */
void forget(Fixture *f); /* what the cache has of dev1 */
void begin(Fixture *f);  /* a new connection, in the place of the one before */

/* It may be closed meanwhile. */
void send_bytes(Fixture *f, const GByteArray *bytes);
void send_text(Fixture *f, const char *bytes, gsize len);

/* LEN bytes of an answer are there, or the end is: then fewer. */
gsize receive(Fixture *f, guint8 *bytes, gsize len);
void expect_bytes(Fixture *f, const char *wanted, gsize len);
void expect_end(Fixture *f);

void append_field(GByteArray *out, const char *text, gsize len);

/* A packet around BODY, with three bytes of length: what is written so is good, too. */
GByteArray *packet_of(guint8 first, const GByteArray *body);

typedef struct {
    const char *id, *user; /* NULL: dev1 and the name that fits */
    const guint8 *key;     /* NULL: the right one */
    gsize padding;         /* bytes of a will */
    gboolean keep;         /* clean session 0 */
} Login;

#define CONNACK(code) "\x20\x02\x00" code, 4

GByteArray *connect_packet(const Login *login);
void log_in(Fixture *f, const Login *login); /* on a new connection */
void up(Fixture *f);                         /* the same, as dev1, and it is let in */
