# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices in and out of a hub as lines of JSON: 20,000 of them (1,000,000 with STREAMD_LONG) beside look-ups and an
open stream; interrupted, resumed, with bad lines, and from one hub to another."""
import base64
import contextlib
import json
import os
import pty
import random
import signal
import stat
import subprocess
import threading
import time

import wire
from harness import LONG, SANITIZED, Site, check, check_equal, eventually, main, run
from hub_wire import Wire

COUNT = 1_000_000 if LONG else 20_000
FEW = 5_000


def key(number):
    return base64.b64encode(number.to_bytes(4, "big") * 8).decode()


def line(number):
    """A device, or every tenth time a module of the one before."""
    if number % 10 == 9:
        return {"id": f"gw-{number - 1:07}", "module": "logger", "status": "enabled",
                "keys": {"primary": key(number), "secondary": key(number + 1)}}
    return {"id": f"gw-{number:07}", "status": "disabled" if number % 1000 == 7 else "enabled",
            "tags": {"floor": str(number % 7), "site": f"s{number % 100}"}, "comment": f"number {number}",
            "keys": {"primary": key(number), "secondary": key(number + 1)}}


def text_of(row):
    return json.dumps(row, separators=(",", ":")) + "\n"


def write(site, name, rows):
    path = os.path.join(site.dir, name)
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            file.write(row if isinstance(row, str) else text_of(row))
    return path


def argv(site, *words):
    return [site.streamhub, "--state-dir", site.hub.state_dir, *words]


def verb(site, *words, **kwargs):
    return run(argv(site, *words), timeout=3600, **kwargs)


def counts(done):
    check_equal(done.returncode, 0, done.stderr)
    return json.loads(done.stdout)


def result(added=0, updated=0, unchanged=0, refused=0):
    return {"added": added, "updated": updated, "unchanged": unchanged, "refused": refused}


class Lookups:
    """Asks for streams to devices that are there and away, each time another one, over one connection."""

    def __init__(self, hub, known):
        self.hub, self.known, self.times, self.over = hub, known, [], False
        self.failure = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        pick = random.Random(1)
        try:
            while not self.over:
                http = wire.Http(self.hub.port, self.hub.ca)
                for _ in range(900):  # a hub lets a connection ask 1,000 times
                    if self.over:
                        return
                    begin = time.monotonic()
                    answer = http.ask("POST", f"/twins/old-{pick.randrange(self.known)}/streams/x?api-version=1",
                                      [("Authorization", self.hub.service_token())])
                    self.times.append(time.monotonic() - begin)
                    check_equal(answer.status, 404, "an answer")
                    time.sleep(0.002)
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure

    def stop(self):
        self.over = True
        self.thread.join()
        if self.failure:
            raise self.failure
        times = sorted(self.times)
        return times[int(len(times) * 0.99) - 1], times[-1], len(times)


class Pings:
    """Bytes to and fro over an open stream, all the time."""

    def __init__(self, hub):
        self.one, self.other = hub.opened(hub.device("pinged"))
        self.slowest, self.count, self.over = 0, 0, False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.over:
            begin = time.monotonic()
            self.one.send(b"x" * 100)
            self.other.receive(100)
            self.slowest = max(self.slowest, time.monotonic() - begin)
            self.count += 1
            time.sleep(0.005)

    def stop(self):
        self.over = True
        self.thread.join()
        return self.slowest, self.count


def peak_kib(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status", encoding="ascii") as file:
        for text in file:
            if text.startswith("VmHWM:"):
                return int(text.split()[1])
    return 0


def bulk():
    """so many devices, while others are looked up and a stream is open; then again, listed, searched and exported"""
    with Site(gateway=False, client=False) as site:
        hub = Wire(site)
        old = write(site, "old", ({"id": f"old-{number}"} for number in range(FEW)))
        check_equal(counts(verb(site, "device", "import", old, "--json")), result(added=FEW), "the first ones")
        path = write(site, "many", (line(number) for number in range(COUNT)))
        quiet = Lookups(hub, FEW)
        time.sleep(2)
        peace = quiet.stop()
        pings, lookups = Pings(hub), Lookups(hub, FEW)
        before, begin = site.hub.status_kib("VmRSS"), time.monotonic()
        with subprocess.Popen(argv(site, "device", "import", path, "--json"), stdout=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, text=True) as importing:
            peak = 0
            while importing.poll() is None:
                peak = max(peak, peak_kib(importing.pid))
                time.sleep(0.02)
            check_equal(json.loads(importing.stdout.read()), result(added=COUNT), "counts")
        took = time.monotonic() - begin
        p99, slowest, asked = lookups.stop()
        ping, pinged = pings.stop()
        grown = site.hub.peak_kib() - before
        print(f"# {COUNT} in {took:.1f} s; look-ups meanwhile: {asked}, p99 {p99 * 1000:.1f} ms, slowest {slowest * 1000:.0f} ms "
              f"(in peace p99 {peace[0] * 1000:.1f} ms); {pinged} bytes to and fro, slowest {ping * 1000:.0f} ms; "
              f"the verb {peak} KiB, the hub grew by {grown} KiB")
        check(took < (600 if LONG else 60), f"it took {took:.1f} s")
        check(p99 < 0.25 and ping < 1, f"p99 {p99}, a stream {ping}")
        check(SANITIZED or (peak < 40 * 1024 and grown < 40 * 1024), f"memory: {peak}, {grown} KiB")

        begin = time.monotonic()
        check_equal(counts(verb(site, "device", "import", path, "--json")), result(unchanged=COUNT), "once more")
        print(f"# the same again in {time.monotonic() - begin:.1f} s")
        begin = time.monotonic()
        with subprocess.Popen(argv(site, "device", "list", "--no-legend"), stdout=subprocess.PIPE) as listing:
            listed = sum(1 for _ in listing.stdout)
        check_equal(listed, COUNT + FEW + 1, "lines of device list")
        print(f"# listed in {time.monotonic() - begin:.1f} s")
        searched(hub)
        exported = os.path.join(site.dir, "out")
        check_equal(verb(site, "device", "export", exported, "--keys").returncode, 0, "export")
        with open(exported, encoding="utf-8") as file, open(path, encoding="utf-8") as given:
            rest = (text for text in file if '"id":"gw-' in text)
            check(all(out == text for out, text in zip(rest, given, strict=True)), "what came out is not what went in")


def searched(hub):
    """POST /devices/query, all pages of one tag's value."""
    found, token, begin = 0, None, time.monotonic()
    http = wire.Http(hub.port, hub.ca)
    query = json.dumps({"query": "SELECT * FROM devices WHERE tags.site='s42'"}).encode()
    while True:
        fields = [("Authorization", hub.service_token()), ("x-ms-max-item-count", "1000")]
        answer = http.ask("POST", "/devices/query?api-version=1",
                          fields + ([("x-ms-continuation", token)] if token else []), query)
        check_equal(answer.status, 200, "a page")
        found += sum(1 for entry in json.loads(answer.body) if "moduleId" not in entry)
        token = answer.get("x-ms-continuation")
        if not token:
            break
    check_equal(found, sum(1 for number in range(42, COUNT, 100) if number % 10 != 9), "found")
    print(f"# {found} found by tag in {time.monotonic() - begin:.2f} s")


def interrupted():
    """the verb and the hub are killed again and again: what is there is whole, and the same call ends it"""
    with Site(gateway=False, client=False) as site:
        count = FEW * 4
        path = write(site, "many", (line(number) for number in range(count)))
        given = {(row["id"], row.get("module")): row for row in (line(number) for number in range(count))}
        partly = 0
        for number in range(6):
            importing = subprocess.Popen(argv(site, "device", "import", path), stdout=subprocess.DEVNULL,
                                         stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
            time.sleep(0.03 + 0.03 * number)
            if number % 2:
                site.hub.stop(signal.SIGKILL)
                said = importing.communicate()[1]
                check(importing.returncode in (0, 3), f"{importing.returncode}: {said}")
                check(importing.returncode == 0 or f"{path}:" in said and "goes on from there" in said, said)
                site.processes.remove(site.hub)
                site.start_hub()
            else:
                importing.kill()
                importing.communicate()
            out = verb(site, "device", "export", "-", "--keys").stdout.splitlines()
            for text in out:
                row = json.loads(text)
                check_equal(row, given[(row["id"], row.get("module"))], "a row")
            partly += 0 < len(out) < count
            # A module is there only with its device, and a prefix of the file is.
            check_equal(out, [text_of(line(n)).strip() for n in range(len(out))], "the beginning of the file")
        print(f"# {partly} of 6 were interrupted in the middle")
        check(partly > 1, "it was never interrupted in the middle")
        done = counts(verb(site, "device", "import", path, "--json"))
        check_equal(done["unchanged"] + done["added"], count, f"the end: {done}")


def bad_lines():
    """what is wrong with a line is told with its place and what would be right; the others are taken; a dry run changes nothing"""
    with Site(gateway=False, client=False) as site:
        bad = [("gw-1\n", "not JSON"), ('{"id":"a b"}\n', "letters, digits"), ('{"id":"x","status":"on"}\n', '"enabled" or "disabled"'),
               ('{"id":"x","keys":{"primary":"AAEC"}}\n', "Base64 of 16 to 64 bytes"), ('{"id":"x","tags":{"a b":"c"}}\n', "key"),
               ('{"id":"x","colour":"red"}\n', "and nothing else"), ('{"id":"absent","module":"m"}\n', "there is no device 'absent'")]
        rows = []
        for number, (text, _) in enumerate(bad):
            rows += [line(number), text]
        path = write(site, "mixed", rows)
        for words, wanted in ((["--dry-run"], len(bad)), ([], len(bad))):
            done = verb(site, "device", "import", path, "--json", *words)
            check_equal(done.returncode, 1, "exit code")
            check_equal(json.loads(done.stdout), result(added=wanted, refused=len(bad)), "counts")
            for number, (_, says) in enumerate(bad):
                told = [text for text in done.stderr.splitlines() if text.startswith(f"{path}:{2 * number + 2}: ")]
                check(len(told) == 1 and says in told[0], f"line {2 * number + 2}: {done.stderr}")
            there = verb(site, "device", "export").stdout.count("\n")
            check_equal(there, 0 if words else len(bad), "devices")
        # One that differs is an error, unless it is to be overwritten.
        other = dict(line(0), comment="another", status="disabled")
        path = write(site, "other", [line(1), other])
        done = verb(site, "device", "import", path, "--json")
        check(done.returncode == 1 and f"{path}:2: " in done.stderr and "other status, comment" in done.stderr, done.stderr)
        check_equal(counts(verb(site, "device", "import", path, "--json", "--update", "--dry-run")),
                    result(updated=1, unchanged=1), "what would be")
        check_equal(counts(verb(site, "device", "import", path, "--json", "--update")), result(updated=1, unchanged=1), "update")
        check_equal(counts(verb(site, "device", "import", path, "--json")), result(unchanged=2), "after it")
        # From standard input, without a line end, with empty lines and those of Windows.
        with open(write(site, "odd", ['{"id":"odd-1"}\r\n', "\n", '{"id":"odd-2"}']), encoding="utf-8") as file:
            check_equal(counts(verb(site, "device", "import", "-", "--json", stdin=file)), result(added=2), "standard input")
        done = verb(site, "device", "import", write(site, "long", ["x" * 70000]))
        check(done.returncode == 2 and ":1: a line of more than 32768 bytes" in done.stderr, done.stderr)
        check_equal(verb(site, "device", "import", os.path.join(site.dir, "absent")).returncode, 4, "no file")
        many = verb(site, "device", "import", write(site, "many-bad", ["{}\n"] * 50))
        check(many.stderr.count('"id" is missing') == 20 and "and 30 more" in many.stderr, many.stderr)


def on_a_terminal(words):
    """(exit code, output) of a verb whose standard output and error are a terminal."""
    leader, follower = pty.openpty()
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=follower, stderr=follower) as process:
        os.close(follower)
        text = b""
        with contextlib.suppress(OSError):
            while data := os.read(leader, 4096):
                text += data
    os.close(leader)
    return process.returncode, text.decode()


def moved():
    """from one hub to another with its keys, by a file of mode 0600; without keys new ones are made; on a terminal no keys"""
    with Site(gateway=False, client=False) as one, Site(gateway=False, client=False) as other:
        hub = Wire(one)
        secret = hub.add("dev1")
        hub.hub.admin("device", "set", "dev1", "--tag", "site=berlin", "--comment", 'a "roof" \u00e4')
        hub.hub.admin("device", "add", "dev1", "--module", "m")
        path = os.path.join(one.dir, "devices")
        done = verb(one, "device", "export", path, "--keys")
        check(done.returncode == 0 and "there are keys in it" in done.stderr, done.stderr)
        check_equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "mode")
        check_equal(sorted(name for name in os.listdir(one.dir) if name.startswith("devices")), ["devices"], "files")
        check_equal(verb(one, "device", "export", path).returncode, 6, "a file that is there")
        plain = verb(one, "device", "export").stdout
        check(secret not in plain and "keys" not in plain and plain.count("\n") == 2, plain)
        for words, code, shows in ((("--keys",), 2, False), (("-", "--keys"), 0, True), ((), 0, False)):
            got, text = on_a_terminal(argv(one, "device", "export", *words))
            check_equal((got, secret in text), (code, shows), f"on a terminal with {words}: {text}")
        _, text = on_a_terminal(argv(other, "device", "import", path))
        check("Added: 2" in text, text)
        there = Wire(other)
        there.devices["dev1"] = secret
        check_equal(there.device("dev1").connack, 0, "with the key of the former hub")
        check_equal(verb(other, "device", "export", "-", "--keys").stdout, verb(one, "device", "export", "-", "--keys").stdout,
                    "what both have")
        for hub_of, words in ((one, ("--keys",)), (one, ())):
            check(secret not in hub_of.hub.log(), f"a key in the log after {words}")
        # Without keys: it has new ones there.
        third = write(other, "new", [plain.replace("dev1", "dev2")])
        check_equal(counts(verb(other, "device", "import", third, "--json")), result(added=2), "without keys")
        check(there.key("device", "dev2") != secret, "another key")


def in_force():
    """what an import overwrites counts at once: a key, a status, tags; and a link that has lost its right ends"""
    with Site(gateway=False, client=False) as site:
        hub = Wire(site)
        first, second = key(1), key(2)
        base = {"id": "dev1", "status": "enabled", "tags": {"site": "a"}, "keys": {"primary": first, "secondary": key(3)}}

        def update(**more):
            path = write(site, "update", [dict(base, **more)])
            return counts(verb(site, "device", "import", path, "--update", "--json"))

        def ends(device):
            with contextlib.suppress(wire.Closed, TimeoutError):
                device.sock.settimeout(5)
                device.read()
                return False
            return True

        check_equal(update(), result(added=1), "added")
        hub.devices["dev1"] = first
        device = hub.device("dev1")
        check_equal(update(comment="x"), result(updated=1), "a comment")
        device.send(0xC0, b"")
        check_equal(device.read(), (0xD0, b""), "a ping after a comment")
        check_equal(update(comment="x", keys={"secondary": key(4)}), result(updated=1), "the other key")
        device.send(0xC0, b"")
        check_equal(device.read(), (0xD0, b""), "a ping after a change of the key that is not in use")
        check_equal(update(comment="x", keys={"primary": second}), result(updated=1), "a key")
        check(ends(device), "the link with the former key goes on")
        check_equal(hub.device("dev1", subscribe=False).connack, 5, "the former key")
        hub.devices["dev1"] = second
        device = hub.device("dev1")
        check_equal(device.connack, 0, "the new key")
        check_equal(update(comment="x", status="disabled", keys={}), result(updated=1), "disabled")
        check(ends(device), "the link of one that is disabled goes on")
        check_equal(hub.device("dev1", subscribe=False).connack, 5, "disabled")
        check_equal(update(comment="x", keys={}), result(updated=1), "enabled")
        check_equal(hub.device("dev1").connack, 0, "enabled again")
        # A user's scope follows the tags.
        hub.hub.admin("user", "add", "anna", "--rights", "service-connect", "--tag", "site=a")
        anna = hub.service_token(key=hub.key("user", "anna"), policy="anna")
        eventually(lambda: hub.post("dev1", response=0.2, token=anna).read().status == 504, "in the scope", 5)
        check_equal(update(comment="x", tags={"site": "b"}, keys={}), result(updated=1), "tags")
        check_equal(hub.post("dev1", response=0.2, token=anna).read().status, 404, "out of the scope")


if __name__ == "__main__":
    main(bulk, interrupted, bad_lines, moved, in_force)
