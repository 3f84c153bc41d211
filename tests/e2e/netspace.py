# SPDX-License-Identifier: LGPL-2.1-or-later
"""Networks for the tests: a namespace each for hub, gateway and client, and a router in between whose
firewall makes the faults.

    hub 10.77.1.2 ---- router ---- gateway 10.77.2.2
                         `-------- client  10.77.3.2

enter() begins a test's program again in namespaces of its own, as root of a user namespace where it
is not root already. Namespaces are held by descriptors of this process and are gone with it."""
import contextlib
import ctypes
import os
import re
import socket
import subprocess
import sys
import threading

from harness import Failure, Site, listed, run_ok, write_private

CLONE_NEWNET = 0x40000000
NAMES = ("hub", "gateway", "client")
LIBC = ctypes.CDLL(None, use_errno=True)


def enter():
    """Call it first thing: only the program that runs in its own namespaces comes back from it."""
    if os.environ.get("STREAMD_NETSPACE"):
        return
    os.environ["STREAMD_NETSPACE"] = "1"
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    os.execvp("unshare", ["unshare", *user, "--net", "--mount", "--propagation", "private",
                          "/usr/bin/python3", *sys.argv])


def call(name, *arguments):
    if getattr(LIBC, name)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


def new_namespace():
    """A descriptor of a new network namespace."""
    held = []

    def make():
        call("unshare", CLONE_NEWNET)
        held.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    os.set_inheritable(held[0], True)
    return held[0]


def hub_state(daemon):
    """Of its one hub."""
    return listed(daemon.ctl_json("hub", "list"), "hubs")[0]["state"]


class Net:
    """The router and what hangs on it."""

    def __init__(self):
        self.fds = {name: new_namespace() for name in NAMES}
        run_ok(["ip", "link", "set", "lo", "up"])
        with open("/proc/sys/net/ipv4/ip_forward", "w", encoding="ascii") as file:
            file.write("1")
        for number, name in enumerate(NAMES, 1):
            self._connect(name, number)
        self.nft("add table inet faults\nadd chain inet faults forward { type filter hook forward priority 0; }")

    def _connect(self, name, number):
        run_ok(["ip", "link", "add", "to-" + name, "type", "veth", "peer", "name", "eth0",
                "netns", self.path(name)])
        run_ok(["ip", "address", "add", f"10.77.{number}.1/24", "dev", "to-" + name])
        run_ok(["ip", "link", "set", "to-" + name, "up"])
        for command in ("link set lo up", f"address add 10.77.{number}.2/24 dev eth0",
                        "link set eth0 up", f"route add default via 10.77.{number}.1"):
            run_ok([*self.within(name), "ip", *command.split()])

    def path(self, name):
        return f"/proc/{os.getpid()}/fd/{self.fds[name]}"

    def within(self, name):
        """What a command line begins with to run there."""
        return ["nsenter", "--net=" + self.path(name), "--"]

    @contextlib.contextmanager
    def inside(self, name):
        """This thread is there: the sockets that it makes stay there."""
        back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        call("setns", self.fds[name], CLONE_NEWNET)
        try:
            yield
        finally:
            call("setns", back, CLONE_NEWNET)
            os.close(back)

    @staticmethod
    def nft(rules):
        """Feeds the router's firewall."""
        done = subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise Failure(f"nft: {done.stdout}")

    @staticmethod
    def address(name):
        return f"10.77.{NAMES.index(name) + 1}.2"

    def lose(self, source, destination, match=""):
        """From now on what SOURCE sends to DESTINATION is lost."""
        self.nft(f"add rule inet faults forward ip saddr {self.address(source)} "
                 f"ip daddr {self.address(destination)} {match} drop")

    def lose_both(self, one, other, match=""):
        self.lose(one, other, match)
        self.lose(other, one, match)

    def count(self, one, other):
        """Counts bytes and packets between the two from now on, IP headers included."""
        for source, destination in ((one, other), (other, one)):
            self.nft(f"add rule inet faults forward ip saddr {self.address(source)} "
                     f"ip daddr {self.address(destination)} counter")

    @staticmethod
    def counted():
        """Bytes and packets since then."""
        shown = run_ok(["nft", "list", "chain", "inet", "faults", "forward"])
        return tuple(sum(int(number) for number in re.findall(unit + r" (\d+)", shown))
                     for unit in ("bytes", "packets"))

    def heal(self):
        self.nft("flush chain inet faults forward")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # A namespace that nobody holds goes some time later, and its interfaces with it.
        for name in NAMES:
            run_ok(["ip", "link", "delete", "to-" + name])
        self.nft("delete table inet faults")
        for fd in self.fds.values():
            os.close(fd)


class NetSite(Site):
    """A site whose hub, gateway and client each have a namespace of the net, and which all know the
    hub by its name. Tunnels and targets are reached with net.inside()."""

    HOST_NAME = "hub.test"
    ADDRESS = "10.77.1.2"
    REACHED = None  # where the name leads, when that is not the hub's address

    def __init__(self, net, hub_settings="", gateway_keys="", client_keys="", gateway_string="",
                 **kwargs):
        """Settings of the hub's configuration file; keys of [hub office] in those of the others; what
        is added to the gateway's connection string."""
        self.gateway_string = gateway_string
        self.hub_started = lambda: None
        self.net = net
        self.keys = {"gateway": gateway_keys, "client": client_keys}
        self.hub_settings = hub_settings
        self.environ = {"G_MESSAGES_DEBUG": "all"}  # of what is started from now on
        super().__init__(gateway=False, client=False, **kwargs)

    def where(self, name):
        return self.net.within(name) if name in NAMES else []

    def environment(self, **more):
        return {**super().environment(**more), **self.environ}

    def write(self, name, text):
        """A file of the site's directory that nobody else may read; its path."""
        path = os.path.join(self.dir, name)
        write_private(path, text)
        return path

    def __enter__(self):
        hosts = self.write("hosts", f"127.0.0.1 localhost\n{self.REACHED or self.ADDRESS} {self.HOST_NAME}\n")
        os.chmod(hosts, 0o644)
        run_ok(["mount", "--bind", hosts, "/etc/hosts"])
        self.closers.append(lambda: run_ok(["umount", "/etc/hosts"]))
        if self.hub_settings:
            settings = self.write("hub.conf", f"[hub]\n{self.hub_settings}\n")
            arguments = ("--config", settings, *self._wanted[0])
            self._wanted = (arguments, *self._wanted[1:])
        super().__enter__()
        try:
            self.hub_started()
            self.gateway = self.start_at("gateway",
                                         self.hub.add_device(self.DEVICE) + self.gateway_string)
            self.client = self.start_at("client", self.hub.connection_string("user", "service"))
            self.wait_online(self.DEVICE)
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def start_at(self, name, connection_string):
        secret = self.write(name + ".cs", connection_string + "\n")
        hosts = f"StreamHosts={self.streaming_host}\n" if self.streaming_host else ""
        config = self.write(name + ".conf", f"[hub office]\nConnectionStringFile={secret}\n"
                            f"CaFile={self.hub.ca}\n{hosts}{self.keys[name]}\n")
        return self.start_daemon(name, ["--config", config])

    def serve(self, target, server_class, *arguments):
        """A target that listens at the gateway, and a rule for it; the server."""
        with self.net.inside("gateway"):
            server = server_class(*arguments)
        self.closers.append(server.close)
        self.expose(target, server.address)
        return server

    def connect(self, port):
        """A connection to a tunnel of the client."""
        with self.net.inside("client"):
            connection = socket.create_connection(("127.0.0.1", port))
        connection.settimeout(300)
        return connection
