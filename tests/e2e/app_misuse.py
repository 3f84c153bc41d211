# SPDX-License-Identifier: LGPL-2.1-or-later
"""An app has a stream as a descriptor, and does with it what it likes. Only that stream ends, both
ends say the same reason, and it is the right one."""
import os
import signal
import subprocess
import threading

from bus_app import App, end_reason
from ends import Server, read_all, read_exactly, receive_digest
from harness import PATIENCE, Failure, Site, check, check_equal, eventually, main

SIZE = 4 << 20


def echo(connection):
    while data := connection.recv(1 << 18):
        connection.sendall(data)


class Neighbour:
    """Another stream of the same app, which must not notice anything."""

    def __init__(self, site, app):
        site.expose("neighbour", Server(echo, site).address)
        self.connection, self.path = app.open(site.DEVICE, "neighbour")
        self.works()

    def works(self):
        data = os.urandom(SIZE)
        sender = threading.Thread(target=self.connection.sendall, args=(data,))
        sender.start()
        check(read_exactly(self.connection, SIZE) == data, "the neighbour's bytes changed")
        sender.join()


class Case:
    """A site whose target's other end, and whose client's app, are in this process."""

    def __init__(self, site, serve):
        self.site = site
        self.server = Server(serve, site)
        site.expose("case", self.server.address)
        self.app = App(site, site.client)
        self.neighbour = Neighbour(site, self.app)

    def open(self):
        return self.app.open(self.site.DEVICE, "case")

    def ended(self, reason, *far):
        """Both ends say so, or the far one one of those, and the neighbour is well."""
        check_equal(end_reason(self.site.client), reason, "the reason")
        told = end_reason(self.site.gateway)
        check(told in (far or (reason,)), f"the reason at the far end: {told}")
        self.neighbour.works()
        check_equal(len(self.site.client.streams()), 1, "streams that are left")


def reset_at(connection):
    """Reads until the connection is reset; an orderly end is a failure."""
    try:
        read_all(connection)
    except ConnectionResetError:
        return
    raise Failure("an orderly end, and bytes are missing")


def half_read():
    """an app that reads a part and closes: local-cut, and a reset at the target"""
    done = threading.Event()

    def serve(connection):
        connection.sendall(b"x" * SIZE)
        reset_at(connection)
        done.set()

    with Site() as site:
        case = Case(site, serve)
        connection, _ = case.open()
        read_exactly(connection, 1000)
        connection.close()
        case.ended("local-cut")
        check(done.wait(PATIENCE), f"the target was not reset: {case.server.errors}")


def closed_unused():
    """an app that closes at once: an end like any, although the target says nothing and never ends"""
    got = []
    over = threading.Event()

    def serve(connection):
        got.append(read_all(connection))
        over.wait()

    with Site() as site:
        case = Case(site, serve)
        try:
            case.open()[0].close()
            case.ended("service-closed")
            eventually(lambda: got == [b""], "the target reads an end")
        finally:
            over.set()


def kept_by_another():
    """a descriptor that another process has, too: the stream goes on, and ends with the last one"""

    def serve(connection):
        connection.sendall(b"hello " + read_exactly(connection, 5))
        read_all(connection)

    with Site() as site:
        case = Case(site, serve)
        connection, _ = case.open()
        connection.setblocking(True)  # which cat has as well
        other = subprocess.Popen(["cat"], stdin=connection.fileno(), stdout=subprocess.PIPE)
        site.children.append(other)
        connection.sendall(b"world")
        connection.close()
        check_equal(other.stdout.read(11), b"hello world", "what the other process reads")
        check_equal(len(site.client.streams()), 2, "streams that are open")
        other.kill()
        other.wait()
        case.ended("service-closed")


def killed():
    """an app that is killed with bytes on their way: local-cut"""
    with Site() as site:
        case = Case(site, echo)
        program = subprocess.Popen([os.environ["ECHO_INITIATOR"], "--bytes", str(1 << 40), site.DEVICE, "case"],
                                   env=site.client.env)
        site.children.append(program)
        eventually(lambda: any(s["bytes_in"] > SIZE for s in site.client.streams()
                               if s["stream_name"] == "case"), "bytes flow")
        program.send_signal(signal.SIGSTOP)  # so that some wait for it
        eventually(lambda: stands_still(site.client, "case"), "its buffers are full")
        program.kill()
        program.wait()
        # Where a frame is stuck half-way, nothing can be said behind it.
        case.ended("local-cut", "local-cut", "cut")


def stands_still(daemon, name, what="bytes_in"):
    """Whether two looks at a stream show the same count."""

    def count():
        return next(s[what] for s in daemon.streams() if s["stream_name"] == name)

    return count() == count()


def never_reads():
    """an app that does not read: its stream waits, in bounded memory, the others flow; nothing is lost"""
    sent = []

    def serve(connection):
        data = os.urandom(SIZE)
        sent.append(data)
        for _ in range(16):
            connection.sendall(data)

    with Site() as site:
        case = Case(site, serve)
        for process in site.main_processes():
            process.reset_peak()
        connection, path = case.open()
        eventually(lambda: stands_still(site.client, "case"), "it waits")
        for _ in range(3):
            case.neighbour.works()
        check_equal(len(site.client.streams()), 2, "streams that are open")
        site.check_memory()
        check(read_all(connection) == sent[0] * 16, "not what was sent")
        connection.close()
        check_equal(end_reason(site.client, path), "completed", "its reason")
        case.ended("completed")


def write_and_close():
    """an app that writes and closes at once: every byte arrives"""
    got = []

    with Site() as site:
        case = Case(site, lambda connection: got.append(receive_digest(connection)[0]))
        connection, _ = case.open()
        connection.sendall(b"x" * SIZE)
        connection.close()
        case.ended("service-closed")
        eventually(lambda: got == [SIZE], f"all bytes arrive: {got}")


def write_and_close_unread():
    """and they do when the target has answered meanwhile, to nobody"""
    closed = threading.Event()
    got = []

    def serve(connection):
        closed.wait(PATIENCE)
        connection.sendall(b"too late")
        got.append(receive_digest(connection)[0])

    with Site() as site:
        case = Case(site, serve)
        connection, _ = case.open()
        written = fill(connection, site.client)
        connection.close()
        closed.set()
        case.ended("service-closed")
        eventually(lambda: got, "the target reads an end")
        check_equal(got, [written], "bytes that arrive")


def fill(connection, daemon):
    """Writes until nothing is taken any more, all the way to a target that does not read."""
    connection.setblocking(False)
    written = [0]

    def is_full():
        before = written[0]
        try:
            while True:
                written[0] += connection.send(b"x" * 65536)
        except BlockingIOError:
            return written[0] == before and stands_still(daemon, "case", "bytes_out")

    eventually(is_full, "every buffer is full")
    return written[0]


if __name__ == "__main__":
    main(half_read, closed_unused, kept_by_another, killed, never_reads, write_and_close,
         write_and_close_unread)
