# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ways that are slow, break bytes up, break bytes, or are reset (faults F3, F5 and F28)."""
import netspace

netspace.enter()

# pylint: disable=wrong-import-position
import contextlib
import os
import random
import socket
import time

from ends import FaultProxy, Server, in_threads, read_all, read_exactly, receive_digest, send_random
from harness import SANITIZED, check, check_equal, eventually, main, run_ok
from netspace import hub_state

KIB = 1024
LINK_BACK = 2 * (3 if SANITIZED else 1)  # s


def echo_whole(connection):
    """Sends back what came, when all of it has."""
    parts = []
    while data := connection.recv(65536):
        parts.append(data)
    connection.sendall(b"".join(parts))


def both_ways(near, size):
    """Random bytes there and back, and that they are the same."""
    sent, got = in_threads(lambda: send_random(near, size), lambda: receive_digest(near))
    check_equal(got, (size, sent), "what came back")


def slow_link():
    """a link of 400 kbit/s with deep queues: every byte arrives, and nobody is taken for dead"""
    size = 128 * KIB
    with netspace.Net() as net, netspace.NetSite(
            net, hub_settings="leg-ping=1\nleg-dead=3", gateway_keys="LegPing=1\nLegDead=3",
            client_keys="LegPing=1\nLegDead=3") as site:
        site.serve("echo", Server, echo_whole)
        for device in ("to-gateway", "to-hub"):
            run_ok(["tc", "qdisc", "add", "dev", device, "root", "tbf", "rate", "400kbit",
                    "burst", "4kb", "limit", "100kb"])
        since = time.monotonic()
        with site.connect(site.client.tunnel(site.DEVICE, "echo")) as near:
            both_ways(near, size)
        took = time.monotonic() - since
        print(f"# measured: {size // KIB} KiB each way in {took:.1f} s")
        check(hub_state(site.gateway) == "connected", "the control link is gone")
        check(took > 2, "the link was not slow")
        site.check_memory()


@contextlib.contextmanager
def proxied(keys=""):
    """A site whose legs, and whose gateway's control link, go through a proxy each. KEYS: of the hub, at both ends."""
    with contextlib.ExitStack() as stack:
        net = stack.enter_context(netspace.Net())
        with net.inside("hub"):
            legs, control = [stack.enter_context(FaultProxy(host="10.77.1.2")) for _ in range(2)]
        site = netspace.NetSite(net, hub_arguments=["--streaming-host", f"hub.test:{legs.port}"],
                                gateway_string=f";GatewayHostName=hub.test:{control.port}",
                                gateway_keys=keys, client_keys=keys)
        site.hub_started = lambda: [setattr(proxy, "upstream", site.hub.https_port)
                                    for proxy in (legs, control)]
        stack.enter_context(site)
        yield site, legs, control


def byte_by_byte():
    """the first bytes of every piece come one by one, on legs and control links: nothing is lost"""
    with proxied() as (site, legs, control):
        legs.trickle = control.trickle = 300
        site.serve("echo", Server, echo_whole)
        with site.connect(site.client.tunnel(site.DEVICE, "echo")) as near:
            both_ways(near, 512 * KIB)


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def with_a_changed_bit(near, legs):
    """A bit changes on the way of these bytes. How many come back before the connection ends, none of them changed."""
    data, got = os.urandom(1000), b""
    near.sendall(b"good")
    check(read_exactly(near, 4) == b"good", "the echo is wrong")
    legs.flip.set()
    near.sendall(data)
    with contextlib.suppress(ConnectionResetError):
        while got != data and (more := near.recv(65536)):
            got += more
            check(data.startswith(got), "a changed byte came through")
    return got == data


def flipped_bits():
    """a bit that changes on the way cuts what it was in: no application sees it, and all comes back"""
    with proxied("Resume=no") as (site, legs, control):
        cut = 0
        site.serve("echo", Server, echo)
        port = site.client.tunnel(site.DEVICE, "echo")
        for _ in range(4):
            with site.connect(port) as near:
                cut += not with_a_changed_bit(near, legs)
        check(cut >= 2, f"of four streams {cut} were cut")
        before = site.hub.log().count("is connected from")
        control.flip.set()
        since = time.monotonic()
        eventually(lambda: site.hub.log().count("is connected from") > before,
                   "the device comes back")
        eventually(lambda: site.is_online(site.DEVICE), "the device is online")
        print(f"# measured: the control link is back after {time.monotonic() - since:.2f} s")


def lost_legs(site):
    return site.client.log().count("has lost its connection")


def flipped_bits_survived():
    """the same with streams that survive: their legs are lost, every byte comes once, and unchanged"""
    with proxied() as (site, legs, _):
        site.serve("echo", Server, echo)
        port = site.client.tunnel(site.DEVICE, "echo")
        with site.connect(port) as near:
            for _ in range(4):
                check(with_a_changed_bit(near, legs), "the stream has ended")
        print(f"# measured: of four changed bits {lost_legs(site)} cost a leg")
        check(lost_legs(site) >= 2, "hardly a leg was lost")


def reset_at_a_random_byte(site, near, legs):
    """Sends random bytes, and resets its legs meanwhile; what was sent."""
    data = os.urandom(random.randrange(1, 100000))
    near.sendall(data)
    # Before it is open the opening would be tried again, and that one lives.
    eventually(lambda: any(s["state"] == "open" for s in site.client.streams()), "the stream is open")
    time.sleep(random.uniform(0, 0.2))
    legs.cut()
    return data


def resets():
    """connections that are reset at a random byte: the application sees a cut, the control link is back"""
    with proxied("Resume=no") as (site, legs, control):
        site.serve("echo", Server, echo_whole)
        port = site.client.tunnel(site.DEVICE, "echo")
        for _ in range(3):
            with site.connect(port) as near:
                reset_at_a_random_byte(site, near, legs)
                try:
                    check(near.recv(65536) != b"", "a cut that looks like an orderly end")
                except ConnectionResetError:
                    pass
            legs.forget()
        before = site.hub.log().count("connected")
        since = time.monotonic()
        control.cut()
        eventually(lambda: site.hub.log().count("connected") > before, "the hub hears of it")
        eventually(lambda: hub_state(site.gateway) == "connected" and site.is_online(site.DEVICE), "the device is online")
        took = time.monotonic() - since
        print(f"# measured: the control link is back after {took:.2f} s")
        check(took <= LINK_BACK, f"the control link is back after {took:.2f} s")


def resets_survived():
    """the same with streams that survive: the application sees nothing of it, and each byte comes once"""
    with proxied() as (site, legs, _):
        site.serve("echo", Server, echo_whole)
        port = site.client.tunnel(site.DEVICE, "echo")
        for number in range(3):
            with site.connect(port) as near:
                data = reset_at_a_random_byte(site, near, legs)
                eventually(lambda n=number: lost_legs(site) > n, "the client has lost its leg")
                near.shutdown(socket.SHUT_WR)
                check(read_all(near) == data, "what came back")
            legs.forget()


def target_hangs():
    """a target that does not answer a connection: the initiator is told so, and the place is free"""
    with netspace.Net() as net, netspace.NetSite(net) as site:
        net.lose("gateway", "client")
        site.expose("far", "tcp:10.77.3.2:9")
        for _ in range(2):
            since = time.monotonic()
            done = site.client.ctl("connect", site.DEVICE, "far")
            took = time.monotonic() - since
            check_equal(done.returncode, 12, f"exit code ({done.stderr})")
            check("target" in done.stderr, f"it says {done.stderr!r}")
            check(took < 10, f"after {took:.1f} s")
        print(f"# measured: {took:.2f} s: {done.stderr.splitlines()[0]}")


main(target_hangs, slow_link, byte_by_byte, flipped_bits, flipped_bits_survived, resets, resets_survived)
