# SPDX-License-Identifier: LGPL-2.1-or-later
"""slowhttptest, three of its attacks, beside requests of somebody else (requirements R2, R3, R6).

With the limits for one source set high, so that it is the deadlines that end the slow ones; then
with the limits as they are by default. 2,000 connections with STREAMD_LONG."""
import contextlib
import os
import subprocess
import threading
import time

import wire
from harness import LONG, check, check_equal, eventually, main
from hub_wire import with_hub

CONNECTIONS = 2000 if LONG else 300
DEADLINE = 10 if LONG else 4  # s
LINGER = 5  # s that one which was answered is given to read the answer (common/net/connection.h)
WIDE = f"""[hub]
handshake-timeout = {DEADLINE}
request-timeout = {DEADLINE}
keep-alive-timeout = {DEADLINE}
unauthenticated-max = 16384
unauthenticated-per-source = 8192
connections-per-second = 100000
connections-burst = 100000
"""
MODES = {"headers": ["-H"], "body": ["-B", "-s", "65536"], "reader": ["-X", "-k", "3"]}


class Others:
    """Requests of a service that is in no hurry, each on a new connection; how long they took."""

    def __init__(self, hub):
        self.hub = hub
        self.times, self.errors = [], []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.over.wait(0.02):
            since = time.monotonic()
            try:
                http = wire.Http(self.hub.port, self.hub.ca)
                http.send("POST", "/twins/nobody/streams/x?api-version=1",
                          [("Authorization", self.hub.service_token())])
                status = http.read().status
                http.close()
                if status != 404:
                    self.errors.append(f"status {status}")
            except (OSError, wire.Closed) as error:
                self.errors.append(repr(error))
            self.times.append(time.monotonic() - since)

    def stop(self):
        self.over.set()
        self.thread.join(wire.WAIT)
        times = sorted(self.times)
        worst = times[int(len(times) * 0.99)] if times else None
        return len(times), times[len(times) // 2], worst


class Held:
    """The sockets that the hub holds beyond those that it had, and for how long each."""

    def __init__(self, hub):
        self.hub = hub
        self.usual = self._sockets()
        self.first, self.last = {}, {}
        self.now, self.most = 0, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _sockets(self):
        found = set()
        folder = f"/proc/{self.hub.pid}/fd"
        for name in os.listdir(folder):
            with contextlib.suppress(OSError):
                link = os.readlink(f"{folder}/{name}")
                if link.startswith("socket:"):
                    found.add(link)
        return found

    def _run(self):
        while not self.over.wait(0.1):
            at, held = time.monotonic(), self._sockets() - self.usual
            for link in held:
                self.first.setdefault(link, at)
                self.last[link] = at
            self.now, self.most = len(held), max(self.most, len(held))

    def stop(self):
        """How many there were at once, and the longest that one was held, in seconds."""
        self.over.set()
        self.thread.join()
        return self.most, max(self.last[link] - self.first[link] for link in self.first)


def attack(hub, mode, seconds):
    """Runs slowhttptest against it until its connections have ended, at most so many seconds."""
    child = subprocess.Popen(
        ["slowhttptest", *MODES[mode], "-c", str(CONNECTIONS), "-r", str(CONNECTIONS), "-i", "1",
         "-l", str(seconds), "-u", f"https://127.0.0.1:{hub.port}/twins/x/streams/y", "-v", "1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], "TERM": "dumb"})
    hub.site.children.append(child)
    return child


def under_attack(hub, mode):
    hub.hub.reset_peak()
    rss = hub.hub.status_kib("VmRSS")
    others, held = Others(hub), Held(hub.hub)
    child = attack(hub, mode, 60)
    eventually(lambda: held.now > CONNECTIONS // 4, "they are there")
    eventually(lambda: held.now <= 3, "they are gone")
    child.kill()
    child.wait()
    asked, median, worst = others.stop()
    most, longest = held.stop()
    print(f"# {mode}: {len(held.first)} connections, {most} at once, none for more than "
          f"{longest:.1f} s; {asked} requests of another: median {median * 1000:.0f} ms, p99 {worst * 1000:.0f} ms; "
          f"RSS {rss} KiB, at most {hub.hub.peak_kib()} KiB")
    check_equal(others.errors, [], "requests of the other")
    check(asked > 10, "hardly a request")
    check(longest <= DEADLINE + LINGER + 1, f"a slow connection stayed for {longest:.1f} s")
    check(worst < 1.0, f"p99 of the other's requests: {worst:.2f} s")


@with_hub(WIDE)
def deadlines(hub):
    """slow heads, slow bodies and slow readers are ended at their deadline, others do not notice"""
    hub.post("nobody").read()
    for mode in MODES:
        under_attack(hub, mode)


@with_hub("[hub]\nunauthenticated-per-source = 5\nknown-source-factor = 8\n")
def places(hub):
    """one source has few places, and who is known there keeps being served"""
    known = hub.device()
    held = Held(hub.hub)
    child = attack(hub, "headers", 10)
    eventually(lambda: held.now >= 10, "some have a place")
    for _ in range(20):
        check(known.ping(), "PINGRESP")
        time.sleep(0.05)
    child.kill()
    child.wait()
    eventually(lambda: held.now <= 3, "they are gone")
    most, _ = held.stop()
    print(f"# {most} of {CONNECTIONS} got a place")
    check(most <= 5 * 8 + 5, f"{most} were let in")
    check_equal(hub.post("nobody").read().status, 404, "status afterwards")


if __name__ == "__main__":
    main(deadlines, places)
