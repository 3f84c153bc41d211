/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connection: a non-blocking stream socket, with or without TLS, on one reactor at a time.
 *
 * All calls on its reactor; before connection_attach and after connection_detach on whichever
 * thread holds it alone. Readiness is remembered (the reactor is edge-triggered): the handler
 * reads and writes until -EAGAIN. */
#pragma once

#include "common/loop/reactor.h"
#include "common/net/tls-session.h"

/* Output that may wait in connection_queue: beyond it the peer is too slow for control traffic. */
#define CONNECTION_QUEUE_MAX (256 * 1024)

typedef struct Connection Connection;
typedef void (*ConnectionReady)(Connection *connection, void *data);

/* Takes FD (made non-blocking, TCP_NODELAY where it is TCP). */
Connection *connection_new(int fd);

/* Closes at once: an unread byte or a TLS session without close_notify makes it a rude end. NULL is
 * fine. */
void connection_free(Connection *connection);

/* Closes so that the peer sees a reset (SO_LINGER 0; a Unix socket has no reset, only an end). */
void connection_reset(Connection *connection);

/* From here on every close but connection_finish is a reset: the end of this process, too, by
 * whichever way, so that a peer never takes what was cut by it for whole. */
void connection_expect_finish(Connection *connection);

/* Takes the connection: sends what is queued, close_notify and FIN, then reads and drops until the
 * peer's end, at most CONNECTION_LINGER; then closes. So a last message is not destroyed by a
 * reset. With PATIENCE (µs) it stays for as long as that while the peer has not taken everything: a
 * reader may be slow, and what was sent to it must not be lost with the socket. Only for peers that
 * are known: a stranger could hold a descriptor with it; and for so many of them on a reactor,
 * since a stream that has ended counts nowhere else. The others have CONNECTION_LINGER, and then
 * what time the kernel gives them. */
#define CONNECTION_LINGER (5 * G_TIME_SPAN_SECOND)
/* Of so many on a reactor, or a part of the descriptors if that is less, the others get the short
 * time. */
#define CONNECTION_LINGER_MAX 256
#define CONNECTION_LINGER_PART 32
#define CONNECTION_LINGER_SHORT (250 * G_TIME_SPAN_MILLISECOND)
#define CONNECTION_PATIENT_MAX 256
#define CONNECTION_DEAD (45 * G_TIME_SPAN_SECOND) /* nor for a peer that is dead for so long */
void connection_finish(Connection *connection);
void connection_finish_patiently(Connection *connection, gint64 patience);

/* The same for an end that is not in order: what stands still for WAIT (µs), be it ours or the
 * peer's answer, is given up with a reset, and anything after six times that. Without FIN it sends
 * none before the peer's own, so that a peer that has not read so far can tell a cut
 * (connection_was_cut) from an orderly end whose last bytes wait for it. */
void connection_finish_hard(Connection *connection, gint64 wait, gboolean fin);

/* RELEASED is called, once and on whichever thread, right before the socket is closed: what counts
 * the connection, or may shut it down, lets go of it there. */
void connection_on_release(Connection *connection, void (*released)(void *data), void *data);

/* SERVER_NAME NULL: we are the server. Before any byte is read. */
void connection_start_tls(Connection *connection, TlsContext *context, const char *server_name);
TlsSession *connection_tls(Connection *connection); /* NULL without */

/* READY is called soon after attach or set_handler, and whenever the socket became readable,
 * writable or hung up. */
int connection_attach(Connection *connection, Reactor *reactor, ConnectionReady ready, void *data);
void connection_set_handler(Connection *connection, ConnectionReady ready, void *data);
void connection_detach(Connection *connection);
Reactor *connection_reactor(Connection *connection); /* NULL while not attached */

int connection_handshake(Connection *connection); /* as tls_session_handshake; 0 without TLS */

/* > 0; 0: orderly end (FIN, or close_notify under TLS); -EAGAIN; -ESHUTDOWN: FIN without
 * close_notify; other: lost. */
ssize_t connection_read(Connection *connection, void *buf, size_t len);

/* Puts bytes back in front of what connection_read gives next (a copy is kept). */
void connection_unread(Connection *connection, const void *data, size_t len);

/* As tls_session_write; without TLS as send(2). -EAGAIN while something is queued. */
ssize_t connection_write(Connection *connection, const void *buf, size_t len);

/* Whole messages outside the byte path (heads, control frames, packets): copied and sent as soon
 * as the socket takes them. FALSE past CONNECTION_QUEUE_MAX: the peer does not read, end it. */
gboolean connection_queue(Connection *connection, const void *data, size_t len);

/* Bytes of such messages that wait. */
gsize connection_queued(const Connection *connection);

/* Sends what waits: 0 all gone, -EAGAIN some waits (READY comes), other: lost. Call at the end of
 * every READY that wrote or queued. */
int connection_flush(Connection *connection);

int connection_shutdown_write(Connection *connection); /* FIN; without TLS only */

/* The peer ended or reset the connection: known without reading. */
gboolean connection_hung_up(Connection *connection);

/* An error ended it, a reset mostly: nothing can be written any more, and no more comes than what
 * is here already. Known without reading. */
gboolean connection_is_broken(const Connection *connection);

/* The same, and the peer had not sent FIN before: it did not end in order. */
gboolean connection_was_cut(const Connection *connection);

/* Bytes written that the peer's kernel (of a Unix socket: the peer) has not taken yet. */
gsize connection_outstanding(const Connection *connection);

/* Some of them have not even been sent: the peer has no room for them, or the path is slow. */
gboolean connection_has_backlog(const Connection *connection);

/* For how long the peer's kernel has given no sign of life although it owes one: the
 * acknowledgement of what was sent more than once, or the answer to a probe of its closed window.
 * 0: it owes none. A probe that is just on its way counts too: ask twice, some seconds apart. */
gint64 connection_unanswered(Connection *connection);

/* Lets the kernel ask a silent peer for a sign of life, from IDLE µs on (whole seconds), and end
 * the connection when three in a row are not answered, IDLE / 2 apart. 0: not any more. TCP only.
 * For a connection on which an answer is waited for, and only until it has come: left on, it would
 * cost an idle one more than a megabyte a day. */
#define CONNECTION_IDLE (15 * G_TIME_SPAN_SECOND)
void connection_keep_alive(Connection *connection, gint64 idle);

/* The peer of a Unix socket has gone: it sends no more and takes no more, though what it sent may
 * still be read. TCP never says so, since a FIN leaves the other direction open. */
gboolean connection_has_left(const Connection *connection);

/* "192.0.2.7:5123", "[2001:db8::1]:5123" or "unix"; an IPv4 address always in its own form. */
const char *connection_peer(Connection *connection);
int connection_fd(Connection *connection);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Connection, connection_free)
