# SPDX-License-Identifier: LGPL-2.1-or-later
"""Streams for a while, as faults drawn from a seed befall the site (fault F36).

STREAMD_SOAK_SECONDS, STREAMD_SOAK_RATE (streams a second) and STREAMD_SOAK_SEED say how much and
which; with STREAMD_LONG it is 20 minutes of 20 a second. What must hold at the end: each stream was
exact, or ended with a reason that is the same at both ends and at the hub; no process grew, and none
holds more descriptors than before."""
import collections
import contextlib
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

from harness import LONG, NO_RESUME, SANITIZED, Failure, Site, check, check_equal, eventually, main
from soak_faults import Faults, Proxy

SECONDS = float(os.environ.get("STREAMD_SOAK_SECONDS", "1200" if LONG else "10"))
RATE = float(os.environ.get("STREAMD_SOAK_RATE", "20" if LONG else "6"))
SEED = int(os.environ.get("STREAMD_SOAK_SEED", "20"))

SETTINGS = """[hub]
leg-ping = 4
leg-dead = 12
penalty = 0
reconnects-per-minute = 1000
connections-per-second = 1000
"""
BLOCK = random.Random(SEED).randbytes(1 << 20) * 2  # what all streams carry pieces of
AT_ONCE = 200
STREAM_SECONDS = 90  # how long one stream may take, faults included
GROWTH_KIB = 3 * 1024


def content(number, size):
    """The bytes of a stream: its number and its size, then a piece of BLOCK that belongs to it."""
    start = number * 7919 % (1 << 20)
    head = number.to_bytes(8, "big") + size.to_bytes(8, "big")
    return head + BLOCK[start:start + size % (1 << 20)]


class Target:
    """Echoes each connection, and looks whether what it is sent is what the stream is to carry."""

    def __init__(self):
        self.wrong = []
        self.port = 0
        self.listener = None
        self.away(False)

    def away(self, gone):
        if gone:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            return
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def _accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection):
        got = bytearray()
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(1 << 16):
                got += data
                connection.sendall(data)
        if len(got) >= 16:
            number, size = (int.from_bytes(got[i:i + 8], "big") for i in (0, 8))
            if not content(number, size).startswith(bytes(got)):
                self.wrong.append(number)


class Traffic:
    """Opens streams at a steady rate; each is a streamctl of its own and a thread that drives it."""

    KINDS = ("whole", "whole", "whole", "slow", "talk", "killed", "unnamed")

    def __init__(self, site):
        self.site = site
        self.outcomes = collections.Counter()
        self.wrong = []
        self.running = threading.BoundedSemaphore(AT_ONCE)
        self.names = []

    def run(self, seconds):
        threads = []
        started = time.monotonic()
        for number in range(int(seconds * RATE)):
            time.sleep(max(0.0, started + number / RATE - time.monotonic()))
            self.running.acquire()
            thread = threading.Thread(target=self._one, args=(number,), daemon=True)
            thread.start()
            threads = [t for t in threads if t.is_alive()] + [thread]
        for thread in threads:
            thread.join(STREAM_SECONDS + 60)
            if thread.is_alive():
                self.wrong.append("a stream that never ends")

    def _one(self, number):
        dice = random.Random(SEED * 1000003 + number)
        kind = dice.choice(self.KINDS)
        name = f"{'x' if kind == 'unnamed' else 's'}-{number:06}{'k' if kind == 'killed' else ''}"
        self.names.append(name)
        try:
            self._drive(number, name, kind, dice)
        except Exception as error:  # pylint: disable=broad-except
            self.wrong.append(f"{name}: {error!r}")
        finally:
            self.running.release()

    def _drive(self, number, name, kind, dice):
        data = content(number, int(2 ** dice.uniform(4, 19)))
        child = self.site.client.start_ctl("connect", self.site.DEVICE, name, stdin=subprocess.PIPE,
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        watchdog = threading.Timer(STREAM_SECONDS, child.kill)
        watchdog.start()
        writer = threading.Thread(target=write, args=(child.stdin, data, kind, dice.random()))
        writer.start()
        if kind == "killed":
            time.sleep(dice.uniform(0, 1))
            child.kill()
        got = read(child.stdout, slowly=kind == "slow")
        writer.join()
        code = child.wait()
        watchdog.cancel()
        said = child.stderr.read().decode()
        child.stdout.close()
        child.stderr.close()
        self.site.children.remove(child)
        self.outcomes[f"{kind} {code}"] += 1
        if not data.startswith(got):
            self.wrong.append(f"{name}: {len(got)} bytes came back that were never sent so")
        if code == 0 and got != data:
            self.wrong.append(f"{name}: {len(got)} of {len(data)} bytes, and nobody said so")
        if code == -signal.SIGKILL and kind != "killed":
            self.wrong.append(f"{name}: did not end in {STREAM_SECONDS} s")
        if code > 0 and not said.strip():
            self.wrong.append(f"{name}: ended with {code} without a word")


def write(pipe, data, kind, pause):
    with contextlib.suppress(OSError), pipe:
        step = len(data) // 4 + 1 if kind == "talk" else len(data)
        for start in range(0, len(data), step):
            pipe.write(data[start:start + step])
            pipe.flush()
            if kind == "talk":
                time.sleep(pause * 2)


def read(pipe, slowly):
    got = bytearray()
    while data := pipe.read1(1 << 14):
        got += data
        if slowly:
            time.sleep(0.02)
    return bytes(got)


# -- what was written of each stream -------------------------------------------------------------

ENDS = re.compile(
    r"Stream (\S+): (\S+) of \S+ (?:at hub \S+ )?for \S+ (?:from \S+ )?(ended|was cut|did not open) \(([a-z-]+)\)")
LOST = re.compile(r"Stream \S+: (\S+) of .* has lost its connection ")
REJECTS = re.compile(r"Stream (\S+): (\S+) from \S+ at hub \S+ is rejected by .*: ([a-z-]+)$")
ACCEPTS = re.compile(r"Stream (\S+): (\S+) from \S+ .* is accepted by ")
TARGETS = re.compile(r"did not accept stream (\S+): ([a-z-]+)$")


def reasons(log):
    """The reason of each stream by its name, as one process wrote it down; "not-open" is put before
    it where the stream was never open there. What is too much for the log is left out of it."""
    ended, names = {}, {}
    for line in log.splitlines():
        if found := ENDS.search(line):
            word = ("not-open " if found[3] == "did not open" else "") + found[4]
            ended.setdefault(found[2], []).append(word)
        elif found := REJECTS.search(line):
            ended.setdefault(found[2], []).append("not-open " + found[3])
        elif found := ACCEPTS.search(line):
            names[found[1]] = found[2]
        elif (found := TARGETS.search(line)) and found[1] in names:
            ended.setdefault(names[found[1]], []).append("not-open " + found[2])
    return ended


WHOLE = {"completed", "device-closed", "service-closed"}
LAST_WORD = 0.001  # of all streams


def agree(words):
    """Whether the words for one stream's end say the same: "yes", "no", or "last word". None: it
    never got there. An orderly end may be told from either side. One that was lost while it was
    being opened ends at each place as what it was there, never as one that was whole. And the last
    word of an end may be lost: then it was whole where it was said, and a cut for who waited."""
    said = {word for word in words if word is not None}
    if len(said) <= 1 or said <= WHOLE:
        return "yes"
    if any(word.startswith("not-open") for word in said):
        return "no" if "completed" in said else "yes"
    return "last word" if said == {"completed", "cut"} else "no"


def of_the_hub(said, survived):
    """The hub's word. Of a stream that survived its legs it has one for each pair of them: those before the last were
    cut, and the last may be lost when both ends know all. None: it has a word too many."""
    if not survived:
        return said[0] if len(said) == 1 else None
    return said[-1] if set(said[:-1]) <= {"cut", "silent"} else None


def compare(site, names):
    """The names of streams whose ends do not match, with what was said."""
    *places, hub = [reasons(p.log()) for p in (site.client, site.gateway, site.hub)]
    survivors = set(LOST.findall(site.client.log() + site.gateway.log()))
    print(f"# {len(survivors)} streams have lost a leg and waited for another one")
    wrong, seen, lost = [], collections.Counter(), 0
    for name in names:
        words = [(place.get(name) or [None])[0] for place in places]
        twice = [place for place in places if len(place.get(name, [])) > 1]
        if name in hub:
            words.append(of_the_hub(hub[name], name in survivors))
            twice += [] if words[-1] else [hub]
        else:
            words.append(None)
        if name in survivors and words[2] in ("cut", "silent"):
            words[2] = None  # of a leg; the ends say how the stream ended
        seen[" / ".join(word or "-" for word in words)] += 1
        if name.endswith("k") and words[0] == "local-cut" and set(words[1:]) <= WHOLE:
            continue  # the others had ended already when its own application died before its last bytes
        verdict = agree(words)
        lost += verdict == "last word"
        if twice or verdict == "no":
            wrong.append(f"{name}: client, gateway and hub say {words}" + " twice" * bool(twice))
    for words, count in seen.most_common():
        print(f"# {count:6} {words}")
    if lost > max(1, len(names) * LAST_WORD):
        wrong.append(f"the last word was lost {lost} times")
    return wrong


class Growth:
    """Resident memory and descriptors of the three processes, over time."""

    def __init__(self, site):
        self.site = site
        self.samples = collections.defaultdict(list)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.over.wait(max(SECONDS / 120, 0.25)):
            for process in self.site.main_processes():
                self.samples[process.name].append((process.status_kib("VmRSS"), process.fds()))

    def stop(self):
        """What grew after the warm-up, which is the first quarter."""
        self.over.set()
        self.thread.join()
        grown = []
        for name, samples in self.samples.items():
            quarter = len(samples) // 4
            early = samples[quarter:2 * quarter] or samples[:1]
            late = samples[-quarter:] if quarter else samples[-1:]
            was, now = (statistics.median(kib for kib, _ in part) for part in (early, late))
            files = [statistics.median(count for _, count in part) for part in (early, late)]
            print(f"# {name}: RSS {was:.0f} KiB in the second quarter, {now:.0f} KiB in the last, "
                  f"descriptors {files[0]:.0f} and {files[1]:.0f}, "
                  f"peaks {max(k for k, _ in samples)} KiB and {max(c for _, c in samples)}")
            if now > was + GROWTH_KIB and not SANITIZED:
                grown.append(f"{name} grew from {was:.0f} to {now:.0f} KiB")
        return grown


@contextlib.contextmanager
def proxied_site(settings):
    """A site with these settings of its daemons, whose legs go through one proxy and whose gateway's control link through another."""
    legs, link = Proxy(), Proxy()

    class Proxied(Site):
        DAEMON_SETTINGS = settings

    with Proxied(["--streaming-host", f"localhost:{legs.port}"], gateway=False) as site:
        site.closers += [legs.close, link.close]
        config = os.path.join(site.dir, "hub.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(SETTINGS)
        check_equal(site.hub.stop(), 0, "the hub's exit status")
        site.start_hub(["--streaming-host", f"localhost:{legs.port}", "--config", config],
                       ports=(str(site.hub.https_port), "0"))
        legs.upstream = link.upstream = site.hub.https_port
        site.gateway = site.start_daemon("gateway")
        text = site.hub.add_device(site.DEVICE)
        proxied = text.replace(f":{site.hub.https_port};", f":{link.port};")
        check(proxied != text, "no port in the connection string")
        site.gateway.add_hub("office", proxied, site.hub.ca)
        site.wait_online(site.DEVICE)
        yield site, legs, link


def soak(settings):
    print(f"# {SECONDS:.0f} s, {RATE:.0f} streams a second, seed {SEED}")
    with proxied_site(settings) as (site, legs, link):
        target = Target()
        site.gateway.ctl_ok("target", "add", "echo", f"tcp:127.0.0.1:{target.port}")
        site.gateway.ctl_ok("accept-policy", "add", "--stream", "s-*", "--accept", "echo")
        before = site.count()
        traffic, growth = Traffic(site), Growth(site)
        faults = Faults(site, random.Random(SEED), legs, link, target)
        faults.start()
        traffic.run(SECONDS)
        faults.stop()
        grown = growth.stop()
        eventually(lambda: site.is_online(site.DEVICE), "the gateway is back")
        site.wait_count(before)
        print(f"# faults: {dict(collections.Counter(faults.done))}")
        print(f"# exit codes: {dict(traffic.outcomes)}")
        wrong = traffic.wrong + grown + compare(site, traffic.names)
        wrong += [f"stream {number} brought the target wrong bytes" for number in target.wrong]
        for line in wrong[:40]:
            print(f"# {line}", file=sys.stdout)
        if wrong:
            raise Failure(f"{len(wrong)} findings, the first: {wrong[0]}")


def surviving():
    """streams through faults, which survive their legs: each exact, or ended with the same reason everywhere; nothing grows"""
    soak("")


def plain():
    """the same with streams that end with their legs"""
    soak(NO_RESUME)


if __name__ == "__main__":
    main(surviving, plain)
