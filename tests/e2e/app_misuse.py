# SPDX-License-Identifier: LGPL-2.1-or-later
"""An app has a stream as a descriptor, from OpenStream or as a handler, and does with it what it likes. Only
that stream ends, both ends say the same reason, and it is the right one."""
import hashlib
import os
import queue
import signal
import socket
import subprocess
import threading

from bus_app import App, add_rule, end_reason
from ends import Server, read_all, read_exactly, receive_digest
from harness import PATIENCE, Failure, Process, Site, check, check_equal, eventually, main

SIZE = 4 << 20


class Case:
    """A stream whose two ends are in this process: MINE is the app's that misbehaves, THEIRS is what is at the other
    end. And a second stream of the same app, which must not notice anything."""

    def __init__(self, role):
        self.site, self.near, self.far = role.site, role.near, role.far
        self.closed = role.CLOSED
        self.mine, self.theirs = role.pair("case")
        self.neighbours = role.pair("neighbour")
        self.neighbour_works()

    def neighbour_works(self):
        data = os.urandom(SIZE)
        for one, other in (self.neighbours, reversed(self.neighbours)):
            sender = threading.Thread(target=one.sendall, args=(data,))
            sender.start()
            check(read_exactly(other, SIZE) == data, "the neighbour's bytes changed")
            sender.join()

    def counted(self):
        """The bytes of the case's stream, as both ends count them just now."""
        return [next((s["bytes_in"], s["bytes_out"]) for s in daemon.streams() if s["stream_name"] == "case")
                for daemon in (self.near, self.far)]

    def stands_still(self):
        return self.counted() == self.counted()

    def fill(self, connection):
        """Writes until nothing is taken any more, all the way to an end that does not read."""
        connection.setblocking(False)
        written = [0]

        def is_full():
            before = written[0]
            try:
                while True:
                    written[0] += connection.send(b"x" * 65536)
            except BlockingIOError:
                return written[0] == before and self.stands_still()

        eventually(is_full, "every buffer is full")
        connection.settimeout(PATIENCE * 2)
        return written[0]

    def ended(self, reason, *far):
        """Both ends say so, or the far one one of those, and the neighbour is well."""
        check_equal(self.reason(self.near), reason, "the reason")
        told = self.reason(self.far)
        check(told in (far or (reason,)), f"the reason at the far end: {told}")
        self.neighbour_works()
        check_equal(len(self.near.streams()), 1, "streams that are left")

    @staticmethod
    def reason(daemon):
        ours = [s["id"] for s in daemon.ctl_json("stream", "list") if s["stream_name"] == "case"]
        return end_reason(daemon, f"/{max(ours)}")

    def close(self):
        """Everything ends, as apps do that are done."""
        for connection in (self.mine, self.theirs, *self.neighbours):
            connection.close()
        eventually(lambda: not self.near.streams() and not self.far.streams(), "nothing is left")


class Role:
    """Where the app is that misbehaves."""

    def __init__(self, site):
        self.site = site
        self.arrived = queue.Queue()
        self.over = threading.Event()
        site.closers.append(self.over.set)
        self.client_app = App(site, site.client)
        self.prepare()

    def open(self, stream):
        connection, _ = self.client_app.open(self.site.DEVICE, stream)
        far = self.arrived.get(timeout=PATIENCE)
        far.settimeout(PATIENCE * 2)
        return connection, far


class Initiator(Role):
    """The app opens its streams, to a target."""

    CLOSED = "service-closed"

    def prepare(self):
        self.near, self.far = self.site.client, self.site.gateway
        server = Server(self.arrive, self.site)
        for stream in ("case", "neighbour"):
            self.site.expose(stream, server.address)

    def arrive(self, connection):
        """Keeps what the target is given until all is over."""
        self.arrived.put(connection)
        self.over.wait()

    def pair(self, stream):
        return self.open(stream)


class Handler(Role):
    """The app is given its streams."""

    CLOSED = "device-closed"

    def prepare(self):
        self.near, self.far = self.site.gateway, self.site.client
        app = App(self.site, self.site.gateway)
        for stream in ("case", "neighbour"):
            add_rule(app, stream=stream, verdict="accept", handler="both")
        app.handle("both", lambda connection, path: self.arrived.put(connection))

    def pair(self, stream):
        return tuple(reversed(self.open(stream)))


def half_read(case):
    """an app that reads a part and closes: local-cut"""
    failed = threading.Event()
    sender = threading.Thread(target=send_too_much, args=(case.theirs, failed))
    sender.start()
    read_exactly(case.mine, 1000)
    case.mine.close()
    case.ended("local-cut")
    sender.join()
    check(failed.is_set(), "everything was sent, to nobody")


def send_too_much(connection, failed):
    try:
        connection.sendall(b"x" * SIZE * 8)
    except OSError:
        failed.set()


def reset_at(connection):
    """A target is reset, so that it does not take what it has for everything. An app's socket just ends."""
    try:
        rest = read_all(connection)
    except ConnectionResetError:
        return
    check(connection.family == socket.AF_UNIX and rest == b"", "an orderly end at a target")


def closed_unused(case):
    """an app that closes at once: an orderly end, although the other end never ends"""
    case.mine.close()
    case.ended(case.closed)
    check_equal(read_all(case.theirs), b"", "what the other end reads")


def kept_by_another(case):
    """a descriptor that another process has, too: the stream goes on, and ends with the last one"""
    case.mine.setblocking(True)  # which cat has as well
    other = subprocess.Popen(["cat"], stdin=case.mine.fileno(), stdout=subprocess.PIPE)
    case.site.children.append(other)
    case.mine.close()
    case.theirs.sendall(b"hello")
    check_equal(other.stdout.read(5), b"hello", "what the other process reads")
    check_equal(len(case.near.streams()), 2, "streams that are open")
    other.kill()
    other.wait()
    case.ended(case.closed)


def killed(case):
    """an app that is killed with bytes that it has not read: local-cut"""
    other = subprocess.Popen(["sleep", "1000"], stdin=case.mine.fileno())
    case.site.children.append(other)
    case.mine.close()
    case.theirs.sendall(b"nobody reads this")
    eventually(lambda: case.counted()[0][0] == 17, "they have arrived")
    other.kill()
    other.wait()
    case.ended("local-cut")
    reset_at(case.theirs)


def never_reads(case):
    """an app that does not read: its stream waits, in bounded memory, the others flow; nothing is lost"""
    for process in case.site.main_processes():
        process.reset_peak()
    data = os.urandom(SIZE)
    sender = threading.Thread(target=lambda: [case.theirs.sendall(data) for _ in range(8)])
    sender.start()
    eventually(case.stands_still, "it waits")
    for _ in range(3):
        case.neighbour_works()
    check_equal(len(case.near.streams()), 2, "streams that are open")
    case.site.check_memory()
    check(read_exactly(case.mine, 8 * SIZE) == data * 8, "not what was sent")
    sender.join()
    for one, other in ((case.theirs, case.mine), (case.mine, case.theirs)):
        one.shutdown(socket.SHUT_WR)
        check_equal(read_all(other), b"", "what comes after that")
    case.ended("completed")


def write_and_close(case):
    """an app that writes and closes at once: every byte arrives"""
    data = os.urandom(SIZE)
    got = []
    reader = threading.Thread(target=lambda: got.append(receive_digest(case.theirs)))
    reader.start()
    case.mine.sendall(data)
    case.mine.close()
    reader.join()
    check_equal(got, [(SIZE, hashlib.sha256(data).hexdigest())], "what arrives")
    case.ended(case.closed)


def write_and_close_unread(case):
    """and so they do when the other end has answered meanwhile, to nobody"""
    written = case.fill(case.mine)
    case.mine.close()
    case.theirs.sendall(b"too late")
    check_equal(receive_digest(case.theirs)[0], written, "bytes that arrive")
    case.ended(case.closed)


def word_and_go():
    """an app that says a word and goes before the other end is there: the word arrives, every time"""
    with Site() as site:
        client, app = App(site, site.client), App(site, site.gateway)
        add_rule(app, stream="greeting", verdict="accept", handler="greeter")

        def greet(connection, _):
            connection.sendall(b"hello")
            connection.close()

        app.handle("greeter", greet)
        got = queue.Queue()
        site.expose("sink", Server(lambda connection: got.put(read_all(connection)), site).address)
        for _ in range(40):
            connection, _ = client.open(site.DEVICE, "greeting")
            check_equal(read_all(connection), b"hello", "what the handler said")
            connection.close()
            connection, _ = client.open(site.DEVICE, "sink")
            connection.sendall(b"hello")
            connection.close()
            check_equal(got.get(timeout=PATIENCE), b"hello", "what the initiator said")
        for stream in site.client.ctl_json("stream", "list") + site.gateway.ctl_json("stream", "list"):
            check(stream["close_reason"] in ("completed", "service-closed", "device-closed", ""), stream)


def sample_killed():
    """the initiator of the samples is killed while bytes flow: local-cut"""

    def echo(connection):
        while data := connection.recv(1 << 18):
            connection.sendall(data)

    with Site() as site:
        site.expose("echo", Server(echo, site).address)
        program = Process(site, "initiator", [os.environ["ECHO_INITIATOR"], "--bytes", str(1 << 40),
                                              site.DEVICE, "echo"], env=site.client.env)
        site.processes.append(program)
        eventually(lambda: any(s["bytes_in"] > SIZE for s in site.client.streams()), "bytes flow")
        program.stop(signal.SIGKILL)
        # Where a frame is stuck half-way, nothing can be said behind it.
        check(end_reason(site.client) in ("local-cut", "service-closed"), end_reason(site.client))
        # One whose socket was empty at that moment says its end in order, and the target may have ended by then.
        check(end_reason(site.gateway) in ("local-cut", "service-closed", "cut", "completed"),
              end_reason(site.gateway))


def handler_killed():
    """a handler that is killed takes its streams along, and no other's; its name is free again"""
    with Site() as site:
        app = App(site, site.client)
        rules = App(site, site.gateway)
        names = ("first", "second")
        handlers = []
        for name in names:
            add_rule(rules, stream=name, verdict="accept", handler=name)
            handler = Process(site, name, [os.environ["ECHO_HANDLER"], name], env=site.gateway.env)
            site.processes.append(handler)
            eventually(lambda: "registered" in handler.log(), f"{name} registers")
            handlers.append(handler)
        streams = {name: [app.open(site.DEVICE, name)[0] for _ in range(3)] for name in names}
        handlers[0].stop(signal.SIGKILL)
        for connection in streams["first"]:
            check_equal(read_all(connection), b"", "what a stream of the dead one brings")
        eventually(lambda: len(site.gateway.streams()) == 3, "its streams end")
        for connection in streams["second"]:
            connection.sendall(b"hello")
            check_equal(read_exactly(connection, 5), b"hello", "the echo")
        handler = Process(site, "again", [os.environ["ECHO_HANDLER"], "first"], env=site.gateway.env)
        site.processes.append(handler)
        eventually(lambda: "registered" in handler.log(), "the name is free")
        connection, _ = app.open(site.DEVICE, "first")
        connection.sendall(b"hello")
        check_equal(read_exactly(connection, 5), b"hello", "the echo of the next one")


def handler_says_no():
    """a handler's no is the initiator's, with its text; an app that fails at NewStream ends the stream"""
    with Site() as site:
        client, app = App(site, site.client), App(site, site.gateway)
        add_rule(app, stream="case", verdict="accept", handler="case")
        app.handle("case", None)
        app.answer = (False, "we are closed")
        try:
            client.open(site.DEVICE, "case")
            raise Failure("it was opened")
        except Exception as error:  # pylint: disable=broad-except
            check("Error.Rejected" in str(error) and "we are closed" in str(error), str(error))
        check_equal(end_reason(site.gateway), "rejected", "the reason")
        path, request = app.requests[0]
        check(path.startswith("/io/streamd/Streamd1/stream/"), path)
        check_equal((request["StreamName"], request["DeviceId"], request["Hub"], request["Initiator"]),
                    ("case", site.DEVICE, "office", "service"), "what it was told")
        app.answer = (True, "")
        app.fails = True
        connection, path = client.open(site.DEVICE, "case")
        check_equal(read_all(connection), b"", "what comes")
        check_equal(end_reason(site.client, path), "local-cut", "the reason")
        check_equal(end_reason(site.gateway), "local-cut", "the reason at the gateway")


MISUSES = (half_read, closed_unused, kept_by_another, killed, never_reads, write_and_close,
           write_and_close_unread)


def run_all(role_of):
    with Site() as site:
        role = role_of(site)
        for misuse in MISUSES:
            print(f"# {misuse.__doc__}", flush=True)
            case = Case(role)
            misuse(case)
            case.close()


def at_the_initiator():
    """what an app can do wrong with a stream that it opened"""
    run_all(Initiator)


def at_the_handler():
    """and with one that it was given"""
    run_all(Handler)


if __name__ == "__main__":
    main(at_the_initiator, at_the_handler, word_and_go, sample_killed, handler_killed, handler_says_no)
