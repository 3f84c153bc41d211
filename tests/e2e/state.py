# SPDX-License-Identifier: LGPL-2.1-or-later
"""What streamd keeps, on a disk that is full, that is slow, or under it when it is killed; and a state
that this streamd cannot use. A change is saved and then in force, or refused and nowhere."""
import glob
import hashlib
import os
import signal
import socket
import threading
import time

from gi.repository import Gio, GLib

from bus_app import NAME, ROOT, App
from disks import enter, fill
from ends import Server, connect, read_all
from harness import Daemon, Failure, Site, check, check_equal, eventually, listed, main, run_ok, write_private

DISK = "256k"
FULL = "No space left on device"
SYNC = 0.1  # s that a sync of the slow disk takes; a save has two at least
CHANGES = 100
BLOCKED = 0.15  # what R23 has as 50 ms, and what a busy machine takes
STOP = 5


def state_dir(site, name="client"):
    return os.path.join(site.dir, name + "-state")


def write_state(path, version, body):
    """As streamd of that version."""
    digest = hashlib.sha256(body.encode()).hexdigest()
    write_private(path, f"streamd-store version={version} sha256={digest}\n{body}")


def files(folder):
    return sorted(os.path.relpath(path, folder) for path in glob.glob(folder + "/**", recursive=True)
                  if not os.path.isdir(path))


def again(site, daemon, how=signal.SIGTERM):
    """The same streamd once more, on another bus."""
    daemon.stop(how)
    daemon.bus.stop()
    for old in (daemon, daemon.bus):
        site.processes.remove(old)
    return site.start_daemon(daemon.name)


def shown(daemon):
    policy = daemon.ctl_json("accept-policy", "list")
    policy["default"].pop("revision")
    hubs = [hub["name"] for hub in listed(daemon.ctl_json("hub", "list"), "hubs")]
    tunnels = [tunnel["stream_name"] for tunnel in listed(daemon.ctl_json("tunnel", "list"), "tunnels")]
    targets = [target["name"] for target in listed(daemon.ctl_json("target", "list"), "targets")]
    return {"policy": policy, "hubs": hubs, "tunnels": tunnels, "targets": targets}


# -- full ----------------------------------------------------------------------------------------


def prepare(site):
    """One of each, and a second rule."""
    daemon = site.client
    daemon.ctl_ok("target", "add", "here", "tcp:127.0.0.1:1")
    daemon.ctl_ok("accept-policy", "add", "--stream", "a", "--accept", "here")
    daemon.ctl_ok("accept-policy", "add", "--stream", "b", "--accept", "here")
    daemon.add_hub("other", site.hub.connection_string("policy", "service"), site.hub.ca)
    daemon.ctl_ok("tunnel", "open", "--hub", "other", "gw", "kept", "--background")


def attempts(site):
    """{what: the verb} of all that changes what is kept."""
    path = os.path.join(site.dir, "identity")
    write_private(path, site.hub.connection_string("policy", "service"))
    tunnel = str(listed(site.client.ctl_json("tunnel", "list"), "tunnels")[0]["id"])
    return {
        "hub add": ("hub", "add", "new", "--connection-string-file", path, "--ca", site.hub.ca),
        "hub remove": ("hub", "remove", "other"),
        "target add": ("target", "add", "new", "tcp:127.0.0.1:2"),
        "target remove": ("target", "remove", "here"),
        "accept-policy add": ("accept-policy", "add", "--stream", "c", "--reject", "no"),
        "accept-policy remove": ("accept-policy", "remove", "1000"),
        "accept-policy move": ("accept-policy", "move", "1001", "0"),
        "accept-policy set-default": ("accept-policy", "set-default", "accept"),
        "tunnel open": ("tunnel", "open", "--hub", "other", "gw", "new", "--background"),
        "tunnel close": ("tunnel", "close", tunnel),
    }


def full():
    """a full disk: every change is refused with the reason and is in force nowhere, also after a restart; with room again all are"""
    with Site(gateway=False, client=False) as site:
        folder = state_dir(site)
        os.mkdir(folder, 0o700)
        run_ok(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", folder])
        site.closers.insert(0, lambda: run_ok(["umount", "--lazy", folder]))
        site.client = site.start_daemon("client")
        prepare(site)
        before, kept = shown(site.client), files(folder)
        fill(folder)
        for what, verb in attempts(site).items():
            done = site.client.ctl(*verb)
            check(done.returncode != 0 and "cannot save this change" in done.stderr and FULL in done.stderr,
                  f"{what}: {done.returncode} {done.stderr!r}")
            check_equal(shown(site.client), before, f"what is in force after {what}")
        check_equal([name for name in files(folder) if name != "filler"], kept, "the files")
        site.client = again(site, site.client)
        check_equal(shown(site.client), before, "what is in force after a restart")
        os.unlink(os.path.join(folder, "filler"))
        for what, verb in attempts(site).items():
            if what not in ("tunnel close", "tunnel open"):  # their hub is gone by then
                site.client.ctl_ok(*verb)
        now = shown(site.client)
        check_equal(now["hubs"], ["new"], "hubs")
        site.client = again(site, site.client)
        check_equal(shown(site.client), now, "what is in force after another restart")


# -- slow ----------------------------------------------------------------------------------------


class SlowDisk(Site):
    """Syncs of its streamd take as long as `sync` was told."""

    def __init__(self):
        super().__init__(gateway=False, client=False)

    def environment(self, **more):
        self.control = os.path.join(self.dir, "slow")
        return super().environment(LD_PRELOAD=os.environ["SLOW_DISK_LIBRARY"], SLOW_DISK=self.control,
                                   **more)

    def sync(self, seconds):
        with open(self.control, "w", encoding="ascii") as file:
            file.write(str(int(seconds * 1000)))


def set_default(app, text):
    app.call("SetDefault", "(sa{sv})", ("reject", {"reason": GLib.Variant("s", text)}),
             interface=NAME + ".Policy")


def longest_call(app, until):
    """Of calls one after the other that read a property: how long the slowest took."""
    worst = 0
    while not until.is_set():
        begin = time.monotonic()
        app.call("Get", "(ss)", (NAME + ".Manager", "Hubs"), path=ROOT,
                 interface="org.freedesktop.DBus.Properties")
        worst = max(worst, time.monotonic() - begin)
    return worst


def slow():
    """100 changes on a disk whose syncs take 100 ms: the main loop is never held up by them"""
    with SlowDisk() as site:
        site.client = site.start_daemon("client")
        apps, reader = [App(site, site.client) for _ in range(10)], App(site, site.client)
        site.sync(SYNC)
        over, worst = threading.Event(), []
        looker = threading.Thread(target=lambda: worst.append(longest_call(reader, over)))
        looker.start()
        begin = time.monotonic()
        workers = [threading.Thread(target=lambda a=app, n=n: [
            set_default(a, f"{n} {i}") for i in range(CHANGES // len(apps))]) for n, app in enumerate(apps)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        took = time.monotonic() - begin
        over.set()
        looker.join()
        print(f"# measured: {CHANGES} changes, {SYNC * 1000:.0f} ms a sync: {took:.2f} s, "
              f"the slowest call meanwhile took {worst[0] * 1000:.1f} ms")
        check(worst[0] < BLOCKED or os.environ.get("STREAMD_SANITIZED") == "1", f"blocked for {worst[0]:.3f} s")


def change_late(site, seconds):
    """One change that is being saved when streamd is told to stop: what its caller hears, and how
    long the stop takes."""
    app, heard = App(site, site.client), []

    def change():
        try:
            set_default(app, "late")
            heard.append("")
        except GLib.Error as error:
            heard.append(error.message)

    site.sync(seconds)
    caller = threading.Thread(target=change)
    caller.start()
    folder = state_dir(site)
    eventually(lambda: any(".new." in name for name in files(folder)), "it is being written")
    begin = time.monotonic()
    check_equal(site.client.stop(), 0, "exit status of streamd")
    took = time.monotonic() - begin
    caller.join()
    site.sync(0)
    return heard[0], took


def stopped():
    """a stop while a change is being saved: it waits for it and the caller hears the truth, but 5 s at most"""
    for seconds, kept in ((1, True), (30, False)):
        with SlowDisk() as site:
            site.client = site.start_daemon("client")
            set_default(App(site, site.client), "before")
            heard, took = change_late(site, seconds)
            print(f"# measured: a sync of {seconds} s: stopped after {took:.2f} s, the caller heard {heard!r}")
            check(took < STOP + 1.5, f"the stop took {took:.1f} s")
            check_equal(heard == "", kept, f"whether it was well: {heard}")
            if not kept:
                check("streamd stops, and the disk has not taken this change" in heard, heard)
            for old in (site.client, site.client.bus):
                site.processes.remove(old)
            site.client = site.start_daemon("client")
            reason = site.client.ctl_json("accept-policy", "list")["default"]["default_reason"]
            check_equal(reason, "late" if kept else "before", "the text of the default")


def caller_leaves():
    """a caller that leaves while its change is being saved: the change is in force all the same, and nothing is left of it"""
    with SlowDisk() as site:
        site.client = site.start_daemon("client")
        other = App(site, site.client)
        set_default(other, "before")
        before = site.client.fds()
        site.sync(1)
        app = App(site, site.client)
        sends(app, "alone")
        app.bus.flush_sync(None)
        eventually(lambda: any(".new." in name for name in files(state_dir(site))), "it is being written")
        app.close()
        site.sync(0)
        eventually(lambda: site.client.ctl_json("accept-policy", "list")["default"]["default_reason"] == "alone",
                   "the change is in force")
        eventually(lambda: site.client.fds() == before, "nothing is left")


def sends(app, text):
    """SetDefault without waiting for the answer, which nobody gets."""
    app.bus.call(NAME, ROOT, NAME + ".Policy", "SetDefault",
                 GLib.Variant("(sa{sv})", ("reject", {"reason": GLib.Variant("s", text)})),
                 None, Gio.DBusCallFlags.NONE, -1, None, None)


def incoming(app):
    """A list that gets what comes on its connection, in order: signals of new objects, and answers."""
    found = []

    def look(_bus, message, is_incoming):
        kind = message.get_message_type()
        if is_incoming and kind == Gio.DBusMessageType.SIGNAL and message.get_member() == "InterfacesAdded":
            found.append(message.get_body().unpack()[0])
        elif (is_incoming and kind == Gio.DBusMessageType.METHOD_RETURN
              and message.get_sender() != "org.freedesktop.DBus"):
            found.append(message.get_reply_serial())
        return message

    app.bus.add_filter(look)
    return found


def in_order():
    """while a change is being saved it is seen nowhere; then its signal comes, then its answer, and the next change's after that"""
    with SlowDisk() as site:
        site.client = site.start_daemon("client")
        app, other = App(site, site.client), App(site, site.client)
        app.here(lambda: app.bus.signal_subscribe(  # targets are everybody's: told by match
            NAME, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded", ROOT, None,
            Gio.DBusSignalFlags.NONE, lambda *_: None))
        found = incoming(app)
        site.sync(0.3)
        adders = [threading.Thread(target=lambda n=n: app.call(
            "ExposeTarget", "(ssa{sv})", (f"t{n}", "tcp:127.0.0.1:1", {}))) for n in range(3)]
        for adder in adders:
            adder.start()
        eventually(lambda: any(".new." in name for name in files(state_dir(site))), "it is being written")
        seen = other.call("GetManagedObjects", "()", (), interface="org.freedesktop.DBus.ObjectManager")[0]
        check(not [path for path in seen if "/target/" in path], f"{seen.keys()}")
        check(not found, f"told before it is saved: {found}")
        for adder in adders:
            adder.join()
        eventually(lambda: len(found) >= 6, f"all signals and answers: {found}", 5)
        kinds = ["signal" if isinstance(one, str) else "answer" for one in found]
        check_equal(kinds, ["signal", "answer"] * 3, "the order")
        check_equal(found[1::2], sorted(found[1::2]), "the order of the calls")


def quota():
    """64 calls of a user wait for the disk, one more is refused; callers that leave give their places back"""
    with SlowDisk() as site:
        site.client = site.start_daemon("client")
        app, other = App(site, site.client), App(site, site.client)
        set_default(other, "before")
        site.sync(2)
        for n in range(64):
            sends(app, str(n))
        app.bus.flush_sync(None)
        eventually(lambda: any(".new." in name for name in files(state_dir(site))), "it is being written")
        try:
            set_default(other, "one more")
            raise Failure("65 calls wait")
        except GLib.Error as error:
            check("LimitReached" in error.message and "64" in error.message, error.message)
        app.close()
        site.sync(0)
        eventually(lambda: site.client.ctl("accept-policy", "set-default", "reject", "last").returncode == 0,
                   "there is room again")
        check_equal(site.client.ctl_json("accept-policy", "list")["default"]["default_reason"], "last", "the default")


# -- killed --------------------------------------------------------------------------------------


class Killed(Site):
    """Its streamd dies just before the call of that number that changes a file."""

    def __init__(self):
        self.dies_at = 0
        super().__init__(gateway=False, client=False)

    def environment(self, **more):
        if self.dies_at:
            more.update(DIES_AT=str(self.dies_at), DIES_IN=state_dir(self) + "/", LD_PRELOAD=os.environ["DIES_LIBRARY"])
        return super().environment(**more)

    def start(self, dies_at=0):
        self.dies_at = dies_at
        self.client = self.start_daemon("client")
        self.dies_at = 0

    def leave(self, how=signal.SIGTERM):
        self.client.stop(how)
        self.client.bus.stop()
        for old in (self.client, self.client.bus):
            self.processes.remove(old)

    def hubs(self):
        return shown(self.client)["hubs"]


def killed_in(site, verb, undo, after):
    """At each step of it, until it is through without dying; how many those are."""
    for step in range(1, 100):
        site.start(step)
        done = site.client.ctl(*verb)
        died = done.returncode != 0
        if died:
            eventually(lambda: not site.client.alive(), f"it dies at step {step}")
        site.leave(signal.SIGKILL)
        site.start()
        hubs = site.hubs()
        check_equal(shown(site.client)["targets"], ["here"], f"targets after step {step}")
        if not died:
            check_equal(hubs, after, "what came of it")
        if hubs == after:
            site.client.ctl_ok(*undo)
        site.leave()
        if not died:
            return step - 1
    raise Failure("it always dies")


def killed():
    """streamd is killed at each call that changes a file while it adds or removes a hub: it starts, with the old state or the new one, and nothing is left over"""
    with Killed() as site:
        identity = os.path.join(site.dir, "identity")
        write_private(identity, site.hub.connection_string("policy", "service"))
        add = ("hub", "add", "work", "--connection-string-file", identity, "--ca", site.hub.ca)
        remove = ("hub", "remove", "work")
        site.start()
        site.client.ctl_ok("target", "add", "here", "tcp:127.0.0.1:1")
        site.leave()
        steps = [killed_in(site, add, remove, ["work"])]
        site.start()
        site.client.ctl_ok(*add)
        site.leave()
        steps.append(killed_in(site, remove, add, []))
        check(min(steps) >= 4, f"{steps} steps only")
        site.start()
        site.client.ctl_ok("target", "remove", "here")
        found = files(state_dir(site))
        check(len(found) == 2 and found[0].startswith("secrets.d/work.") and found[1] == "state", f"{found}")
        print(f"# measured: {steps[0]} and {steps[1]} steps")


# -- what cannot be used --------------------------------------------------------------------------


def newer():
    """a state that a newer streamd wrote: streamd runs, changes nothing, opens and accepts nothing, says so, and leaves the files alone"""
    with Site() as site:
        server = Server(lambda connection: connection.sendall(read_all(connection)), site)
        site.expose("echo", server.address)
        for name in ("client", "gateway"):
            folder = state_dir(site, name)
            daemon = getattr(site, name)
            daemon.stop()
            daemon.bus.stop()
            for old in (daemon, daemon.bus):
                site.processes.remove(old)
            write_state(os.path.join(folder, "state"), 5, "[policy]\ndefault=accept\n")
            config = os.path.join(site.dir, name + ".conf")
            secret = os.path.join(site.dir, name + ".cs")
            write_private(secret, site.hub.connection_string(
                *(("policy", "service") if name == "client" else ("device", site.DEVICE))))
            with open(config, "w", encoding="ascii") as file:
                file.write(f"[hub conf]\nConnectionStringFile={secret}\nCaFile={site.hub.ca}\n"
                           f"[target echo]\nAddress={server.address}\n[policy]\nDefault=accept\n")
            before = {path: open(os.path.join(folder, path), "rb").read() for path in files(folder)}
            daemon = Daemon(site, name, ["--config", config])
            site.processes.append(daemon)
            setattr(site, name, daemon)
            check("version 5" in daemon.ctl_ok("status"), "status says nothing")
            for verb in (("target", "add", "x", "tcp:127.0.0.1:1"), ("accept-policy", "set-default", "accept"),
                         ("hub", "remove", "conf"), ("connect", site.DEVICE, "echo")):
                done = daemon.ctl(*verb)
                check(done.returncode != 0 and "it has version 5" in done.stderr, f"{verb}: {done.stderr!r}")
            daemon.ctl_ok("reload")
            after = {path: open(os.path.join(folder, path), "rb").read() for path in files(folder)}
            check_equal(after, before, "the files")
        site.wait_online(site.DEVICE)
        other = site.start_daemon("other")
        other.add_hub("office", site.hub.connection_string("policy", "service"), site.hub.ca)
        done = other.ctl("connect", site.DEVICE, "echo")
        check(done.returncode != 0 and "streamd runs without its state" in done.stderr, done.stderr)


def good(port):
    with connect(port) as near:
        near.sendall(b"hello")
        near.shutdown(socket.SHUT_WR)
        check_equal(read_all(near), b"hello", "the echo")


def key_missing():
    """a hub whose key is missing is refused and stops nothing else; with a new key it works"""
    with Site() as site:
        site.expose("echo", Server(lambda connection: connection.sendall(read_all(connection)), site).address)
        folder = state_dir(site)
        hub = listed(site.client.ctl_json("hub", "list"), "hubs")[0]["name"]
        site.client.add_hub("second", site.hub.connection_string("policy", "service"), site.hub.ca)
        os.unlink(glob.glob(os.path.join(folder, "secrets.d", hub + ".*"))[0])
        site.client = again(site, site.client)
        hubs = {one["name"]: one for one in listed(site.client.ctl_json("hub", "list"), "hubs")}
        check_equal(hubs[hub]["state"], "refused", "state of the hub")
        text = site.client.ctl_ok("hub", "list")
        check("its key is missing" in text, text)
        done = site.client.ctl("connect", "--hub", hub, site.DEVICE, "echo")
        check(done.returncode != 0 and "its key is missing" in done.stderr, done.stderr)
        done = site.client.ctl("doctor", "--hub", hub)
        check(done.returncode != 0, "the doctor finds nothing")
        good(site.client.tunnel(site.DEVICE, "echo", "--hub", "second"))
        check(site.client.ctl("hub", "connect", hub).returncode != 0, "it connects")
        set_without_key(site, site.client, hub, site.hub.connection_string("policy", "service"))
        good(site.client.tunnel(site.DEVICE, "echo", "--hub", hub))
        name = site.gateway.ctl_json("hub", "list")[0]["name"]
        device = site.hub.connection_string("device", site.DEVICE)
        os.unlink(glob.glob(os.path.join(site.dir, "gateway-state", "secrets.d", name + ".*"))[0])
        site.gateway = again(site, site.gateway)
        set_without_key(site, site.gateway, name, device)
        good(site.client.tunnel(site.DEVICE, "echo", "--hub", hub))


def set_without_key(site, daemon, hub, text):
    """Its other settings are changed without a trial, and stay when it gets a key."""
    done = daemon.ctl("hub", "set", hub, "--ca", site.hub.ca)
    check_equal(done.returncode, 0, f"set without a key: {done.stderr!r}")
    check("its key is missing" in done.stderr, f"set without a key: {done.returncode}, {done.stderr!r}")
    shown_hub = daemon.ctl_json("hub", "show", hub)
    check_equal((shown_hub["state"], shown_hub["ca_file"]), ("refused", site.hub.ca), "set without a key")
    key = os.path.join(site.dir, "new.key")
    write_private(key, text.split("SharedAccessKey=", 1)[1].split(";")[0])
    check_equal(daemon.ctl_ok("hub", "set", hub, "--shared-access-key-file", key), f"{hub}: changed; now connected\n", "the new key")


def ca_missing():
    """a hub whose CA's file is gone is refused and keeps its key; once the file is back it works again"""
    with Site() as site:
        site.expose("echo", Server(lambda connection: connection.sendall(read_all(connection)), site).address)
        away = site.hub.ca + ".away"
        os.rename(site.hub.ca, away)
        site.client = again(site, site.client)
        hub = listed(site.client.ctl_json("hub", "list"), "hubs")[0]
        check_equal(hub["state"], "refused", "state of the hub")
        check(site.hub.ca in hub["last_error"], hub["last_error"])
        site.client.ctl_ok("target", "add", "x", "tcp:127.0.0.1:1")  # saves all
        os.rename(away, site.hub.ca)
        site.client = again(site, site.client)
        good(site.client.tunnel(site.DEVICE, "echo"))


if __name__ == "__main__":
    enter()
    main(full, slow, stopped, caller_leaves, in_order, quota, killed, newer, key_missing, ca_missing)
