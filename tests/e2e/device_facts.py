# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the hub has seen of a device: when it was there last, from where, as what, and why it was refused;
where an operator reads it, who does not, and what is left of it after a stop and a kill."""
import base64
import contextlib
import json
import os
import sqlite3
import time

import wire
from harness import Site, check, check_equal, eventually, main
from hub_wire import with_hub
from scopes import with_scopes

WRONG = base64.b64encode(b"x" * 32).decode()
SECRET = ("lastAddress", "lastRefus", "client", "127.0.0.1", "by-hand", "wrong")


def shown(hub, name, *more):
    return json.loads(hub.hub.admin("device", "show", name, "--json", *more))


def rows(hub):
    """The devices themselves: what facts must not touch."""
    path = os.path.join(hub.hub.state_dir, "registry.sqlite")
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as db:
        return db.execute("SELECT * FROM device ORDER BY id, module").fetchall()


def refuse(hub, name):
    hub.add(name)
    device = wire.Device(hub.mqtts_port, hub.ca, name, WRONG)
    check_equal(device.connack, 5, "CONNACK")
    device.close()


def at(text):
    """Seconds since the epoch of "2026-11-30T15:30:00Z"."""
    return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone


@with_hub("[hub]\npenalty = 0\n")
def states(hub):
    """connected, away, never, refused: each with its facts, in `device show` and in `device list`"""
    hub.add("never")
    here = hub.device("here", client_type="streamd/9.9 (caps=reason) (instance=0123456789abcdef)")
    away = hub.device("away", subscribe=False)
    before = rows(hub)
    away.close()
    refuse(hub, "refused")
    refuse(hub, "here")
    eventually(lambda: shown(hub, "away")["state"] == "away", "away")
    hub.hub.admin("device", "add", "here", "--module", "m")
    for name, state, there in (
            ("never", "never", ()), ("here", "connected", ("last_seen", "last_address", "client", "last_refused")),
            ("away", "away", ("last_seen", "last_address", "client")), ("refused", "refused", ("last_refused",))):
        one = shown(hub, name)
        check_equal(one["state"], state, f"{one}")
        names = {"last_seen", "last_address", "client", "last_refused", "last_refusal"}
        wanted = set(there) | ({"last_refusal"} if "last_refused" in there else set())
        check_equal(names & set(one), wanted, f"{name}: {one}")
        for when in {"last_seen", "last_refused"} & wanted:
            check(abs(time.time() - at(one[when])) < 60, f"{name}: {when} {one[when]}")
    one = shown(hub, "here")
    check_equal((one["client"], one["last_address"]), ("streamd/9.9", "127.0.0.1"), "who it was")
    check_equal(shown(hub, "here", "--module", "m")["state"], "never", "its module is another")
    module = wire.Device(hub.mqtts_port, hub.ca, "here/m", module_key(hub))
    check_equal((module.connack, shown(hub, "here", "--module", "m")["state"]), (0, "connected"), "the module")
    module.close()
    for state in ("connected", "away", "never", "refused"):
        lines = hub.hub.admin("device", "list", "--state", state, "--no-legend", "--columns", "device,module")
        names = {"connected": "here", "away": "away", "never": "never", "refused": "refused"}
        check(names[state] in lines.split(), f"{state}: {lines}")
    kept = [row for row in rows(hub) if row[0] != "refused" and row[1] != "m"]
    check_equal([row for row in before if row[0] != "refused"], kept, "rows of devices, keys and etags among them")
    check(here.ping(), "the link")


def module_key(hub):
    out = os.path.join(hub.site.dir, "module.cs")
    hub.hub.admin("connection-string", "device", "here", "--module", "m", "--output", out)
    with open(out, encoding="ascii") as file:
        return wire.parse_connection_string(file.read().strip())["SharedAccessKey"]


@with_hub("[hub]\npenalty = 0\n")
def lists(hub):
    """orders, columns and their titles; the newest first, those never seen last"""
    for name in ("c", "a", "b"):
        hub.device(name, subscribe=False).close()
        eventually(lambda n=name: shown(hub, n)["state"] == "away", "away")
        time.sleep(0.01)
    hub.add("z")
    refuse(hub, "y")
    hub.device("d")
    for sort, names in (("id", "a b c d y z"), ("last-seen", "d b a c y z"), ("state", "d y a b c z")):
        lines = hub.hub.admin("device", "list", "--sort", sort, "--columns", "device", "--no-legend").split()
        check_equal(" ".join(lines), names, sort)
    lines = hub.hub.admin("device", "list", "--columns", "state,device", "--columns", "refusal").splitlines()
    check_equal(lines[0].split(), ["STATE", "DEVICE", "REFUSAL"], "the titles")
    check("y" in lines[5].split() and len(lines[5].split()) > 3, f"why it was refused: {lines}")
    listing = json.loads(hub.hub.admin("device", "list", "--json", "--sort", "last-seen"))
    check_equal([one["device_id"] for one in listing], "d b a c y z".split(), "JSON")


@with_scopes
def users(hub):
    """a user sees when a device was there last, of its devices alone, and none of the other facts"""
    hub.fill({"gw-1": {}, "gw-2": {}, "lone": {}})
    hub.user("some", "--devices", "gw-*")
    hub.user("reader", rights="registry-read")
    for name in ("gw-1", "lone"):
        wire.Device(hub.mqtts_port, hub.ca, name, hub.devices[name]).close()
        refused = wire.Device(hub.mqtts_port, hub.ca, name, WRONG)
        refused.close()
    eventually(lambda: shown(hub, "gw-1")["state"] != "connected", "away")
    for user, names in (("some", ["gw-1", "gw-2"]), ("reader", ["gw-1", "gw-2", "lone"])):
        answer = hub.query(user)
        found = json.loads(answer.body)
        check_equal([one["deviceId"] for one in found], names, user)
        check(abs(time.time() - at(found[0]["lastActivityTime"])) < 60, f"{found[0]}")
        check("lastActivityTime" not in found[1], f"{found[1]}")
        for word in SECRET:
            check(word not in answer.body.decode(), f"{user} sees {word}: {answer.body}")


def after_the_end():
    """a stop writes what there is; what was written is there after a kill; streamd names itself"""
    with Site(client=False) as site:
        site.hub.admin("device", "add", "early")
        one = json.loads(site.hub.admin("device", "show", "gw-1", "--json"))  # it is on the disk now
        check(one["client"].startswith("streamd/"), f"{one}")
        written, client = on_disk(site)  # it is shown as seen now, as it is connected
        check_equal(client, one["client"], "what is on the disk")
        os.kill(site.hub.pid, 9)
        site.hub.popen.wait()
        site.hub.ended_by_us = True
        hub_on_the_same_ports(site)
        again = json.loads(site.hub.admin("device", "show", "gw-1", "--json"))
        check(at(again["last_seen"]) >= int(written) and again["client"] == client, f"{again}, written {written}")
        site.wait_online("gw-1")
        site.gateway.ctl_ok("hub", "disconnect", "office")
        eventually(lambda: not site.is_online("gw-1"), "gone")
        site.gateway.ctl_ok("hub", "connect", "office")
        site.wait_online("gw-1")
        stopped = time.time()
        check_equal(site.hub.stop(), 0, "the hub's exit status")
        seen, _ = on_disk(site)
        check(seen >= stopped - 0.1, f"seen {stopped - seen:.1f} s before the stop")
        print(f"# measured: a stop wrote when it was there last, {seen - stopped:.2f} s after the signal")


def on_disk(site):
    """When gw-1 was there last, in seconds since the epoch, and as what."""
    path = os.path.join(site.hub.state_dir, "registry.sqlite")
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as db:
        seen, client = db.execute("SELECT -unseen, client FROM device_seen WHERE of_device = 'gw-1'").fetchone()
    return seen / 1e6, client


def hub_on_the_same_ports(site):
    site.start_hub(ports=(str(site.hub.https_port), str(site.hub.mqtts_port)), name="again")


if __name__ == "__main__":
    main(states, lists, users, after_the_end)
