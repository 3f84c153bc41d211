# SPDX-License-Identifier: LGPL-2.1-or-later
"""Passes connections on to the system bus and keeps every byte: bus-tap.py SOCKET FILE.

Runs as the user whose traffic it is: the bus asks the kernel who connects, and that is this
program. What comes and what goes is written to FILE. Descriptors are not passed on."""
import os
import select
import socket
import sys
import threading

BUS = '/run/dbus/system_bus_socket'


def carry(client, log):
    bus = socket.socket(socket.AF_UNIX)
    bus.connect(BUS)
    ways = {client: bus, bus: client}
    while True:
        for source in select.select(list(ways), [], [])[0]:
            data = source.recv(65536)
            if not data:
                for end in ways:
                    end.close()
                return
            os.write(log, data)
            ways[source].sendall(data)


def main():
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen()
    log = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=carry, args=(client, log), daemon=True).start()


main()
