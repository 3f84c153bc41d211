# SPDX-License-Identifier: LGPL-2.1-or-later
"""The firewalls of docs/operations.md, as they stand there: what is to pass does, and nothing else."""
import netspace

netspace.enter()

# pylint: disable=wrong-import-position
import contextlib
import os
import socket
import threading

from ends import Server, echo, tick
from harness import check_equal, main, run_ok
from page import Page

PAGE = Page(os.environ["OPERATIONS_PAGE"])
SOON = 1  # s: more than enough for a SYN and its answer here
OTHER = 2222  # a port where somebody listens on each machine
NAMES = netspace.NAMES
FIREWALLS = {"hub": "firewall-hub", "gateway": "firewall-gateway"}


class Listener:
    """Takes connections at a port of a machine, and ends them."""

    def __init__(self, net, name, port):
        with net.inside(name):
            self.socket = socket.create_server(("0.0.0.0", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.socket.accept()[0].close()


def reaches(net, source, name, port):
    with net.inside(source), socket.socket() as probe:
        probe.settimeout(SOON)
        return probe.connect_ex((net.address(name), port)) == 0


def reached(net, ports):
    """Who gets where: of every machine at the ports of the others."""
    return {(source, name, port) for source in NAMES for name in NAMES for port in ports[name]
            if source != name and reaches(net, source, name, port)}


def load(net, site, name):
    run_ok([*net.within(name), "nft", "-f", site.write(name + ".nft", PAGE[FIREWALLS[name]])])


def firewall():
    """hub and gateway with the page's rules: streams pass, and nothing else"""
    with netspace.Net() as net, netspace.NetSite(net, hub_ports=("443", "8883")) as site:
        ports = {"hub": (443, 8883, OTHER), "gateway": (443, OTHER), "client": (443, OTHER)}
        for name, numbers in ports.items():
            for port in numbers:
                if (name, port) not in (("hub", 443), ("hub", 8883)):
                    Listener(net, name, port)
        every = {(source, name, port) for source in NAMES for name in NAMES if source != name for port in ports[name]}
        check_equal(reached(net, ports), every, "without rules everybody gets everywhere")
        site.serve("echo", lambda: Server(echo))
        port = site.client.tunnel(site.DEVICE, "echo")
        before = site.connect(port)
        tick(before)
        load(net, site, "hub")
        tick(before)
        tick(site.connect(port))
        load(net, site, "gateway")
        check_equal(site.gateway.stop(), 0, "the gateway")
        site.gateway = site.start_daemon("gateway", ["--config", os.path.join(site.dir, "gateway.conf")])
        site.wait_online(site.DEVICE)
        tick(site.connect(port))
        passes = {(source, name, port) for source, name, port in every
                  if name == "client" and (source == "hub" or port == 443)
                  or name == "hub" and (port == 443 or port == 8883 and source == "client")}
        check_equal(reached(net, ports), passes, "with the rules")


if __name__ == "__main__":
    main(firewall)
