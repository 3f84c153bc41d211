# SPDX-License-Identifier: LGPL-2.1-or-later
"""What shut_out.py stands on: connections to a hub from whatever address, an honest fleet that counts
who gets in, and attackers in a process of their own, so that they cost the fleet no time."""
import collections
import contextlib
import multiprocessing
import os
import resource
import socket
import ssl
import struct
import threading
import time
import urllib.parse

import wire
from harness import LONG, Site, check

IPV6_FREEBIND = 78  # linux/in6.h
ATTEMPTS = 500 if LONG else 40  # of the fleet, beside each attack
TRIES, PATIENCE = 3, 10.0  # an attempt has so many tries and seconds
FLEET = 8  # who try at once
CORE = 0.5  # of a core, at most, for the hub during an attack
WRONG = wire.base64.b64encode(b"not the key of anybody here").decode()


class Hub:
    """A hub on all addresses of this namespace, one device and one user."""

    def __init__(self, site):
        self.site, self.process = site, site.hub
        self.port = site.hub.ports["[::]"]
        self.context = ssl.create_default_context(cafile=site.hub.ca)
        self.keys = {}
        self.user_key = self.key("user", "service")

    def key(self, kind, name):
        text = self.process.connection_string(kind, name)
        return wire.parse_connection_string(text)["SharedAccessKey"]

    def add(self, device):
        self.process.admin("device", "add", device)
        self.keys[device] = self.key("device", device)

    def dial(self, source, port=None):
        """A TCP connection from that address."""
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        plain = socket.socket(family, socket.SOCK_STREAM)
        try:
            plain.settimeout(PATIENCE)
            if family == socket.AF_INET6:
                plain.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
            plain.bind((source, 0))
            plain.connect(("2001:db8:ffff::1" if family == socket.AF_INET6 else "127.0.0.1", port or self.port))
        except BaseException:
            plain.close()
            raise
        return plain

    def tls(self, source):
        plain = self.dial(source)
        try:
            return self.context.wrap_socket(plain, server_hostname="localhost")
        except BaseException:
            plain.close()
            raise

    def connack(self, source, device, key):
        """What a CONNECT as this device is answered."""
        with contextlib.closing(self.tls(source)) as sock:
            user = f"localhost/{device}/?api-version=2020-05-31-preview"
            token = wire.sas(f"localhost/devices/{urllib.parse.quote(device)}", key)
            sock.sendall(wire.mqtt_packet(0x10, wire.mqtt_text("MQTT") + bytes([4, 0xC2])
                                          + struct.pack(">H", 240) + wire.mqtt_text(device)
                                          + wire.mqtt_text(user) + wire.mqtt_text(token)))
            return wire.Reader(sock).take(4)[3]

    def post(self, sock, key=None, device="nobody", policy="service"):
        """Sends a POST for a stream; the connection goes on."""
        token = wire.sas("localhost", key or self.user_key, policy=policy)
        sock.sendall(f"POST /twins/{device}/streams/x?api-version=1 HTTP/1.1\r\nHost: localhost\r\n"
                     f"Authorization: {token}\r\nContent-Length: 0\r\n\r\n".encode())

    def status(self, source, key=None, policy="service"):
        """What a POST of this user for a device that is not there is answered."""
        with contextlib.closing(self.tls(source)) as sock:
            self.post(sock, key, policy=policy)
            return int(wire.Reader(sock).until(b"\r\n").split()[1])


def without_end(path):
    """Turns a soft limit of descriptors that is low into the hard one: for the attackers."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return path


@contextlib.contextmanager
def hub_of(settings=""):
    """A hub with these settings, and the device gw-1."""
    with Site(gateway=False, client=False) as site:
        path = os.path.join(site.dir, "hub.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write("[hub]\nreconnects-per-minute = 100000\n" + settings)
        site.hub.stop()
        site.start_hub(["--config", path, "--listen", "[::]:0"])
        hub = Hub(site)
        hub.add("gw-1")
        yield hub


class Attack:
    """ACT(hub, number) again and again, RATE times a second in all, by so many hands, from a process of
    its own; what fails does not stop it. PREPARE(hub) first, whose value is kept."""

    def __init__(self, hub, act, rate, hands=4, prepare=None):
        context = multiprocessing.get_context("fork")
        self.made = context.Value("i", 0)
        self.passed = context.Value("i", 0)
        self.ready = context.Event()
        self.process = context.Process(target=self._run, args=(hub, act, rate, hands, prepare),
                                       daemon=True)
        self.process.start()
        check(self.ready.wait(PATIENCE * 6), "the attackers are ready")
        self.since, self.cpu = time.monotonic(), hub.process.cpu_seconds()
        self.hub = hub

    def _run(self, hub, act, rate, hands, prepare):
        without_end("attackers")
        kept = prepare(hub) if prepare else None
        self.ready.set()
        threads = [threading.Thread(target=self._hand, args=(hub, act, rate / hands, n, hands))
                   for n in range(hands)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        del kept

    def _hand(self, hub, act, rate, number, hands):
        due = time.monotonic()
        while True:
            with contextlib.suppress(OSError, wire.Closed):
                act(hub, number)
                with self.passed.get_lock():
                    self.passed.value += 1
            with self.made.get_lock():
                self.made.value += 1
            number += hands
            due = max(due + 1 / rate, time.monotonic() - 1)
            time.sleep(max(due - time.monotonic(), 0))

    def stop(self):
        """(attempts a second, of these so many came through, the hub's share of a core)"""
        seconds = time.monotonic() - self.since
        cpu = (self.hub.process.cpu_seconds() - self.cpu) / seconds
        made, passed = self.made.value / seconds, self.passed.value / seconds
        self.process.kill()
        self.process.join()
        return made, passed, cpu


class Fleet:
    """ATTEMPTS of honest ones; TRY(hub, number) says whether it got in, or fails."""

    def __init__(self, hub, honest, attempts=ATTEMPTS):
        self.hub, self.honest = hub, honest
        self.times, self.lost = [], collections.Counter()
        self.lock = threading.Lock()
        self.left = iter(range(attempts))
        threads = [threading.Thread(target=self._run) for _ in range(FLEET)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _run(self):
        while True:
            with self.lock:
                number = next(self.left, None)
            if number is None:
                return
            since, why = time.monotonic(), None
            for _ in range(TRIES):
                why = self._try(number)
                if why is None or time.monotonic() - since > PATIENCE:
                    break
                time.sleep(0.2)
            took = time.monotonic() - since
            with self.lock:
                if why is None and took <= PATIENCE:
                    self.times.append(took)
                else:
                    self.lost[why] += 1
            time.sleep(0.05)

    def _try(self, number):
        try:
            got = self.honest(self.hub, number)
            return None if got is True else f"answered {got}"
        except (OSError, wire.Closed) as error:
            return repr(error)

    def p99(self):
        times = sorted(self.times)
        return times[max(int(len(times) * 0.99) - 1, 0)] if times else PATIENCE


def judge(name, fleet, attack):
    """R4's promise: 99 of 100 get in; and what the hub spends on it."""
    made, passed, cpu = attack.stop()
    total = len(fleet.times) + sum(fleet.lost.values())
    print(f"# {name}: {made:.1f} attacks a second, {passed:.1f} not refused at once; {len(fleet.times)} of "
          f"{total} honest attempts got in, p99 {fleet.p99():.2f} s; the hub took {cpu * 100:.0f} % of a core")
    check(len(fleet.times) >= 0.99 * total, f"{name}: shut out: {dict(fleet.lost)}")
    check(cpu <= CORE or not LONG, f"{name}: the hub took {cpu:.2f} of a core")
