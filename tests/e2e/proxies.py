# SPDX-License-Identifier: LGPL-2.1-or-later
"""Proxies between streamd and its hub: tinyproxy, squid and Dante (or microsocks, where Debian has Dante
no more) as they are packaged, each on loopback with a configuration of its own; a recorder in front of them; and one of our own that misbehaves.

The hub of a ProxySite has a name that this machine does not know. The proxies know it, from a hosts file
that they alone see: what reaches the hub has gone through a proxy, which resolved the name.
"""
import contextlib
import os
import shutil
import socket
import subprocess
import threading

from ends import Server, free_port
from harness import PATIENCE, Failure, Process, Site, check, eventually, run_ok, write_private

HUB_NAME = "hub.proxy.test"
USER = "canary-user"
PASSWORD = "pa:ss w%rd/canary"  # everything that must be escaped somewhere
HOSTS = f"127.0.0.1 localhost {HUB_NAME}\n"
CREDENTIALS = f"{USER}:{PASSWORD}"


class ProxySite(Site):
    """A site whose hub only a proxy can find."""

    def start_hub(self, arguments=(), ports=("0", "0"), name="hub"):
        state = os.path.join(self.dir, "hub-state")
        if not os.path.exists(state):
            run_ok([self.streamhub, "init", "--state-dir", state, "--host-name", HUB_NAME])
        return super().start_hub(arguments, ports, name)

    def secret_file(self, name, text):
        path = os.path.join(self.dir, name)
        write_private(path, text + "\n")
        return path

    def through(self, url, credentials=None):
        """The options of `hub add` for a proxy."""
        options = ["--proxy", url]
        if credentials:
            options += ["--proxy-credentials-file", self.secret_file("proxy.secret", credentials)]
        return options


def hashed(password):
    """As crypt(3) has it, which Python has no more."""
    return subprocess.run(["openssl", "passwd", "-5", "-stdin"], input=password + "\n", check=True,
                          capture_output=True, text=True).stdout.strip()


class PackagedProxy:
    """A packaged proxy as a process, in a mount namespace where some files of /etc are others."""

    scheme = "http"

    def __init__(self, site, credentials=False, allow=True):
        self.site = site
        self.credentials = credentials
        self.allow = allow
        self.process = None
        self.etc = {"hosts": HOSTS}
        for _ in range(3):  # somebody else may have taken the port meanwhile
            self.port = free_port()
            if self._start():
                return
        raise Failure(f"{self.name()} does not start:\n{self.process.log()}")

    def name(self):
        return type(self).__name__.lower()

    def path(self, name):
        return os.path.join(self.site.dir, f"{self.name()}-{self.port}-{name}")

    def write(self, name, text):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o644)
        return path

    def _start(self):
        argv = self.argv()
        binds = ""
        for name, text in self.etc.items():
            binds += f"mount --bind '{self.write(name, text)}' /etc/{name} && "
        wrapper = []
        if self.etc:
            namespace = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
            wrapper = [*namespace, "sh", "-c", binds + 'exec "$@"', "sh"]
        self.process = Process(self.site, f"{self.name()}-{self.port}", [*wrapper, *argv])
        self.site.processes.append(self.process)
        with contextlib.suppress(Failure):
            eventually(lambda: self._listens() or not self.process.alive(), "it listens")
        if self.process.alive():
            return True
        self.site.processes.remove(self.process)
        return False

    def _listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.process.stop()


class Tinyproxy(PackagedProxy):
    def argv(self):
        lines = [f"Port {self.port}", "Listen 127.0.0.1", "Timeout 600", "MaxClients 100",
                 "LogLevel Connect", "Allow 127.0.0.1"]
        if self.credentials:
            # Its configuration has no quotes and takes words of one alphabet only.
            lines.append(f"BasicAuth {USER} {self.password}")
        if not self.allow:
            lines.append("ConnectPort 1")
        return ["tinyproxy", "-d", "-c", self.write("conf", "\n".join(lines) + "\n")]

    password = "canary-of-tinyproxy"


class Squid(PackagedProxy):
    password = PASSWORD

    def argv(self):
        self.etc = {}  # it can be told of another hosts file, and leaves a root behind that it is not
        helper = "/usr/lib/squid/basic_ncsa_auth"
        users = self.write("users", f"{USER}:{hashed(PASSWORD)}\n")
        lines = [f"http_port 127.0.0.1:{self.port}", "pid_filename none", "cache deny all",
                 "access_log none", "cache_log stdio:/dev/stderr", "shutdown_lifetime 0 seconds",
                 "pinger_enable off", "visible_hostname localhost", "workers 1",
                 f"hosts_file {self.write('names', HOSTS)}",
                 f"coredump_dir {self.site.dir}", "dns_v4_first on"]
        if self.credentials:
            lines += [f"auth_param basic program {helper} {users}",
                      "auth_param basic children 1 startup=1 idle=1",
                      "acl known proxy_auth REQUIRED", "http_access deny !known"]
        lines.append("http_access allow all" if self.allow else "http_access deny all")
        # It leaves root behind by itself, and then has to reach its files.
        os.chmod(self.site.dir, 0o711)
        return ["squid", "-N", "-f", self.write("conf", "\n".join(lines) + "\n")]


class Dante(PackagedProxy):
    scheme = "socks5"
    password = PASSWORD

    def argv(self):
        method = "username" if self.credentials else "none"
        verdict = "pass" if self.allow else "block"
        if self.credentials:  # it asks the system's list of users: one that it alone sees
            self.etc["passwd"] = f"root:x:0:0::/:/bin/sh\n{USER}:x:64123:64123::/:/bin/false\n"
            self.etc["shadow"] = ("root:*:1:0:99999:7:::\n"
                                  f"{USER}:{hashed(PASSWORD)}"
                                  ":19000:0:99999:7:::\n")
        text = f"""logoutput: stderr
internal: 127.0.0.1 port = {self.port}
external: lo
clientmethod: none
socksmethod: {method}
user.privileged: root
user.unprivileged: root
client pass {{
    from: 127.0.0.0/8 to: 0.0.0.0/0
}}
socks {verdict} {{
    from: 127.0.0.0/8 to: 0.0.0.0/0
    command: connect
}}
"""
        return ["danted", "-N", "1", "-f", self.write("conf", text)]


class Microsocks(PackagedProxy):
    """It has no rules: whom it does not forbid by credentials it serves."""

    scheme = "socks5"
    password = PASSWORD

    def argv(self):
        credentials = ["-u", USER, "-P", PASSWORD] if self.credentials else []
        return ["microsocks", "-i", "127.0.0.1", "-p", str(self.port), *credentials]


Socks = Dante if shutil.which("danted") else Microsocks


class Forbidding:
    """A SOCKS5 proxy of our own that asks for no credentials and allows no connection (RFC 1928)."""

    scheme = "socks5"

    def __init__(self, site):
        self.port = Server(self._answer, site).port

    @staticmethod
    def _answer(connection):
        reader = connection.makefile("rb")
        reader.read(reader.read(2)[1])  # the methods it may use
        connection.sendall(b"\5\0")
        reader.read(reader.read(5)[4] + 2)  # where it wants to go, by name
        connection.sendall(b"\5\2\0\1" + bytes(6))
        reader.read()


class Recorder(Server):
    """Passes bytes to a proxy and keeps all that it is told."""

    def __init__(self, site, port, scheme="http"):
        self.proxy_port = port
        self.sent = []  # by connection
        self.lock = threading.Lock()
        super().__init__(self._serve, site)
        self.url = f"{scheme}://127.0.0.1:{self.port}"

    def _serve(self, client):
        with socket.create_connection(("127.0.0.1", self.proxy_port)) as proxy:
            kept = bytearray()
            with self.lock:
                self.sent.append(kept)
            back = threading.Thread(target=self._pass, args=(proxy, client, None), daemon=True)
            back.start()
            self._pass(client, proxy, kept)
            back.join()

    @staticmethod
    def _pass(source, sink, kept):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if kept is not None:
                    kept += data
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class Hostile(Server):
    """A proxy of our own: act(connection, head) once it has read a request's head."""

    scheme = "http"

    def __init__(self, site, act):
        self.act = act
        super().__init__(self._serve, site)
        self.url = f"http://127.0.0.1:{self.port}"

    def _serve(self, connection):
        connection.settimeout(PATIENCE)
        head = b""
        with contextlib.suppress(OSError):
            while not head.endswith(b"\r\n\r\n"):
                byte = connection.recv(1)
                if not byte:
                    return
                head += byte
            self.act(connection, head)


def wait_state(daemon, hub, state):
    """Until the hub of that name is in that state; returns its properties."""

    def look():
        found = [h for h in daemon.ctl_json("hub", "list") if h["name"] == hub]
        return found[0] if found and found[0]["state"] == state else None

    return eventually(look, f"hub {hub} of {daemon.name} is {state}")
