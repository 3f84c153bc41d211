# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many streams at once, as an app has them.

many.py echo PORT: answers each connection to it on loopback with what it sent.
many.py use DEVICE STREAM COUNT: opens COUNT streams and COUNT tunnels on the system's streamd, and says "open". When a
line comes on standard input, a piece of random bytes goes through all of them at the same time, there and back; then it
says how many brought it back as it was. Another line, and it ends."""
import asyncio
import os
import socket
import sys
import threading
import time

from gi.repository import Gio, GLib

NAME = 'io.streamd.Streamd1'
PIECE = 1 << 18
FREE_CALLS = 40  # streamd takes 60 calls at once, and 20 a second from then on
PAUSE = 0.06


def echo(port):
    async def serve(reader, writer):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def run():
        await (await asyncio.start_server(serve, '127.0.0.1', port, backlog=256)).serve_forever()

    asyncio.run(run())


class User:
    def __init__(self, device, stream):
        self.bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
        self.where = ('', device, stream)
        self.calls = 0

    def call(self, method, signature, values):
        self.calls += 1
        if self.calls > FREE_CALLS:
            time.sleep(PAUSE)
        return self.bus.call_with_unix_fd_list_sync(
            NAME, '/io/streamd/Streamd1', NAME + '.Manager', method, GLib.Variant(signature, values), None,
            Gio.DBusCallFlags.NONE, 30_000, None, None)

    def stream(self):
        reply, fds = self.call('OpenStream', '(sssa{sv})', (*self.where, {}))
        return socket.socket(fileno=fds.steal_fds()[reply.unpack()[0]])

    def tunnel(self):
        reply, _ = self.call('OpenTunnel', '(ssssa{sv})', (*self.where, 'tcp:127.0.0.1:0', {}))
        return socket.create_connection(('127.0.0.1', int(reply.unpack()[1].rsplit(':', 1)[1])))


def answers(connection):
    """A tunnel's connection is there before its stream is: until that answers."""
    connection.settimeout(30)
    connection.sendall(b'?')
    return connection.recv(1) == b'?'


def exchange(connection, together, good):
    data = os.urandom(PIECE)
    together.wait()
    sender = threading.Thread(target=connection.sendall, args=(data,))
    sender.start()
    back = b''
    while len(back) < PIECE and (part := connection.recv(PIECE)):
        back += part
    sender.join()
    if back == data:
        good.append(connection)


def use(device, stream, count):
    user = User(device, stream)
    connections = [user.stream() for _ in range(count)]
    connections += [user.tunnel() for _ in range(count)]
    if not all(map(answers, connections)):
        sys.exit('one does not answer')
    print('open', flush=True)
    sys.stdin.readline()
    together = threading.Barrier(len(connections))
    good = []
    threads = [threading.Thread(target=exchange, args=(each, together, good)) for each in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f'{len(good)} of {len(connections)} came back', flush=True)
    sys.stdin.readline()


if sys.argv[1] == 'echo':
    echo(int(sys.argv[2]))
else:
    use(sys.argv[2], sys.argv[3], int(sys.argv[4]))
