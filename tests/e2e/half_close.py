# SPDX-License-Identifier: LGPL-2.1-or-later
"""One direction ends, the other goes on: what nc -N, HTTP/1.0 uploads and git:// stand on."""
import hashlib
import os
import socket
import subprocess
import time

from bus_app import end_reason
from ends import PATIENCE, Server, connect, read_all, read_exactly, receive_digest, send_random
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


def plain_stream(site, hub, device, name):
    """A stream between a client's streamd and a device by hand that knows of no half-close: the client's end and
    the device's leg."""
    near = connect(site.client.tunnel(site.DEVICE, name))
    request = device.request()
    device.answer(request, 200)
    leg = hub.device_leg(request)
    near.sendall(b"hello")
    leg.receive(5)
    return near, leg


def empty_messages():
    """a plain peer's empty message is its end only when no data follow, or a second one does"""
    with Site(gateway=False) as site:
        hub = Wire(site)
        device = hub.device(site.DEVICE)
        near, leg = plain_stream(site, hub, device, "one")
        with near:
            for number in range(100):
                leg.send(b"%04d" % number)
                leg.send(b"")
            leg.send(b"last")
            check_equal(read_exactly(near, 404), b"".join(b"%04d" % n for n in range(100)) + b"last",
                        "what came")
            since = time.monotonic()
            leg.send(b"")
            check_equal(near.recv(1), b"", "after silence")
            took = time.monotonic() - since
            print(f"# measured: the end of a plain peer's data after {took:.2f} s")
            check(took >= 0.5, f"it was taken for the end after {took:.2f} s")
            near.sendall(b"and back")
            check_equal(leg.receive(8), b"and back", "the other direction")
            leg.send(b"too late")
            check_equal(end_reason(site.client), "protocol", "the reason at the client")
            check_equal(leg.closed()[0], 1002, "the device is told")
        eventually(lambda: site.hub.log().count("(protocol)") == 1, "one record at the hub")

        near, leg = plain_stream(site, hub, device, "two")
        with near:
            leg.send(b"data")
            leg.send(b"")
            leg.send(b"")
            since = time.monotonic()
            check_equal(read_all(near), b"data", "what came")
            print(f"# measured: with a second one after {time.monotonic() - since:.2f} s")


if __name__ == "__main__":
    main(empty_messages, netcat, through_connect, http_upload, request_then_shutdown, target_ends_first)
