# SPDX-License-Identifier: LGPL-2.1-or-later
"""Balancers in front of a hub: headers of the PROXY protocol as they are sent, a balancer of our own that
sends them in any way, and haproxy as it is packaged."""
import contextlib
import os
import socket
import struct
import threading
import time

from ends import free_port
from harness import Process, eventually

BALANCER = "127.0.7.1"  # who connects to the hub
LISTED = "127.0.7.0/24"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def version_1(source, port=5123):
    family, to = ("TCP6", "2001:db8::ffff") if ":" in source else ("TCP4", "203.0.113.1")
    return f"PROXY {family} {source} {to} {port} 443\r\n".encode()


def version_2(source, port=5123, more=b"", command=0x21):
    """MORE: TLVs."""
    if ":" in source:
        kind, size = 0x21, socket.AF_INET6
        to = "2001:db8::ffff"
    else:
        kind, size, to = 0x11, socket.AF_INET, "203.0.113.1"
    body = socket.inet_pton(size, source) + socket.inet_pton(size, to) + struct.pack(">HH", port, 443) + more
    return SIGNATURE + bytes([command, kind]) + struct.pack(">H", len(body)) + body


def tlv(size):
    """One of SIZE bytes in all."""
    return b"\x04" + struct.pack(">H", size - 3) + bytes(size - 3)


# Ways of sending the header and the client's first bytes.


def one_packet(sock, header, first):
    sock.sendall(header + first)


def byte_by_byte(sock, header, first):
    for at in range(len(header)):
        sock.sendall(header[at:at + 1])
        time.sleep(0.002)
    sock.sendall(first)


def across(sock, header, first):
    """The end of the header comes with the beginning of TLS."""
    half = len(header) // 2
    sock.sendall(header[:half])
    time.sleep(0.05)
    sock.sendall(header[half:] + first[:7])
    time.sleep(0.05)
    sock.sendall(first[7:])


def after(seconds):
    """All but the last byte at once, and that one so much later."""

    def send(sock, header, first):
        sock.sendall(header[:-1])
        time.sleep(seconds)
        sock.sendall(header[-1:] + first)

    return send


class Balancer:
    """Takes connections at `port`, and passes each to the hub behind HEADER, as SEND does."""

    def __init__(self, site, hub_port, header, send=one_packet, source=BALANCER):
        self.hub_port, self.header, self.send, self.source = hub_port, header, send, source
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        site.closers.append(self.listener.close)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client):
        with contextlib.suppress(OSError), contextlib.closing(client):
            hub = socket.create_connection(("127.0.0.1", self.hub_port), source_address=(self.source, 0))
            with contextlib.closing(hub):
                hub.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.send(hub, self.header, client.recv(65536))
                back = threading.Thread(target=pump, args=(hub, client), daemon=True)
                back.start()
                pump(client, hub)
                back.join()


def pump(one, other):
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    for sock in (one, other):
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


class Haproxy(Process):
    """haproxy in front of the hub's ports; WORD is send-proxy or send-proxy-v2."""

    def __init__(self, site, word):
        self.https_port, self.mqtts_port = free_port(), free_port()
        path = os.path.join(site.dir, word + ".cfg")
        lines = ["defaults", "    mode tcp", "    timeout connect 5s", "    timeout client 1m", "    timeout server 1m"]
        for name, port, to in (("https", self.https_port, site.hub.https_port),
                               ("mqtts", self.mqtts_port, site.hub.mqtts_port)):
            lines += [f"listen {name}", f"    bind 127.0.0.1:{port}", f"    source {BALANCER}",
                      f"    server hub 127.0.0.1:{to} {word}"]
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")
        super().__init__(site, word, ["haproxy", "-db", "-f", path])
        site.processes.append(self)
        for port in (self.https_port, self.mqtts_port):
            eventually(lambda port=port: self._listens(port), f"{word} listens")

    def _listens(self, port):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False
