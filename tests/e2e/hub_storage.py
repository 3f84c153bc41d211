# SPDX-License-Identifier: LGPL-2.1-or-later
"""The disk under the hub: full, read-only, with room again; init killed at each step; a registry that is
backed up while it is written to, and restored. In a mount namespace of its own, for small disks."""
import concurrent.futures
import contextlib
import itertools
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time

from disks import LOG_S, SmallDisk, enter
from enroll import JOINED, Invitation, devices, keys_in, new_key
from harness import LONG, SANITIZED, Site, check, check_equal, eventually, main, run, run_ok
from hub_wire import Wire, check_echo
from standing import HubStatus, becomes

FULL, READ_ONLY = "No space left on device", "Read-only file system"
FILES = ["ca-key.pem", "ca.pem", "registry.sqlite", "server-key.pem", "server.pem"]
POLICIES = ["device", "iothubowner", "registryRead", "registryReadWrite", "service"]
DEVICES = 20_000 if LONG else 3_000


# -- disks ---------------------------------------------------------------------------------------


def ask_raw(path, device):
    """What the admin socket says to a POST: status line and body."""
    body = json.dumps({"deviceId": device}).encode()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        sock.sendall(b"POST /v1/devices HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                     b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        answer = b""
        while piece := sock.recv(65536):
            answer += piece
    head, body = answer.split(b"\r\n\r\n", 1)
    return head.split(b"\r\n")[0].decode(), json.loads(body)["error"]


def takes_nothing(site, reason):
    """Changes are refused for that reason, again and again, and look-ups go on."""
    for _ in range(2):
        done = site.add("more")
        check_equal((done.returncode, done.stdout), (1, ""), "device add")
        check(re.fullmatch(r"streamhub: device 'more': the disk takes no change of the registry: "
                           rf".*{reason} \(.*/registry\.sqlite\)\n", done.stderr), done.stderr)
        site.serves()
    status, error = ask_raw(site.socket, "more")
    check(status.startswith("HTTP/1.1 507 "), status)
    check_equal(error["code"], "storage", "the code")
    check(reason in error["message"], error["message"])
    shown = json.loads(run_ok([site.streamhub, "--admin-socket", site.socket, "device", "list", "--json"]))
    check_equal([(d["device_id"], d["status"]) for d in shown],
                [("bad", "disabled"), ("good", "enabled")], "the devices")


def takes_again(site, device):
    since = time.monotonic()
    eventually(lambda: site.add(device).returncode == 0, "a change is taken", 10)
    print(f"# measured: a change was taken {time.monotonic() - since:.2f} s after the disk had room")
    shown = json.loads(run_ok([site.streamhub, "--admin-socket", site.socket, "device", "list", "--json"]))
    check(device in [d["device_id"] for d in shown], "it is not listed")


def whole(site):
    """The hub is stopped in order; its registry is whole, in one file."""
    check_equal(site.hub.stop(), 0, "the exit status of the hub")
    with sqlite3.connect(os.path.join(site.state, "registry.sqlite")) as registry:
        check_equal(registry.execute("PRAGMA integrity_check").fetchone()[0], "ok", "integrity")
    registry.close()


# How the hub's first life ended, and whether the index of its log is still there.
ENDS = {"stopped": (False, False), "killed": (True, True), "killed, no index": (True, False)}


def at_start(end, bad, good, reason):
    """The disk is BAD when the hub starts, and GOOD later; it never restarts."""
    killed, index = ENDS[end]
    path = os.path.join("/tmp", f"streamd-storage-{os.getpid()}-{len(end)}.sock")

    def before(site):
        site.first_life(killed)
        if killed and not index:
            os.unlink(os.path.join(site.state, "registry.sqlite-shm"))
        bad(site)

    with SmallDisk(before, ["--admin-socket", path]) as site:
        if reason != FULL or not index:  # with an index, on a disk that is full, it only looks so later
            check(re.search(f"the disk takes no changes, and what is there is served: .*{reason}", site.hub.log()),
                  f"{end}: {site.hub.log()}")
        site.serves()
        takes_nothing(site, reason)
        good(site)
        takes_again(site, "more")
        site.serves()
        whole(site)


def full_at_start():
    """a full disk at the start, after a stop and after a kill: the hub serves, 507, and takes changes once there is room"""
    for end in ENDS:
        at_start(end, SmallDisk.fill, SmallDisk.make_room, FULL)


def read_only_at_start():
    """the same with a read-only disk"""
    for end in ENDS:
        at_start(end, lambda site: site.remount("ro"), lambda site: site.remount("rw"), READ_ONLY)


FIRST_FORM = {"device": ["id", "module", "enabled", "primary_key", "secondary_key", "generation_id", "etag", "created"],
              "policy": ["name", "rights", "primary_key", "secondary_key", "created"]}


def make_older(site):
    """The registry becomes one of 0.1.0: without whatever came later."""
    with contextlib.closing(sqlite3.connect(os.path.join(site.state, "registry.sqlite"))) as db:
        for kind in ("trigger", "view", "index", "table"):
            for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = ? AND sql NOT NULL", (kind,)).fetchall():
                if name not in FIRST_FORM:
                    db.execute(f"DROP {kind} {name}")
        for table, columns in FIRST_FORM.items():
            for row in db.execute(f"PRAGMA table_info({table})").fetchall():
                if row[1] not in columns:
                    db.execute(f"ALTER TABLE {table} DROP COLUMN {row[1]}")
        db.executescript("PRAGMA user_version=1; PRAGMA wal_checkpoint(TRUNCATE);")


def since_upgrade():
    """what was made since an upgrade: told beside a running hub and a stopped one; without an upgrade it says so"""
    with SmallDisk() as site:
        none = verb(site, "backup", "--since-upgrade")
        check(none.returncode == 4 and "no registry of before an upgrade" in none.stderr, none.stderr)
        check_equal(verb(site, "backup").returncode, 2, "neither")
        check_equal(verb(site, "backup", os.path.join(site.dir, "b"), "--since-upgrade").returncode, 2, "both")
        for device in ("kept", "gone", "other"):
            site.add(device)
        site.hub.stop()
        site.processes.remove(site.hub)
        make_older(site)
        site.start_hub()
        check("as they were before the upgrade" in verb(site, "backup", "--since-upgrade").stdout, "nothing yet")
        for words in (("device", "add", "new"), ("device", "add", "new", "--module", "m"), ("device", "remove", "gone"),
                      ("device", "remove", "other"), ("device", "add", "other"), ("user", "remove", "device"),
                      ("user", "add", "anna", "--rights", "service-connect")):
            check_equal(verb(site, *words).returncode, 0, " ".join(words))
        wanted = [("device-added", "new", None), ("device-added", "new", "m"), ("device-keys", "other", None),
                  ("device-removed", "gone", None), ("user-added", "anna", None), ("user-removed", "device", None)]
        for running in (True, False):
            if not running:
                site.hub.stop()
                site.processes.remove(site.hub)
            told = json.loads(verb(site, "backup", "--since-upgrade", "--json").stdout)
            check_equal([(one["what"], one["name"], one.get("module")) for one in told], wanted, f"running: {running}")
            text = verb(site, "backup", "--since-upgrade").stdout.splitlines()
            check_equal(text[:3], ["added device new", "added device new/m", "other keys of device other"], "for people")
        check_equal(sorted(name for name in os.listdir(site.state) if name.startswith("registry")),
                    ["registry.sqlite", "registry.sqlite.v1"], "files")


def older_at_start():
    """a registry of 0.1.0 on a full and on a read-only disk: served from memory, upgraded once there is room"""
    for bad, good, reason in ((SmallDisk.fill, SmallDisk.make_room, FULL),
                              (lambda site: site.remount("ro"), lambda site: site.remount("rw"), READ_ONLY)):
        def worse(site, bad=bad):
            make_older(site)
            bad(site)

        def better(site, good=good):
            kept = os.path.join(site.state, "registry.sqlite.v1")
            check(not os.path.exists(kept), "nothing is kept yet")
            good(site)
            takes_again(site, "first")
            check(os.path.exists(kept), "the one of 0.1.0 is kept")

        at_start("stopped", worse, better, reason)


def no_place_for_the_socket():
    """the admin socket comes when the disk lets it"""
    def before(site):
        site.first_life(False)
        site.remount("ro")

    with SmallDisk(before) as site:
        site.serves()
        check("admin socket" in site.hub.log() and READ_ONLY in site.hub.log(), site.hub.log())
        check_equal(site.add("more").returncode, 3, "no hub reached")
        site.remount("rw")
        takes_again(site, "more")


def full_while_running():
    """the disk fills up under a hub with a device and a stream: both go on, 507, then changes again"""
    with SmallDisk() as site:
        hub = Wire(site)
        device = hub.device("good")
        site.keys = {"good": hub.add("good"), "bad": hub.add("bad")}
        hub.hub.admin("device", "disable", "bad")
        near, far = hub.opened(device)
        time.sleep(LOG_S + 0.5)
        site.fill()
        takes_nothing(site, FULL)
        near.send(b"still here")
        check_equal(far.receive(10), b"still here", "what came through")
        site.make_room()
        takes_again(site, "more")
        near.send(b"and now")
        check_equal(far.receive(7), b"and now", "what came through")


def full_for_enrolments():
    """a full disk under devices that join: 507 and nothing is counted; with room again the same key is taken"""
    with SmallDisk() as site:
        group = Invitation(site, "group", "factory", "--devices", "*", "--uses", "2")
        first, second = new_key(), new_key()
        check_equal(group.put("gw-1", first), JOINED, "with room")
        site.fill()
        for _ in range(3):
            status, code, _ = group.put("gw-2", second)
            check_equal((status, code), (507, "InsufficientStorage"), "no room")
        check_equal((group.shown()["used"], sorted(devices(site))), (1, ["gw-1"]), "what is counted")
        site.make_room()
        eventually(lambda: group.put("gw-2", second) == JOINED, "there is room again")
        check_equal((group.shown()["used"], keys_in(site)), (2, {"gw-1": first, "gw-2": second}), "what is counted")


# -- init ----------------------------------------------------------------------------------------


def listing(folder):
    return sorted(os.listdir(folder)) if os.path.exists(folder) else []


def killed_at(site, step):
    """One init that dies at that step, and the next one. FALSE when it had fewer steps."""
    state = os.path.join(site.dir, f"init-{step}")
    init = [site.streamhub, "init", "--state-dir", state, "--host-name", "localhost"]
    env = site.environment(DIES_AT=str(step), LD_PRELOAD=os.environ["DIES_LIBRARY"])
    first = run(init, env=env)
    if first.returncode != 0:
        check_equal(first.returncode, -signal.SIGKILL, f"step {step}: {first.stderr}")
    done = listing(state) == FILES
    if not done:
        served = run([site.streamhub, "serve", "--state-dir", state, "--listen", "127.0.0.1:0"])
        check(served.returncode in (1, 2), f"step {step}: half a hub was served")
        check(not os.path.exists(os.path.join(state, "server.pem")) or
              "run it again" in served.stderr, f"step {step}: {served.stderr}")
    second = run(init)
    check_equal(second.returncode, 6 if done else 0, f"init after step {step}: {second.stderr}")
    check_equal(listing(state), FILES, f"what is there after step {step}")
    check_equal({name: os.stat(os.path.join(state, name)).st_mode & 0o777 for name in FILES},
                {name: 0o644 if name in ("ca.pem", "server.pem") else 0o600 for name in FILES}, "modes")
    with sqlite3.connect(os.path.join(state, "registry.sqlite")) as registry:
        check_equal([row[0] for row in registry.execute("SELECT name FROM policy ORDER BY name")], POLICIES,
                    f"the policies after step {step}")
    registry.close()
    return first.returncode != 0


def init_killed():
    """init is killed before each call that changes a file: no half hub is served, and the next init makes a whole one"""
    if SANITIZED:  # its library would have to come first
        return
    with Site(gateway=False, client=False) as site, concurrent.futures.ThreadPoolExecutor(4) as pool:
        for steps in itertools.count(1, 8):
            if not all(pool.map(lambda step: killed_at(site, step), range(steps, steps + 8))):
                break
        check(steps > 30, f"it had {steps} steps only")
        print(f"# measured: killed at each of about {steps} steps")


def init_says():
    """of what it does not know init says what is there and what is missing, and changes nothing"""
    with Site(gateway=False, client=False) as site:
        state = os.path.join(site.dir, "other")
        os.mkdir(state)
        for name in ("ca.pem", "server-key.pem"):
            with open(os.path.join(state, name), "w", encoding="ascii") as file:
                file.write("mine")
        done = run([site.streamhub, "init", "--state-dir", state, "--host-name", "localhost"])
        check_equal(done.returncode, 6, "exit code")
        check_equal(done.stderr, f"streamhub: {state}: there is already ca.pem, server-key.pem, but no ca-key.pem, "
                    "server.pem, registry.sqlite: nothing was changed\n", "what it says")
        check_equal(listing(state), ["ca.pem", "server-key.pem"], "what is there")


def no_room():
    """init and backup on disks with room for less and less: the system's reason, and nothing is left"""
    with Site(gateway=False, client=False) as site:
        small = os.path.join(site.dir, "small")
        os.mkdir(small, 0o700)
        for argv in ((site.streamhub, "init", "--state-dir", small, "--host-name", "localhost"),
                     (site.streamhub, "--state-dir", site.hub.state_dir, "backup", os.path.join(small, "b"))):
            failed = 0
            for pages in range(1, 64):
                run_ok(["mount", "-t", "tmpfs", "-o", f"size={4 * pages}k,mode=700", "tmpfs", small])
                try:
                    done = run(argv)
                    if done.returncode != 0:
                        check(FULL in done.stderr, f"{argv[1]}, {pages} pages: {done.stderr}")
                        check_equal(listing(small), [], f"{argv[1]}, {pages} pages")
                        failed += 1
                finally:
                    run_ok(["umount", small])
            check(0 < failed < 63 and done.returncode == 0, f"{failed} of {argv[1:]} failed")


# -- the log, backups ----------------------------------------------------------------------------


def in_the_file():
    """a second after a change it is in the file itself, the log empty; after a stop there is none"""
    with Site(gateway=False, client=False) as site:
        log = os.path.join(site.hub.state_dir, "registry.sqlite-wal")
        for name in ("one", "two"):
            site.hub.admin("device", "add", name)
            since = time.monotonic()
            eventually(lambda: os.path.getsize(log) == 0, "the log is empty", 10)
            print(f"# measured: the log was empty {time.monotonic() - since:.2f} s after a change")
            copy = os.path.join(site.dir, "copy")
            run_ok(["cp", os.path.join(site.hub.state_dir, "registry.sqlite"), copy])
            with sqlite3.connect(f"file:{copy}?immutable=1", uri=True) as registry:
                check_equal(registry.execute("SELECT count(*) FROM device WHERE id = ?", (name,)).fetchone()[0],
                            1, "it is in the file")
            registry.close()
        check_equal(site.hub.stop(), 0, "exit status")
        check(not os.path.exists(log), "there is a log after the stop")


def names(path):
    """The devices in a file that nobody changes; looking leaves nothing beside it."""
    with sqlite3.connect(f"file:{path}?immutable=1", uri=True) as registry:
        check_equal(registry.execute("PRAGMA integrity_check").fetchone()[0], "ok", "integrity")
        found = [row[0] for row in registry.execute("SELECT id FROM device ORDER BY id")]
    registry.close()
    return found


class Writer(threading.Thread):
    """Adds devices until it is told to stop; `added` are those that were acknowledged."""

    def __init__(self, hub):
        super().__init__()
        self.hub, self.added, self.over = hub, [], False
        self.start()

    def run(self):
        for number in itertools.count():
            if self.over:
                return
            self.hub.admin("device", "add", f"w{number:05}")
            self.added.append(f"w{number:05}")


def verb(site, *arguments):
    return run([site.streamhub, "--state-dir", site.hub.state_dir, *arguments])


def backed_up(site, path):
    """A backup under writes: all that was acknowledged before it, and nothing that was never asked."""
    writer = Writer(site.hub)
    eventually(lambda: len(writer.added) > 3, "devices are added")
    before, since = list(writer.added), time.monotonic()
    done = verb(site, "backup", path)
    taken = time.monotonic() - since
    writer.over = True
    writer.join()
    check_equal(done.returncode, 0, done.stderr)
    print(f"# measured: a backup of {DEVICES} devices under writes in {taken:.2f} s")
    check_equal(os.stat(path).st_mode & 0o777, 0o600, "its mode")
    check_equal([name for name in os.listdir(os.path.dirname(path)) if name.startswith("b.")], [], "beside it")
    found = names(path)
    check(set(before) <= set(found) <= set(writer.added) | {f"dev-{i:06}" for i in range(DEVICES)},
          "what is in the backup")
    check_equal(len(found) >= DEVICES + len(before), True, "how many")
    return found


def refuses(site, path, text):
    done = verb(site, "restore", path)
    check(done.returncode != 0 and text in done.stderr, f"{path}: {done.returncode} {done.stderr}")


def bad_backups(site, path):
    """A bit turned anywhere, or the end cut off: what is restored is what was backed up, or nothing."""
    with open(path, "rb") as file:
        good = file.read()
    want, other = names(path), os.path.join(site.dir, "bad")
    state = os.path.join(site.hub.state_dir, "registry.sqlite")
    refused = 0
    for part in range(24):
        at = len(good) * part // 24 + 61 * part
        broken = bytearray(good)
        broken[at] ^= 0x10
        with open(os.open(other, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(broken if part % 2 else good[:at])
        done = verb(site, "restore", other)
        refused += done.returncode != 0
        check(done.returncode != 0 or names(state) == want, f"part {part} was taken")
    print(f"# measured: {refused} of 24 damaged backups were refused")
    check(refused >= 20, "few were refused")
    os.chmod(path, 0o640)
    refuses(site, path, "others than its owner")
    os.chmod(path, 0o600)


def backups():
    """backup under writes, restore when stopped: the same devices; damaged ones are refused, the former one is kept"""
    with Site(gateway=False, client=False) as site:
        registry = os.path.join(site.hub.state_dir, "registry.sqlite")
        key = os.urandom(32)
        with sqlite3.connect(registry, timeout=30) as db:
            db.executemany("INSERT INTO device VALUES (?, '', 1, ?, ?, 1, 1, 1, '', '')",
                           ((f"dev-{i:06}", key, key) for i in range(DEVICES)))
        db.close()
        path = os.path.join(site.dir, "b")
        found = backed_up(site, path)
        check_equal(verb(site, "backup", path).returncode, 6, "over one that is there")
        refuses(site, path, "another streamhub serves it: stop it first")
        site.hub.admin("device", "add", "later")
        check_equal(site.hub.stop(), 0, "exit status")
        done = verb(site, "restore", path)
        check_equal(done.returncode, 0, done.stderr)
        kept = done.stdout.split()[-1]
        check_equal((names(registry), "later" in names(kept)), (found, True), "what is where")
        refuses(site, registry, "has no checksum")
        bad_backups(site, path)
        os.unlink(registry)  # lost
        check_equal(verb(site, "restore", path).returncode, 0, "without a former one")
        site.start_hub(name="after")
        check_equal([d["device_id"] for d in json.loads(site.hub.admin("device", "list", "--json"))], found,
                    "what the hub has")
        check_equal(len(json.loads(site.hub.admin("user", "list", "--json"))), len(POLICIES), "policies")


def dies(site, step, *arguments):
    """The verb, killed at that step. FALSE when it had fewer steps."""
    env = site.environment(DIES_AT=str(step), LD_PRELOAD=os.environ["DIES_LIBRARY"])
    done = run([site.streamhub, "--state-dir", site.hub.state_dir, *arguments], env=env)
    check(done.returncode in (0, -signal.SIGKILL), f"{arguments[0]}, step {step}: {done.stderr}")
    return done.returncode != 0


def verbs_killed():
    """backup and restore killed before each call that changes a file: the file and the registry are whole or as before"""
    if SANITIZED:
        return
    with Site(gateway=False, client=False) as site:
        for name in ("one", "two"):
            site.hub.admin("device", "add", name)
        good, registry = os.path.join(site.dir, "b"), os.path.join(site.hub.state_dir, "registry.sqlite")
        check_equal(verb(site, "backup", good).returncode, 0, "a backup")
        site.hub.admin("device", "remove", "two")
        check_equal(site.hub.stop(), 0, "exit status")
        for backups in itertools.count(1, 1 if LONG else 2):
            other = os.path.join(site.dir, f"b{backups}")
            if not dies(site, backups, "backup", other):
                break
            check(not os.path.exists(other) or names(other) == ["one"], f"half a backup at step {backups}")
            wanted = 6 if os.path.exists(other) else 0
            check_equal(verb(site, "backup", other).returncode, wanted, "the next one")
        check_equal(names(other), ["one"], "the last one")
        for restores in itertools.count(1, 1 if LONG else 2):
            over = not dies(site, restores, "restore", good)
            found = names(registry)
            check(found in (["one"], ["one", "two"]), f"half a restore at step {restores}: {found}")
            if over:
                break
            check_equal(verb(site, "restore", other).returncode, 0, f"the next one, after step {restores}")
            check_equal(names(registry), ["one"], "what it restored")
        check_equal(found, ["one", "two"], "what the last one restored")
        check_equal([name for name in os.listdir(site.hub.state_dir)
                     if re.fullmatch(r"registry\.sqlite(\.restored.*|-.*)", name)], [], "left behind")
        check(min(backups, restores) > 10, f"{backups} and {restores} steps only")
        print(f"# measured: killed at each of {backups} steps of a backup and {restores} of a restore")


def held():
    """drain --read-only, before a move: a backup has all, and who would change something is told to try again"""
    with Site(gateway=False, client=False) as site:
        hub = Wire(site)
        group = Invitation(site, "group", "factory", "--devices", "gw-*", "--uses", "9")
        check_equal(group.put("gw-0", new_key()), JOINED, "before")
        device = hub.device()
        leg, peer = hub.opened(device)
        keys = keys_in(site)
        state = ["--state-dir", site.hub.state_dir]
        before = site.hub.admin("status")
        done = run([site.streamhub, "drain", "--read-only", "--timeout", "0", *state])
        check_equal(done.returncode, 13, done.stderr)
        check_equal([json.loads(site.hub.admin("status", "--json"))[name] for name in ("draining", "read_only")],
                    [True, True], "the status")
        check(re.search(r"Drains:? +no\nRead-only:? +no\n", before) and
              re.search(r"Drains:? +yes\nRead-only:? +yes\n", site.hub.admin("status")), "the status for people")
        run([site.streamhub, "drain", "--timeout", "0", *state])  # the hold is another matter
        check_equal([json.loads(site.hub.admin("status", "--json"))[name] for name in ("draining", "read_only")],
                    [True, True], "drained once more, without the option")
        for words in (["device", "add", "late"], ["device", "disable", "gw-0"], ["user", "add", "late", "--rights", "service-connect"],
                      ["user", "remove", "service"], ["device", "set", "gw-0", "--tag", "a=b"], ["device", "regenerate", "gw-0", "both"]):
            done = run([site.streamhub, *words, *state])
            check(done.returncode != 0 and "takes no changes before it is moved; try again" in done.stderr, f"{words}: {done}")
        check_equal(group.put("gw-1", new_key())[0], 503, "who enrols is told to try again")
        check_equal(hub.post().read().status, 503, "who opens, too")
        file = os.path.join(site.dir, "backup")
        site.hub.admin("backup", file)
        check_echo(leg, peer)
        check(device.ping(), "the control link goes on")
        check_equal((keys_in(site), group.shown()["used"]), (keys, 1), "what has changed")
        check_equal(run([site.streamhub, "drain", "--cancel", "--read-only", *state]).returncode, 2, "both")
        site.hub.admin("drain", "--cancel")
        check_equal(json.loads(site.hub.admin("status", "--json"))["read_only"], False, "the status")
        check_equal(group.put("gw-1", new_key()), JOINED, "afterwards")
        site.hub.stop()
        run_ok([site.streamhub, "restore", file, *state])
        site.processes.remove(site.hub)
        site.start_hub()
        check_equal((keys_in(site), site.hub.alive()), (keys, True), "what the backup has")
        check_equal(group.put("gw-1", new_key()), JOINED, "a restart takes changes")


class ToldDisk(SmallDisk):
    """The hub's service manager listens."""

    def __init__(self, before=None):
        super().__init__(before)
        self.manager = HubStatus(self)

    def environment(self, **more):
        return super().environment(NOTIFY_SOCKET=self.manager.path, **more)


def told():
    """STATUS= says that the disk takes no change, from the start on or later, and no more once it takes one"""
    for at_start in (False, True):
        with ToldDisk(lambda site: site.remount("ro") if at_start else None) as site:  # pylint: disable=cell-var-from-loop
            well = f"Serving localhost, port {site.hub.https_port}, 0 devices, 0 streams"
            if not at_start:
                becomes(site.manager, re.escape(well))
                site.fill()
                check(run([site.streamhub, "--state-dir", site.state, "device", "add", "gw-1"]).returncode != 0, "a change")
            becomes(site.manager, re.escape(well) + f"; the disk takes no change of the registry: {READ_ONLY if at_start else FULL} .*")
            if at_start:
                site.remount("rw")
            else:
                site.make_room()
            eventually(lambda: run([site.streamhub, "--state-dir", site.state, "device", "add", "gw-2"]).returncode == 0, "it is taken")
            becomes(site.manager, re.escape(well))


enter()
main(since_upgrade, full_at_start, read_only_at_start, older_at_start, no_place_for_the_socket, full_while_running, full_for_enrolments, told, init_killed, init_says,
     no_room, in_the_file, backups, verbs_killed, held)
