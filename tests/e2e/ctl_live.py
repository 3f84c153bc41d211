# SPDX-License-Identifier: LGPL-2.1-or-later
"""The live views: `top` measures, on a terminal it redraws and gives the terminal back however it
ends; `monitor` tells what changes, for people and as a line of JSON per event."""
import contextlib
import json
import os
import pty
import signal
import subprocess
import termios
import threading
import time

from ends import Server, connect, echo, tick
from harness import PATIENCE, Site, bound_port, check, check_equal, eventually, main

MONITOR_EVENTS = {"added", "changed", "removed", "gone"}


class Terminal:
    """A program on a pseudo terminal, and everything that it has shown."""

    def __init__(self, daemon, *arguments):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.shown = b""
        self.process = subprocess.Popen(daemon.argv(*arguments), env={**daemon.env, "TERM": "xterm"},
                                        stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                        start_new_session=True)
        daemon.site.children.append(self.process)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with contextlib.suppress(OSError):
            while piece := os.read(self.master, 4096):
                self.shown += piece

    def wait_for(self, text, times=1):
        eventually(lambda: self.shown.count(text) >= times, f"{times} times {text!r}")

    def press(self, key):
        os.write(self.master, key)

    def restored(self):
        """The settings and the page are as before, and the cursor is seen."""
        last_off, last_on = self.shown.rfind(b"\033[?1049l"), self.shown.rfind(b"\033[?1049h")
        return (termios.tcgetattr(self.slave) == self.before and last_off > last_on
                and self.shown.rfind(b"\033[?25h") > self.shown.rfind(b"\033[?25l"))

    def ends(self, status):
        check_equal(self.process.wait(PATIENCE), status, f"status of {self.shown[-300:]!r}")
        eventually(self.restored, "the terminal is given back")
        os.close(self.slave)
        os.close(self.master)


def flow(connection):
    """Sends slowly until the connection is closed."""
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b"x" * 4096)
            time.sleep(0.01)


def sink(connection):
    while connection.recv(65536):
        pass


@contextlib.contextmanager
def busy_site():
    """A site with one stream that is busy and one that is not."""
    with Site() as site:
        site.expose("sink", Server(sink, site).address)
        port = site.client.tunnel(site.DEVICE, "sink")
        with connect(port) as busy, connect(port):
            threading.Thread(target=flow, args=(busy,), daemon=True).start()
            eventually(lambda: len([s for s in site.client.streams() if s["state"] == "open"]) == 2,
                       "two streams")
            yield site
            # Closing alone would leave the thread in its sendall.
            with contextlib.suppress(OSError):
                busy.shutdown(2)


def top_measures():
    """top --json and top on a pipe: the rates, the fastest first"""
    with busy_site() as site:
        fast, slow = site.client.ctl_json("top")
        check(fast["out_rate"] > 4096 and fast["in_rate"] == 0, fast)
        check_equal((slow["out_rate"], slow["in_rate"]), (0, 0), "the idle one")
        check(fast["bytes_out"] > 0 and fast["device_id"] == site.DEVICE, fast)
        lines = site.client.ctl_ok("top").splitlines()
        check_equal(lines[0].split()[:3], ["ID", "IN/S", "OUT/S"], "the titles")
        check_equal(lines[1].split()[0], str(fast["id"]), "the fastest first")
        check("\033" not in "".join(lines), "terminal sequences on a pipe")


def top_on_a_terminal():
    """top redraws until q, Ctrl-C or a signal, and leaves the terminal as it was"""
    with busy_site() as site:
        live = Terminal(site.client, "top")
        live.wait_for(b"2 streams, in ")
        live.wait_for(b"KiB/s", times=2)
        check(b"\033[?1049h" in live.shown, "another page")
        live.press(b"q")
        live.ends(0)
        for end, status in ((lambda t: t.press(b"\x03"), 0),
                            (lambda t: t.process.send_signal(signal.SIGTERM), 0),
                            (lambda t: t.process.send_signal(signal.SIGHUP), 0),
                            (lambda t: t.process.kill(), -signal.SIGKILL)):
            live = Terminal(site.client, "top")
            live.wait_for(b"q: quit")
            end(live)
            live.ends(status)
        once = Terminal(site.client, "top", "--once")
        once.wait_for(b"OUT/S")
        check_equal(once.process.wait(PATIENCE), 0, "--once")
        check(b"\033[?1049h" not in once.shown, once.shown)
        live = Terminal(site.client, "top")
        live.wait_for(b"q: quit")
        site.client.stop()
        live.ends(3)
        check(b"streamctl: " in live.shown.rsplit(b"\033[?1049l", 1)[1], live.shown[-300:])


def monitor_tells():
    """monitor: from which state to which, for people; a line of JSON per event for programs"""
    with Site(client=False) as site:
        gateway = site.gateway
        people = gateway.start_ctl("monitor", stdout=subprocess.PIPE, text=True)
        programs = gateway.start_ctl("monitor", "--json", stdout=subprocess.PIPE, text=True)
        told = {people: [], programs: []}
        for process in told:
            threading.Thread(target=lambda p=process: [told[p].append(line) for line in p.stdout],
                             daemon=True).start()

        def heard():
            """A target comes and goes until both listen, and one of them has seen it come."""
            gateway.ctl_ok("target", "add", "web", "tcp:127.0.0.1:80")
            gateway.ctl_ok("target", "remove", "web")
            return any(" new " in line for line in told[people]) and told[programs]

        eventually(heard, "both listen")
        gateway.ctl_ok("hub", "disconnect", "office")
        eventually(lambda: any("connected → disconnected" in line for line in told[people]),
                   "what changed")
        line = next(line for line in told[people] if "target web" in line and "new" in line)
        check("Address: tcp:127.0.0.1:80" in line, line)
        eventually(lambda: "disconnected" in "".join(told[programs]), "the same as JSON")
        for line in told[programs]:
            event = json.loads(line)
            check(event["event"] in MONITOR_EVENTS, line)
            check(isinstance(event["time"], int) and event["object"] in ("hub", "target"), line)
        for process in told:
            process.terminate()
            check_equal(process.wait(PATIENCE), 0, "monitor's status")


def foreground_tells():
    """a tunnel in the foreground says which connections failed, and nothing of one that was completed"""
    with Site() as site:
        server = Server(echo, site)
        site.expose("echo", server.address)
        tunnel = site.client.start_ctl("tunnel", "open", site.DEVICE, "echo", stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
        port = bound_port(tunnel.stdout.readline())
        with connect(port) as connection:
            tick(connection)
        eventually(lambda: "completed" in site.client.ctl_ok("stream", "list"), "it has ended")
        site.gateway.ctl_ok("accept-policy", "set-default", "reject")
        site.gateway.ctl_ok("accept-policy", "remove", "1000")
        with connect(port) as connection, contextlib.suppress(ConnectionResetError):
            check_equal(connection.recv(1), b"", "of a connection that is refused")
        said = tunnel.stderr.readline()
        check("a connection failed" in said and "rejected" in said, said)
        tunnel.terminate()
        check_equal(tunnel.stderr.read(), "", "nothing else is said")


if __name__ == "__main__":
    main(top_measures, top_on_a_terminal, monitor_tells, foreground_tells)
