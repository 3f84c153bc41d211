# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is changed of a hub with `hub set`, in both roles: what works is in force at once, what does not
changes nothing and says why, and a stream of somebody else goes on through all of it."""
import base64
import contextlib
import os
import socket
import threading

from ends import Server, connect, echo, free_port, read_exactly
from errors import wrong_key
from harness import Site, check, check_equal, eventually, main, run_ok, write_private

BLOCK = 1024


class Pump:
    """A connection that carries numbered blocks there and back, in a thread, until it is stopped."""

    def __init__(self, port):
        self.connection = connect(port)
        self.rounds, self.fault, self.ends = 0, None, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            while not self.ends.wait(0.002):
                block = self.rounds.to_bytes(8, "big") * (BLOCK // 8)
                self.connection.sendall(block)
                check(read_exactly(self.connection, BLOCK) == block, f"block {self.rounds} came back as another")
                self.rounds += 1
        except Exception as error:  # pylint: disable=broad-except
            self.fault = error

    def moves(self):
        """It goes on now."""
        check(self.fault is None, f"after {self.rounds} blocks: {self.fault}")
        before = self.rounds
        eventually(lambda: self.fault or self.rounds > before + 2, "the stream carries bytes")
        check(self.fault is None, f"after {self.rounds} blocks: {self.fault}")

    def stop(self):
        self.ends.set()
        self.thread.join()
        self.connection.close()


def forward(connection, host, port):
    """Bytes both ways, until both have ended."""
    with socket.create_connection((host, port)) as other:
        def one_way(source, sink):
            with contextlib.suppress(OSError):
                while data := source.recv(1 << 16):
                    sink.sendall(data)
                sink.shutdown(socket.SHUT_WR)
        back = threading.Thread(target=one_way, args=(other, connection), daemon=True)
        back.start()
        one_way(connection, other)
        back.join()


class Proxy(Server):
    """An HTTP proxy that knows CONNECT alone."""

    def __init__(self, site):
        self.asked = 0
        super().__init__(self._connect, site)

    def _connect(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(1)
        host, port = head.split()[1].decode().rsplit(":", 1)
        self.asked += 1
        connection.sendall(b"HTTP/1.1 200 yes\r\n\r\n")
        forward(connection, host, int(port))


class Setting:
    """A daemon whose hub "office" is changed."""

    def __init__(self, site, daemon, pump):
        self.site, self.daemon, self.pump = site, daemon, pump

    def shown(self):
        return self.daemon.ctl_json("hub", "show", "office")

    def good(self, *words, shows=None):
        done = self.daemon.ctl("hub", "set", "office", *words)
        check_equal((done.returncode, done.stdout), (0, "office: changed; now connected\n"), f"{words}: {done.stderr}")
        hub = self.shown()
        check_equal(hub["state"], "connected", f"the state after {words}")
        for key, value in (shows or {}).items():
            check_equal(hub[key], value, f"{key} after {words}")
        self.pump.moves()

    def bad(self, code, says, *words):
        before = {key: value for key, value in self.shown().items() if key not in ("bytes_in", "bytes_out", "since", "reconnects", "streams_rejected")}
        done = self.daemon.ctl("hub", "set", "office", *words)
        print(f"# {done.returncode}: {' '.join(words)}: {' '.join(done.stderr.split())}")
        check_equal((done.returncode, done.stdout), (code, ""), f"{words}: {done.stderr}")
        check(says in done.stderr, f"{words} says {done.stderr!r}, without {says!r}")
        after = eventually(lambda: (hub := self.shown())["state"] == "connected" and hub, f"the hub stays after {words}")
        check_equal({key: after[key] for key in before}, before, f"the hub after {words}")
        self.pump.moves()


def secret(site, name, text):
    path = os.path.join(site.dir, name)
    write_private(path, text + "\n")
    return path


def key_of(text):
    return text.split("SharedAccessKey=", 1)[1].split(";")[0]


def trust(site, setting):
    copy, other = os.path.join(site.dir, "copy.pem"), os.path.join(site.dir, "other")
    with open(site.hub.ca, encoding="ascii") as source, open(copy, "w", encoding="ascii") as sink:
        sink.write(source.read())
    if not os.path.exists(other):
        run_ok([site.streamhub, "init", "--state-dir", other, "--host-name", "localhost"])
    setting.bad(15, "nothing was changed", "--ca", os.path.join(other, "ca.pem"))
    setting.bad(2, "certificate", "--ca", secret(site, "garbage.pem", "no certificate"))
    setting.bad(2, "cannot read", "--ca", os.path.join(site.dir, "nowhere.pem"))
    setting.good("--ca", copy, shows={"ca_file": copy})


def host(site, setting):
    port = site.hub.https_port
    relay = Server(lambda connection: forward(connection, "127.0.0.1", port), site)
    setting.bad(14, "nothing was changed", "--host", f"localhost:{free_port()}")
    setting.bad(15, "certificate", "--host", f"127.0.0.2:{site.hub.ports['127.0.0.2']}")
    setting.bad(2, "HOST", "--host", "a;b")
    setting.good("--host", f"localhost:{relay.port}", shows={"host_name": f"localhost:{relay.port}"})
    setting.good("--host", f"localhost:{port}", shows={"host_name": f"localhost:{port}"})


def key(site, setting, kind, name):
    first, other = (site.hub.admin("connection-string", kind, name, *which).strip() for which in ((), ("--secondary",)))
    stranger = site.hub.add_device(f"stranger-of-{kind}") if kind == "device" else site.hub.connection_string("device", "gw-1")
    # A hub that has just refused somebody may only say "wait": the error is then BUSY's.
    setting.bad(11, "nothing was changed", "--shared-access-key-file", secret(site, "wrong.key", key_of(wrong_key(first))))
    setting.bad(2, "base64", "--shared-access-key-file", secret(site, "no.key", "not base64!"))
    setting.bad(2, "base64", "--shared-access-key-file", secret(site, "more.key", key_of(first) + ";ModuleId=m"))
    setting.bad(2, "add another hub", "--connection-string-file", secret(site, "stranger.cs", stranger))
    setting.good("--shared-access-key-file", secret(site, "other.key", key_of(other)))
    setting.good("--connection-string-file", secret(site, "first.cs", first))
    done = setting.daemon.ctl("hub", "set", "office", "--shared-access-key-file", "-", stdin=None, input=key_of(first))
    check_equal(done.returncode, 0, f"from standard input: {done.stderr}")
    log = setting.daemon.log()
    for text in (first, other):
        check(key_of(text) not in log, "a key is in the log")


def proxy(site, setting):
    good = Proxy(site)
    setting.bad(14, "nothing was changed", "--proxy", f"http://127.0.0.1:{free_port()}")
    setting.bad(2, "proxy", "--proxy", "nonsense")
    setting.good("--proxy", f"http://127.0.0.1:{good.port}", shows={"proxy": f"http://127.0.0.1:{good.port}"})
    check(good.asked > 1, f"the proxy was asked {good.asked} times")
    setting.good("--proxy", "", shows={"proxy": ""})


class ManyChanges(Site):
    """Its hub lets a device connect as often as the changes want."""

    HUB_SETTINGS = Site.HUB_SETTINGS + "reconnects-per-minute = 0\n"


def matrix():
    """CA, host, key and proxy, in both roles, good and bad: a stream of somebody else carries bytes throughout"""
    with ManyChanges(["--listen", "127.0.0.2:0"]) as site:
        site.expose("echo", Server(echo, site).address)
        pump = Pump(site.client.tunnel(site.DEVICE, "echo"))
        for daemon, kind, name in ((site.gateway, "device", site.DEVICE), (site.client, "user", "service")):
            setting = Setting(site, daemon, pump)
            trust(site, setting)
            host(site, setting)
            key(site, setting, kind, name)
            proxy(site, setting)
            new_ones(site)
            recorded(daemon)
            forced(site, daemon)
            stays_away(site, daemon)
            pump.moves()
        pump.stop()
        check(pump.fault is None, f"the stream: {pump.fault}")
        print(f"# measured: {pump.rounds} blocks of {BLOCK} bytes")


def new_ones(site):
    """A stream that is opened afterwards."""
    eventually(lambda: site.is_online(site.DEVICE), "the device is there")
    done = site.client.ctl("connect", site.DEVICE, "echo", stdin=None, input="hello")
    check_equal((done.returncode, done.stdout), (0, "hello"), f"a new stream ({done.stderr})")


def recorded(daemon):
    """Who changed what is in the log."""
    log = daemon.log()
    for text in ("copy.pem", "another key", "as for all hubs"):
        check(text in log, f"no {text!r} in the records: {log}")


def forced(site, daemon):
    """What does not work is taken by force, and the state says what is wrong."""
    done = daemon.ctl("hub", "set", "office", "--host", f"localhost:{free_port()}", "--force")
    check_equal(done.returncode, 0, f"by force: {done.stderr}")
    check("not connected yet" in done.stderr, f"by force it says {done.stderr!r}")
    hub = daemon.ctl_json("hub", "show", "office")
    check(hub["state"] != "connected" and "refused" in hub["last_error"], f"by force: {hub}")
    done = daemon.ctl_json("hub", "set", "office", "--host", f"localhost:{site.hub.https_port}")
    check_equal((done["name"], done["state"]), ("office", "connected"), "as JSON")


def stays_away(site, daemon):
    """One that is disconnected is changed, and neither tried nor connected."""
    daemon.ctl_ok("hub", "disconnect", "office")
    said = daemon.ctl_ok("hub", "set", "office", "--host", "localhost:1")
    check("hub connect" in said, f"of one that stays away: {said!r}")
    hub = daemon.ctl_json("hub", "set", "office", "--host", f"localhost:{site.hub.https_port}")
    check_equal((hub["state"], hub["last_error"]), ("disconnected", ""), "one that stays away")
    daemon.ctl_ok("hub", "connect", "office")


def revoked():
    """a user whose key is no longer valid: hub list, hub show, status and openings say so; a new key cures it"""
    with Site() as site:
        site.expose("echo", Server(echo, site).address)
        site.hub.admin("user", "add", "bob", "--rights", "service-connect")
        site.client.add_hub("shop", site.hub.connection_string("user", "bob"), site.hub.ca)
        connect_to = ("connect", "--hub", "shop", site.DEVICE, "echo")
        check_equal(site.client.ctl(*connect_to, stdin=None, input="x").stdout, "x", "before")
        site.hub.admin("user", "regenerate", "bob", "both", "--output", os.path.join(site.dir, "new"))
        text = 'the user "bob" was revoked or its key is no longer valid at hub localhost'
        done = site.client.ctl(*connect_to, stdin=None, input="x")
        check_equal(done.returncode, 11, f"an opening: {done.stderr}")
        for name, said in (("an opening", done.stderr), ("hub show", site.client.ctl_ok("hub", "show", "shop")),
                           ("hub list", site.client.ctl_ok("hub", "list")), ("status", site.client.ctl_ok("status")),
                           ("status --check", site.client.ctl("status", "--check", "--hub", "shop").stdout)):
            check(text in said, f"{name}: {said!r}")
        check("hub set shop" in done.stderr, f"no cure: {done.stderr!r}")
        done = site.client.ctl("hub", "connect", "shop")
        check_equal(done.returncode, 11, f"hub connect: {done.stderr}")
        check(text in done.stderr, f"hub connect: {done.stderr!r}")
        new = secret(site, "bob.key", key_of(site.hub.connection_string("user", "bob")))
        check_equal(site.client.ctl_ok("hub", "set", "shop", "--shared-access-key-file", new),
                    "shop: changed; now connected\n", "the cure")
        check_equal(site.client.ctl(*connect_to, stdin=None, input="x").stdout, "x", "after")


def configured():
    """a hub of the configuration is changed there: exit code 5, with file and line"""
    with Site(gateway=False, client=False) as site:
        path, keys = os.path.join(site.dir, "streamd.conf"), secret(site, "k", site.hub.connection_string("user", "service"))
        write_private(path, f"[hub office]\nConnectionStringFile={keys}\nCaFile={site.hub.ca}\n")
        daemon = site.start_daemon("client", ["--config", path])
        done = daemon.ctl("hub", "set", "office", "--proxy", "direct")
        check_equal(done.returncode, 5, f"of the configuration: {done.stderr}")
        check(f"{path}:1" in done.stderr, f"where it is: {done.stderr!r}")
        done = daemon.ctl("hub", "set", "nowhere", "--proxy", "direct")
        check_equal(done.returncode, 4, f"of no hub: {done.stderr}")
        check_equal(daemon.ctl("hub", "set", "office").returncode, 2, "nothing to set")
        for verb, option in (("set", "--shared-access-key-file"), ("set", "--connection-string-file"), ("add", "--connection-string-file")):
            done = daemon.ctl("hub", verb, "other", option, "-", "--proxy", "http://a", "--proxy-credentials-file", "-", stdin=None, input="x")
            check_equal(done.returncode, 2, f"two from standard input: {done.stderr!r}")
            check(f"{option} -, --proxy-credentials-file -: " in done.stderr, f"two from standard input: {done.stderr!r}")


if __name__ == "__main__":
    main(matrix, revoked, configured)
