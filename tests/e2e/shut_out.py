# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who is shut out by an attack: nobody who has the right credentials (requirements R4, R10). An honest
fleet beside each of them; 500 attempts with STREAMD_LONG."""
import contextlib
import os
import resource
import time

import netspace
import wire
from attacks import WRONG, Attack, Fleet, hub_of, judge
from ends import Server
from harness import LONG, PATIENCE, Site, check, check_equal, eventually, main, run_ok
from hub_wire import Wire

SITE = "127.77.0.1"  # the public address of a site
ELSEWHERE = "127.66.0.1"


def gw_1(hub, _number):
    """The real one, from its site."""
    return hub.connack(SITE, "gw-1", hub.keys["gw-1"]) == 0


def user(hub, _number):
    return hub.status(SITE) == 404


def both(hub, number):
    return (gw_1 if number % 2 else user)(hub, number)


def strangers(hub, number):
    """The user and the device, each time from an address that has never been seen."""
    source = f"127.{10 + number // 250 % 100}.{number % 250}.9"
    return hub.status(source) == 404 if number % 2 else hub.connack(source, "gw-1", hub.keys["gw-1"]) == 0


def beside(name, act, rate, honest, settings="", prepare=None, before=None, after=None, hands=4):
    """One attack with its fleet. BEFORE: what happened in peace; AFTER: what must hold in the end."""
    with hub_of(settings) as hub:
        if before:
            before(hub)
        attack = Attack(hub, act, rate, hands, prepare)
        fleet = Fleet(hub, honest)
        judge(name, fleet, attack)
        if after:
            after(hub)


def known(hub):
    check(gw_1(hub, 0), "the device gets in in peace")


def wrong_key():
    """one wrong CONNECT every 0.25 s as gw-1, from the public address of gw-1"""
    beside("wrong CONNECT as gw-1", lambda hub, n: hub.connack(SITE, "gw-1", WRONG), 4, gw_1)


def bad_tokens():
    """bad tokens of a user, from his own address: 1.7 a second, and 100 connections a second"""
    beside("bad tokens", lambda hub, n: hub.status(SITE, WRONG), 1.7, user)
    beside("many bad tokens", lambda hub, n: hub.status(SITE, WRONG), 100, user, before=known)


def invented_ids():
    """invented ids, ten and then more, from the address of a site and from elsewhere"""
    for name, source, before in (("from the site", SITE, known), ("from elsewhere", ELSEWHERE, None)):
        beside(f"invented ids {name}", lambda hub, n, source=source: hub.connack(source, f"x{n % 50}", WRONG),
               60, both if before else strangers, before=before)


class HalfOpen:
    """An attack that keeps COUNT connections open that say nothing."""

    def __init__(self, count, source_of):
        self.count, self.source_of = count, source_of
        self.held = {}

    def prepare(self, hub):
        for number in range(self.count):
            self(hub, number)
        return self.held

    def __call__(self, hub, number):
        slot = number % self.count
        old = self.held.pop(slot, None)
        if old:
            old.close()
        self.held[slot] = hub.dial(self.source_of(number % self.count))


def half_open():
    """32 IPv6 /64s with 64 connections each that say nothing: of one /48, and each of a /48 of its own"""
    for name, source_of in (("of one /48", lambda n: f"2001:db8:0:{n % 32:x}::{n // 32 + 1:x}"),
                            ("of 32 /48s", lambda n: f"2001:db8:{n % 32:x}::{n // 32 + 1:x}"),
                            ("of one address", lambda n: ELSEWHERE)):
        attack = HalfOpen(32 * 64, source_of)
        beside(f"half-open, {name}", attack, 400, lambda hub, n: (both, strangers)[n // 2 % 2](hub, n),
               prepare=attack.prepare, before=known)


def half_open_beside():
    """100 half-open connections a second from the address of the site itself"""
    attack = HalfOpen(4000, lambda n: SITE)
    beside("half-open, from the site", attack, 100, both, before=known)


def a_whole_48():
    """one connection from each /64 of a /48, with wrong credentials: an old penalty is still there"""

    def old_penalty(hub):
        known(hub)
        check_equal(hub.connack(ELSEWHERE, "gw-1", WRONG), 5, "a wrong key")

    def still_there(hub):
        check_equal(hub.connack(ELSEWHERE, "gw-1", WRONG), 3, "the same wrong key after the attack")

    beside("each /64 of a /48", lambda hub, n: hub.connack(f"2001:db8:7:{n % 65536:x}::1", "gw-1", WRONG), 150,
           lambda hub, n: (both, strangers)[n // 2 % 2](hub, n), settings="penalty = 600\n",
           before=old_penalty, after=still_there)


def idle_connections():
    """one user's key holds as many idle connections as it gets; another user and devices get in"""
    wanted, limit = (2800, 4096) if LONG else (280, 512)
    with hub_of("connections-burst = 100000\nconnections-per-second = 100000\n") as hub:
        soft, hard = resource.prlimit(hub.process.pid, resource.RLIMIT_NOFILE)
        check(soft >= limit, f"{soft} descriptors")
        resource.prlimit(hub.process.pid, resource.RLIMIT_NOFILE, (limit, hard))
        hub.process.admin("user", "add", "anna", "--rights", "service-connect")
        anna = hub.key("policy", "anna")

        def pile_up(hub, number):
            sock = hub.tls(ELSEWHERE)
            hub.post(sock, anna, policy="anna")
            wire.Reader(sock).until(b"\r\n\r\n")
            held.append(sock)

        held = []
        attack = Attack(hub, pile_up, 200, 6)
        eventually(lambda: attack.made.value >= wanted, "they are there", PATIENCE * 4)
        fleet = Fleet(hub, both)
        held_open = len(hub_sockets(hub.process.pid))
        judge("idle connections", fleet, attack)
        print(f"# {wanted} idle connections of one user were wanted, {held_open} sockets were open at the hub of {limit}")
        check(held_open <= limit * 0.9 / 4 + limit / 16 + 100, f"{held_open} sockets")


def hub_sockets(pid):
    """Those that are open; some close while we look."""
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            found.append(os.readlink(f"/proc/{pid}/fd/{name}"))
    return [link for link in found if link.startswith("socket:")]


def unpaired():
    """256 streams of one user that are never paired, to a real gateway: a second user opens within 1 s, and
    the 257th of the first is told why not"""
    with Site(client=False) as site:
        echo = Server(lambda c: c.sendall(c.recv(4096)), site)
        site.expose("echo", echo.address)
        site.hub.admin("user", "add", "anna", "--rights", "service-connect")
        hub = Wire(site)
        anna = wire.sas("localhost", hub.key("policy", "anna"), policy="anna")
        posts = [hub.post("gw-1", "echo", token=anna) for _ in range(256)]
        for post in posts:
            check_equal(post.read().status, 200, "one of the 256")
        more = hub.post("gw-1", "echo", token=anna).read()
        check_equal(more.status, 429, "the 257th")
        check_equal(more.get("retry-after"), None, "that is no matter of credentials")
        times = []
        for _ in range(5):
            since = time.monotonic()
            answer = hub.post("gw-1", "echo").read()
            check_equal(answer.status, 200, f"the second user ({answer.body})")
            leg = hub.service_leg(answer)
            leg.send(b"hello")
            check_equal(leg.receive(5), b"hello", "through the stream")
            times.append(time.monotonic() - since)
            leg.close(1000)
        print(f"# the second user opened in {max(times):.2f} s at most, beside 256 of the first")
        check(max(times) < 1, f"{times}")


def networks():
    """Every address of 127.0.0.0/8 and of 2001:db8::/32 is ours."""
    netspace.enter()
    run_ok(["ip", "link", "set", "lo", "up"])
    run_ok(["ip", "-6", "address", "add", "2001:db8:ffff::1/128", "dev", "lo", "nodad"])
    run_ok(["ip", "-6", "route", "add", "local", "2001:db8::/32", "dev", "lo"])


if __name__ == "__main__":
    networks()
    main(wrong_key, bad_tokens, invented_ids, half_open, half_open_beside, a_whole_48, idle_connections, unpaired)
