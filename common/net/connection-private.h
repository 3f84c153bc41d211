/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of a connection: connection.c, and connection-linger.c for its end. Nobody else
 * includes this. */
#pragma once

#include "common/net/connection.h"

#include <arpa/inet.h>

struct Connection {
    Watch watch;
    Task task;
    Timer linger;
    LingeringClose closing;
    gboolean finishing;
    Reactor *reactor;
    TlsSession *tls;
    ConnectionReady ready;
    void *data;
    GByteArray *unread; /* given back by connection_unread; NULL mostly */
    GByteArray *queued; /* control output that waits; NULL mostly */
    gboolean readable, writable, hung_up, is_unix;
    int error; /* what broke it first; EPIPE: after the peer's FIN */
    gboolean said_bye;
    gboolean hard, fin; /* connection_finish_hard */
    gint64 wait, stirred, hard_until;
    gsize left; /* of ours, when it last stirred */
    size_t drained;
    gint64 patient_until;
    void (*released)(void *data);
    void *released_data;
    char peer[INET6_ADDRSTRLEN + 10];
};

/* recv(2): past TLS. */
ssize_t connection_read_raw(int fd, void *buf, size_t len);

/* Whether a close is a reset, whoever closes it. */
void connection_set_hard(Connection *connection, gboolean hard);
