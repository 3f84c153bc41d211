# SPDX-License-Identifier: LGPL-2.1-or-later
"""streamhub and streamd killed with SIGKILL again and again, under load (faults F7 and F8).

Fifty times each with STREAMD_LONG. What must hold: what was acknowledged is there, the registry is
whole, the device is back in 30 s, no listener and no descriptor is left behind, and no stream
brought wrong bytes."""
import collections
import contextlib
import json
import os
import random
import signal
import socket
import sqlite3
import statistics
import threading
import time

from ends import Server, connect, echo, read_all, read_exactly
from harness import LONG, Daemon, Failure, Site, check, check_equal, eventually, main, run

ROUNDS = 50 if LONG else 3
BETWEEN = (5.0, 6.0) if LONG else (0.05, 0.6)  # s that a hub lives: what comes back sooner waits longer
BACK = 30.0  # s until the device is back
SEED = 5

SETTINGS = """[hub]
penalty = 0
reconnects-per-minute = 1000
connections-per-second = 1000
"""


class Load:
    """Streams through a tunnel, one after the other in each thread, while the others are killed."""

    def __init__(self, site, port, threads=4):
        self.site, self.port = site, port
        self.counts = collections.Counter()
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(n,), daemon=True)
                        for n in range(threads)]
        for thread in self.threads:
            thread.start()

    def _run(self, number):
        dice = random.Random(SEED + number)
        while not self.over.is_set():
            data = dice.randbytes(dice.choice((10, 5000, 300000)))
            try:
                with connect(self.port) as near:
                    near.sendall(data)
                    near.shutdown(socket.SHUT_WR)
                    got = read_all(near)
                    self.counts["exact" if got == data else "WRONG"] += 1
            except ConnectionRefusedError:
                self.counts["no listener"] += 1
                time.sleep(0.05)
            except OSError as error:
                self.counts[type(error).__name__] += 1

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(150)
            check(not thread.is_alive(), "a stream hangs")
        print(f"# streams: {dict(self.counts)}")
        check_equal(self.counts["WRONG"], 0, "streams with wrong or missing bytes")
        check_equal(self.counts["TimeoutError"], 0, "streams that hung")
        check(self.counts["exact"] > ROUNDS, "hardly a stream came through")


class Writer:
    """Devices added and removed through the admin socket; remembers what was acknowledged."""

    def __init__(self, site):
        self.site = site
        self.there, self.gone, self.unsure = set(), set(), set()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        number = 0
        while not self.over.wait(0.01):
            number += 1
            name = f"dev-{number:05}"
            if self._ask("add", name):
                self.there.add(name)
                if number % 3 == 0:
                    self.there.discard(name)
                    (self.gone if self._ask("remove", name) else self.unsure).add(name)

    def _ask(self, *words):
        done = run([self.site.streamhub, "--state-dir", self.site.hub.state_dir, "device", *words])
        return done.returncode == 0

    def stop(self):
        self.over.set()
        self.thread.join(60)
        shown = json.loads(self.site.hub.admin("device", "list", "--json"))
        names = {device["device_id"] for device in shown}
        print(f"# registry: {len(self.there)} additions and {len(self.gone)} removals acknowledged")
        check(len(self.there) > ROUNDS, "hardly a write was acknowledged")
        check_equal(sorted(self.there - names), [], "acknowledged, and not there")
        check_equal(sorted(self.gone & names), [], "removed, and there again")


def registry_is_whole(site):
    path = os.path.join(site.hub.state_dir, "registry.db")
    with contextlib.closing(sqlite3.connect(path)) as database:
        check_equal(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)], "the registry")


def killed(site, process):
    process.popen.send_signal(signal.SIGKILL)
    process.popen.wait()
    process.ended_by_us = True
    site.processes.remove(process)


def tell(what, seconds):
    print(f"# {what}: median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s "
          f"of {len(seconds)}")
    check(max(seconds) <= BACK, f"{what}: {max(seconds):.1f} s")


def configured(site):
    """The hub again, on ports that it keeps, without limits on those who come back often."""
    path = os.path.join(site.dir, "hub.conf")
    with open(path, "w", encoding="ascii") as file:
        file.write(SETTINGS)
    ports = (str(site.hub.https_port), str(site.hub.mqtts_port))
    check_equal(site.hub.stop(), 0, "the hub's exit status")
    site.processes.remove(site.hub)
    return lambda: site.start_hub(["--config", path], ports=ports)


def hub_killed():
    """the hub, killed under load: nothing acknowledged is lost, the device comes back"""
    dice = random.Random(SEED)
    with Site() as site:
        start = configured(site)
        start()
        site.wait_online(site.DEVICE)
        site.expose("echo", Server(echo, site).address)
        port = site.client.tunnel(site.DEVICE, "echo")
        before = site.count()
        load, writer = Load(site, port), Writer(site)
        ready, back = [], []
        for _ in range(ROUNDS):
            time.sleep(dice.uniform(*BETWEEN))
            killed(site, site.hub)
            site.hub.popen.stdout.close()
            since = time.monotonic()
            start()
            ready.append(time.monotonic() - since)
            site.wait_online(site.DEVICE)
            back.append(time.monotonic() - since)
        load.stop()
        writer.stop()
        registry_is_whole(site)
        tell("the hub accepts again", ready)
        tell("the device is back", back)
        site.wait_count(before)


def is_refused(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        return False
    except ConnectionRefusedError:
        return True


def again(site, daemon):
    """Kills a streamd, looks what is left, and starts it on the same state: the seconds it took."""
    name, bus = daemon.name, daemon.bus
    killed(site, daemon)
    bus.stop()
    site.processes.remove(bus)
    since = time.monotonic()
    fresh = Daemon(site, name)
    seconds = time.monotonic() - since
    site.processes.append(fresh)
    return fresh, seconds


def target_sees_it(port, target):
    """A stream that is open when the gateway's streamd dies: both applications are told at once."""
    near = connect(port)
    near.sendall(b"x")
    check_equal(read_exactly(near, 1), b"x", "the echo")

    def told():
        since = time.monotonic()
        with near, contextlib.suppress(ConnectionResetError):
            check_equal(near.recv(1), None, "an orderly end")
        eventually(lambda: target.ends, "the target is told")
        return time.monotonic() - since

    return told


class Held(Server):
    """A target that remembers that its connection has ended."""

    def __init__(self, site):
        self.ends = []
        super().__init__(self._hold, site)

    def _hold(self, connection):
        with contextlib.suppress(OSError):
            echo(connection)
        self.ends.append(1)


def daemons_killed():
    """each streamd, killed under load: its applications are told, its tunnel and hub come back"""
    dice = random.Random(SEED)
    with Site() as site:
        site.hub = configured(site)()
        site.wait_online(site.DEVICE)
        site.expose("echo", Server(echo, site).address)
        held = Held(site)
        site.expose("held", held.address)
        port = site.client.tunnel(site.DEVICE, "echo")
        held_port = site.client.tunnel(site.DEVICE, "held")
        hub_before = None
        load = Load(site, port)
        told, back, tunnel_back = [], [], []
        for _ in range(ROUNDS):
            time.sleep(dice.uniform(0.05, 0.3))
            held.ends.clear()
            sees = target_sees_it(held_port, held)
            site.gateway, _ = again(site, site.gateway)
            told.append(sees())
            since = time.monotonic()
            site.wait_online(site.DEVICE)
            back.append(time.monotonic() - since)
            site.client, seconds = again(site, site.client)
            tunnel_back.append(seconds)
            eventually(lambda: not is_refused(port), "the tunnel listens again")
            hub_before = hub_before or site.hub.fds()
        load.stop()
        tell("both applications are told", told)
        tell("the device is back", back)
        tell("the tunnel is back", tunnel_back)
        held_now = site.hub.fds()
        print(f"# the hub's descriptors: {hub_before} after the first round, {held_now} after the last")
        eventually(lambda: site.hub.fds() <= hub_before, "the hub holds no more than at first", 120)
        killed(site, site.client)
        site.client = None
        check(is_refused(port), "a listener outlives its streamd")


if __name__ == "__main__":
    main(hub_killed, daemons_killed)
