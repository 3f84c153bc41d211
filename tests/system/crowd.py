# SPDX-License-Identifier: LGPL-2.1-or-later
"""Opens COUNT connections to the system bus and calls streamd once over each: crowd.py COUNT.

Prints how many were refused for their number, then stays until it is killed. It speaks the wire
format itself: one process with many connections is what no tool has."""
import os
import socket
import struct
import sys
import time


def string(text):
    return struct.pack('<I', len(text)) + text.encode() + b'\0'


def aligned(data, size):
    return data + b'\0' * (-len(data) % size)


def call(serial, path, name, interface, member):
    fields = b''
    for code, kind, value in (1, b'o', path), (6, b's', name), (2, b's', interface), (3, b's', member):
        fields = aligned(fields, 8) + bytes([code, 1]) + kind + b'\0' + string(value)
    return aligned(b'l' + bytes([1, 0, 1]) + struct.pack('<III', 0, serial, len(fields)) + fields, 8)


def replies(stream):
    """Every reply and error that comes, whole."""
    while True:
        head = stream.read(16)
        body, _, fields = struct.unpack('<III', head[4:])
        rest = stream.read(fields + -fields % 8 + body)
        if head[1] in (2, 3):
            yield rest


def connect():
    bus = socket.socket(socket.AF_UNIX)
    bus.connect('/run/dbus/system_bus_socket')
    stream = bus.makefile('rwb')
    stream.write(b'\0AUTH EXTERNAL ' + str(os.getuid()).encode().hex().encode() + b'\r\n')
    stream.flush()
    assert stream.readline().startswith(b'OK')
    stream.write(b'BEGIN\r\n' + call(1, '/', 'org.freedesktop.DBus', 'org.freedesktop.DBus', 'Hello')
                 + call(2, '/io/streamd/Streamd1', 'io.streamd.Streamd1', 'org.freedesktop.DBus.Peer', 'Ping'))
    stream.flush()
    answers = replies(stream)
    next(answers)
    return stream, next(answers)


crowd = [connect() for _ in range(int(sys.argv[1]))]
print(sum(b'connections already' in answer for _, answer in crowd), 'refused', flush=True)
time.sleep(1000)
