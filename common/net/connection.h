/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connection: a non-blocking stream socket, with or without TLS, on one reactor at a time.
 *
 * All calls on its reactor; before connection_attach and after connection_detach on whichever
 * thread holds it alone. Readiness is remembered (the reactor is edge-triggered): the handler reads
 * and writes until -EAGAIN. */
#pragma once

#include "common/loop/reactor.h"
#include "common/net/tls-session.h"

/* Output that may wait in connection_queue: beyond it the peer is too slow for control traffic. */
#define CONNECTION_QUEUE_MAX (256 * 1024)

typedef struct Connection Connection;
typedef void (*ConnectionReady)(Connection *connection, void *data);

/* Takes FD (made non-blocking, TCP_NODELAY where it is TCP). */
Connection *connection_new(int fd);

/* Closes at once. Unread bytes, or a TLS session without close_notify, make it an abortive close
 * (RST). NULL is fine. */
void connection_free(Connection *connection);

/* Closes so that the peer sees a reset (SO_LINGER 0; a Unix socket has no reset, only an end). */
void connection_reset(Connection *connection);

/* From here on every close but connection_finish is a reset, also when this process ends in any
 * way. So a peer never takes a transfer that was cut for a complete one. */
void connection_expect_finish(Connection *connection);

/* Takes the connection: sends what is queued, close_notify and FIN, then reads and drops bytes
 * until the peer ends, at most for CONNECTION_LINGER; then closes. So a last message is not
 * destroyed by a reset. With PATIENCE (µs) it stays for up to that time while the peer has not
 * taken everything, because a slow reader must not lose what was sent. Use PATIENCE only for
 * authenticated peers, since a stranger could hold a descriptor with it. At most
 * CONNECTION_PATIENT_MAX of them are patient on a reactor, because an ended stream is counted
 * nowhere else; further ones have CONNECTION_LINGER, and then the time that the kernel gives them.
 */
#define CONNECTION_LINGER (5 * G_TIME_SPAN_SECOND)
/* When there are more of them on a reactor than this, or than this part of the descriptors, further
 * ones get the short time. */
#define CONNECTION_LINGER_MAX 256
#define CONNECTION_LINGER_PART 32
#define CONNECTION_LINGER_SHORT (250 * G_TIME_SPAN_MILLISECOND)
#define CONNECTION_PATIENT_MAX 256
#define CONNECTION_DEAD (45 * G_TIME_SPAN_SECOND) /* nor for a peer that is dead for so long */
void connection_finish(Connection *connection);
void connection_finish_patiently(Connection *connection, gint64 patience);

/* The same for an abnormal end: when nothing moves for WAIT (µs), neither our bytes nor the peer's
 * answer, it gives up with a reset, and in any case after six times that. With FIN FALSE it sends
 * no FIN before the peer does, so that a peer that has not read everything can tell a cut
 * (connection_was_cut) from an orderly end whose last bytes wait for it. */
void connection_finish_hard(Connection *connection, gint64 wait, gboolean fin);

/* RELEASED is called once, on any thread, right before the socket is closed. Modules that count the
 * connection, or may shut it down, forget it there; connection_was_cut and _outstanding tell then
 * how it ended. */
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

/* Looks at up to LEN bytes of the socket and leaves them there; returns as connection_read. Before
 * TLS, and where nothing was put back. */
ssize_t connection_peek(Connection *connection, void *buf, size_t len);

/* Puts bytes back in front of what connection_read gives next (a copy is kept). */
void connection_unread(Connection *connection, const void *data, size_t len);

/* As tls_session_write; without TLS as send(2). -EAGAIN while something is queued. */
ssize_t connection_write(Connection *connection, const void *buf, size_t len);

/* Whole messages outside the byte path (heads, control frames, packets): copied and sent as soon as
 * the socket takes them. FALSE past CONNECTION_QUEUE_MAX: the peer does not read, end it. */
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

/* For how long the peer's kernel has failed to answer: it has not acknowledged bytes that were sent
 * more than once, or has not answered a probe of its closed window. 0: no answer is due. A probe
 * that has only just been sent counts too, so ask twice, some seconds apart. */
gint64 connection_unanswered(Connection *connection);

/* Lets the kernel probe a silent peer after IDLE µs (whole seconds), and end the connection when
 * three probes, IDLE / 2 apart, are not answered. 0 switches it off. TCP only. Use it while an
 * answer is awaited, and switch it off then: it would cost an idle connection more than a megabyte
 * a day. */
#define CONNECTION_IDLE (15 * G_TIME_SPAN_SECOND)
void connection_keep_alive(Connection *connection, gint64 idle);

/* The peer of a Unix socket has closed both directions; what it sent can still be read. Always
 * FALSE for TCP, where a FIN leaves the other direction open. */
gboolean connection_has_left(const Connection *connection);

/* Of a leg whose stream goes on over another one: when the path is back, the kernel finds out
 * within CONNECTION_RETRY (Linux from 6.15 on; before, within as long again as it was away), and it
 * does not end the connection before its silence does. TCP only. */
#define CONNECTION_RETRY (3 * G_TIME_SPAN_SECOND)
#define CONNECTION_RETRIES (2 * G_TIME_SPAN_MINUTE)
void connection_retry_soon(Connection *connection);

/* "192.0.2.7:5123", "[2001:db8::1]:5123" or "unix"; an IPv4 address always in its own form. */
const char *connection_peer(Connection *connection);
/* PEER, in the same form, is shown from now on: who is behind a balancer. */
void connection_set_peer(Connection *connection, const char *peer);
int connection_fd(Connection *connection);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Connection, connection_free)
