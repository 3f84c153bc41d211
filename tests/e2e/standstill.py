# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nothing moves any more, in one direction or both, and then one end goes: who goes, which directions are full,
and what kind of target it is, in every combination. At both ends and at the hub the stream is gone within the
bound, the sockets of both sides are free, and the reasons agree where there was a way to tell them. An end in
order waits for its reader."""
import netspace

netspace.enter()

# pylint: disable=wrong-import-position
import contextlib
import hashlib
import json
import os
import re
import select
import signal
import socket
import threading
import time

from bus_app import App
from ends import Server, connect, in_threads, read_exactly, reset
from harness import LONG, SANITIZED, Site, check, check_equal, eventually, listed, main, run_ok
from reload import Configured

BOUND = 10 if LONG else 1  # s, of all three
PING = 1  # s; so long it may take until a reset is noticed where nothing is sent
# The chain's later members look again for a quarter of the bound each; the rest is a busy machine's.
MARGIN = BOUND + PING + (30 if SANITIZED else 12)
REST = 120 if LONG else 15  # s
LIMIT = 2  # s
UP, DOWN, BOTH = "up", "down", "both"
KINDS = ("tcp", "unix", "app")
NAME = 32  # bytes that a client begins with, so that the target knows which cell it is

# Streams that end with their legs, as toward a plain peer, and those that survive them for a while.
PLAIN, BRIEF, SURVIVES = "Resume=no", "ResumeTime=3s", ""
BRIEFLY = 3  # s

LIMITS = {
    "idle": ("--idle-timeout", f"{LIMIT}s", "idle"),
    "stall": ("--stall-timeout", f"{LIMIT}s", "stalled"),
    "duration": ("--max-duration", "6s", "time-limit"),
    "bytes": ("--max-bytes", "50K", "byte-limit"),
}


class End:
    """The outer end of a stream: floods or rests, and remembers when and how it was let go."""

    def __init__(self, connection, floods):
        self.connection, self.floods = connection, floods
        self.sent = 0
        self.over = None
        self.how = None


class Ends(threading.Thread):
    """All the outer ends, none of which is ever read: one thread writes for those that flood."""

    BLOCK = bytes(1 << 14)

    def __init__(self):
        super().__init__(daemon=True)
        self.epoll = select.epoll()
        self.lock = threading.Lock()
        self.ends = {}
        self.start()

    def add(self, connection, floods):
        end = End(connection, floods)
        connection.setblocking(False)
        with self.lock:
            self.ends[connection.fileno()] = end
            self.epoll.register(connection, select.EPOLLRDHUP | (select.EPOLLOUT if floods else 0))
        return end

    def leave(self, end):
        """It is the caller's alone from now on."""
        with self.lock:
            if end.over is None and self.ends.pop(end.connection.fileno(), None):
                self.epoll.unregister(end.connection)

    def run(self):
        while True:
            for fd, events in self.epoll.poll(0.2):
                with self.lock:
                    end = self.ends.get(fd)
                    if end:
                        self._serve(fd, end, events)

    def _serve(self, fd, end, events):
        try:
            if events & (select.EPOLLERR | select.EPOLLHUP | select.EPOLLRDHUP):
                error = end.connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                raise OSError(error, "over")
            end.sent += end.connection.send(self.BLOCK)
        except BlockingIOError:
            pass
        except OSError as error:
            end.over, end.how = time.monotonic(), error.errno
            self.epoll.unregister(fd)
            del self.ends[fd]

    def total(self):
        with self.lock:
            return sum(end.sent for end in self.ends.values())


DAEMONS = ("gateway", "client")


class Watch(threading.Thread):
    """When each stream was seen to have ended, and for which reason: at the gateway, the client and the hub."""

    def __init__(self, site):
        super().__init__(daemon=True)
        self.site = site
        self.seen = {name: {} for name in ("gateway", "client", "hub")}
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.2):
            for daemon in (self.site.gateway, self.site.client):
                with contextlib.suppress(Exception):
                    for stream in listed(daemon.ctl_json("stream", "list"), "streams"):
                        if stream["close_reason"]:
                            self._saw(daemon.name, stream["stream_name"], stream["close_reason"])
            for name, reason in re.findall(r"(\S+-\d+) .*\(([a-z-]+)\)", self.site.hub.log()):
                self._saw("hub", name, reason)

    def _saw(self, where, name, reason):
        self.seen[where].setdefault(name, (time.monotonic(), reason))

    def stop(self):
        self.over.set()
        self.join()


class Cell:
    """One stream that stands still."""

    def __init__(self, number, kind, who, full):
        self.kind, self.who, self.full = kind, who, full
        self.name = f"{kind}-{who}-{full}-{number}"
        self.near = self.far = None
        self.went = None

    def __str__(self):
        return f"{self.kind}, {self.who} goes, {self.full} full"


class Table:
    """A site with cells in it."""

    def __init__(self, stack, cells, resume):
        small_buffers()
        self.cells, self.resume = cells, resume
        self.by_name = {cell.name: cell for cell in cells}
        self.ends = Ends()
        self.site = stack.enter_context(Site(hub_arguments=["--grace", "0"], gateway=False, client=False))
        self._start()
        self.watch = Watch(self.site)
        stack.callback(self.watch.stop)
        self._targets()
        in_threads(*[lambda part=part: [self._open(cell) for cell in cells[part::4]] for part in range(4)])
        eventually(lambda: all(cell.far for cell in cells), "every target has its connection")
        self._fill()

    def _start(self):
        site = self.site
        site.hub.stop()
        config = os.path.join(site.dir, "hub.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(f"[hub]\nend-wait = {BOUND}\nleg-ping = {PING}\nleg-dead = 20\n")
        site.start_hub(["--config", config, "--grace", "0"])
        times = f"{self.resume}\nEndWait={BOUND}\nLegPing={PING}\nLegDead=20\n"
        gateway = Configured(site, "gateway", site.hub.add_device(site.DEVICE))
        client = Configured(site, "client", site.hub.connection_string("user", "service"))
        site.gateway = gateway.start(site, "gateway", gateway.hub + times)
        site.client = client.start(site, "client", client.hub + times + "[limits]\nListenersPerUser=200\n")
        site.wait_online(site.DEVICE)

    def _targets(self):
        site = self.site
        tcp = Server(self._serve, site)
        path = os.path.join(site.dir, "target.socket")
        unix = UnixServer(path, self._serve)
        site.closers.append(unix.close)
        self.app = App(site, site.gateway)
        self.app.handle("app", lambda connection, _: self._serve(connection))
        site.gateway.ctl_ok("target", "add", "tcp", tcp.address)
        site.gateway.ctl_ok("target", "add", "unix", "unix:" + path)
        for kind in KINDS:
            where = ("--handler", "app") if kind == "app" else ("--accept", kind)
            for limit, (option, value, _) in LIMITS.items():
                site.gateway.ctl_ok("accept-policy", "add", "--stream", f"{kind}-{limit}-*", *where,
                                    option, value)
            site.gateway.ctl_ok("accept-policy", "add", "--stream", f"{kind}-*", *where)

    def _serve(self, connection):
        """A target's connection: its cell has it from now on."""
        name = read_exactly(connection, NAME).decode().strip()
        cell = self.by_name[name]
        cell.far = self.ends.add(connection.dup(), cell.full != UP)

    def _open(self, cell):
        port = self.site.client.tunnel(self.site.DEVICE, cell.name)
        near = connect(port)
        near.sendall(cell.name.encode().ljust(NAME))
        cell.went = time.monotonic()
        cell.near = self.ends.add(near, cell.full != DOWN)

    def _fill(self):
        """Until nothing moves any more."""
        last = [None, 0.0]

        def stands_still():
            now = self.ends.total()
            if now != last[0]:
                last[:] = [now, time.monotonic()]
            return time.monotonic() - last[1] > 1

        eventually(stands_still, "everything is full")

    def stream_id(self, daemon, cell):
        return next(str(stream["id"]) for stream in daemon.streams() if stream["stream_name"] == cell.name)

    def go(self, cell):
        """One end of it goes."""
        who = cell.who
        if who in LIMITS:
            return
        cell.went = time.monotonic()
        if who in ("client-reset", "client-killed"):
            self.ends.leave(cell.near)
            (reset if who == "client-reset" else socket.socket.close)(cell.near.connection)
        elif who in ("target-reset", "target-killed"):
            self.ends.leave(cell.far)
            (reset if who == "target-reset" else socket.socket.close)(cell.far.connection)
        elif who == "client-closed":
            self.site.client.ctl_ok("stream", "close", self.stream_id(self.site.client, cell))
        else:
            check_equal(who, "gateway-closed", "who goes")
            self.site.gateway.ctl_ok("stream", "close", self.stream_id(self.site.gateway, cell))

    def expect_reason(self, cell, own, where, name):
        """What was told of it there, if it was."""
        if cell.name in self.watch.seen[name]:
            reason = self.watch.seen[name][cell.name][1]
            wanted = (own,) if name == where else (own, "cut")
            check(reason in wanted, f"{cell}: {reason} at the {name} instead of {wanted}")

    def expect(self, cell, own, where, others=("gateway", "client", "hub")):
        """All have seen its end in time: WHERE it began the reason is OWN, elsewhere that or a cut."""
        until = time.monotonic() + BOUND + MARGIN
        eventually(lambda: all(cell.name in self.watch.seen[name] for name in others),
                   f"{cell}: ended at {others}: {[n for n in others if cell.name in self.watch.seen[n]]}",
                   max(until - time.monotonic(), 0.1))
        for name in others:
            self.expect_reason(cell, own, where, name)
        for end in (cell.near, cell.far):
            gone = end.connection.fileno() < 0
            eventually(lambda e=end, g=gone: g or e.over, f"{cell}: an end is let go", 5)

    def took(self, cell, names):
        return max(self.watch.seen[name][cell.name][0] for name in names) - cell.went


class UnixServer(Server):
    """The same at a path."""

    def __init__(self, path, serve):  # pylint: disable=super-init-not-called
        self.serve, self.errors = serve, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()


def small_buffers(most="65536"):
    """The kernels on the way hold little, so that everything is full soon."""
    run_ok(["ip", "link", "set", "lo", "up"])
    for name in ("tcp_rmem", "tcp_wmem"):
        with open(f"/proc/sys/net/ipv4/{name}", "w", encoding="ascii") as file:
            file.write(f"4096 16384 {most}")


def reason_of(cell):
    """The reason, and where it comes from."""
    if cell.who in LIMITS:
        return LIMITS[cell.who][2], "gateway"
    where, how = cell.who.split("-")
    return ("closed-by-user" if how == "closed" else "local-cut",
            "client" if where == "client" else "gateway")


def makes_sense(kind, who, full):
    """Whether that is an end out of order. Who goes with nothing unread, and is not reset, has ended in order."""
    if who == "client-killed":
        return full != UP
    if who == "target-killed":
        return full != DOWN
    return who != "target-reset" or kind == "tcp"


def streams():
    """one end goes, or a limit is reached: everybody is let go within the bound, and says why"""
    one_end_goes(SURVIVES)


def plain_streams():
    """the same with streams that end with their legs"""
    one_end_goes(PLAIN)


def one_end_goes(resume):
    everybody = ("client-reset", "client-killed", "target-reset", "target-killed", "client-closed",
                 "gateway-closed", *LIMITS)
    cells = [Cell(number, kind, who, full)
             for number, (kind, who, full) in enumerate(
                 (kind, who, full) for kind in KINDS for who in everybody for full in (UP, DOWN, BOTH)
                 if makes_sense(kind, who, full))]
    with contextlib.ExitStack() as stack:
        table = Table(stack, cells, resume)
        in_threads(*[lambda part=part: [table.go(cell) for cell in cells[part::4]] for part in range(4)])
        # The hub's log writes no more than so many records of one device in a second; how many
        # streams it has left says the rest.
        for cell in cells:
            table.expect(cell, *reason_of(cell), DAEMONS)
        eventually(lambda: json.loads(table.site.hub.admin("status", "--json"))["streams"] == 0,
                   "the hub has no streams left", BOUND + MARGIN)
        for cell in cells:
            table.expect_reason(cell, *reason_of(cell), "hub")
        ours = [cell for cell in cells if cell.who not in LIMITS]
        told = sum(table.watch.seen[name].get(cell.name, (0, ""))[1] == reason_of(cell)[0]
                   for cell in cells for name in table.watch.seen)
        slowest = max(table.took(cell, DAEMONS) for cell in ours)
        print(f"# measured: {len(cells)} cells; the slowest of those with an end that goes: {slowest:.1f} s; "
              f"the same reason in {told} of {3 * len(cells)} places, a cut in the others")
        check(slowest <= BOUND + MARGIN, f"it took {slowest:.1f} s")
        eventually(lambda: not table.site.gateway.streams() and not table.site.client.streams(),
                   "no streams are left")


def process_cells():
    return [Cell(number, kind, "process", full)
            for number, (kind, full) in enumerate(
                (kind, full) for kind in KINDS for full in (UP, DOWN, BOTH))]


def suspended(table, daemons):
    """How many streams they have said to wait for another leg."""
    return sum(getattr(table.site, name).log().count("has lost its connection") for name in daemons)


def process_goes(which, how, own):
    """A program goes; the others let go of every stream. Those that survive their legs are let go when their time is over,
    unless the one that goes has said that they end."""
    process_goes_with(which, how, own, PLAIN, 0)
    process_goes_with(which, how, own, BRIEF, 0 if own == "stopping" else BRIEFLY)


def process_goes_with(which, how, own, resume, longer):
    cells = process_cells()
    with contextlib.ExitStack() as stack:
        table = Table(stack, cells, resume)
        process = getattr(table.site, which)
        left = [name for name in ("gateway", "client", "hub") if name != which]
        began = time.monotonic()
        for cell in cells:
            cell.went = began
        process.stop(how)
        stopped = time.monotonic() - began
        for cell in cells:
            table.expect(cell, own, which, left)
        slowest = max(table.took(cell, left) for cell in cells)
        print(f"# measured: {which} by {how.name}, {resume}: it was gone after {stopped:.1f} s, the last stream after "
              f"{slowest:.1f} s")
        check(longer <= slowest <= BOUND + MARGIN + longer, f"it took {slowest:.1f} s")
        daemons = [name for name in left if name != "hub"]
        check_equal(suspended(table, daemons), len(cells) * len(daemons) if longer else 0, "records of streams that wait")
        if how == signal.SIGTERM:
            check(stopped < 5, f"{which} took {stopped:.1f} s to stop")


def hub_stops():
    """the hub is stopped"""
    process_goes("hub", signal.SIGTERM, "hub-stopping")


def hub_killed():
    """the hub is killed"""
    process_goes("hub", signal.SIGKILL, "cut")


def gateway_stops():
    """the gateway's streamd is stopped"""
    process_goes("gateway", signal.SIGTERM, "stopping")


def gateway_killed():
    """the gateway's streamd is killed"""
    process_goes("gateway", signal.SIGKILL, "cut")


def client_stops():
    """the client's streamd is stopped"""
    process_goes("client", signal.SIGTERM, "stopping")


def client_killed():
    """the client's streamd is killed"""
    process_goes("client", signal.SIGKILL, "cut")


def revoked():
    """the device is disabled"""
    cells = process_cells()
    with contextlib.ExitStack() as stack:
        table = Table(stack, cells, SURVIVES)
        for cell in cells:
            cell.went = time.monotonic()
        table.site.hub.admin("device", "disable", table.site.DEVICE)
        for cell in cells:
            table.expect(cell, "revoked", "hub")
        slowest = max(table.took(cell, ("gateway", "client", "hub")) for cell in cells)
        print(f"# measured: revoked: the last stream after {slowest:.1f} s")
        check(slowest <= BOUND + MARGIN, f"it took {slowest:.1f} s")


def orderly():
    """the target sends 8 MiB and closes, the reader rests for much longer than the bound: every byte arrives"""
    data = os.urandom(8 << 20)
    cells = []

    def serve(connection):
        read_exactly(connection, NAME)
        connection.sendall(data)

    def rests(table_site, kind):
        with connect(table_site.client.tunnel(table_site.DEVICE, f"{kind}-0")) as near:
            near.sendall(b"go".ljust(NAME))
            time.sleep(REST)
            digest, total = hashlib.sha256(), 0
            near.settimeout(60)
            while block := near.recv(1 << 18):
                digest.update(block)
                total += len(block)
        check_equal((total, digest.digest()), (len(data), hashlib.sha256(data).digest()), kind)

    with contextlib.ExitStack() as stack:
        table = Table(stack, cells, SURVIVES)
        small_buffers("6291456")
        table._serve = None  # pylint: disable=protected-access
        site = table.site
        tcp = Server(serve, site)
        unix = UnixServer(os.path.join(site.dir, "orderly.socket"), serve)
        site.closers.append(unix.close)
        site.gateway.ctl_ok("target", "remove", "tcp")
        site.gateway.ctl_ok("target", "remove", "unix")
        site.gateway.ctl_ok("target", "add", "tcp", tcp.address)
        site.gateway.ctl_ok("target", "add", "unix", f"unix:{site.dir}/orderly.socket")
        table.app.serve = lambda connection, _: with_end(connection, serve)
        in_threads(*[lambda kind=kind: rests(site, kind) for kind in KINDS])
        eventually(lambda: not site.gateway.streams() and not site.client.streams(), "all have ended")
        for kind in KINDS:
            for name in ("gateway", "client", "hub"):
                seen = table.watch.seen[name]
                eventually(lambda s=seen, k=kind: f"{k}-0" in s, f"{name} has seen the end")
                check(seen[f"{kind}-0"][1] in ("completed", "device-closed", "service-closed"),
                      f"{kind} at the {name}: {seen[f'{kind}-0']}")


def with_end(connection, serve):
    with connection:
        serve(connection)


if __name__ == "__main__":
    main(streams, plain_streams, hub_stops, hub_killed, gateway_stops, gateway_killed, client_stops, client_killed, revoked,
         orderly)
