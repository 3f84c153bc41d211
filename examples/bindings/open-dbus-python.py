#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""open-dbus-python.py DEVICE STREAM: writes a line, prints what comes back and how the stream ended."""
import socket
import sys
import time

import dbus

NAME, ROOT = "io.streamd.Streamd1", "/io/streamd/Streamd1"
bus = dbus.SessionBus()
manager = dbus.Interface(bus.get_object(NAME, ROOT), NAME + ".Manager")

fd, path = manager.OpenStream("", sys.argv[1], sys.argv[2], dbus.Dictionary(signature="sv"))
with socket.socket(fileno=fd.take()) as stream:
    stream.sendall(b"hello\n")
    stream.shutdown(socket.SHUT_WR)
    print(stream.recv(100, socket.MSG_WAITALL).decode(), end="")
told = dbus.Interface(bus.get_object(NAME, path), "org.freedesktop.DBus.Properties")
while not told.Get(NAME + ".Stream", "ClosedAt"):
    time.sleep(0.01)
print(told.Get(NAME + ".Stream", "CloseReason"))
