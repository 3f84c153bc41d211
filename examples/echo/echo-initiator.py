#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Opens a stream to a device, sends bytes through it, and compares what comes back.

One call of OpenStream brings a file descriptor; it becomes a socket like any other. Takes Debian's
python3-gi, whose D-Bus (GDBus) carries file descriptors in both directions."""
import argparse
import random
import socket
import sys
import threading
import time

from gi.repository import Gio, GLib

NAME = "io.streamd.Streamd1"
ROOT = "/io/streamd/Streamd1"
BLOCK = 1 << 16


def blocks(total):
    """The bytes that are sent: random, and the same each time, so that they can be compared."""
    source = random.Random(1)
    while total > 0:
        size = min(total, BLOCK)
        yield source.randbytes(size)
        total -= size


def open_stream(bus, hub, device, stream, timeout):
    """The stream's socket, and the path of its object. TIMEOUT: seconds for the device's answer."""
    options = {"timeout": GLib.Variant("t", timeout * 1_000_000)}
    # streamd answers within that time; a reply that is given up before would cancel the stream.
    reply, fds = bus.call_with_unix_fd_list_sync(
        NAME, ROOT, NAME + ".Manager", "OpenStream",
        GLib.Variant("(sssa{sv})", (hub, device, stream, options)), GLib.VariantType("(ho)"),
        Gio.DBusCallFlags.NONE, (timeout + 10) * 1000, None, None)
    index, path = reply.unpack()
    return socket.socket(fileno=fds.steal_fds()[index]), path


def send(connection, total):
    """Sends everything, then half-closes: the other side reads an end of file, and can answer."""
    try:
        for block in blocks(total):
            connection.sendall(block)
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the stream has ended: what is read says so, too


def receive(connection, total):
    """Reads to the end; how many bytes came that are what was sent."""
    received = 0
    for block in blocks(total):
        incoming = connection.recv(len(block), socket.MSG_WAITALL)
        if incoming != block[:len(incoming)]:
            sys.exit("echo-initiator: the bytes: not what was sent")
        received += len(incoming)
        if len(incoming) < len(block):
            return received
    if connection.recv(1):
        sys.exit("echo-initiator: the bytes: more than was sent")
    return received


def ask_reason(bus, path):
    """How the stream ended. The socket ends alike whether it was completed or cut; streamd knows
    which, a moment later."""
    while True:
        reply = bus.call_sync(
            NAME, path, "org.freedesktop.DBus.Properties", "Get",
            GLib.Variant("(ss)", (NAME + ".Stream", "CloseReason")), GLib.VariantType("(v)"),
            Gio.DBusCallFlags.NONE, -1, None)
        reason = reply.unpack()[0]
        if reason:
            return reason
        time.sleep(0.1)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--system", action="store_true", help="the system's streamd, not yours")
    parser.add_argument("--hub", default="", help="which hub, if there are several")
    parser.add_argument("--timeout", type=int, default=20, help="seconds for the device's answer")
    parser.add_argument("--bytes", type=int, default=100 << 20)
    parser.add_argument("device")
    parser.add_argument("stream")
    return parser.parse_args()


def main():
    args = arguments()
    bus = Gio.bus_get_sync(Gio.BusType.SYSTEM if args.system else Gio.BusType.SESSION)
    try:
        connection, path = open_stream(bus, args.hub, args.device, args.stream, args.timeout)
    except GLib.Error as error:
        # The name says which it was; the message is for people.
        name = Gio.DBusError.get_remote_error(error)
        text = error.message.removeprefix(f"GDBus.Error:{name}: ")
        sys.exit(f"echo-initiator: {name}: {text}")
    begun = time.monotonic()
    with connection:
        # Side by side: who sends everything first and reads then waits for ever, once both
        # directions are full.
        sender = threading.Thread(target=send, args=(connection, args.bytes), daemon=True)
        sender.start()
        received = receive(connection, args.bytes)
        sender.join()
    seconds = time.monotonic() - begun
    print(f"{received / 2**20:.1f} of {args.bytes / 2**20:.1f} MiB there and back "
          f"in {seconds:.2f} s, {received / 2**20 / seconds:.0f} MiB/s each way; "
          f"the stream ended: {ask_reason(bus, path)}")
    if received < args.bytes:
        sys.exit("echo-initiator: the bytes: not all came")


if __name__ == "__main__":
    main()
