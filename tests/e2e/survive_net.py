# SPDX-License-Identifier: LGPL-2.1-or-later
"""Streams go on while the network of one end changes, is away, or loses all that it carries (docs/wire-protocol.md,
section 8a). As root of a namespace of users, if need be."""
import socket
import time

from ends import Server, echo
from harness import LONG, check, check_equal, eventually, main, run_ok
from netspace import Net, NetSite, enter
from survive import SOON, Talk, ended, ends_for, states, suspended

AWAY = 60 if LONG else 8  # s without a network
GIVEN_UP = 13  # s: a last word that nobody acknowledges is given up after 10 s
PROBED = 3  # s: a change of network settles, and then a leg has STREAM_PROBE for a sign of life


class NetTalk(Talk):
    """Through a tunnel of the client, in its namespace."""

    def __init__(self, site, **options):
        site.serve("echo", Server, echo)
        port = site.client.tunnel(site.DEVICE, "echo")
        self.open = lambda _: site.connect(port)
        super().__init__(port, **options)
        self.moves()


def resumed(site):
    """How often both ends have said that the stream went on."""
    return min(daemon.log().count("goes on after") for daemon in (site.gateway, site.client))


class Pause:
    """From the loss of the way, or from when it is back, to bytes again: on another leg, or on the same."""

    def __init__(self, site, talk):
        self.site, self.talk, self.before = site, talk, resumed(site)
        self.since = time.monotonic()

    def way_is_back(self):
        self.since = time.monotonic()

    def ends(self, what, most=SOON, stood=None):
        """STOOD: so many bytes had come when it stood still. TCP may have found its way again by itself."""
        if stood is None:
            eventually(lambda: resumed(self.site) > self.before, f"{what}: the stream goes on")
        else:
            eventually(lambda: self.talk.received > stood, f"{what}: bytes come again")
        took = time.monotonic() - self.since
        self.talk.moves()
        print(f"# {what}: it went on after {took:.2f} s")
        check(took < most, f"{what}: {took:.2f} s")
        for daemon in (self.site.gateway, self.site.client):
            eventually(lambda daemon=daemon: states(daemon) == ["open"], f"{daemon.name}'s stream is open")


def link(net, name, state):
    run_ok([*net.within(name), "ip", "link", "set", "eth0", state])
    if state == "up":
        number = {"gateway": 2, "client": 3}[name]
        eventually(lambda: "state UP" in run_ok([*net.within(name), "ip", "link", "show", "eth0"]), "the link is up")
        run_ok([*net.within(name), "ip", "route", "replace", "default", "via", f"10.77.{number}.1"])


def without_network():
    """the network of either end, or of both, is away for a while: its link is down"""
    with Net() as net, NetSite(net) as site:
        talk = NetTalk(site)
        for names in (("client",), ("gateway",), ("client", "gateway")):
            pause = Pause(site, talk)
            for name in names:
                link(net, name, "down")
            talk.stands()
            stood = talk.received
            time.sleep(AWAY)
            for name in names:
                link(net, name, "up")
            pause.way_is_back()
            pause.ends(f"{' and '.join(names)} without a network", stood=stood)
        talk.finish()


def new_address():
    """the gateway, then the client, has another address: its leg is given up as soon as it is asked in vain"""
    with Net() as net, NetSite(net) as site:
        talk = NetTalk(site)
        for name, number in (("gateway", 2), ("client", 3)):
            pause = Pause(site, talk)
            for command in ("address flush dev eth0", f"address add 10.77.{number}.9/24 dev eth0",
                            f"route replace default via 10.77.{number}.1"):
                run_ok([*net.within(name), "ip", "-4", *command.split()])
            pause.ends(f"{name} has another address", SOON + PROBED)
        talk.finish()


def last_word_lost():
    """the application dies while its packets are lost, before anybody knows: the gateway is told when the way is back"""
    with Net() as net, NetSite(net) as site:
        talk = NetTalk(site)
        talk.hush()
        net.lose_both("client", "hub")
        talk.near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        talk.near.shutdown(socket.SHUT_RD)  # ends the receiver's call
        talk.near.close()
        ends_for(site.client, "local-cut")
        time.sleep(GIVEN_UP)
        check_equal(ended(site.gateway), [], "the gateway does not know yet")
        net.heal()
        ends_for(site.gateway, "local-cut")


def all_is_lost():
    """the way loses all packets and nobody is told: the signs of life end the legs, and the stream goes on"""
    with Net() as net, NetSite(net, gateway_keys="LegPing=1\nLegDead=3", client_keys="LegPing=1\nLegDead=3") as site:
        talk = NetTalk(site)
        for pair in (("client", "hub"), ("gateway", "hub")):
            pause = Pause(site, talk)
            net.lose_both(*pair)
            suspended(site, site.client if pair[0] == "client" else site.gateway)
            time.sleep(AWAY)
            net.heal()
            pause.way_is_back()
            pause.ends(f"{pair[0]}'s packets were lost")
        talk.finish()
        ends_for(site.client, "completed")


if __name__ == "__main__":
    enter()
    main(without_network, new_address, last_word_lost, all_is_lost)
