# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every byte arrives, in both directions at once, on many streams, and past a reader that stops.
What each process takes of memory meanwhile is read from the kernel. STREAMD_LONG=1: full size."""
import http.client
import http.server
import os
import socketserver
import subprocess
import threading
import time

from ends import (PATIENCE, Server, Sshd, connect, in_threads, read_exactly, receive_digest,
                  send_random)
from harness import LONG, SANITIZED, Site, check, check_equal, eventually, main

EACH_WAY = (1024 if LONG else 16 if SANITIZED else 64) << 20
STALL_SECONDS = 120 if LONG else 3
STALLED_SIZE = 64 << 20
EACH_KIND = 20 if SANITIZED else 100
BODY_SIZE = 256 << 10


def both_ways():
    """random data each way at once compares equal, and memory stays bounded"""
    at_target = []

    def serve(connection):
        at_target.append(in_threads(lambda: send_random(connection, EACH_WAY),
                                    lambda: receive_digest(connection)))

    with Site() as site:
        server = Server(serve, site)
        site.expose("bulk", server.address)
        with connect(site.client.tunnel(site.DEVICE, "bulk")) as near:
            started = time.monotonic()
            sent, received = in_threads(lambda: send_random(near, EACH_WAY),
                                        lambda: receive_digest(near))
        took = time.monotonic() - started
        eventually(lambda: at_target, "the target saw both ends")
        print(f"# {EACH_WAY >> 20} MiB each way in {took:.1f} s")
        far_sent, far_received = at_target[0]
        check_equal(received, (EACH_WAY, far_sent), "what arrived here")
        check_equal(far_received, (EACH_WAY, sent), "what arrived at the target")
        check_equal(server.errors, [], "errors at the target")
        site.check_memory()


class WebServer(socketserver.ThreadingTCPServer):
    """Answers a POST with its body once every expected request has arrived whole."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, expected):
        self.barrier = threading.Barrier(expected)
        super().__init__(("127.0.0.1", 0), WebHandler)
        self.address_text = f"tcp:127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()


class WebHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):  # pylint: disable=invalid-name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.barrier.wait(PATIENCE * 2)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[::-1])

    def log_message(self, *arguments):  # pylint: disable=arguments-differ
        pass


def post(port):
    """One HTTP request with a body through the tunnel; its answer is the body backwards."""
    body = os.urandom(BODY_SIZE)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE * 3)
    try:
        connection.request("POST", "/", body)
        answer = connection.getresponse()
        check_equal(answer.status, 200, "HTTP status")
        check(answer.read() == body[::-1], "an HTTP body came back changed")
    finally:
        connection.close()


def ssh_echo(process):
    """Something through a running `ssh ... cat`, while all the others run too."""
    text = os.urandom(8 << 10)
    process.stdin.write(text)
    process.stdin.flush()
    check(process.stdout.read(len(text)) == text, "ssh gave back something else")


def ssh_end(process):
    process.stdin.close()
    check_equal(process.stdout.read(), b"", "left over from ssh")
    check_equal(process.wait(PATIENCE * 2), 0, "exit status of ssh")


def in_parallel():
    """two hundred connections at once all succeed: ssh, and HTTP with bodies"""
    with Site() as site:
        sshd = Sshd(site)
        web = WebServer(EACH_KIND)
        site.closers.append(web.stop)
        site.expose("ssh", sshd.address)
        site.expose("web", web.address_text)
        ssh_port = site.client.tunnel(site.DEVICE, "ssh")
        web_port = site.client.tunnel(site.DEVICE, "web")
        before = site.count()
        sessions = []
        for _ in range(EACH_KIND):
            session = subprocess.Popen(sshd.ssh(ssh_port, "cat"), stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
            site.children.append(session)
            sessions.append(session)
        in_threads(*[lambda s=s: ssh_echo(s) for s in sessions],
                   *[lambda: post(web_port) for _ in range(EACH_KIND)])
        # Every ssh is still open here: they were all open together.
        check(len(site.client.streams()) >= EACH_KIND, "the ssh streams were not open together")
        in_threads(*[lambda s=s: ssh_end(s) for s in sessions])
        site.wait_count(before)
        site.check_memory()


def stalled_reader():
    """a reader that stops keeps its stream, bounds what is held, and disturbs no other"""
    digests = []

    def serve(connection):
        digests.append(send_random(connection, STALLED_SIZE))
        connection.recv(1)

    with Site() as site:
        bulk = Server(serve, site)
        echo = Server(lambda c: c.sendall(read_exactly(c, 5)), site)
        site.expose("bulk", bulk.address)
        site.expose("echo", echo.address)
        echo_port = site.client.tunnel(site.DEVICE, "echo")
        with connect(site.client.tunnel(site.DEVICE, "bulk")) as near:
            first = read_exactly(near, 1 << 20)
            until = time.monotonic() + STALL_SECONDS
            while time.monotonic() < until:
                with connect(echo_port) as other:
                    other.sendall(b"hello")
                    check_equal(read_exactly(other, 5), b"hello", "the other stream")
                time.sleep(0.5)
            check_equal(digests, [], "the sender ended while nobody read")
            total, digest = receive_digest(near, first=first)
            eventually(lambda: digests, "the sender has sent all")
        check_equal((total, [digest]), (STALLED_SIZE, digests), "what arrived after the stall")
        site.check_memory()


if __name__ == "__main__":
    main(both_ways, in_parallel, stalled_reader)
