#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""open-dasbus.py DEVICE STREAM: writes a line, prints what comes back and how the stream ended."""
import socket
import sys
import time

from dasbus.connection import SessionMessageBus
from dasbus.unix import GLibClientUnix

NAME, ROOT = "io.streamd.Streamd1", "/io/streamd/Streamd1"
bus = SessionMessageBus()
manager = bus.get_proxy(NAME, ROOT, interface_name=NAME + ".Manager", client=GLibClientUnix)

fd, path = manager.OpenStream("", sys.argv[1], sys.argv[2], {})
with socket.socket(fileno=fd) as stream:
    stream.sendall(b"hello\n")
    stream.shutdown(socket.SHUT_WR)
    print(stream.recv(100, socket.MSG_WAITALL).decode(), end="")
told = bus.get_proxy(NAME, path, interface_name=NAME + ".Stream")
while not told.ClosedAt:
    time.sleep(0.01)
print(told.CloseReason)
