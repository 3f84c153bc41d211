# SPDX-License-Identifier: LGPL-2.1-or-later
"""What --json prints, of every verb of streamctl and streamhub that their own tables (--dump-verbs) have: one document of the
shape that the manual gives, with every name in snake case. A verb without an example here is a failure, and so is an example
without its verb."""
import contextlib
import json
import os
import re
import shutil
import subprocess

from ends import Server, connect, read_all
from enroll import Invitation, new_key
from harness import Site, check, check_equal, eventually, main, run, run_ok, write_private
from record_lines import Writer

REFUSED = "-"  # what the JSON of a verb is where --json does not go with it
SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def names(value):
    """Every name of a member in it."""
    if isinstance(value, dict):
        yield from value
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if name != "tags":  # whose names are somebody's own
            yield from names(inner)


class Table:
    """The verbs of a program, and which of them have been seen."""

    def __init__(self, program):
        self.verbs = {verb["name"]: verb for verb in json.loads(run_ok([program, "--dump-verbs"]))["verbs"]}
        self.seen, self.names = set(), set()

    def look(self, name, text):
        """TEXT is what the verb has printed."""
        form = self.verbs[name]["json"]
        self.seen.add(name)
        if not form:
            check_equal(text, "", f"{name} prints nothing with --json")
            return None
        value = json.loads(text)
        check_equal("[" if isinstance(value, list) else "{", form[0], f"{name} is {form}")
        found = set(names(value))
        check_equal({name for name in found if not SNAKE.fullmatch(name)}, set(), f"{name}: names that are not in snake case")
        if value:
            check(set(re.findall(r'"([^"]+)": ', form.split("; ", maxsplit=1)[0])) <= found, f"{name}: {form} in {found}")
        self.names |= found
        return value

    def close(self):
        refused = {name for name, verb in self.verbs.items() if verb["json"] == REFUSED}
        check_equal(set(self.verbs) - self.seen - refused, set(), "verbs without an example")
        print(f"# {len(self.seen)} verbs, {len(self.names)} names; {len(refused)} verbs refuse --json: {', '.join(sorted(refused))}")


@contextlib.contextmanager
def looked_at(program):
    table = Table(program)
    yield table
    table.close()


def streamctl_side(table, daemon):
    """Runs a verb with --json in front, behind and as -j; the document."""
    def look(name, *words, code=0, again=True):
        forms = [["--json", *name.split(), *words], [*name.split(), *words, "--json"], [*name.split(), "-j", *words]]
        for arguments in forms if again else forms[:1]:
            done = daemon.ctl(*arguments)
            check_equal(done.returncode, code, f"{arguments}: {done.stderr}")
            value = table.look(name, done.stdout) if code == 0 else check_equal(done.stdout, "", f"{arguments} on standard output")
        table.seen.add(name)
        return value
    return look


def gateway_verbs(look):
    """Those of a machine that is reached."""
    for name, *words in (["status"], ["hub list"], ["hub show", "office"], ["target list"], ["target show", "echo"], ["accept-policy list"],
                         ["accept-policy test", "echo"], ["request list"], ["log-level"], ["doctor"], ["top"], ["stream list", "--all"]):
        look(name, *words)
    look("target add", "tmp", "tcp:127.0.0.1:9", again=False)
    look("target remove", "tmp", again=False)
    look("offer", "tmp", "tcp:127.0.0.1:9")
    look("withdraw", "tmp", again=False)
    look("version")
    rule = look("accept-policy add", "--stream", "x", "--reject", "no")["id"]
    look("accept-policy insert", "0", "--stream", "y", "--reject", "no", again=False)
    look("accept-policy move", str(rule), "0")
    look("accept-policy remove", str(rule), again=False)
    look("accept-policy set-default", "reject")
    look("request accept", "999", code=4)
    look("request reject", "999", code=4)


def monitor_lines(table, daemon):
    """A line for each event: each is a document. A target comes and goes until the monitor listens."""
    monitor = daemon.start_ctl("monitor", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.set_blocking(monitor.stdout.fileno(), False)
    told = b""

    def heard():
        nonlocal told
        daemon.ctl_ok("target", "add", "seen", "tcp:127.0.0.1:9")
        daemon.ctl_ok("target", "remove", "seen")
        told += monitor.stdout.read() or b""
        return told.count(b"\n") >= 3

    eventually(heard, "it listens")
    lines = told.decode().split("\n")[:-1]
    check_equal({table.look("monitor", line)["key"] for line in lines}, {"seen"}, "whose events")
    monitor.kill()
    monitor.wait()


def client_verbs(look, site):
    """Those of somebody who opens streams. The hub of the site is there as an owner, too, who may read the registry."""
    path = os.path.join(site.dir, "owner.cs")
    write_private(path, site.hub.connection_string("user", "iothubowner") + "\n")
    look("hub add", "owner", "--connection-string-file", path, "--ca", site.hub.ca, again=False)
    look("device list", "--hub", "owner")
    look("hub connect", "owner")
    look("hub disconnect", "owner")
    look("hub set", "owner", "--accept-ca", code=1)  # it has told of no next authority
    tunnel = look("tunnel open", site.DEVICE, "echo", "--hub", "office", "--background", again=False)
    with connect(int(tunnel["listen_address"].rsplit(":", 1)[1])):
        stream = eventually(site.client.streams, "a stream")[0]["id"]
        look("tunnel list")
        look("tunnel show", str(tunnel["id"]))
        check_equal(len(look("stream list")), 1, "streams")
        look("stream show", str(stream))
        look("top")
        look("stream close", str(stream), again=False)
    look("tunnel close", str(tunnel["id"]), again=False)
    look("hub remove", "owner", again=False)
    look("reload")
    for name in ("connect", "ssh"):
        check_equal(site.client.ctl(name, site.DEVICE, "echo", "--json").returncode, 2, name)


def of_streamctl():
    """streamctl: --json in front, behind and as -j; every verb"""
    with Site() as site, looked_at(site.streamctl) as table:
        site.expose("echo", Server(lambda c: c.sendall(read_all(c)), site).address)
        gateway_verbs(streamctl_side(table, site.gateway))
        monitor_lines(table, site.gateway)
        client_verbs(streamctl_side(table, site.client), site)


class Hub:
    """The hub of a site, and its verbs."""

    def __init__(self, site, table):
        self.site, self.table = site, table

    def look(self, name, *words, state=None):
        """In front and behind; words are given for each time."""
        own = ["--state-dir", state or self.site.hub.state_dir]
        for before, after, given in (["--json"], [], words[0]), ([], ["--json"], words[-1]):
            done = run([self.site.streamhub, *own, *before, *name.split(), *given, *after])
            check_equal(done.returncode, 0, f"{name} {given}: {done.stderr}")
            value = self.table.look(name, done.stdout)
        return value


def streams_of_the_hub(hub, site):
    """Two that run, so that there is one to end with each form."""
    site.expose("echo", Server(lambda c: c.sendall(read_all(c)), site).address)
    port = site.client.tunnel(site.DEVICE, "echo")
    with connect(port), connect(port):
        eventually(lambda: len(site.client.streams()) == 2, "two streams")
        ids = [stream["id"] for stream in hub.look("stream list", [])]
        check_equal(len(ids), 2, "streams at the hub")
        hub.look("stream show", [ids[0]])
        hub.look("stream close", [ids[0]], [ids[1]])


def records_of_the_hub(hub, table):
    """The lines of the records go out as they are, with the names that these have."""
    records = Writer(os.path.join(hub.site.hub.state_dir, "records"))
    if not os.path.exists(records.path()):
        records.start(1796064148)
    lines = hub.site.hub.admin("log", "--json").splitlines()
    check({"time", "operationName", "category", "hash"} <= set(json.loads(lines[0])), lines[0])
    table.seen.add("log")
    hub.look("log verify", [])


def of_streamhub():
    """streamhub: --json in front and behind; every verb"""
    with Site() as site, looked_at(site.streamhub) as table:
        hub = Hub(site, table)
        streams_of_the_hub(hub, site)
        place = lambda *parts: os.path.join(site.dir, *parts)
        for name in ("status", "reload", "certificate show", "endpoints", "device list", "user list", "log-level",
                     "doctor"):
            hub.look(name, [])
        pair = [place("pair", "server.pem"), place("pair", "server-key.pem")]
        os.mkdir(place("pair"))
        for path in pair:
            shutil.copy(os.path.join(site.hub.state_dir, os.path.basename(path)), path)
        hub.look("certificate install", pair)
        records_of_the_hub(hub, table)
        hub.look("drain", [], ["--cancel"])
        hub.look("device add", ["a"], ["b"])
        for name in ("device show", "device disable", "device enable"):
            hub.look(name, ["a"])
        check_equal(hub.look("device set", ["a", "--comment", "roof"], ["a", "--tag", "rackNo=7", "--tag", "in-use=yes"])["tags"],
                    {"rackNo": "7", "in-use": "yes"}, "tags, as they were written")
        check_equal(hub.look("device rekey", ["a", "b"])[0]["result"], "pending", "a new key for a device that is away")
        hub.look("device regenerate", ["a", "primary"], ["b", "both"])
        hub.look("device remove", ["a"], ["b"])
        hub.look("user add", ["anna", "--rights", "service-connect"], ["bob", "--rights", "registry-read,service-connect"])
        check_equal(hub.look("user show", ["bob"]), {"name": "bob", "rights": ["service-connect", "registry-read"], "scope": {}},
                    "a user")
        hub.look("user set", ["bob", "--devices", "gw-*"], ["bob", "--streams", "ssh"])
        check_equal(hub.look("user regenerate", ["anna", "both"])["cut"], {"devices": 0, "streams": 0}, "what was cut")
        hub.look("user remove", ["anna"], ["bob"])
        hub.look("invite device", ["a", "--output", place("a1")], ["b", "--output", place("a2")])
        check_equal(hub.look("invite user", ["carl", "--output", place("c1")], ["dora", "--with-key", "--output", place("c2")]),
                    {"file": place("c2"), "key": "new"}, "a file with a key")
        hub.look("invite group", *(["g" + n, "--devices", "*", "--uses", "2", "--output", place("g" + n)] for n in "12"))
        hub.look("invite list", [])
        hub.look("invite revoke", ["g1"], ["g2"])
        waiting = Invitation(site, "group", "g3", "--devices", "*", "--uses", "2", "--approve")
        for name in ("w1", "w2"):
            waiting.put(name, new_key())
        hub.look("device approve", ["w1"], ["w2"])
        with open(place("devices"), "w", encoding="ascii") as file:
            file.write('{"id":"imported"}\n')
        check_equal(hub.look("device import", [place("devices")]), {"added": 0, "updated": 0, "unchanged": 1, "refused": 0},
                    "an import, again")
        hub.look("certificate renew", ["--due"], [])
        hub.look("ca show", [])
        hub.look("ca rotate", [])
        hub.look("ca announce", ["localhost:8443"], ["-"])
        hub.look("ca protect", [])
        hub.look("backup", [place("one")], [place("two")])
        other = place("other")
        for state in (other, place("third")):
            done = run([site.streamhub, "init", "--state-dir", state, "--host-name", "localhost", "--json"])
            table.look("init", done.stdout)
        hub.look("restore", [place("one")], [place("two")], state=other)
        table.look("certificate install", run_ok([site.streamhub, "--state-dir", other, "certificate", "install", "--json",
                                                  os.path.join(other, "server.pem"), os.path.join(other, "server-key.pem")]))
        for name, verb in table.verbs.items():
            if verb["json"] == REFUSED:
                done = run([site.streamhub, *name.split(), *["x"] * verb["min"], "--json"])
                check_equal((done.returncode, done.stdout), (2, ""), name)
        old = run_ok([site.streamhub, "--state-dir", site.hub.state_dir, "policy", "list", "--json"])
        check_equal(json.loads(old), hub.look("user list", []), "streamhub policy list")
        check_equal(site.hub.admin("connection-string", "policy", "service"), site.hub.admin("connection-string", "user", "service"),
                    "connection-string policy")


main(of_streamctl, of_streamhub)
