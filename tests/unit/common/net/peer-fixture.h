/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A relay between a plain socket ("target") and a WebSocket peer that the test plays byte by byte,
 * as the daemon and the hub meet them in the field. The relay is the server of the leg. */
#pragma once

#include "tests/unit/common/net/relay-fixture.h"

#define PEER_FIN 0x80
#define PEER_TEXT 0x1
#define PEER_BINARY 0x2
#define PEER_CLOSE 0x8
#define PEER_PING 0x9
#define PEER_PONG 0xa

typedef struct {
    GMainContext *context;
    Queue *queue;
    GSource *source;
    Reactor *reactor;
    Hop hop;          /* meter: [0] from the target, [1] from the peer */
    int peer, target; /* blocking sockets; -1 once closed */
} Stand;

/* SMALL: the kernel buffers very little for the target, so that a target that does not read has an
 * effect at once. */
Stand *stand_new(Caps caps, const RelayTimes *times, gboolean small);
/* The target is an app: one end of a socketpair. */
Stand *stand_new_app(Caps caps);
Stand *stand_new_app_times(Caps caps, const RelayTimes *times);
/* The target is a WebSocket peer as well, as at a hub. It gets no first ping. */
Stand *stand_new_hub(Caps caps, const RelayTimes *times);
void stand_free(Stand *stand);
Reason stand_wait(Stand *stand);                  /* until the relay has ended */
void stand_wait_taken(Stand *stand, guint64 len); /* until it took LEN bytes from the peer */

/* It takes no more: nothing for 100 ms. */
void stand_wait_full(Stand *stand);
void stand_close(int *fd);
void stand_reset(int *fd);

/* One masked frame; FIRST is its first byte. */
void peer_append(GByteArray *out, guint8 first, const void *payload, gsize len);
void peer_send(int fd, guint8 first, const void *payload, gsize len);

/* Reads one whole unmasked frame; LEN is the room at PAYLOAD. Returns the length of its payload. */
gsize peer_receive(int fd, guint8 *ret_first, void *payload, gsize len);

/* The byte at AT of the pattern that tests send, in which a lost or moved byte shows. */
guint8 peer_byte(guint64 at);
void peer_fill(guint8 *bytes, guint64 at, gsize len);
void peer_expect(int fd, guint64 at, gsize len); /* reads LEN bytes and compares */
void peer_expect_end(int fd);                    /* FIN */
void peer_expect_reset(int fd);                  /* whatever comes before it */

/* From now on the peer's kernel neither takes nor acknowledges anything, as if its machine were
 * gone. */
void peer_die(int fd);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Stand, stand_free)
