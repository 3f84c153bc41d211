# SPDX-License-Identifier: LGPL-2.1-or-later
"""`streamhub doctor` with each step broken in turn: it names the step and says what helps, with the exit code of the
first that fails, beside a hub that runs and without one."""
import contextlib
import glob
import json
import os
import resource
import signal
import socket
import sqlite3
import ssl
import threading
import time

import certificates
import netspace
from ends import free_port
from harness import Site, check, check_equal, main, run, run_ok

STEPS = ["settings", "disk", "registry", "clock", "certificate", "hub", "limits", "descriptors", "dns", "https", "mqtts",
         "outside"]
BEHIND_HUB = ["descriptors", "https", "mqtts", "outside"]
DISK = "96m"


class Sick(Site):
    """A hub whose state folder is a disk of its own."""

    def __init__(self, lines=(), names=()):
        super().__init__(gateway=False, client=False)
        self.lines, self.names = lines, names
        self.state = os.path.join(self.dir, "hub-state")
        self.config = os.path.join(self.dir, "hub.conf")

    def write(self, *lines):
        with open(self.config, "w", encoding="ascii") as file:
            file.write("\n".join(["[hub]", "connections-max = 900", *lines, ""]))

    def start_hub(self, arguments=(), ports=("0", "0"), name="hub"):
        if not os.path.exists(self.state):
            os.mkdir(self.state, 0o700)
            run_ok(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", self.state])
            self.closers.insert(0, lambda state=self.state: run_ok(["umount", "--lazy", state]))
            more = [word for name in self.names for word in ("--san", f"DNS:{name}")]
            run_ok([self.streamhub, "init", "--state-dir", self.state, "--host-name", "localhost", *more])
            self.write(*self.lines)
        return super().start_hub(["--config", self.config], ports, name)

    def stop_hub(self):
        self.hub.stop()
        self.processes.remove(self.hub)

    def path(self, name):
        return os.path.join(self.state, name)


def argv(site, *words):
    return [site.streamhub, "--state-dir", site.state, "doctor", "--config", site.config, *words]


def examine(site, env=None):
    done = run(argv(site, "--json"), env=env)
    check(done.stdout, f"nothing said: {done.stderr}")
    told = json.loads(done.stdout)
    checks = {one["step"]: one for one in told["checks"]}
    check_equal(list(checks), STEPS, "steps")
    return checks, done.returncode


def results(checks, result):
    return [step for step, one in checks.items() if one["result"] == result]


def is_well(site, what="all", limited=("clock",)):
    checks, code = examine(site)
    check_equal((results(checks, "failed"), results(checks, "skipped"), code), ([], [], 0), f"{what}: {checks}")
    check(set(results(checks, "limited")) <= set(limited), f"{what}: {checks}")
    return checks


def fails(site, steps, code, says, cure, env=None, skipped=None, person=True):
    """These steps fail, in this order; the first one is told to a person as well, with what helps."""
    checks, got = examine(site, env)
    check_equal(results(checks, "failed"), steps, f"what fails: {checks}")
    check_equal(got, code, f"exit code: {checks}")
    found = checks[steps[0]]
    check(says in found["message"], f"{found['message']!r} has no {says!r}")
    check(cure in found["cure"], f"{found['cure']!r} has no {cure!r}")
    if skipped is not None:
        check_equal(results(checks, "skipped"), skipped, f"what is left out: {checks}")
    if not person:
        return checks
    done = run(argv(site), env=env)
    check_equal(done.returncode, code, "exit code for a person")
    check("The step that fails: " in done.stdout and f"  What helps: {found['cure']}" in done.stdout, done.stdout)
    return checks


def well():
    """a hub that is well, with the header of a balancer where that is us, by IPv4 and IPv6; and one that does not run"""
    for lines in ((), ("proxy-protocol-from = 127.0.0.0/8, ::1",), ("public-address = localhost",)):
        with Sick(lines) as site:
            checks = is_well(site, str(lines))
            check("good until" in checks["certificate"]["found"] and "whole" in checks["registry"]["found"], str(checks))
            text = run(argv(site)).stdout
            check(text.startswith("STEP") and "fails" not in text, text)
    with Sick() as site:
        site.stop_hub()
        fails(site, ["hub"], 3, "is 'streamhub serve' running?", "systemctl start streamhub", skipped=BEHIND_HUB)
        before = os.listdir(site.state)
        examine(site)
        check_equal(os.listdir(site.state), before, "files of the folder")
    with Sick() as site:
        done = run([site.streamhub, "--admin-socket", site.path("admin.sock"), "doctor", "--json"])
        checks = {one["step"]: one["result"] for one in json.loads(done.stdout)["checks"]}
        check_equal([checks[step] for step in ("disk", "registry", "certificate", "hub")],
                    ["skipped"] * 3 + ["ok"], "without the folder")


def files():
    """settings, disk, registry and certificate, each broken in its ways"""
    with Sick() as site:
        site.write("stream-max = 7")
        fails(site, ["settings"], 1, "hub.conf:3: no such setting", "streamhub settings", skipped=["limits"])
        site.write()
        os.chmod(site.path("registry.sqlite"), 0o644)
        fails(site, ["registry"], 1, "registry.sqlite", "mode 0600")
        os.chmod(site.path("registry.sqlite"), 0o600)
        keys = site.path("server-key.pem.away")
        for what, made, says in (
            ("expired", {"begin": "20200101000000Z", "end": "20210101000000Z"}, "has expired"),
            ("another name", {"name": "elsewhere.example"}, "not for the hub's name localhost"),
        ):
            with exchanged(site, certificates.make(site, **made)):
                fails(site, ["certificate"], 15, says, "certificate install")
            is_well(site, what)
        soon = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + 10 * 86400 + 60))
        with exchanged(site, certificates.make(site, end=soon)):
            checks = is_well(site, "soon", ("clock", "certificate"))
            check("ends in 10 days" in checks["certificate"]["message"], str(checks))
        os.rename(site.path("server-key.pem"), keys)
        fails(site, ["certificate"], 15, "No such file", "certificate install")
        os.rename(keys, site.path("server-key.pem"))

        with open(site.path("filler"), "wb") as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * 65536)
                file.flush()
        fails(site, ["disk"], 1, "No space left on device", "Make room")
        os.truncate(site.path("filler"), os.path.getsize(site.path("filler")) - 8 * 1024 * 1024)
        fails(site, ["disk"], 1, "are free", "Make room")
        os.unlink(site.path("filler"))
        is_well(site, "with room again")
        site.stop_hub()
        run_ok(["mount", "-o", "remount,ro", site.state])
        fails(site, ["disk", "registry", "hub"], 1, "Read-only file system", "remount")
        run_ok(["mount", "-o", "remount,rw", site.state])
        with contextlib.closing(sqlite3.connect(site.path("registry.sqlite"))) as db:
            own = db.execute("PRAGMA user_version").fetchone()[0]
            for version in (99, own - 1, own):
                db.execute(f"PRAGMA user_version={version}")
                if version > own:
                    fails(site, ["registry", "hub"], 1, "version 99", "Install the version")
                elif version < own:
                    checks, _ = examine(site)
                    check_equal((checks["registry"]["result"], checks["registry"]["cause"]), ("limited", "registry-older"),
                                "an older one")
        with open(site.path("registry.sqlite"), "r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * 4096)
        fails(site, ["registry", "hub"], 1, "registry.sqlite", "restore FILE")
        with open(site.path("init-unfinished"), "wb"):
            pass
        fails(site, ["disk", "registry", "hub"], 1, "init", "streamhub init")
        site.state = os.path.join(site.dir, "nowhere")
        fails(site, ["disk", "hub"], 1, "No such file", "streamhub init", skipped=["registry", "certificate"] +
              [step for step in STEPS if step in BEHIND_HUB or step == "dns"])


@contextlib.contextmanager
def exchanged(site, pair):
    """The files of another certificate in the place of the hub's."""
    kept = {}
    for name, path in zip(("server.pem", "server-key.pem"), pair):
        with open(site.path(name), "rb") as file:
            kept[name] = file.read()
        with open(path, "rb") as new, open(site.path(name), "wb") as file:
            file.write(new.read())
    yield
    for name, data in kept.items():
        with open(site.path(name), "wb") as file:
            file.write(data)


def clock():
    """a clock that is behind what the hub has written"""
    library = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    check(library, "there is no libfaketime (Debian: faketime)")
    with Sick() as site:
        env = dict(os.environ, LD_PRELOAD=library[0], FAKETIME="-3d", NO_FAKE_STAT="1", FAKETIME_DONT_FAKE_MONOTONIC="1")
        fails(site, ["clock", "certificate", "https", "mqtts", "outside"], 1, "the clock is behind", "timedatectl", env)


def process():
    """a hub that does not answer, one with few descriptors, and one that has used them up"""
    with Sick() as site:
        pid = site.hub.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (500, hard))
        fails(site, ["limits"], 7, "descriptors for 450", "LimitNOFILE=")
        held = [socket.create_connection(("127.0.0.1", site.hub.https_port)) for _ in range(20)]
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (site.hub.fds() + 1, hard))
        checks = fails(site, ["limits", "descriptors", "https", "mqtts", "outside"], 7, "descriptors for", "LimitNOFILE=")
        check("are in use" in checks["descriptors"]["message"], str(checks))
        check(checks["https"]["cause"] in ("tls", "timeout"), f"while the hub takes no connections: {checks['https']}")
        for sock in held:
            sock.close()
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        site.hub.popen.send_signal(signal.SIGSTOP)
        done = run(argv(site, "--json"))
        checks = {one["step"]: one for one in json.loads(done.stdout)["checks"]}
        check_equal((done.returncode, checks["hub"]["cause"]), (3, "no-answer"), f"stopped: {checks['hub']}")
        check(9e6 < checks["hub"]["time"] < 15e6, f"time {checks['hub']['time']}")
        site.hub.popen.send_signal(signal.SIGCONT)
        is_well(site, "after it")


def serve_once(site, handle):
    """The port of something that is no hub."""
    server = socket.create_server(("127.0.0.1", 0))
    site.closers.append(server.close)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                client, _ = server.accept()
                with contextlib.suppress(OSError), contextlib.closing(client):
                    handle(client)

    threading.Thread(target=accept, daemon=True).start()
    return server.getsockname()[1]


def firewall():
    """each listener behind a firewall, and what is left"""
    with Sick() as site:
        for port, verdict, steps, says, cure in (
            (site.hub.https_port, "drop", ["https", "outside"], "timed out", "firewall"),
            (site.hub.mqtts_port, "reject with tcp reset", ["mqtts"], "refused", "Nothing listens there"),
        ):
            run_ok(["nft", f"add table inet t; add chain inet t c {{ type filter hook input priority 0; }}; "
                           f"add rule inet t c tcp dport {port} {verdict}"])
            fails(site, steps, 14, says, cure, person=False)
            run_ok(["nft", "delete table inet t"])
        is_well(site, "without it")


def network():
    """the name, and the way of a client: refused, no TLS, no hub, another hub's certificate"""
    with Sick(names=("nowhere.invalid",)) as site:

        def public(address):
            site.write(f"public-address = {address}")
            done = run([site.streamhub, "--state-dir", site.state, "reload"])
            check_equal(done.returncode, 0, done.stderr)

        public("nowhere.invalid")
        fails(site, ["dns", "outside"], 14, "nowhere.invalid", "DNS")
        public(f"localhost:{free_port()}")
        fails(site, ["outside"], 14, "refused", "Nothing listens there")
        public(f"localhost:{serve_once(site, lambda client: client.sendall(b'SSH-2.0-x' * 10))}")
        fails(site, ["outside"], 14, "port", "openssl s_client")

        def silent(client):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(site.path("server.pem"), site.path("server-key.pem"))
            with context.wrap_socket(client, server_side=True) as tls:
                tls.recv(1000)
                tls.sendall(b"220 mail.example ESMTP\r\n")

        public(f"localhost:{serve_once(site, silent)}")
        fails(site, ["outside"], 14, "no answer to a request", "Something else than a hub")
        with Sick() as other:
            public(f"localhost:{other.hub.https_port}")
            fails(site, ["outside"], 14, "localhost port", "openssl s_client")


if __name__ == "__main__":
    netspace.enter()
    run_ok(["ip", "link", "set", "lo", "up"])
    main(well, files, clock, process, firewall, network)
