# SPDX-License-Identifier: LGPL-2.1-or-later
"""A device's link that died while it was idle, and what brings the device back: a request, the end of
the pause, another network, the end of a sleep; and names that do not resolve as they should."""
import netspace

netspace.enter()

# pylint: disable=wrong-import-position
import contextlib
import os
import signal
import socket
import struct
import subprocess
import threading
import time

from ends import Server, echo, read_exactly
from harness import check, eventually, main, run_ok
from netspace import hub_state

BUSY = 3  # times as long on a machine that is busy
PROBE = 10  # s, for the answer to a ping (daemon/link/device-session.h)


def report(what, seconds, limit):
    print(f"# measured: {what}: {seconds:.2f} s of {limit} s")
    check(seconds <= BUSY * limit, f"{what} took {seconds:.1f} s, at most {limit} s")


def control_port(net, site):
    """The gateway's port of its connection to the hub; there is no other."""
    out = run_ok([*net.within("gateway"), "ss", "-Htn", "state", "established", "dport", "=",
                  f":{site.hub.https_port}"])
    ports = [int(line.split()[2].rsplit(":", 1)[1]) for line in out.splitlines()]
    check(len(ports) == 1, f"{len(ports)} connections of the gateway")
    return ports[0]


def forget(net, port):
    """What lies between has forgotten this one connection; others pass."""
    net.lose("gateway", "hub", f"tcp sport {port}")
    net.lose("hub", "gateway", f"tcp dport {port}")


def back_after(site, net, port):
    """Waits for a connection that is not the one on PORT; how long that took."""
    since = time.monotonic()

    def new():
        return site.is_online(site.DEVICE) and hub_state(site.gateway) == "connected" and \
            control_port(net, site) != port

    with contextlib.suppress(AssertionError):
        if new():
            return time.monotonic() - since
    eventually(lambda: quietly(new), "the device is back")
    return time.monotonic() - since


def quietly(condition):
    """There are two connections for a moment."""
    try:
        return condition()
    except AssertionError:
        return False


def answers(site):
    with site.connect(site.client.tunnel(site.DEVICE, "echo")) as near:
        near.sendall(b"tick")
        check(read_exactly(near, 4) == b"tick", "the echo is wrong")
    site.client.close_tunnels()


def idle_link():
    """a link forgotten while idle: a request shows it to the hub, and waits for the device's return"""
    pause, probe = 4, 1
    with netspace.Net() as net, \
            netspace.NetSite(net, hub_settings=f"link-probe={probe}\nresponse-timeout=50",
                             gateway_keys=f"KeepAlive={pause}") as site:
        with net.inside("gateway"):
            server = Server(echo, site)
        site.expose("echo", server.address)
        answers(site)
        eventually(lambda: quietly(lambda: control_port(net, site)), "one connection")
        forget(net, control_port(net, site))
        since = time.monotonic()
        opening = site.client.start_ctl("connect", "--timeout", "50", site.DEVICE, "echo",
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        eventually(lambda: not site.is_online(site.DEVICE), "the hub sees it")
        report("the hub notices at a request", time.monotonic() - since, probe + 3)
        opening.stdin.write(b"tick")
        opening.stdin.flush()
        check(opening.stdout.read(4) == b"tick", "the stream that was asked for before")
        report("the device is back, and the request with it", time.monotonic() - since,
               pause + PROBE + 5)
        eventually(lambda: "an idle link did not last" in site.gateway.log(), "the pause is shorter")


def another_network():
    """the gateway comes into another network: its link is tried at once"""
    with netspace.Net() as net, netspace.NetSite(net) as site:
        with net.inside("gateway"):
            server = Server(echo, site)
        site.expose("echo", server.address)
        answers(site)
        eventually(lambda: quietly(lambda: control_port(net, site)), "one connection")
        port = control_port(net, site)
        forget(net, port)
        for command in ("address add 10.77.2.9/24 dev eth0", "address delete 10.77.2.2/24 dev eth0",
                        "address add 10.77.2.9/24 dev eth0", "route replace default via 10.77.2.1"):
            subprocess.run([*net.within("gateway"), "ip", *command.split()], check=False,
                           stderr=subprocess.DEVNULL)
        report("back in another network", back_after(site, net, port), 5)
        answers(site)


def asleep():
    """the gateway's machine slept: its link is tried at once"""
    with netspace.Net() as net, netspace.NetSite(net) as site:
        with net.inside("gateway"):
            server = Server(echo, site)
        path = os.path.join(site.dir, "asleep")
        with open(path, "w", encoding="ascii") as file:
            file.write("0")
        site.gateway.stop()
        site.environ.update(LD_PRELOAD=os.environ["ASLEEP_LIBRARY"], ASLEEP=path)
        site.processes.remove(site.gateway)
        site.gateway = site.start_at("gateway",
                                     site.hub.connection_string("device", site.DEVICE))
        site.environ.pop("LD_PRELOAD")
        site.wait_online(site.DEVICE)
        site.expose("echo", server.address)
        answers(site)
        eventually(lambda: quietly(lambda: control_port(net, site)), "one connection")
        port = control_port(net, site)
        site.gateway.popen.send_signal(signal.SIGSTOP)
        forget(net, port)
        with open(path, "w", encoding="ascii") as file:
            file.write("3605")
        site.gateway.popen.send_signal(signal.SIGCONT)
        report("back after a sleep", back_after(site, net, port), 5)
        check("awake after 360" in site.gateway.log(), "it does not say so")
        answers(site)


class Names:
    """A name server at the gateway's loopback, whose answers are changed as the test goes on."""

    def __init__(self, net):
        self.a, self.aaaa, self.delay, self.fails = [], [], 0, False
        self.asked = 0
        with net.inside("gateway"):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                query, peer = self.socket.recvfrom(512)
                threading.Timer(self.delay, self._answer, (query, peer)).start()

    def _answer(self, query, peer):
        self.asked += 1
        end = query.index(b"\0", 12) + 5
        kind, = struct.unpack(">H", query[end - 4:end - 2])
        records = {1: [socket.inet_aton(a) for a in self.a],
                   28: [socket.inet_pton(socket.AF_INET6, a) for a in self.aaaa]}.get(kind, [])
        code = 0x8183 if self.fails else 0x8180
        out = query[:2] + struct.pack(">HHHHH", code, 1, 0 if self.fails else len(records), 0, 0)
        out += query[12:end]
        for data in [] if self.fails else records:
            out += struct.pack(">HHHIH", 0xc00c, kind, 1, 0, len(data)) + data
        with contextlib.suppress(OSError):
            self.socket.sendto(out, peer)

    def close(self):
        self.socket.close()


@contextlib.contextmanager
def named_site():
    """A site whose gateway asks a name server; the client has the name in its hosts file."""
    with contextlib.ExitStack() as stack:
        net = stack.enter_context(netspace.Net())
        names = Names(net)
        stack.callback(names.close)
        names.a = ["10.77.1.2"]
        site = netspace.NetSite(net)
        stack.enter_context(site)
        for path, text in (("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:5 attempts:1\n"),
                           ("/etc/hosts", "127.0.0.1 localhost\n"),
                           ("/etc/nsswitch.conf", "hosts: files dns\n")):
            file = site.write(os.path.basename(path), text)
            os.chmod(file, 0o644)
            run_ok(["mount", "--bind", file, path])
            stack.callback(run_ok, ["umount", path])
        yield net, site, names


def again(site):
    """Disconnects and connects the gateway's hub by starting streamd anew; when it was started."""
    site.gateway.stop()
    site.processes.remove(site.gateway)
    since = time.monotonic()
    site.gateway = site.start_at("gateway", site.hub.connection_string("device", site.DEVICE))
    return since


def bus_answers(site):
    since = time.monotonic()
    state = hub_state(site.gateway)
    took = time.monotonic() - since
    check(took < 3, f"streamd took {took:.1f} s to answer on its bus")
    return state


def names_change():
    """a name that is unknown, slow to resolve, moves: no call waits, and the device finds the hub"""
    with named_site() as (_, site, names):
        names.fails = True
        again(site)
        eventually(lambda: bus_answers(site) == "disconnected", "the attempt fails")
        names.fails = False
        since = time.monotonic()
        eventually(lambda: hub_state(site.gateway) == "connected", "it is back")
        report("back when the name is known again", time.monotonic() - since, 10)
        names.delay = 3
        since = again(site)
        while bus_answers(site) != "connected":
            check(time.monotonic() - since < 60, "a slow name server keeps it away")
            time.sleep(0.1)
        report("connected, the name server takes 3 s", time.monotonic() - since, 20)
        names.delay = 0
        names.a = ["10.77.1.99"]
        again(site)
        eventually(lambda: bus_answers(site) == "disconnected", "nobody is there")
        names.a = ["10.77.1.2"]
        since = time.monotonic()
        eventually(lambda: bus_answers(site) == "connected", "it is back")
        report("back when the name leads there again", time.monotonic() - since, 15)


def dead_family():
    """the hub's name has an IPv6 address that leads nowhere: IPv4 is tried beside it"""
    with named_site() as (net, site, names):
        run_ok([*net.within("gateway"), "ip", "address", "add", "fd77::2/64", "dev", "eth0", "nodad"])
        run_ok([*net.within("gateway"), "ip", "-6", "route", "add", "default", "dev", "eth0"])
        names.aaaa = ["2001:db8::1"]
        since = again(site)
        eventually(lambda: hub_state(site.gateway) == "connected", "it is connected")
        report("connected although IPv6 is dead", time.monotonic() - since, 5)
        print(f"# asked {names.asked} times")


main(idle_link, another_network, asleep, names_change, dead_family)
