/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opens a stream with what qdbusxml2cpp makes of the installed XML:
 *
 *   qdbusxml2cpp -i streamd-types.h -p manager .../io.streamd.Streamd1.Manager.xml
 *   qdbusxml2cpp -i streamd-types.h -p stream .../io.streamd.Streamd1.Stream.xml
 *
 * open-qt DEVICE STREAM: writes a line, prints what comes back and how the stream ended. */
#include "manager.h"
#include "stream.h"

#include <QCoreApplication>
#include <QThread>
#include <cstdio>
#include <sys/socket.h>
#include <unistd.h>

static const QString NAME = QStringLiteral("io.streamd.Streamd1");
static const QString ROOT = QStringLiteral("/io/streamd/Streamd1");

/* FD stays the reply's, so that it is closed with it: dup() it to keep it longer. */
static bool
talk(int fd)
{
    char buffer[100];
    ssize_t n;

    if (send(fd, "hello\n", 6, MSG_NOSIGNAL) != 6 || shutdown(fd, SHUT_WR) < 0)
        return false;
    while ((n = read(fd, buffer, sizeof buffer)) > 0)
        fwrite(buffer, 1, static_cast<size_t>(n), stdout);
    return n == 0;
}

static QDBusObjectPath
open_and_talk(IoStreamdStreamd1ManagerInterface &manager, const QStringList &words)
{
    auto reply = manager.OpenStream(QString(), words[1], words[2], QVariantMap());

    reply.waitForFinished();
    if (reply.isError())
        fprintf(stderr, "%s\n", qPrintable(reply.error().message()));
    else if (talk(reply.argumentAt<0>().fileDescriptor()))
        return reply.argumentAt<1>();
    return QDBusObjectPath();
}

int
main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    IoStreamdStreamd1ManagerInterface manager(NAME, ROOT, QDBusConnection::sessionBus());
    QDBusObjectPath path;

    if (argc == 3)
        path = open_and_talk(manager, app.arguments());
    if (path.path().isEmpty())
        return 1;
    IoStreamdStreamd1StreamInterface stream(NAME, path.path(), QDBusConnection::sessionBus());
    while (stream.closedAt() == 0)
        QThread::msleep(10);
    printf("%s\n", qPrintable(stream.closeReason()));
    return 0;
}
