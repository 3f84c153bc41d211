# SPDX-License-Identifier: LGPL-2.1-or-later
"""The bus dies under streamd (fault F29), at both ends at once: streams and hub links go on, the name comes
back with the bus, and what apps had through it has ended."""
import contextlib
import os
import signal
import socket
import subprocess
import threading
import time

from ends import Server, connect, echo, read_exactly, tick
from harness import Bus, Site, bound_port, check, check_equal, eventually, listed, main, run

NAME = "io.streamd.Streamd1"
BACK = 5  # s
OUTAGE = 2
PIECE = 64 << 10


def owned(daemon):
    """Whether a streamd has the name on that bus; the bus itself is asked."""
    done = run(["busctl", f"--address={daemon.bus.address}", "call", "org.freedesktop.DBus",
                "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner", "s", NAME],
               env=daemon.env)
    return done.stdout.strip() == "b true"


def kill_bus(daemon):
    daemon.bus.stop(signal.SIGKILL)


def another_bus(site, daemon):
    daemon.bus = Bus(site, daemon.name)
    site.processes.append(daemon.bus)
    daemon.env["DBUS_SESSION_BUS_ADDRESS"] = daemon.bus.address  # it has another identity (guid)


def start_bus(site, daemon):
    """At the same address; returns how long the name took."""
    another_bus(site, daemon)
    since = time.monotonic()
    eventually(lambda: owned(daemon), f"{daemon.name} has its name again", 30)
    took = time.monotonic() - since
    print(f"# measured: {daemon.name}: the name is back after {took:.2f} s")
    check(took < BACK, f"{daemon.name}: the name took {took:.1f} s")


class Flow:
    """Random pieces there and back, one after the other, until it is stopped."""

    def __init__(self, near):
        self.near = near
        self.pieces = 0
        self.error = None
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            while not self.over.is_set():
                piece = os.urandom(PIECE)
                self.near.sendall(piece)
                check(read_exactly(self.near, PIECE) == piece, "another piece came back")
                self.pieces += 1
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def stop(self):
        self.over.set()
        self.thread.join(60)
        check(self.error is None and not self.thread.is_alive(), f"the stream: {self.error}")
        return self.pieces


def started_at(daemon):
    return run(["busctl", f"--address={daemon.bus.address}", "get-property", NAME, "/io/streamd/Streamd1",
                NAME + ".Manager", "StartedAt"], env=daemon.env).stdout


def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def streams_go_on():
    """streams and hub links go on without a bus, the name is back, apps' tunnels and agents have gone"""
    with Site() as site:
        site.expose("echo", Server(echo, site).address)
        port = site.client.tunnel(site.DEVICE, "echo")
        fore = site.client.start_ctl("tunnel", "open", site.DEVICE, "echo", stdout=subprocess.PIPE, text=True)
        fore_port = bound_port(fore.stdout.readline())
        pipe = site.client.start_ctl("connect", site.DEVICE, "echo", stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE)
        pipe.stdin.write(b"before")
        pipe.stdin.flush()
        check_equal(pipe.stdout.read(6), b"before", "through connect")
        agent = site.gateway.start_ctl("agent", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with connect(port) as near, connect(fore_port) as leased:
            tick(leased)
            flow = Flow(near)
            began = started_at(site.client)
            daemons = (site.client, site.gateway)
            for daemon in daemons:
                kill_bus(daemon)
            eventually(lambda: not listens(fore_port), "the tunnel of an app that has lost its bus closes")
            check(listens(port), "the background tunnel stays")
            with connect(port) as another:  # and takes connections
                tick(another)
            before = flow.pieces
            time.sleep(OUTAGE)
            check(flow.pieces > before, "nothing moves without a bus")
            check(all(daemon.alive() for daemon in daemons), "streamd ended")
            check(site.is_online(site.DEVICE), "the device is offline")
            for daemon in daemons:
                start_bus(site, daemon)
            check_equal(started_at(site.client), began, "StartedAt")
            shown = listed(site.client.ctl_json("tunnel", "list"), "tunnels")
            check_equal([bound_port("Listening on " + t["listen_address"]) for t in shown], [port], "tunnels")
            opened = [s for s in site.client.streams() if s["state"] == "open"]
            check_equal(len(opened), 2, f"streams that go on: {opened}")
            pieces = flow.stop()
            print(f"# measured: {pieces} pieces of 64 KiB, exact; {OUTAGE} s without a bus")
        # The fd of an app is its own, whatever becomes of its bus.
        pipe.stdin.write(b"after")
        pipe.stdin.flush()
        check_equal(pipe.stdout.read(5), b"after", "through connect, afterwards")
        check("is lost" in site.client.log() and "Owns the name on the bus again" in site.client.log(), site.client.log())
        check("Hub office is not connected" not in site.gateway.log(), "the hub link was lost")
        works = site.client.tunnel(site.DEVICE, "echo")
        with connect(works) as near:
            tick(near)
        for process in (fore, pipe, agent):
            with contextlib.suppress(OSError):
                process.stdin and process.stdin.close()
            process.kill()
            process.wait()


def again_and_again():
    """the bus dies ten times, also while the name is being asked for: descriptors stay as they were"""
    with Site(gateway=False) as site:
        before = None
        for number in range(10):
            kill_bus(site.client)
            another_bus(site, site.client)
            if number % 2 == 0:
                eventually(lambda: owned(site.client), "the name is back", 30)
                before = before or site.client.fds()
        eventually(lambda: owned(site.client), "the name is back", 30)
        site.client.ctl_ok("hub", "list")
        eventually(lambda: site.client.fds() <= before, f"{site.client.fds()} descriptors, {before} before")
        check_equal(site.client.stop(), 0, "exit status")


def stops_without_a_bus():
    """without a bus streamd can still be stopped in order"""
    with Site(gateway=False) as site:
        kill_bus(site.client)
        eventually(lambda: "is lost" in site.client.log(), "it is noticed")
        check_equal(site.client.stop(), 0, "exit status")


def name_is_taken():
    """while it was away somebody else has taken the name: streamd waits, and has it afterwards"""
    with Site(gateway=False) as site:
        kill_bus(site.client)
        eventually(lambda: "is lost" in site.client.log(), "it is noticed")
        site.client.popen.send_signal(signal.SIGSTOP)
        another_bus(site, site.client)
        other = subprocess.Popen(
            ["/usr/bin/python3", "-c", "import gi, sys\nfrom gi.repository import Gio, GLib\n"
             f"Gio.bus_own_name(Gio.BusType.SESSION, '{NAME}', 0, None, lambda *_: print('owned', flush=True),"
             " lambda *_: sys.exit(1))\nGLib.MainLoop().run()"],
            env=site.client.env, stdout=subprocess.PIPE, text=True)
        site.children.append(other)
        check_equal(other.stdout.readline(), "owned\n", "the other one")
        site.client.popen.send_signal(signal.SIGCONT)
        time.sleep(1)
        check(site.client.alive(), "streamd ended")
        other.kill()
        other.wait()
        eventually(lambda: owned(site.client), "the name is ours", 30)
        eventually(lambda: site.client.ctl("hub", "list").returncode == 0, "streamctl works")


main(streams_go_on, again_and_again, stops_without_a_bus, name_is_taken)
