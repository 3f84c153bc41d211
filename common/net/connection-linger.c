/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a connection ends: it sends what is queued and its goodbye, and waits for the peer a limited
 * time. */
#include "common/net/connection-private.h"

#include "common/base/descriptors.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

/* How many bytes the peer may still send while we finish; after that we close. */
#define CONNECTION_DRAIN_MAX (1024 * 1024)

/* 0: all our bytes are sent; -EAGAIN: not yet; other: they can no longer be sent. */
static int
connection_say_bye(Connection *connection)
{
    int r = connection_flush(connection);

    if (r < 0 || connection->said_bye)
        return r;
    if (connection->tls)
        r = tls_session_bye(connection->tls);
    if (r == -EAGAIN) {
        connection->writable = FALSE;
        return r;
    }
    connection->said_bye = TRUE;
    if (!connection->hard || connection->fin)
        (void)connection_shutdown_write(connection);
    return r;
}

/* Reads and drops. 0: the peer ended; > 0: it sends too much; -EAGAIN: nothing now; other: lost. */
static ssize_t
connection_drain(Connection *connection)
{
    uint8_t dropped[4096];
    ssize_t n = 1;

    while (n > 0 && connection->drained < CONNECTION_DRAIN_MAX) {
        n = connection_read_raw(connection->watch.fd, dropped, sizeof dropped);
        connection->drained += n > 0 ? (size_t)n : 0;
    }
    return n;
}

/* Whether the kernel still holds bytes of ours. REQUEST says which count: SIOCOUTQ, bytes that the
 * peer's kernel has not acknowledged, or SIOCOUTQNSD, bytes that are not sent yet for lack of room
 * there. */
static gboolean
connection_has_unsent(Connection *connection, unsigned long request)
{
    int unsent = 0;

    return !connection->said_bye ||
           (ioctl(connection->watch.fd, request, &unsent) == 0 && unsent > 0);
}

/* FALSE also when the peer's machine seems dead: its kernel acknowledges nothing any more. */
static gboolean
connection_is_patient(Connection *connection, unsigned long request)
{
    return reactor_now(connection->reactor) < connection->patient_until &&
           connection_has_unsent(connection, request) &&
           connection_unanswered(connection) < CONNECTION_DEAD;
}

/* The peer's kernel has taken some of our bytes recently. */
static gboolean
connection_stirs(Connection *connection)
{
    gsize left = connection_outstanding(connection);
    gint64 now = reactor_now(connection->reactor);

    if (left < connection->left)
        connection->stirred = now;
    connection->left = left;
    return now - connection->stirred < connection->wait && now < connection->hard_until;
}

static void
connection_linger_ready(Connection *connection, void *data G_GNUC_UNUSED)
{
    int r = connection_say_bye(connection);
    ssize_t n = connection_drain(connection);
    gboolean lost = (r < 0 && r != -EAGAIN) || (n < 0 && n != -EAGAIN) || connection->error != 0;
    /* The end is the peer's FIN after our goodbye. The kernel then sends what it holds by itself,
     * but it soon gives up on a reader that has no room. Before our goodbye, our bytes still have
     * to go. */
    gboolean over =
        n == 0 && connection->said_bye && !connection_is_patient(connection, SIOCOUTQNSD);
    /* To close now would send a reset and destroy the bytes that the peer has not taken. */
    gboolean waits = connection->hard ? connection_outstanding(connection) > 0
                                      : connection_is_patient(connection, SIOCOUTQ);
    gboolean too_much = n > 0 && !waits;

    if (over)
        connection_set_hard(connection, FALSE);
    if (lost && connection->error == 0) /* for who is told of the release */
        connection->error = r < 0 && r != -EAGAIN ? -r : (int)-n;
    if (lost || over || too_much)
        connection_free(connection);
}

/* During a hard end, progress is checked this many times within the wait. */
#define CONNECTION_LOOKS 8

static void
connection_hard_over(Connection *connection)
{
    if (connection_stirs(connection))
        reactor_set_timer(connection->reactor, &connection->linger,
                          connection->wait / CONNECTION_LOOKS);
    else
        connection_reset(connection);
}

static void
connection_linger_over(Timer *timer)
{
    Connection *connection = CONTAINER_OF(timer, Connection, linger);

    if (connection->hard)
        connection_hard_over(connection);
    else if (connection_is_patient(connection, SIOCOUTQ))
        reactor_set_timer(connection->reactor, &connection->linger, CONNECTION_LINGER);
    else
        connection_free(connection);
}

static void
connection_linger_end(LingeringClose *closing)
{
    Connection *connection = CONTAINER_OF(closing, Connection, closing);

    (void)connection_say_bye(connection);
    connection_free(connection); /* after a hard end this sends a reset */
}

void
connection_finish(Connection *connection)
{
    connection_finish_patiently(connection, 0);
}

/* A peer that does not close keeps a descriptor for this long. When many do, the time is shorter,
 * so that descriptors remain for others. */
static gint64
connection_linger_time(const Connection *connection)
{
    guint most = MIN(CONNECTION_LINGER_MAX, descriptors_capacity() / CONNECTION_LINGER_PART);
    gboolean crowd = reactor_hasty_lingering(connection->reactor) > most;

    return crowd && !connection->closing.patient ? CONNECTION_LINGER_SHORT : CONNECTION_LINGER;
}

/* FIRST_LOOK 0: after the linger time. */
static void
connection_linger(Connection *connection, gint64 patience, gint64 first_look)
{
    if (!connection->finishing) {
        connection->closing.end = connection_linger_end;
        connection->closing.patient = patience > CONNECTION_LINGER;
        reactor_adopt(connection->reactor, &connection->closing);
    }
    connection->finishing = TRUE;
    connection->linger.func = connection_linger_over;
    connection->patient_until = reactor_now(connection->reactor) + patience;
    reactor_set_timer(connection->reactor, &connection->linger,
                      first_look ? first_look : connection_linger_time(connection));
    connection->writable = TRUE;
    connection_set_handler(connection, connection_linger_ready, NULL);
}

void
connection_finish_patiently(Connection *connection, gint64 patience)
{
    connection_set_hard(connection, FALSE);
    if (!connection->reactor) {
        connection_free(connection);
        return;
    }
    if (reactor_patient_lingering(connection->reactor) >= CONNECTION_PATIENT_MAX)
        patience = 0;
    connection_linger(connection, patience, 0);
}

void
connection_finish_hard(Connection *connection, gint64 wait, gboolean fin)
{
    connection_set_hard(connection, TRUE);
    if (!connection->reactor) {
        connection_free(connection);
        return;
    }
    connection->hard = TRUE;
    connection->fin = fin;
    connection->wait = wait;
    connection->stirred = reactor_now(connection->reactor);
    connection->hard_until = connection->stirred + 6 * wait;
    connection->left = connection_outstanding(connection);
    connection_linger(connection, 0, wait / CONNECTION_LOOKS);
}
