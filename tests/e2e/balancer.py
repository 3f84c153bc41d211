# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who connects through a balancer: the PROXY protocol from those who are listed, and from nobody else. The
limits, penalties, logs and what the operator sees have the real source."""
import contextlib
import json
import os
import socket
import ssl
import time

import wire
from attacks import WRONG, Attack, Fleet, Hub, judge
from balancers import (BALANCER, LISTED, SIGNATURE, Balancer, Haproxy, across, after, byte_by_byte,
                       one_packet, tlv, version_1, version_2)
from harness import LONG, PATIENCE, Site, check, check_equal, eventually, main, run
from hub_wire import Wire

CONFIG = f"[hub]\nproxy-protocol-from = {LISTED}, 2001:db8:7::/48\nreconnects-per-minute = 100000\n"


@contextlib.contextmanager
def balanced(config=CONFIG):
    with Site(gateway=False, client=False) as site:
        hub = Wire(site)
        hub.restart(config)
        yield hub


def came_from(hub, device):
    """The peer of the device's last connection, by the log."""
    mark = f"Device {device} is connected from "
    again = f"Device {device} connected again from "
    for line in reversed(hub.hub.log().splitlines()):
        for text in (mark, again):
            if text in line:
                return line.split(text)[1].split(": its")[0].strip()
    return None


HEADERS = [
    ("1, IPv4", version_1("198.51.100.7"), "198.51.100.7:5123"),
    ("1, IPv6", version_1("2001:db8:9::7"), "[2001:db8:9::7]:5123"),
    ("1, mapped", version_1("::ffff:198.51.100.8"), "198.51.100.8:5123"),
    ("1, UNKNOWN", b"PROXY UNKNOWN\r\n", BALANCER),
    ("2, IPv4", version_2("198.51.100.9"), "198.51.100.9:5123"),
    ("2, IPv6", version_2("2001:db8:9::9"), "[2001:db8:9::9]:5123"),
    ("2, mapped", version_2("::ffff:198.51.100.10"), "198.51.100.10:5123"),
    ("2, TLVs, 536 bytes", version_2("198.51.100.11", more=tlv(508)), "198.51.100.11:5123"),
    ("2, LOCAL", version_2("198.51.100.12", command=0x20), BALANCER),
]


def through_it():
    """each kind of header, at both ports, in one packet with TLS, byte by byte, and across packets: no byte is lost"""
    with balanced() as hub:
        for name, header, source in HEADERS:
            for port in (hub.port, hub.mqtts_port):
                for send in (one_packet, byte_by_byte, across):
                    if send is byte_by_byte and len(header) > 200 and not LONG and port != hub.port:
                        continue
                    balancer = Balancer(hub.site, port, header, send)
                    device = hub.device(port=balancer.port)
                    check_equal(device.connack, 0, f"{name}, {send.__name__}")
                    seen = eventually(lambda: came_from(hub, "dev1"), "the device's record")
                    wanted = source + ":" if source == BALANCER else source
                    eventually(lambda wanted=wanted: came_from(hub, "dev1").startswith(wanted),
                               f"{name}, {send.__name__}: {seen} instead of {source}", 5)
        # A stream of both sides through it, and what the operator sees of it.
        side = Balancer(hub.site, hub.port, version_2("198.51.100.20"), across)
        device = hub.device(port=side.port)
        hub.port = side.port
        one, other = hub.opened(device)
        one.send(b"x" * 100000)
        check_equal(len(other.receive(100000)), 100000, "bytes")
        shown = hub.hub.admin("stream", "list", "--json")
        stream = json.loads(shown)[0]
        detail = hub.hub.admin("stream", "show", stream["id"], "--json")
        check(detail.count('"198.51.100.20:5123"') >= 2 and BALANCER not in detail, detail)


def is_refused(port, header, source, patience=5.0):
    """Sends it as it is, and then TLS: whether the hub takes no handshake; and after how long it said so."""
    begin = time.monotonic()
    plain = socket.create_connection(("127.0.0.1", port), timeout=patience, source_address=(source, 0))
    with contextlib.closing(plain):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            plain.sendall(header)
            with context.wrap_socket(plain):
                return False, 0
        except TimeoutError:
            return False, patience
        except (OSError, ssl.SSLError):
            return True, time.monotonic() - begin


def refused():
    """no header from who is listed, a header from who is not, and bad ones: refused at once, and told why"""
    good = version_1("198.51.100.7")
    rows = [
        ("nothing of it", b"", "no PROXY protocol header"),
        ("HTTP", b"GET / HTTP/1.1\r\n", "no PROXY protocol header"),
        ("a bad address", b"PROXY TCP4 198.51.100 203.0.113.1 1 443\r\n", "not TCP4 or TCP6"),
        ("a line too long", b"PROXY UNKNOWN " + b"x" * 100 + b"\r\n", "more than 107 bytes"),
        ("UDP", version_2("198.51.100.7").replace(b"\x21\x11", b"\x21\x12"), "neither TCP nor"),
        ("537 bytes", version_2("198.51.100.7", more=tlv(509)), "more than 536 bytes"),
        ("a length that lies", SIGNATURE + b"\x21\x21\0\x0c" + bytes(12), "too short"),
    ]
    with balanced() as hub:
        for port in (hub.port, hub.mqtts_port):
            for name, header, says in rows:
                before = hub.hub.log().count(says)
                taken, seconds = is_refused(port, header, BALANCER)
                check(taken and seconds < 1.5, f"{name}: {taken} {seconds}")
                eventually(lambda says=says, before=before: hub.hub.log().count(says) > before,
                           f"{name}: {says}", 5)
            taken, seconds = is_refused(port, good, "127.0.8.1")
            check(taken and seconds < 1.5, f"a stranger's header: {taken} {seconds}")
            check_equal(is_refused(port, b"", "127.0.8.1"), (False, 0), "a stranger without one")
            check_equal(is_refused(port, good, BALANCER), (False, 0), "the balancer with one")
        # A balancer that only looks whether the hub is there is no fault.
        lines = hub.hub.log().count("from the balancer")
        socket.create_connection(("127.0.0.1", hub.port), source_address=(BALANCER, 0)).close()
        time.sleep(0.2)
        check_equal(hub.hub.log().count("from the balancer"), lines, "records")


def slow():
    """a header that is whole just before 2 s is taken, and one past it is not"""
    with balanced() as hub:
        for seconds, taken in ((1.7, True), (2.3, False)):
            balancer = Balancer(hub.site, hub.port, version_2("198.51.100.7"), after(seconds))
            begin, connack = time.monotonic(), None
            with contextlib.suppress(OSError, wire.Closed):
                connack = hub.device(port=balancer.port, subscribe=False).connack
            took = time.monotonic() - begin
            check_equal(connack, 0 if taken else None, f"{seconds} s")
            print(f"# {seconds} s: {'taken' if taken else 'closed'} after {took:.2f} s")
        check("its PROXY protocol header did not come within 2 s" in hub.hub.log(), hub.hub.log())
        # Said nothing at all: closed at 2 s.
        with contextlib.closing(socket.create_connection(("127.0.0.1", hub.port), 10, (BALANCER, 0))) as sock:
            begin = time.monotonic()
            check_equal(sock.recv(1), b"", "what comes")
            took = time.monotonic() - begin
            check(1.8 < took < 3.5, f"closed after {took:.2f} s")


class Behind(Hub):
    """Whoever dials comes through the balancer."""

    def __init__(self, wire_hub):
        self.site, self.process = wire_hub.site, wire_hub.hub
        self.port = wire_hub.port
        self.context = ssl.create_default_context(cafile=wire_hub.ca)
        self.keys = {"gw-1": wire_hub.add("gw-1")}
        self.user_key = wire_hub.service_key

    def dial(self, source):
        plain = socket.create_connection(("127.0.0.1", self.port), 10, (BALANCER, 0))
        plain.sendall(version_2(source))
        return plain


ATTACKER = "198.51.100.66"


def honest(hub, number):
    source = f"203.0.113.{1 + number % 250}"
    return (hub.connack(source, "gw-1", hub.keys["gw-1"]) == 0 if number % 2
            else hub.status(source) == 404)


def shut_out():
    """an attacker behind the balancer holds all the places it gets, guesses keys, and shuts out only itself"""
    # So few that the attacker would have taken all of them if they were the balancer's.
    with balanced(CONFIG + "connections-per-second = 10\nconnections-burst = 40\n") as wire_hub:
        hub = Behind(wire_hub)
        held = {}

        def pile_up(hub, number):
            old = held.pop(number % 2000, None)
            if old:
                old.close()
            held[number % 2000] = hub.dial(ATTACKER)

        def guess(hub, number):
            hub.connack(ATTACKER, f"x{number % 50}", WRONG)

        for name, act, rate in (("half-open", pile_up, 300), ("guesses", guess, 100)):
            attack = Attack(hub, act, rate)
            if act is pile_up:
                eventually(lambda attack=attack: attack.made.value > 300, "they are there", PATIENCE)
            judge(f"{name} behind the balancer", Fleet(hub, honest, 100), attack)
        # A wrong key's penalty is the source's, not the balancer's.
        check_equal(hub.connack("198.51.100.70", "gw-1", WRONG), 5, "a wrong key")
        check_equal(hub.connack("198.51.100.70", "gw-1", WRONG), 3, "the same again")
        check_equal(hub.connack("198.51.100.71", "gw-1", WRONG), 5, "the same from elsewhere")
        check_equal(hub.connack("198.51.100.70", "gw-1", hub.keys["gw-1"]), 0, "the right one")
        refused = [line for line in hub.process.log().splitlines() if "claims to be gw-1 is refused" in line]
        check(refused and all("198.51.100.7" in line for line in refused), f"records: {refused}")


def reloaded():
    """the list by reload: who is on it must send headers from then on, and who is not any more need not"""
    with balanced("[hub]\n") as hub:
        path = os.path.join(hub.site.dir, "hub.conf")
        good = version_1("198.51.100.7")
        device = hub.device()
        for config, needs in (("", False), (f"proxy-protocol-from = {LISTED}\n", True), ("", False)):
            with open(path, "w", encoding="ascii") as file:
                file.write("[hub]\ndevice-return-time = 0\n" + config)
            hub.hub.admin("reload")
            for header, wanted in ((b"", not needs), (good, needs)):
                eventually(lambda header=header, wanted=wanted:
                           is_refused(hub.port, header, BALANCER)[0] != wanted, f"{config!r} {header!r}", 5)
        with open(path, "w", encoding="ascii") as file:
            file.write("[hub]\nproxy-protocol-from = 10.0.0.1/8\n")
        done = run([hub.site.streamhub, "--state-dir", hub.hub.state_dir, "reload"])
        check(done.returncode != 0 and "hub.conf:2: proxy-protocol-from wants" in done.stderr, done.stderr)
        check_equal(is_refused(hub.port, b"", BALANCER), (False, 0), "as before")
        device.send(0xC0, b"")
        check_equal(device.read(), (0xD0, b""), "a ping over the link, which was not cut")


def haproxy():
    """haproxy itself, with send-proxy and send-proxy-v2, at both ports"""
    with balanced() as hub:
        for word in ("send-proxy", "send-proxy-v2"):
            front = Haproxy(hub.site, word)
            for number, port in enumerate((front.https_port, front.mqtts_port)):
                source = f"127.0.9.{number + 1}"
                device = hub.device(port=port, source=source)
                check_equal(device.connack, 0, word)
                eventually(lambda source=source: came_from(hub, "dev1").startswith(source + ":"),
                           f"{word}: from {came_from(hub, 'dev1')}", 5)
            direct, hub.port = hub.port, front.https_port
            request, answer = hub.accepted(device)
            one, other = hub.device_leg(request), hub.service_leg(answer)
            hub.port = direct
            one.send(b"y" * 300000)
            check_equal(other.receive(300000), b"y" * 300000, "bytes")


if __name__ == "__main__":
    main(through_it, refused, slow, shut_out, reloaded, haproxy)
