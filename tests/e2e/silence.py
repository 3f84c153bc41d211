# SPDX-License-Identifier: LGPL-2.1-or-later
"""Links that die without a word, in one direction or both: how soon both ends of a stream notice. A stream that ends with
its leg ends then at both (as toward a plain peer); one that survives it is suspended as soon, and goes on.

The normal tier has legs that count as lost after three seconds, the long one the default of 45."""
import netspace

netspace.enter()

# pylint: disable=wrong-import-position
import contextlib
import json
import signal
import socket
import subprocess
import threading
import time

from ends import FaultProxy, Server, echo, read_exactly, tick
from harness import LONG, Failure, check, eventually, listed, main

PING, DEAD = (20, 45) if LONG else (1, 3)
LATE = 8  # a busy machine's
HUB = "" if LONG else f"leg-ping={PING}\nleg-dead={DEAD}\nlink-probe=1"
LEG = "" if LONG else f"LegPing={PING}\nLegDead={DEAD}"


class Watched:
    """An echo that remembers when each of its connections ended."""

    def __init__(self):
        self.ends = []
        self.server = Server(self._serve)
        self.address, self.close = self.server.address, self.server.close

    def _serve(self, connection):
        try:
            echo(connection)
        except OSError:
            pass
        self.ends.append(time.monotonic())


def report(what, seconds):
    print(f"# measured: {what}: {seconds:.2f} s")


def when_it_ends(connection):
    """Reads to the end, and returns the time of it."""
    with contextlib.suppress(ConnectionResetError):
        while connection.recv(65536):
            pass
    return time.monotonic()


def recover(site):
    """Until a stream works: the control link may be as dead as the leg was, and nobody knows yet."""
    def works():
        with contextlib.suppress(OSError, Failure), site.connect(port) as near:
            tick(near)
            return True
        return False

    port = site.client.tunnel(site.DEVICE, "echo")
    eventually(works, "streams work again", 120)
    site.client.close_tunnels()


def noticed(what, since, at):
    report(what, at - since)
    check(at - since <= DEAD + LATE, f"{what} noticed after {at - since:.1f} s")


def cut_is_noticed(site, echoes, what, fault, repair):
    """One stream, the fault, and how long its application and its target take to hear of it."""
    echoes.ends.clear()
    with site.connect(site.client.tunnel(site.DEVICE, "echo")) as near:
        tick(near)
        time.sleep(0.3)
        fault()
        since = time.monotonic()
        application = when_it_ends(near)
    eventually(lambda: echoes.ends, "the target hears of it", DEAD + LATE + 60)
    noticed(f"{what}: the application", since, application)
    noticed(f"{what}: the target", since, echoes.ends[0])
    repair()
    site.client.close_tunnels()
    recover(site)


def is_suspended(daemon):
    return [stream["state"] for stream in daemon.streams()] == ["suspended"]


def suspended(site, what, since):
    """Both ends have lost the leg in time, and wait for another one."""
    for daemon in (site.gateway, site.client):
        eventually(lambda daemon=daemon: is_suspended(daemon), f"{what}: {daemon.name} suspends", DEAD + LATE + 60)
        noticed(f"{what}: {daemon.name}", since, time.monotonic())


def goes_on(site, echoes, what, fault, repair):
    """The same with a stream that survives: both ends suspend it as soon, and it goes on behind the repair."""
    echoes.ends.clear()
    with site.connect(site.client.tunnel(site.DEVICE, "echo")) as near:
        tick(near)
        time.sleep(0.3)
        fault()
        near.sendall(b"into the silence")
        suspended(site, what, time.monotonic())
        repair()
        since = time.monotonic()
        check(read_exactly(near, 16) == b"into the silence", "what was sent meanwhile")
        report(f"{what}: it went on", time.monotonic() - since)
        tick(near)
        check(not echoes.ends, "its target has seen an end")
    eventually(lambda: echoes.ends, "the stream's orderly end")
    site.client.close_tunnels()


def is_suspended(daemon):
    return [stream["state"] for stream in daemon.streams()] == ["suspended"]


def suspended(what, since, *daemons):
    """They have lost the leg in time, and wait for another one."""
    for daemon in daemons:
        eventually(lambda daemon=daemon: is_suspended(daemon), f"{what}: {daemon.name} suspends", DEAD + LATE + 60)
        noticed(f"{what}: {daemon.name}", since, time.monotonic())


def goes_on(site, echoes, what, fault, repair, daemons=("gateway", "client")):
    """The same with a stream that survives: suspended as soon, and it goes on behind the repair."""
    echoes.ends.clear()
    with site.connect(site.client.tunnel(site.DEVICE, "echo")) as near:
        tick(near)
        time.sleep(0.3)
        fault()
        near.sendall(b"into the silence")
        suspended(what, time.monotonic(), *(getattr(site, name) for name in daemons))
        repair()
        since = time.monotonic()
        check(read_exactly(near, 16) == b"into the silence", "what was sent meanwhile")
        report(f"{what}: it went on", time.monotonic() - since)
        tick(near)
        check(not echoes.ends, "its target has seen an end")
        near.shutdown(socket.SHUT_WR)
        check(near.recv(1) == b"", "an orderly end")
    site.client.close_tunnels()


def site_of(net, resume=True, **kwargs):
    more = "" if resume else "\nResume=no"
    return netspace.NetSite(net, hub_settings=HUB, gateway_keys=LEG + more + ("" if LONG else "\nKeepAlive=2"),
                            client_keys=LEG + more, **kwargs)


@contextlib.contextmanager
def site_with_echo(**kwargs):
    with netspace.Net() as net, site_of(net, **kwargs) as site:
        yield net, site, site.serve("echo", Watched)


def waiting_request(net, site):
    """A request waits for a device that is not there, and its link dies."""
    site.hub.add_device("asleep")
    opening = site.client.start_ctl("connect", "--wait=60", "--timeout", "60", "asleep", "echo",
                                    stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    eventually(lambda: streams_of(site.hub) == 1, "the hub has the request")
    time.sleep(1)
    net.lose_both("client", "hub")
    since = time.monotonic()
    opening.wait(120)
    noticed("the link of a request that waits: the application", since, time.monotonic())
    eventually(lambda: streams_of(site.hub) == 0, "the hub drops the request", 120)
    noticed("the link of a request that waits: the hub", since, time.monotonic())
    net.heal()


def streams_of(hub):
    return json.loads(hub.admin("status", "--json"))["streams"]


def legs():
    """each way of losing the hub's packets: both ends of a stream notice"""
    with site_with_echo(resume=False) as (net, site, echoes):
        faults = [
            ("gateway and hub lose both ways", lambda: net.lose_both("gateway", "hub")),
            ("client and hub lose both ways", lambda: net.lose_both("client", "hub")),
            ("gateway to hub is lost", lambda: net.lose("gateway", "hub")),
            ("hub to gateway is lost", lambda: net.lose("hub", "gateway")),
            ("client to hub is lost", lambda: net.lose("client", "hub")),
            ("hub to client is lost", lambda: net.lose("hub", "client")),
        ]
        # Each takes its time: two of them show the others' code, too.
        for what, fault in faults if LONG else (faults[0], faults[5]):
            cut_is_noticed(site, echoes, what, fault, net.heal)
        if LONG:
            waiting_request(net, site)



class Stopped:
    """A target that reads only when it is told to, and counts."""

    def __init__(self):
        self.go = threading.Event()
        self.got = 0
        self.outcome = None
        self.server = Server(self._serve)
        self.address, self.close = self.server.address, self.server.close

    def _serve(self, connection):
        self.outcome = None
        self.go.wait()
        try:
            while True:
                count = len(connection.recv(1 << 18))
                if count == 0:
                    break
                self.got += count
            self.outcome = "clean"
        except ConnectionResetError:
            self.outcome = "reset"


def fill(connection):
    """Sends until nothing more is taken; returns how much that was."""
    sent, block = 0, bytes(1 << 16)
    connection.settimeout(1.5)
    with contextlib.suppress(TimeoutError):
        while True:
            sent += connection.send(block)
    connection.settimeout(300)
    return sent


def stalled_reader():
    """a reader that stops for much longer than that keeps its stream, and no byte is lost"""
    with site_with_echo() as (_, site, _):
        target = site.serve("stopped", Stopped)
        with site.connect(site.client.tunnel(site.DEVICE, "stopped")) as near:
            sent = fill(near)
            time.sleep(120 if LONG else 3 * DEAD)
            check(listed(site.client.ctl_json("stream", "list"), "streams")[0]["state"] == "open",
                  "the stream is not open any more")
            check("goes on after" not in site.client.log(), "its leg was lost")
            target.go.set()
            near.shutdown(socket.SHUT_WR)
            eventually(lambda: target.outcome, "the target reads to the end")
        check((target.got, target.outcome) == (sent, "clean"),
              f"got {target.got} of {sent}, {target.outcome}")
        print(f"# measured: {sent} bytes waited")
        site.check_memory()


def busy_one_way():
    """bytes in one direction alone, as fast as they go or read slowly: neither end is taken for dead"""
    duration, piece = 3 * DEAD, 1 << 16
    size = 5 << 20

    def endless(connection):
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(bytes(piece))

    def slow(connection):
        got = 0
        while got < size:
            got += len(connection.recv(piece))
            time.sleep(duration * piece / size)
        connection.sendall(b"done")

    with site_with_echo() as (_, site, _):
        site.serve("endless", Server, endless)
        site.serve("slow", Server, slow)
        with site.connect(site.client.tunnel(site.DEVICE, "endless")) as near, \
                site.connect(site.client.tunnel(site.DEVICE, "slow")) as other:
            sender = threading.Thread(target=other.sendall, args=(bytes(size),))
            sender.start()
            until, got = time.monotonic() + duration, 0
            while time.monotonic() < until:
                count = len(near.recv(1 << 20))
                check(count, "the stream has ended")
                got += count
            sender.join()
            check(read_exactly(other, 4) == b"done", "what the slow reader says at last")
        print(f"# measured: {got >> 20} MiB in {duration} s one way, and {size >> 20} MiB read slowly")


def dead_behind_a_closed_window():
    """the same, and then its host dies: the sender notices, although it cannot send"""
    with site_with_echo(resume=False) as (net, site, _):
        site.serve("stopped", Stopped)
        for what, ends in (("the gateway's host", ("gateway", "hub")),
                           ("the hub's host", ("client", "hub"))):
            with site.connect(site.client.tunnel(site.DEVICE, "stopped")) as near:
                fill(near)
                net.lose_both(*ends)
                since = time.monotonic()
                noticed(f"{what} dies behind a closed window: the application", since,
                        when_it_ends(near))
            net.heal()
            site.client.close_tunnels()
            recover(site)


def surviving():
    """the same with streams that survive: suspended as soon as others are cut, and they go on"""
    with site_with_echo() as (net, site, echoes):
        for pair in (("gateway", "hub"), ("client", "hub")):
            goes_on(site, echoes, f"{pair[0]} and hub lose both ways", lambda pair=pair: net.lose_both(*pair), net.heal)
        stop = site.gateway.popen.send_signal
        goes_on(site, echoes, "the gateway's streamd is stopped", lambda: stop(signal.SIGSTOP),
                lambda: stop(signal.SIGCONT), ("client",))


def surviving_behind_a_closed_window():
    """a full stream whose host dies is suspended as soon, and every byte arrives when it is back"""
    with site_with_echo() as (net, site, _):
        target = site.serve("stopped", Stopped)
        for what, ends in (("the gateway's host", ("gateway", "hub")), ("the hub's host", ("client", "hub"))):
            target.go.clear()
            target.got, target.outcome = 0, None
            with site.connect(site.client.tunnel(site.DEVICE, "stopped")) as near:
                sent = fill(near)
                net.lose_both(*ends)
                suspended(f"{what} dies behind a closed window", time.monotonic(), site.gateway, site.client)
                net.heal()
                target.go.set()
                near.shutdown(socket.SHUT_WR)
                eventually(lambda: target.outcome, "the target reads to the end")
                check((target.got, target.outcome) == (sent, "clean"), f"got {target.got} of {sent}, {target.outcome}")
            site.client.close_tunnels()


@contextlib.contextmanager
def behind_a_proxy(resume):
    """A site whose legs pass a proxy."""
    with contextlib.ExitStack() as stack:
        net = stack.enter_context(netspace.Net())
        with net.inside("hub"):
            proxy = stack.enter_context(FaultProxy(host="10.77.1.2"))
        site = stack.enter_context(
            site_of(net, resume, hub_arguments=["--streaming-host", f"hub.test:{proxy.port}"]))
        proxy.upstream = site.hub.https_port
        yield site, proxy, site.serve("echo", Watched)


def freezing_proxy():
    """a proxy that acknowledges everything and passes nothing on"""
    with behind_a_proxy(False) as (site, proxy, echoes):
        cut_is_noticed(site, echoes, "the proxy freezes", proxy.flowing.clear, proxy.flowing.set)
    with behind_a_proxy(True) as (site, proxy, echoes):
        goes_on(site, echoes, "the proxy freezes", proxy.flowing.clear, proxy.flowing.set)


def stopped_processes():
    """a streamd or hub that is stopped: for a moment nothing happens, for long its streams are cut"""
    with site_with_echo(resume=False) as (_, site, echoes):
        port = site.client.tunnel(site.DEVICE, "echo")
        for process in (site.gateway, site.client, site.hub):
            with site.connect(port) as near:
                tick(near)
                process.popen.send_signal(signal.SIGSTOP)
                time.sleep(DEAD / 2)
                process.popen.send_signal(signal.SIGCONT)
                tick(near)
        echoes.ends.clear()
        with site.connect(port) as near:
            tick(near)
            since = time.monotonic()
            site.gateway.popen.send_signal(signal.SIGSTOP)
            noticed("the gateway's streamd is stopped: the application", since, when_it_ends(near))
            site.gateway.popen.send_signal(signal.SIGCONT)
            since = time.monotonic()
            eventually(lambda: echoes.ends, "the target hears of it")
            recover(site)
            report("it goes on: the next stream", time.monotonic() - since)


@contextlib.contextmanager
def starved(*processes):
    """Each runs for 10 ms of every 200 ms: a twentieth of a CPU."""
    over = threading.Event()

    def stop_and_go():
        while not over.is_set():
            for number, wait in ((signal.SIGSTOP, 0.19), (signal.SIGCONT, 0.01)):
                for process in processes:
                    process.popen.send_signal(number)
                over.wait(wait)
        for process in processes:
            process.popen.send_signal(signal.SIGCONT)

    thread = threading.Thread(target=stop_and_go)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def scarce_cpu():
    """all three programs have a twentieth of a CPU: an idle stream and a busy one stay, no link is lost"""
    with site_with_echo() as (_, site, echoes):
        port = site.client.tunnel(site.DEVICE, "echo")
        before = site.hub.log().count("connected")
        with site.connect(port) as idle, site.connect(port) as busy:
            tick(idle)
            echoes.ends.clear()
            since, rounds = time.monotonic(), 0
            with starved(site.hub, site.gateway, site.client):
                while time.monotonic() - since < 3 * DEAD:
                    tick(busy)
                    rounds += 1
            tick(idle)
            check(not echoes.ends, "a stream has ended")
            for daemon in (site.gateway, site.client):
                check("goes on after" not in daemon.log(), f"{daemon.name}: a leg was lost")
        print(f"# measured: nothing was cut in {time.monotonic() - since:.0f} s; {rounds} bytes there and back")
        check(rounds > 3, f"{rounds} ticks")
        check(site.hub.log().count("connected") == before, f"a link was lost: {site.hub.log()}")


main(legs, surviving, stalled_reader, busy_one_way, dead_behind_a_closed_window, surviving_behind_a_closed_window, freezing_proxy, stopped_processes, scarce_cpu)
