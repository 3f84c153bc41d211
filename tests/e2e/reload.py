# SPDX-License-Identifier: LGPL-2.1-or-later
"""A gateway and a client that are configured in files: streams go on while the configuration is
read again, whatever became of their hub, target and rule in it, and new ones follow the new one."""
import os
import signal
import time

from ends import Server, connect, echo, read_exactly
from harness import SANITIZED, Site, check, check_equal, eventually, listed, main, write_private

TOLD = "Configuration reloaded"
REFUSED = "Configuration not reloaded"
BACK = 2 * (3 if SANITIZED else 1)  # s without a link while the key is exchanged (fault F26)


def refuse(connection):
    connection.sendall(b"other")


def ended(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


class Configured:
    """A daemon with a configuration file and an identity at the hub."""

    def __init__(self, site, name, identity):
        self.path = os.path.join(site.dir, name + ".conf")
        self.key = os.path.join(site.dir, name + ".cs")
        self.hub = f"[hub office]\nConnectionStringFile={self.key}\nCaFile={site.hub.ca}\n"
        write_private(self.key, identity + "\n")

    def start(self, site, name, text):
        write_private(self.path, text)
        self.daemon = site.start_daemon(name, ["--config", self.path])
        return self.daemon

    def reload(self, text, told=TOLD):
        write_private(self.path, text)
        before = self.daemon.log().count(told)
        os.kill(self.daemon.pid, signal.SIGHUP)
        eventually(lambda: self.daemon.log().count(told) > before, told)


def ping(connection, data):
    connection.sendall(data)
    check_equal(read_exactly(connection, len(data)), data, "the echo")


def through_reloads():
    """streams survive a refused and a good reload of either side, and new ones follow the new rules"""
    with Site(gateway=False, client=False) as site:
        server, other = Server(echo, site), Server(refuse, site)
        gateway = Configured(site, "gateway", site.hub.add_device(site.DEVICE))
        client = Configured(site, "client", site.hub.connection_string("user", "service"))
        target = f"[target echo]\nAddress={server.address}\n"
        rule = "[rule 10]\nStream=echo\nVerdict=accept\n"
        site.gateway = gateway.start(site, "gateway", gateway.hub + target + rule)
        site.wait_online(site.DEVICE)
        site.client = client.start(site, "client", client.hub)
        port = site.client.tunnel(site.DEVICE, "echo")
        with connect(port) as first:
            ping(first, b"before")
            gateway.reload("[target echo]\nnonsense\n", REFUSED)
            client.reload("[hub office]\n", REFUSED)
            ping(first, b"after what was refused")
            # The target moved, the rule is another one, the gateway's hub has another transport.
            gateway.reload(gateway.hub + "Transport=mqtts\n" +
                           f"MqttPort={site.hub.mqtts_port}\n[target echo]\n"
                           f"Address={other.address}\n[rule 20]\nStream=echo\nVerdict=accept\n")
            check("Configuration reloaded by - (UID -): hubs: office; targets: echo; rules: 20; default: reject; changed: hub office "
                  "target echo rules\n" in site.gateway.log(), f"what the reload changed: {site.gateway.log()}")
            client.reload(client.hub + "MqttPort=1\n")
            ping(first, b"after what was taken")
            check_equal(len(site.client.streams()), 1, "streams of the client")
            eventually(lambda: site.is_online(site.DEVICE), "the gateway is back")
            with connect(port) as second:
                check_equal(read_exactly(second, 5), b"other", "the new target")
            ping(first, b"beside a new one")
            # Gone from the file is gone: what was opened through it ends.
            gateway.reload("")
            check(ended(first), "the first stream went on")
        check_equal(listed(site.gateway.ctl_json("hub", "list"), "hubs"), [], "hubs of the gateway")


def another_key():
    """the device gets its other key by a reload: its link is away for a moment, and its stream goes on"""
    with Site(gateway=False) as site:
        gateway = Configured(site, "gateway", site.hub.add_device(site.DEVICE))
        text = (gateway.hub + f"[target echo]\nAddress={Server(echo, site).address}\n"
                "[rule 1]\nStream=echo\nVerdict=accept\n")
        site.gateway = gateway.start(site, "gateway", text)
        site.wait_online(site.DEVICE)
        with connect(site.client.tunnel(site.DEVICE, "echo")) as near:
            ping(near, b"with the first key")
            links = site.hub.log().count("connected")
            other = site.hub.admin("connection-string", "device", site.DEVICE, "--secondary").strip()
            check(other not in site.hub.connection_string("device", site.DEVICE), "it is the same key")
            write_private(gateway.key, other + "\n")
            since = time.monotonic()
            gateway.reload(text)
            eventually(lambda: site.hub.log().count("connected") > links, "the link has changed")
            eventually(lambda: site.is_online(site.DEVICE), "the device is back")
            took = time.monotonic() - since
            print(f"# measured: back {took:.2f} s after the reload")
            check(took <= BACK, f"it took {took:.2f} s")
            ping(near, b"with the other one")


def not_removable():
    """what is in the file cannot be removed with streamctl, which names the file"""
    with Site(gateway=False, client=False) as site:
        gateway = Configured(site, "gateway", site.hub.add_device(site.DEVICE))
        site.gateway = gateway.start(site, "gateway", gateway.hub)
        done = site.gateway.ctl("hub", "remove", "office")
        check_equal(done.returncode, 5, "the exit code")
        check(gateway.path + ":1" in done.stderr, f"no file and line in {done.stderr!r}")


if __name__ == "__main__":
    main(through_reloads, another_key, not_removable)
