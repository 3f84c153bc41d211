# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clocks that jump, tokens that expire, certificates that do (faults F17 and F24, requirement R18).

libfaketime gives a process the time that a file says; its monotonic clock is left alone."""
import contextlib
import json
import os
import threading
import time

from clock_site import ClockSite
from ends import Server, connect, echo, tick
from harness import Failure, Site, check, check_equal, eventually, listed, main, write_private

DAYS = 400
LIFE = 6  # s, of a token in the tests of its renewal


def hub_of(daemon):
    return listed(daemon.ctl_json("hub", "list"), "hubs")[0]


class GatewaySite(ClockSite):
    def start_gateway(self, keys=""):
        secret = os.path.join(self.dir, "gw.cs")
        write_private(secret, self.hub.add_device(self.DEVICE) + "\n")
        config = os.path.join(self.dir, "gateway.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(f"[hub office]\nConnectionStringFile={secret}\nCaFile={self.hub.ca}\n{keys}\n"
                       "[policy]\nDefault=accept\n")
        self.gateway = self.start_daemon("gateway", ["--config", config])
        eventually(lambda: hub_of(self.gateway)["state"] == "connected", "the gateway is connected")


@contextlib.contextmanager
def clock_site(faked, keys=""):
    """A site whose hub or gateway has a clock of its own."""
    site = GatewaySite(gateway=False)
    site.faked = faked if faked == "hub" else None
    with site:
        site.faked = faked if faked == "gateway" else None
        site.start_gateway(keys)
        site.faked = None
        site.gateway.ctl_ok("target", "add", "echo", Server(echo, site).address)
        yield site


def jumps(faked):
    with clock_site(faked) as site:
        since = hub_of(site.gateway)["since"]
        with connect(site.client.tunnel(site.DEVICE, "echo")) as near:
            tick(near)
            for offset in (f"+{DAYS}d", f"-{DAYS}d", "+30", "-30", "+0"):
                site.set_clock(faked, offset)
                until = time.monotonic() + 0.6
                while time.monotonic() < until:
                    tick(near)
                    time.sleep(0.05)
                check(site.is_online(site.DEVICE), f"the device's link is gone at {offset}")
        check_equal(hub_of(site.gateway)["since"], since, "the time of the last change")
        with connect(site.client.tunnel(site.DEVICE, "echo")) as near:
            tick(near)


def hub_clock():
    """the hub's clock jumps by 400 days and by seconds: no session ends, and later all is as before"""
    jumps("hub")


def gateway_clock():
    """the gateway's clock does the same"""
    jumps("gateway")


def wrong_clock():
    """a gateway in another year is told why it is refused, and comes by itself when its clock is set"""
    site = GatewaySite(gateway=False)
    with site:
        site.faked = "gateway"
        site.set_clock("gateway", f"-{DAYS}d")
        with contextlib.suppress(Failure):
            threading.Timer(5, site.set_clock, ("gateway", "+0")).start()
            started = time.monotonic()
            site.start_gateway()
            print(f"# measured: connected {time.monotonic() - started - 5:.2f} s after the clock was set")
        site.faked = None
        log = site.gateway.log()
        check("activat" in log or "not yet" in log or "valid" in log, f"it does not say why: {log}")
        eventually(lambda: site.is_online(site.DEVICE), "it is back")


def expired_certificate():
    """the hub's certificate has expired: refused, with the reason, and tried again; never taken"""
    with clock_site("gateway") as site:
        site.set_clock("gateway", f"+{30 * 365}d")
        site.hub.admin("device", "disable", site.DEVICE)
        site.hub.admin("device", "enable", site.DEVICE)
        eventually(lambda: "expired" in json.dumps(hub_of(site.gateway)),
                   "it says that the certificate has expired")
        check(not site.is_online(site.DEVICE), "it is connected")
        site.set_clock("gateway", "+0")
        since = time.monotonic()
        eventually(lambda: site.is_online(site.DEVICE), "it is back")
        print(f"# measured: back {time.monotonic() - since:.2f} s after the clock was right")


def renewal():
    """a token is renewed at 80 % of its life, far from Greenwich, and no stream sees a gap"""
    site = GatewaySite(gateway=False)
    site.zone = "Asia/Kolkata"
    with site:
        site.start_gateway(f"TokenLife={LIFE}")
        site.gateway.ctl_ok("target", "add", "echo", Server(echo, site).address)
        port = site.client.tunnel(site.DEVICE, "echo")
        longest, count, until = 0, 0, time.monotonic() + 2.2 * LIFE
        with connect(port) as old:
            while time.monotonic() < until:
                began = time.monotonic()
                with connect(port) as near:
                    tick(near)
                longest = max(longest, time.monotonic() - began)
                count += 1
                tick(old)
        check_equal(hub_of(site.gateway)["state"], "connected", "state")
        renewals = site.hub.log().count("took over") + site.hub.log().count("taken over")
        print(f"# measured: {count} streams opened over {renewals} renewals, the slowest in "
              f"{longest * 1000:.0f} ms; none failed")
        check(renewals >= 2, f"{renewals} renewals: {site.hub.log()}")


def revoked():
    """a device that is disabled at the hub: its link and its streams end at once"""
    with Site() as site:
        site.expose("echo", Server(echo, site).address)
        with connect(site.client.tunnel(site.DEVICE, "echo")) as near:
            tick(near)
            since = time.monotonic()
            site.hub.admin("device", "disable", site.DEVICE)
            with contextlib.suppress(ConnectionResetError):
                check(near.recv(1) == b"", "more data")
            stream = time.monotonic() - since
            eventually(lambda: hub_of(site.gateway)["state"] != "connected", "the link ends")
            link = time.monotonic() - since
        print(f"# measured: the stream ended after {stream:.2f} s, the link after {link:.2f} s")
        check(max(stream, link) < 2, "it took too long")


main(revoked, hub_clock, gateway_clock, wrong_clock, expired_certificate, renewal)
