# SPDX-License-Identifier: LGPL-2.1-or-later
"""What stands in front of a hub, with the very text of docs/operations.md: nginx, haproxy and Caddy as they
are packaged, and rules of nftables, each in namespaces of its own with the real programs at its sides. What
works through each of them is what the table of that page says."""
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

from devices_x509 import Authority
from ends import Server, connect, echo, in_threads, read_all, receive_digest, send_random, tick
from harness import Process, check, check_equal, eventually, main, run_ok
from netspace import Net, NetSite, enter, hub_state
from page import Page

HUB, FRONT = "192.0.2.20", "192.0.2.10"
SIZE = 10 << 20
IDLE = 70
PING = 30
PAGE = Page(os.environ["OPERATIONS_PAGE"])
CORNER = "behind"  # of the table


class FrontSite(NetSite):
    """A hub at 192.0.2.20 whose name leads to 192.0.2.10, the router, where the front is."""

    HOST_NAME = "hub.example.org"
    ADDRESS = HUB

    def __init__(self, net, front):
        self.front = front
        self.REACHED = HUB if front.is_none else FRONT
        run_ok(["ip", "address", "add", f"{FRONT}/24", "dev", "to-hub"])
        run_ok([*net.within("hub"), "ip", "address", "add", f"{HUB}/24", "dev", "eth0"])
        self.folder = tempfile.TemporaryDirectory(prefix="streamd-front-")
        authority = Authority(self.folder.name, "devices")
        self.certificate = authority.issue("gw-x509", "gw-x509")
        settings = PAGE[front.hub_block].removeprefix("[hub]\n") if front.hub_block else ""
        super().__init__(net, hub_settings=f"{settings}client-certificates = yes\ndevice-ca = {authority.file}\n"
                         "device-return-time = 0", hub_ports=("443", "8883"))
        self.closers.append(self.folder.cleanup)
        self.hub_started = self.prepare

    def prepare(self):
        """A second device of the gateway pings often."""
        secret = self.write("gw-ping.string", self.hub.add_device("gw-ping") + "\n")
        self.keys["gateway"] = f"[hub ping]\nConnectionStringFile={secret}\nCaFile={self.hub.ca}\nKeepAlive={PING}\n"
        self.front.start(self)


def bind(site, folder, place):
    run_ok(["mount", "--bind", folder, place])
    site.closers.append(lambda: run_ok(["umount", place]))


def etc(site, name):
    """A copy of a folder of /etc in its place, with certificates."""
    copy, state = os.path.join(site.dir, name), site.hub.state_dir
    shutil.copytree(f"/etc/{name}", copy, symlinks=True)
    for file, source in (("hub.pem", "server.pem"), ("hub-key.pem", "server-key.pem"), ("hub-ca.pem", "ca.pem"),
                         ("www.pem", "server.pem"), ("www-key.pem", "server-key.pem")):
        shutil.copy(os.path.join(state, source), os.path.join(copy, file))
    bind(site, copy, f"/etc/{name}")


def put(block, without=None):
    """Writes the block to where its first line says, but for what is like WITHOUT."""
    text = PAGE[block]
    if without:
        text, count = re.subn(without, "", text)
        check(count > 0, f"{block} has nothing like {without}")
    with open(text.splitlines()[0].removeprefix("# "), "w", encoding="utf-8") as file:
        file.write(text)


class Front:
    is_none = False
    hub_block = None  # what the hub's settings have for it

    def start(self, site):
        """Starts it, in the router's namespace."""

    def more(self, site):
        """What else is to work there; in the client's namespace."""

    def run(self, site, argv, env=None):
        process = Process(site, "front", argv, env=env)
        site.processes.append(process)
        eventually(lambda: self.answers(process), "the front listens")

    @staticmethod
    def answers(process):
        check(process.alive(), f"the front ended:\n{process.log()}")
        try:
            socket.create_connection((FRONT, 443), 1).close()
            return True
        except OSError:
            return False


class Nothing(Front):
    is_none = True


class Nginx(Front):
    """With Debian's nginx.conf; only whose it is and where it writes is changed."""

    def __init__(self, *blocks, hub_block, without=None):
        self.blocks, self.hub_block, self.without = blocks, hub_block, without

    def start(self, site):
        etc(site, "nginx")
        for name in os.listdir("/etc/nginx/sites-enabled"):
            os.unlink(f"/etc/nginx/sites-enabled/{name}")
        for block in self.blocks:
            put(block, self.without)
        with open("/etc/nginx/nginx.conf", encoding="utf-8") as file:
            text = file.read()
        text = text.replace("user www-data;", "user root;").replace("/run/nginx.pid", site.dir + "/nginx.pid")
        with open("/etc/nginx/nginx.conf", "w", encoding="utf-8") as file:
            file.write(text.replace("/var/log/nginx/", site.dir + "/nginx-"))
        bodies = os.path.join(site.dir, "bodies")
        os.mkdir(bodies)
        bind(site, bodies, "/var/lib/nginx")
        self.run(site, ["nginx", "-g", "daemon off;"])


class Beside(Nginx):
    """With a web server at the same port, under another name."""

    def more(self, site):
        context = ssl.create_default_context(cafile=site.hub.ca)
        context.check_hostname = False
        with socket.create_connection((FRONT, 443)) as plain, \
                context.wrap_socket(plain, server_hostname="www.example.org") as web:
            web.sendall(b"GET /there HTTP/1.0\r\nHost: www.example.org\r\n\r\n")
            check(b"Server: nginx" in read_all(web), "the web server answers")
        with open(site.dir + "/nginx-access.log", encoding="utf-8") as file:
            said = file.read()
        check(said.startswith(site.net.address("client") + " "), f"and knows who asked: {said}")


class Haproxy(Front):
    def __init__(self, block, hub_block=None):
        self.block, self.hub_block = block, hub_block

    def start(self, site):
        self.run(site, ["haproxy", "-db", "-f", site.write("haproxy.cfg", PAGE[self.block])])


class Caddy(Front):
    hub_block = "front-http-hub"

    def start(self, site):
        etc(site, "caddy")
        put("front-caddy")
        env = dict(os.environ, HOME=site.dir, XDG_DATA_HOME=site.dir, XDG_CONFIG_HOME=site.dir)
        self.run(site, ["caddy", "run", "--config", "/etc/caddy/Caddyfile"], env)


class Nat(Front):
    def __init__(self, block):
        self.block = block

    def start(self, site):
        site.net.nft(PAGE[self.block])
        site.closers.append(lambda: site.net.nft("delete table ip hub-balancer"))


FRONTS = {
    "nothing": Nothing(),
    "nginx, stream": Beside("front-nginx-stream", "front-nginx-web", hub_block="front-hub"),
    "nginx, stream, ends TLS": Nginx("front-nginx-tls", hub_block="front-hub"),
    "haproxy": Haproxy("front-haproxy", "front-hub"),
    "haproxy without PROXY": Haproxy("front-haproxy-plain"),
    "nftables, is the router": Nat("front-nat"),
    "nftables, elsewhere": Nat("front-nat-masquerade"),
    "nginx, HTTP": Nginx("front-nginx-http", hub_block="front-http-hub"),
    "nginx, HTTP, its own time-outs": Nginx("front-nginx-http", hub_block="front-http-hub", without=r".*_timeout 1h;\n"),
    "Caddy": Caddy(),
}

# -- a column each: what works -------------------------------------------------------------------


def joins(site, name, connection_string, *options):
    """Whether the gateway gets to the hub with that string."""
    path = site.write(name + ".string", connection_string + "\n")
    site.gateway.ctl("hub", "add", name, "--connection-string-file", path, "--ca", site.hub.ca, *options)

    def settled():
        shown = site.gateway.ctl_json("hub", "show", name)
        return shown if shown["state"] == "connected" or shown["last_error"] else None

    return eventually(settled, f"{name} is there, or has an error")["state"] == "connected"


def digest_of_all(connection):
    """Answers after the end of the data."""
    connection.sendall(hashlib.sha256(read_all(connection)).hexdigest().encode())


def both_ways(port):
    """There and back at the same time."""
    with connect(port) as near:
        sent, got = in_threads(lambda: send_random(near, SIZE), lambda: receive_digest(near))
        return got == (SIZE, sent)


def half_close(port):
    data = os.urandom(SIZE)
    with connect(port) as near:
        near.sendall(data)
        near.shutdown(socket.SHUT_WR)
        return read_all(near).decode() == hashlib.sha256(data).hexdigest()


def knows_who(site):
    """Whether the log has the device's own address, and the list of streams the service's."""
    streams = json.loads(site.hub.admin("stream", "list", "--json"))
    service = {one["address"].rsplit(":", 1)[0] for one in streams}
    log = site.hub.log()
    real = f"{site.DEVICE} is connected from {site.net.address('gateway')}:" in log
    check(real != (f"{site.DEVICE} is connected from {FRONT}:" in log), "it is from one of the two")
    check_equal(service, {site.net.address("client") if real else FRONT}, "whom streams are of")
    return real


def changes(site):
    """What the hub has said of devices that come and go: (of those that are silent, of the one that pings)."""
    lines = [line for line in site.hub.log().splitlines() if line.startswith("streamhub: Device ")]
    pings = [line for line in lines if "Device gw-ping " in line]
    return [line for line in lines if line not in pings], pings


def measured(site, let_go):
    """{column: whether it works}; let_go() before the long wait."""
    net, hub = site.net, site.hub
    works = {"device, 443": True}  # it is there, or the site would not
    works["device, 8883"] = joins(site, "gw-mqtts", hub.add_device("gw-mqtts"), "--transport", "mqtts")
    hub.admin("device", "add", "gw-x509", "--ca")
    certificate, key = site.certificate.files
    works["X.509"] = joins(site, "gw-x509", "HostName=hub.example.org;DeviceId=gw-x509;x509=true",
                           "--certificate", certificate, "--key", key)
    with net.inside("gateway"):
        targets = {"echo": Server(echo, site).address, "digest": Server(digest_of_all, site).address}
    for name, address in targets.items():
        site.expose(name, address)
    ports = {name: site.client.tunnel(site.DEVICE, name) for name in targets}
    with net.inside("client"):
        idle = connect(ports["echo"])
        tick(idle)
        works["service"] = True  # it has asked for that stream
        works["knows who"] = knows_who(site)
        works["10 MB both ways"] = both_ways(ports["echo"])
        works["half-close"] = half_close(ports["digest"])
        site.front.more(site)
    site.wait_online("gw-ping")
    before = changes(site)
    let_go()
    time.sleep(IDLE)
    check_equal(hub_state(site.client), "connected", "the client")
    tick(idle)
    silent, pings = changes(site)
    works["70 s idle"], works["pings"] = silent == before[0], pings == before[1]
    return works


def one(name, lock, out):
    """One front; what works goes to the file OUT. One at a time is busy, and all wait together."""
    enter()
    with open(lock, "w", encoding="ascii") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        with Net() as net, FrontSite(net, FRONTS[name]) as site:
            works = measured(site, lambda: fcntl.flock(busy, fcntl.LOCK_UN))
    with open(out, "w", encoding="utf-8") as file:
        json.dump(works, file)


def table():
    """each cell of the page's table is what is measured"""
    rows = PAGE.table(CORNER)
    check_equal(list(rows), list(FRONTS), "what is in the table")
    with tempfile.TemporaryDirectory() as folder:
        lock = os.path.join(folder, "lock")
        outs = {name: os.path.join(folder, str(number)) for number, name in enumerate(FRONTS)}
        children = {name: subprocess.Popen([sys.executable, __file__, "one", name, lock, out])
                    for name, out in outs.items()}
        try:
            for name, child in children.items():
                check_equal(child.wait(), 0, f"behind {name}: exit status")
        finally:
            for child in children.values():
                child.terminate()
                child.wait()
        for name, out in outs.items():
            with open(out, encoding="utf-8") as file:
                works = json.load(file)
            said = {column: cell.split()[0] == "yes" for column, cell in rows[name].items()}
            check_equal(works, said, f"behind {name}: what works, and what the page says")


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        one(*sys.argv[2:])
    else:
        main(table)
