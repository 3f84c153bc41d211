# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tunnels and those who connect to them: clients that write and close at once, both loopbacks, and the
connection beyond the user's limit.

Not as root, whose UID is what a kernel says that does not know."""
import ctypes
import json
import os
import pwd
import shutil
import signal
import socket
import tempfile
import threading
import time

from ends import Server, connect, echo, read_all, tick
from harness import LONG, Site, bound_port, check, check_equal, eventually, listed, main, run_ok, write_private

CLONE_NEWNET = 0x40000000
USER = "nobody"  # dbus-daemon wants one that has an entry
AT_ONCE = 1000
OUTSTANDING = 128  # below the user's limit of streams
FAMILIES = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


def own_network():
    """One in which the kernel knows a socket that its client has closed for 120 s, and not only for the
    40 ms or so until its end is acknowledged, which a machine that is doing other work may let pass."""
    libc = ctypes.CDLL(None, use_errno=True)
    check_equal(libc.unshare(CLONE_NEWNET), 0, "unshare")
    run_ok(["ip", "link", "set", "lo", "up"])
    with open("/proc/sys/net/ipv4/tcp_fin_timeout", "w", encoding="ascii") as file:
        file.write("120")


def become_a_user():
    """An ordinary one, with programs that it may read."""
    if os.geteuid() != 0:
        return
    if not LONG:
        own_network()
    place = tempfile.mkdtemp(prefix="streamd-programs-")
    os.chmod(place, 0o755)
    # streamhub looks for streamhubd beside itself.
    shutil.copy(os.path.join(os.path.dirname(os.environ["STREAMHUB"]), "streamhubd"), place)
    for name in ("STREAMHUB", "STREAMD", "STREAMCTL"):
        os.environ[name] = shutil.copy(os.environ[name], place)
        os.chmod(os.environ[name], 0o755)
    library = os.environ.get("OLD_KERNEL_LIBRARY")
    if library:
        os.environ["OLD_KERNEL_LIBRARY"] = shutil.copy(library, place)
    user = pwd.getpwnam(USER)
    os.chown(place, user.pw_uid, user.pw_gid)
    os.setgroups([])
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)


class Sink:
    """A target that keeps what each connection has said."""

    def __init__(self, site):
        self.said = []
        self.lock = threading.Lock()
        self.server = Server(self._serve, site)
        self.address = self.server.address

    def _serve(self, connection):
        text = read_all(connection)
        with self.lock:
            self.said.append(text)

    def count(self):
        with self.lock:
            return len(self.said)


def fire(count, make, sink):
    """As many clients that connect, write and close at once; how many of them arrived."""
    before = sink.count()
    for number in range(count):
        eventually(lambda sent=number: sent - (sink.count() - before) < OUTSTANDING,
                   f"room for client {number}, {sink.count() - before} have arrived")
        with make() as client:
            client.sendall(b"%d" % number)
    eventually(lambda: sink.count() - before >= count, f"{count} arrive")
    return sorted(int(text) for text in sink.said[before:])


def is_stopped(pid):
    """Every thread of it: a signal takes its time."""
    tasks = f"/proc/{pid}/task"
    for task in os.listdir(tasks):
        with open(f"{tasks}/{task}/stat", encoding="utf-8") as file:
            if file.read().rpartition(")")[2].split()[0] != "T":
                return False
    return True


def refused(site, port, family, sink):
    """Clients that have closed before streamd asks about them: none of them arrives, the next one does."""
    before = sink.count()
    site.client.popen.send_signal(signal.SIGSTOP)
    eventually(lambda: is_stopped(site.client.popen.pid), "streamd stands still")
    for number in range(20):
        with tcp(family, port)() as client:
            client.sendall(b"%d" % number)
    site.client.popen.send_signal(signal.SIGCONT)
    with tcp(family, port)() as client:
        client.sendall(b"last")
        client.shutdown(socket.SHUT_WR)
        client.recv(1)
    check_equal(sink.said[before:], [b"last"], "what arrived")


def tcp(family, port):
    return lambda: socket.create_connection((FAMILIES[family], port))


def unix(path):
    def make():
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)
        return client
    return make


def machine(daemon):
    """What the doctor says of this machine's tunnels."""
    done = daemon.ctl("doctor", "--json")
    checks = json.loads(done.stdout)[0]["checks"]
    return done.returncode, next(c for c in checks if c["step"] == "tunnels")


def last_error(daemon, port):
    shown = listed(daemon.ctl_json("tunnel", "list"), "tunnels")
    return next(t["last_error"] for t in shown if t["listen_address"].endswith(f":{port}"))


def unix_tunnel(site):
    path = os.path.join(site.dir, "sink.socket")
    site.client.ctl_ok("tunnel", "open", site.DEVICE, "sink", "--background", "--listen", f"unix:{path}")
    return path


def is_blind(site, sink):
    """This kernel does not tell: it is said, with what helps, and that helps."""
    status, found = machine(site.client)
    check_equal((status, found["result"]), (0, "limited"), "the doctor")
    check("unix:PATH" in found["cure"], f"the cure {found}")
    text = site.client.ctl_ok("doctor")
    check("does not tell" in text and "What helps: " in text and "unix:PATH" in text, text)
    log = site.client.log()
    check("does not tell" in log and "unix:" in log, f"the log: {log}")
    port = site.client.tunnel(site.DEVICE, "sink")
    for family in FAMILIES:
        refused(site, port, family, sink)
    text = "its client had closed it already, and then the kernel does not tell"
    check(text in site.client.log() and "unix: address" in site.client.log(), site.client.log())
    check_equal(fire(AT_ONCE, unix(unix_tunnel(site)), sink), list(range(AT_ONCE)), "over a Unix socket")


def at_once():
    """1,000 of 1,000 clients that write and close at once arrive, on both loopbacks"""
    with Site() as site:
        sink = Sink(site)
        site.expose("sink", sink.address)
        status, found = machine(site.client)
        if found["result"] == "limited":
            is_blind(site, sink)
            return
        check_equal((status, found["result"]), (0, "ok"), "the doctor")
        check("does not tell" not in site.client.log(), "nothing is said in the log")
        port = site.client.tunnel(site.DEVICE, "sink")
        for family, name in FAMILIES.items():
            since = time.monotonic()
            check_equal(fire(AT_ONCE, tcp(family, port), sink), list(range(AT_ONCE)), name)
            print(f"# measured: {name}: {AT_ONCE} in {time.monotonic() - since:.1f} s")
        check_equal(last_error(site.client, port), "", "the last error")
        check_equal(fire(100, unix(unix_tunnel(site)), sink), list(range(100)), "over a Unix socket")


def old_kernel():
    """a kernel that does not tell whose they were: refused, said, and a Unix socket takes them"""
    os.environ["LD_PRELOAD"] = os.environ["OLD_KERNEL_LIBRARY"]
    with Site() as site:
        del os.environ["LD_PRELOAD"]
        sink = Sink(site)
        site.expose("sink", sink.address)
        is_blind(site, sink)


def listening(family, port=0):
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((FAMILIES[family], port))
    listener.listen()
    return listener


def free_on_both():
    while True:
        with listening(socket.AF_INET) as one:
            port = one.getsockname()[1]
            try:
                listening(socket.AF_INET6, port).close()
                return port
            except OSError:
                pass


def works(port):
    for address in FAMILIES.values():
        with socket.create_connection((address, port), timeout=30) as near:
            tick(near)
    return True


def both_loopbacks():
    """localhost is both loopbacks or nothing, whoever has the other; after a restart as well"""
    with Site() as site:
        site.expose("echo", Server(echo, site).address)
        open_one = ("tunnel", "open", site.DEVICE, "echo", "--background")
        works(site.client.tunnel(site.DEVICE, "echo"))
        for listen in ("127.0.0.1:{}", "[::1]:{}", "localhost:{}", "{}"):
            for family in FAMILIES:
                with listening(family) as other:
                    port = other.getsockname()[1]
                    given = "tcp:" + listen.format(port) if ":" in listen else listen.format(port)
                    done = site.client.ctl(*open_one, "--listen", given)
                    named = f"tcp:127.0.0.1:{port}" if family == socket.AF_INET else f"tcp:[::1]:{port}"
                    check(done.returncode == 6 and named in done.stderr,
                          f"{given}, {named} taken: {done.returncode} {done.stderr}")
            port = free_on_both()
            given = "tcp:" + listen.format(port) if ":" in listen else listen.format(port)
            out = site.client.ctl_ok(*open_one, "--listen", given)
            check_equal(out.splitlines()[0], "Listening on tcp:" +
                        ("[::1]" if "::1" in listen else "127.0.0.1") + f":{port}", given)
            works(port)
        ports = [bound_port("Listening on " + t["listen_address"])
                 for t in listed(site.client.ctl_json("tunnel", "list"), "tunnels")]
        check_equal(site.client.stop(), 0, "exit status")
        site.client.bus.stop()
        with listening(socket.AF_INET6, ports[-1]):
            site.client = site.start_daemon("client")
            for port in ports[:-1]:
                works(port)
            check(f"tcp:[::1]:{ports[-1]}: " in last_error(site.client, ports[-1]),
                  last_error(site.client, ports[-1]))
        eventually(lambda: last_error(site.client, ports[-1]) == "", "it listens again")
        works(ports[-1])


def with_limit(site, limit):
    """The client's streamd with that many streams for a user."""
    path = os.path.join(site.dir, "client.conf")
    write_private(path, f"[limits]\nStreamsPerUser={limit}\n")
    site.client = site.start_daemon("client", ["--config", path])
    site.client.add_hub("office", site.hub.connection_string("user", "service"), site.hub.ca)


def is_reset_at_once(port):
    since = time.monotonic()
    with connect(port) as one:
        try:
            check_equal(one.recv(1), b"reset", "the connection beyond the limit")
        except ConnectionResetError:
            pass
    return time.monotonic() - since


def beyond_the_limit():
    """the connection beyond the limit of the user's streams is reset at once, and it is said"""
    with Site(client=False) as site:
        site.expose("echo", Server(echo, site).address)
        with_limit(site, 3)
        port = site.client.tunnel(site.DEVICE, "echo")
        streams = [connect(port) for _ in range(3)]
        for near in streams:
            tick(near)
        took = max(is_reset_at_once(port) for _ in range(50))
        print(f"# measured: reset after {took * 1000:.0f} ms at most")
        check(took < 1, f"reset after {took:.1f} s")
        check("StreamsPerUser" in last_error(site.client, port), last_error(site.client, port))
        said = site.client.log().count("StreamsPerUser")
        check_equal(said, 1, "lines in the log")
        for near in streams:
            tick(near)
        streams.pop().close()
        eventually(lambda: len(site.client.streams()) == 2, "one has ended")
        with connect(port) as near:
            tick(near)
            check_equal(last_error(site.client, port), "", "the last error")
        for near in streams:
            near.close()


def limit_of_the_user():
    """a tunnel has no limit of its own: 280 streams where the user may have 280, and not one more"""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
        config.write("[hub]\nstreams-per-user-and-device = 300\npending-per-user-and-device = 300\n")
        config.flush()
        up_to_the_limit(config.name)


def up_to_the_limit(config):
    with Site(["--config", config], client=False) as site:
        site.expose("echo", Server(echo, site).address)
        with_limit(site, 280)
        port = site.client.tunnel(site.DEVICE, "echo")
        streams = [connect(port) for _ in range(280)]
        for near in streams:
            tick(near)
        check(is_reset_at_once(port) < 1, "the next one is reset")
        check("280 streams" in last_error(site.client, port), last_error(site.client, port))
        for near in streams:
            near.close()


become_a_user()
main(at_once, old_kernel, both_loopbacks, beyond_the_limit, limit_of_the_user)
