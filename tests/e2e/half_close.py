# SPDX-License-Identifier: LGPL-2.1-or-later
"""One direction ends, the other goes on: what nc -N, HTTP/1.0 uploads and git:// stand on."""
import hashlib
import os
import socket
import subprocess
import threading
import time

from bus_app import end_reason
from ends import PATIENCE, Server, connect, read_all, read_exactly, receive_digest, send_random
from evil_hub import EvilHub, accepted, read_head, upgrade
from harness import Site, check, check_equal, eventually, main
from hub_wire import Wire

SIZE = 10 << 20


def digest_of_all(connection):
    """Answers only after the end of the data: with its SHA-256."""
    connection.sendall(hashlib.sha256(read_all(connection)).hexdigest().encode())


def netcat():
    """nc -N: the answer that comes after the end of the input arrives"""
    data = os.urandom(SIZE)
    with Site() as site:
        site.expose("digest", Server(digest_of_all, site).address)
        before = site.count()
        port = site.client.tunnel(site.DEVICE, "digest")
        done = subprocess.run(["nc", "-N", "127.0.0.1", str(port)], input=data, timeout=PATIENCE * 2,
                              stdout=subprocess.PIPE, check=False)
        check_equal(done.returncode, 0, "exit status of nc")
        check_equal(done.stdout.decode(), hashlib.sha256(data).hexdigest(), "the answer")
        site.client.close_tunnels()
        site.wait_count(before)


def through_connect():
    """streamctl connect: the end of its standard input is passed on, the answer still comes"""
    data = os.urandom(SIZE)
    with Site() as site:
        site.expose("digest", Server(digest_of_all, site).address)
        before = site.count()
        done = subprocess.run(site.client.argv("connect", site.DEVICE, "digest"), input=data,
                              env=site.client.env, timeout=PATIENCE * 2, stdout=subprocess.PIPE,
                              check=False)
        check_equal(done.stdout.decode(), hashlib.sha256(data).hexdigest(), "the answer")
        check_equal(done.returncode, 0, "exit status of streamctl connect")
        site.wait_count(before)


def http_upload():
    """an HTTP/1.0 upload without a length: the end of the data is the end of the body"""

    def serve(connection):
        head, body = read_all(connection).split(b"\r\n\r\n", 1)
        check(head.startswith(b"POST /up HTTP/1.0"), "the request line changed")
        answer = hashlib.sha256(body).hexdigest().encode()
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + answer)

    body = os.urandom(SIZE)
    with Site() as site:
        server = Server(serve, site)
        site.expose("web", server.address)
        with connect(site.client.tunnel(site.DEVICE, "web")) as near:
            near.sendall(b"POST /up HTTP/1.0\r\nHost: x\r\n\r\n" + body)
            near.shutdown(socket.SHUT_WR)
            answer = read_all(near)
        check_equal(answer, b"HTTP/1.0 200 OK\r\n\r\n" + hashlib.sha256(body).hexdigest().encode(),
                    "the answer")
        check_equal(server.errors, [], "errors at the target")


def request_then_shutdown():
    """a request, then shutdown: the long answer arrives whole"""
    digests = []

    def serve(connection):
        check_equal(read_all(connection), b"give me everything\n", "the request")
        digests.append(send_random(connection, SIZE))

    with Site() as site:
        server = Server(serve, site)
        site.expose("bulk", server.address)
        with connect(site.client.tunnel(site.DEVICE, "bulk")) as near:
            near.sendall(b"give me everything\n")
            near.shutdown(socket.SHUT_WR)
            total, digest = receive_digest(near)
        # The last byte may arrive before the server's thread has come back from sending it.
        eventually(lambda: digests, "the server is done")
        check_equal((total, [digest]), (SIZE, digests), "the answer")
        check_equal(server.errors, [], "errors at the target")


def target_ends_first():
    """the target ends its direction first, and still gets what is sent afterwards"""
    seen = []

    def serve(connection):
        connection.sendall(b"over to you\n")
        connection.shutdown(socket.SHUT_WR)
        seen.append(receive_digest(connection))

    with Site() as site:
        server = Server(serve, site)
        site.expose("sink", server.address)
        before = site.count()
        port = site.client.tunnel(site.DEVICE, "sink")
        with connect(port) as near:
            check_equal(read_all(near), b"over to you\n", "what the target sent")
            digest = send_random(near, SIZE)
            eventually(lambda: seen, "the target is done")
            # Only now: a tunnel that is closed takes its streams along.
            site.client.close_tunnels()
            site.wait_count(before)
        check_equal(seen, [(SIZE, digest)], "what the target got")
        check_equal(server.errors, [], "errors at the target")


class PlainLeg:
    """A hub that knows of no half-close, as Azure's, and a client's streamd at it: the client's end of a stream,
    and the hub's of its leg."""

    def __init__(self, site, name):
        self.legs = []
        self.over = threading.Event()
        site.closers.append(self.over.set)
        hub = EvilHub(site, self._act)
        self.url = f"wss://localhost:{hub.port}/leg"
        site.client.add_hub(name, hub.service(), site.hub.ca)
        self.near = connect(site.client.tunnel("gw", "x", "--hub", name))
        eventually(lambda: self.legs, "the leg is there")

    def _act(self, connection, head):
        connection.sendall(accepted(self.url).encode())
        head = read_head(connection)
        connection.sendall(upgrade(head))
        self.legs.append(connection)
        self.over.wait()

    def send(self, payload):
        self.legs[0].sendall(bytes([0x82, len(payload)]) + payload)

    def receive(self, count):
        """So many bytes, which come in frames with a mask."""
        data = b""
        while len(data) < count:
            head = read_exactly(self.legs[0], 6)
            masked = read_exactly(self.legs[0], head[1] & 0x7F)
            data += bytes(byte ^ head[2 + at % 4] for at, byte in enumerate(masked)) if head[0] == 0x82 else b""
        return data


def empty_messages():
    """a plain peer's empty message is its end only when no data follow, or a second one does"""
    with Site(gateway=False) as site:
        leg = PlainLeg(site, "one")
        for number in range(100):
            leg.send(b"%04d" % number)
            leg.send(b"")
        leg.send(b"last")
        check_equal(read_exactly(leg.near, 404), b"".join(b"%04d" % n for n in range(100)) + b"last",
                    "what came")
        since = time.monotonic()
        leg.send(b"")
        check_equal(leg.near.recv(1), b"", "after silence")
        took = time.monotonic() - since
        print(f"# measured: the end of a plain peer's data after {took:.2f} s")
        check(0.5 <= took < 10, f"it was taken for the end after {took:.2f} s")
        leg.near.sendall(b"and back")
        check_equal(leg.receive(8), b"and back", "the other direction")
        leg.send(b"too late")
        check_equal(end_reason(site.client), "protocol", "the reason")
        check_equal(site.client.log().count("(protocol)"), 1, "records of it")
        leg.near.close()

        leg = PlainLeg(site, "two")
        leg.send(b"data")
        leg.send(b"")
        leg.send(b"")
        check_equal(read_all(leg.near), b"data", "what came")
        leg.near.close()


def empty_messages_at_the_hub():
    """between two plain peers an empty message means nothing, however long it is before data follow"""
    with Site(gateway=False, client=False) as site:
        hub = Wire(site)
        device, service = hub.opened(hub.device(site.DEVICE))
        for sender, receiver in ((device, service), (service, device)):
            for pause in (0, 0.8):
                sender.send(b"one")
                sender.send(b"")
                time.sleep(pause)
                sender.send(b"two")
                check_equal(receiver.receive(6), b"onetwo", "what came")


if __name__ == "__main__":
    main(empty_messages, empty_messages_at_the_hub, netcat, through_connect, http_upload, request_then_shutdown, target_ends_first)
