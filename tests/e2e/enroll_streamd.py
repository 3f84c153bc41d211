# SPDX-License-Identifier: LGPL-2.1-or-later
"""streamd that joins by an invitation: it makes a key and keeps it, then the hub is told, and whatever happens in
between it is that key, and counts once. Lost answers, kills, approval, what is told, a hub that answers anything."""
import contextlib
import os
import pathlib
import re
import signal
import socket
import threading
import time

import wire
from enroll import JOINED, TAKEN, Invitation, devices, keys_in, new_key, only_hub
from ends import free_port
from evil_hub import EvilHub
from harness import LONG, Failure, Site, check, check_equal, eventually, main, run, run_ok, write_private

REAL = 20 if LONG else 8


def hub_of(daemon):
    return daemon.ctl_json("hub", "list")[0]


class Relay:
    """Between streamd and the hub. Of the first `cuts` connections of its port it passes what streamd sends and
    nothing of the answer: once the request must have arrived it cuts. With hold() nothing passes at all."""

    HANDSHAKE = 700  # bytes: more than a client sends before its request, and less than with it

    def __init__(self, site, cuts=0):
        self.site, self.cuts, self.held, self.cut = site, cuts, False, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.closed = False
        site.closers.append(self.close)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.closed = True
        self.listener.close()

    def _accept(self):
        while not self.closed:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        with near, contextlib.suppress(OSError):
            if self.held:
                near.settimeout(60)
                while self.held and near.recv(65536):
                    pass
                return
            self.cuts -= 1
            with socket.create_connection(("127.0.0.1", self.site.hub.https_port)) as far:
                silent = threading.Event()
                back = threading.Thread(target=pass_on, args=(far, near, silent), daemon=True)
                back.start()
                self._forward(near, far, silent if self.cuts >= 0 else None)
                back.join(60)

    def _forward(self, near, far, silent):
        """With SILENT: until the request must have arrived."""
        total = 0
        while piece := near.recv(65536):
            total += len(piece)
            if silent and total > self.HANDSHAKE:
                silent.set()
            far.sendall(piece)
            if silent and silent.is_set():
                time.sleep(0.3)  # for the hub to take it
                self.cut += 1
                far.close()
                return
        far.shutdown(socket.SHUT_WR)


def pass_on(source, target, silent):
    with contextlib.suppress(OSError):
        while (piece := source.recv(65536)) and not silent.is_set():
            target.sendall(piece)


def configure(site, name, path, claim):
    """A configuration that joins by itself; the file is private, and its folder the site's."""
    config = os.path.join(site.dir, f"{name}.conf")
    with open(config, "w", encoding="ascii") as file:
        file.write(f"[enroll office]\nInvitationFile={path}\nAs={claim}\n")
    return ["--config", config]


def is_connected(daemon):
    hubs = daemon.ctl_json("hub", "list")
    return bool(hubs) and hubs[0]["state"] == "connected"


def kept(site, name):
    """What streamd keeps secret of its one hub; "" while it keeps none."""
    state = os.path.join(site.dir, f"{name}-state")
    with contextlib.suppress(FileNotFoundError):
        found = re.search(r"^secret=(\S+)", pathlib.Path(state, "state").read_text("utf-8"), re.M)
        return pathlib.Path(state, "secrets.d", found.group(1)).read_text("ascii") if found else ""
    return ""


def kept_key(site, name):
    found = re.search(r";SharedAccessKey=(\S+)", kept(site, name))
    return found and found.group(1)


def has_ticket(site, name):
    return "InvitationKey" in kept(site, name)


def fleet():
    """an image with the file in its configuration: each streamd joins by itself, though its answer is lost, and is an ordinary hub then"""
    with only_hub() as site:
        group = Invitation(site, "group", "factory", "--devices", "gw-*", "--uses", str(REAL), "--tag", "lot=1")
        relays = [Relay(site, cuts=i % 3) for i in range(REAL)]
        daemons = []
        for i, relay in enumerate(relays):
            path = group.through(relay.port)
            daemons.append(site.start_daemon(f"gw-{i}", configure(site, f"gw-{i}", path, f"gw-{i}")))
        for i, daemon in enumerate(daemons):
            eventually(lambda daemon=daemon: is_connected(daemon), f"gw-{i} is connected")
        check_equal(group.shown()["used"], REAL, "counted")
        check_equal(keys_in(site), {f"gw-{i}": kept_key(site, f"gw-{i}") for i in range(REAL)}, "keys")
        check_equal(len(set(keys_in(site).values())), REAL, "each its own")
        cut = sum(relay.cut for relay in relays)
        print(f"# measured: {REAL} streamd joined, {cut} answers lost")
        check(cut >= REAL // 2, f"only {cut} answers were lost")
        check(not any(has_ticket(site, f"gw-{i}") for i in range(REAL)), "an invitation is still kept")
        # It is used up and the file gone, and a restart needs neither.
        os.unlink(group.through(relays[0].port))
        site.hub.admin("invite", "revoke", "factory")
        check_equal(daemons[0].stop(), 0, "exit status")
        site.processes.remove(daemons[0])
        again = site.start_daemon("gw-0", ["--config", os.path.join(site.dir, "gw-0.conf")])
        eventually(lambda: is_connected(again), "gw-0 is back")
        check_equal(len(again.ctl_json("hub", "list")), 1, "hubs")


def killed():
    """kill -9 between keeping the key and the request, and between the request and its answer: the same key, counted once"""
    with only_hub() as site:
        group = Invitation(site, "group", "factory", "--devices", "gw-*", "--uses", "9")
        for name, held in (("gw-before", True), ("gw-after", False)):
            relay = Relay(site, cuts=0 if held else 1000)
            relay.held = held
            arguments = configure(site, name, group.through(relay.port), name)
            daemon = site.start_daemon(name, arguments)
            eventually(lambda name=name: kept_key(site, name), "the key is kept")
            if not held:
                eventually(lambda name=name: name in devices(site), "the hub has taken it")
            first = kept_key(site, name)
            daemon.stop(signal.SIGKILL)
            site.processes.remove(daemon)
            check_equal(name in devices(site), not held, "whether the hub knows it")
            relay.held, relay.cuts = False, 0
            again = site.start_daemon(name, arguments)
            eventually(lambda again=again: is_connected(again), f"{name} is connected")
            check_equal((kept_key(site, name), keys_in(site)[name]), (first, first), "its key")
        check_equal(group.shown()["used"], 2, "counted")


class Dying(Site):
    """streamd is killed just before its so manieth change of its state folder."""

    step = 0

    def environment(self, **more):
        if self.step:
            more.update(LD_PRELOAD=os.environ["DIES_LIBRARY"], DIES_AT=str(self.step),
                        DIES_IN=os.path.join(self.dir, "gw-1-state"))
        return super().environment(**more)

    def joins(self, step, arguments):
        """Whether it lives long enough to be connected, which it is only when all is kept."""
        self.step = step
        self.gateway = None
        try:
            self.gateway = self.start_daemon("gw-1", arguments)
            eventually(lambda: not self.gateway.alive() or self.is_up(), "it joins or dies")
        except Failure:
            check(not self.gateway, "it neither joins nor dies")
        finally:
            self.step = 0
        if self.gateway and self.gateway.alive():
            return True
        for process in self.processes[1:]:
            process.stop()
        del self.processes[1:]
        return False

    def is_up(self):
        with contextlib.suppress(Failure):
            return is_connected(self.gateway)
        return False


def killed_on_disk():
    """kill -9 at each step on the disk while it joins: at the end it is connected, and counts once"""
    with Dying(gateway=False, client=False) as site:
        group = Invitation(site, "group", "factory", "--devices", "gw-*", "--uses", "99")
        arguments = configure(site, "gw-1", group.path, "gw-1")
        deaths = 0
        while not site.joins(deaths + 1, arguments):
            deaths += 1
        print(f"# measured: {deaths} deaths")
        check(deaths > 5, "it died too seldom for this to mean anything")
        check_equal(group.shown()["used"], 1, "counted")
        check_equal(keys_in(site)["gw-1"], kept_key(site, "gw-1"), "the key")


def approval():
    """with --approve a device waits: both sides say so, it may do nothing, and connects once it is approved"""
    with only_hub() as site:
        group = Invitation(site, "group", "factory", "--devices", "gw-*", "--uses", "3", "--approve")
        gateway = site.start_daemon("gateway")
        done = gateway.ctl("hub", "add", "office", group.path, "--as", "gw-7")
        check_equal(done.returncode, 0, done.stderr)
        check("waits for approval" in done.stderr and "device approve gw-7" in done.stderr, done.stderr)
        check("gw-7" in done.stdout, done.stdout)
        check("waits for approval" in hub_of(gateway)["last_error"], hub_of(gateway))
        check("waits for approval" in gateway.ctl("status").stdout, "status")
        done = gateway.ctl("doctor")
        check(done.returncode != 0 and "waits for approval" in done.stdout + done.stderr, f"doctor: {done}")
        check_equal(devices(site)["gw-7"]["status"], "waiting", "at the hub")
        device = wire.Device(site.hub.mqtts_port, site.hub.ca, "gw-7", kept_key(site, "gateway"))
        device.close()
        check_equal(device.connack, 5, "it is not let in")
        check_equal(group.put("gw-7", kept_key(site, "gateway")), (202, None, "waiting"), "it asks again")
        check_equal(group.put("gw-7", new_key()), TAKEN, "somebody else")
        check_equal(group.shown()["used"], 1, "counted")
        argv = [site.streamhub, "--state-dir", site.hub.state_dir, "device", "approve"]
        check_equal(run([*argv, "gw-8"]).returncode, 4, "one that is not there")
        run_ok([*argv, "gw-7"])
        check_equal(run([*argv, "gw-7"]).returncode, 2, "a second time")
        eventually(lambda: is_connected(gateway), "it connects by itself")
        check_equal(devices(site)["gw-7"]["status"], "enabled", "at the hub")
        # Refused for good: removed.
        check_equal(group.put("gw-9", new_key()), (202, None, "waiting"), "another one")
        site.hub.admin("device", "remove", "gw-9")
        check("gw-9" not in devices(site), "it is gone")
        known_by_hand(site, group)


def known_by_hand(site, group):
    """One that waits to join gets a connection string instead: the invitation has had its day."""
    other = site.start_daemon("other")
    other.ctl("hub", "add", "office", group.through(free_port()), "--as", "gw-5")
    check(has_ticket(site, "other"), "it waits with its invitation")
    identity = os.path.join(site.dir, "gw-5.cs")
    write_private(identity, site.hub.add_device("gw-5"))
    check_equal(other.ctl_ok("hub", "set", "office", "--connection-string-file", identity), "office: changed; now connected\n", "by hand")
    check(not has_ticket(site, "other"), "the invitation is still kept")


def told():
    """what is wrong is told where somebody looks, and gets better by itself when it does"""
    with only_hub() as site:
        gateway = site.start_daemon("gateway")

        def add(path, *arguments):
            return gateway.ctl("hub", "add", "office", path, *arguments)

        def last_error(text):
            eventually(lambda: text in hub_of(gateway)["last_error"], text)
            check_equal(hub_of(gateway)["state"], "refused", text)
            gateway.ctl_ok("hub", "remove", "office")

        one = Invitation(site, "device", "gw-1")
        check_equal(add(one.path, "--as", "gw-2").returncode, 2, "another id")
        group = Invitation(site, "group", "factory", "--devices", "gw-*", "--uses", "1")
        for claim in ("gw 1", "a/b", "x" * 129):
            check_equal(add(group.path, "--as", claim).returncode, 2, claim)
        check_equal(add(group.path, "--as", "box-1").returncode, 0, "kept")
        last_error("not for box-1")
        check_equal(group.put("gw-1", new_key()), JOINED, "the one use")
        add(group.path, "--as", "gw-2")
        last_error("used up")
        site.hub.admin("invite", "revoke", "factory")
        add(group.path, "--as", "gw-2")
        last_error("revoked")
        late = Invitation(site, "group", "late", "--devices", "*", "--uses", "1", "--expires", "1s")
        eventually(lambda: late.shown()["state"] == "expired", "it expires")
        add(late.path, "--as", "gw-2")
        last_error("expired")
        # The name of the host, where nothing else is said.
        anybody = Invitation(site, "group", "anybody", "--devices", "*", "--uses", "3")
        add(anybody.path)
        eventually(lambda: is_connected(gateway), "it is connected")
        check_equal(hub_of(gateway)["identity"], socket.gethostname(), "who it is")
        gateway.ctl_ok("hub", "remove", "office")
        # Taken: told, and the operator frees it.
        add(anybody.path, "--as", "gw-1")
        eventually(lambda: "with another key" in hub_of(gateway)["last_error"], "taken")
        site.hub.admin("device", "remove", "gw-1")
        gateway.ctl("hub", "connect", "office")
        eventually(lambda: is_connected(gateway), "it is connected")
        gateway.ctl_ok("hub", "remove", "office")
        # A key in a file is no invitation, and still works.
        site.hub.admin("invite", "device", "old", "--with-key", "--output", os.path.join(site.dir, "old"))
        check_equal(add(os.path.join(site.dir, "old"), "--as", "new").returncode, 2, "--as with a key")
        gateway.ctl_ok("hub", "add", "office", os.path.join(site.dir, "old"))
        eventually(lambda: is_connected(gateway), "it is connected")
        user = Invitation(site, "user", "ada")
        gateway.ctl_ok("hub", "add", "mine", user.path)
        eventually(lambda: gateway.ctl_json("hub", "show", "mine")["state"] == "connected", "the user")


EVIL = {
    "garbage": b"\x00\xff" * 200 + b"\r\n\r\n",
    "nothing": b"",
    "half": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
    "too much": b"HTTP/1.1 403 No\r\nContent-Length: 10\r\n\r\n" + b"x" * 200000,
    "many fields": b"HTTP/1.1 403 No\r\n" + b"iothub-errorcode: X\r\n" * 2000 + b"\r\n",
    "a long code": b"HTTP/1.1 403 No\r\niothub-errorcode: " + b"%s" * 3000 + b"\r\nContent-Length: 0\r\n\r\n",
    "two codes": b"HTTP/1.1 403 No\r\niothub-errorcode: InvitationRevoked\r\niothub-errorcode: x\r\n"
                 b"Content-Length: 0\r\n\r\n",
    "a redirect": b"HTTP/1.1 307 Go\r\nLocation: https://localhost:1/x\r\nContent-Length: 0\r\n\r\n",
    "an upgrade": b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "a long wait": b"HTTP/1.1 503 No\r\nRetry-After: 99999999999999999999\r\nContent-Length: 0\r\n\r\n",
    "a negative wait": b"HTTP/1.1 429 No\r\nRetry-After: -1\r\nContent-Length: 0\r\n\r\n",
}


def evil_hub():
    """a hub that answers anything: streamd lives, stays unjoined with its key kept, and says why; nothing follows a redirect"""
    with only_hub() as site:
        group = Invitation(site, "group", "factory", "--devices", "*", "--uses", "99")
        gateway = site.start_daemon("gateway")
        before = gateway.fds()
        for what, answer in EVIL.items():
            def act(connection, head, answer=answer):
                connection.recv(65536)
                connection.sendall(answer)

            evil = EvilHub(site, act)
            gateway.ctl("hub", "add", "office", group.through(evil.port), "--as", "gw-1")
            eventually(lambda: hub_of(gateway)["last_error"], what)
            shown = hub_of(gateway)
            check(shown["state"] in ("disconnected", "refused", "connecting"), f"{what}: {shown['state']}")
            check(len(shown["last_error"]) < 300, f"{what}: {shown['last_error'][:100]}")
            check(evil.heads[0].startswith("PUT /enrollments/factory/devices/gw-1?"), evil.heads[0])
            check(has_ticket(site, "gateway"), f"{what}: it believes that it has joined")
            gateway.ctl_ok("hub", "remove", "office")
        eventually(lambda: gateway.fds() <= before, "nothing is left open")
        # One that says yes to anything gets a device that it cannot use: it is asked to let it in.
        gateway.ctl_ok("hub", "add", "office", group.path, "--as", "gw-1")
        eventually(lambda: is_connected(gateway), "the real one")


if __name__ == "__main__":
    main(fleet, killed, killed_on_disk, approval, told, evil_hub)
