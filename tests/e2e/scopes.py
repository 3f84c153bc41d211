# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who reaches what: users with scopes, devices with tags; by REST, by streams that live, by the list
that a user may see."""
import json
import time

import wire
from harness import Site, check, check_equal, eventually, main
from hub_wire import Wire, check_accepted, check_echo, check_error

HERE = "[hub]\ndevice-return-time = 0\n"
OUT_WITHIN = 2.0  # s after a change of user or tags
EXPIRED_WITHIN = 5.0  # s after the end

DEVICES = {
    "gw-1": {"site": "berlin", "floor": "1"},
    "gw-2": {"site": "rome", "floor": "1"},
    "gw-10": {"site": "berlin", "floor": "2"},
    "cam-1": {"site": "berlin"},
    "lone": {},
}
STREAMS = ("ssh", "web", "web-admin", "sshd")

# The options of a user, which devices it reaches, which names it may open.
USERS = {
    "all": ([], list(DEVICES), list(STREAMS)),
    "glob": (["--devices", "gw-*"], ["gw-1", "gw-2", "gw-10"], list(STREAMS)),
    "one-letter": (["--devices", "gw-?"], ["gw-1", "gw-2"], list(STREAMS)),
    "two-globs": (["--devices", "gw-2", "--devices", "cam-*"], ["gw-2", "cam-1"], list(STREAMS)),
    "berlin": (["--tag", "site=berlin"], ["gw-1", "gw-10", "cam-1"], list(STREAMS)),
    "two-sites": (["--tag", "site=berlin", "--tag", "site=rome"], ["gw-1", "gw-2", "gw-10", "cam-1"],
                  list(STREAMS)),
    "two-keys": (["--tag", "site=berlin", "--tag", "floor=1"], ["gw-1"], list(STREAMS)),
    "glob-tag": (["--devices", "gw-*", "--tag", "site=berlin"], ["gw-1", "gw-10"], list(STREAMS)),
    "names": (["--streams", "ssh"], list(DEVICES), ["ssh"]),
    "narrow": (["--devices", "gw-1", "--tag", "floor=1", "--streams", "web*"], ["gw-1"], ["web", "web-admin"]),
}


class Scoped(Wire):
    """A hub with those devices, and tokens of its users."""

    def __init__(self, site):
        super().__init__(site)
        self.restart(HERE)
        self.keys = {}

    def fill(self, devices=None):
        for name, tags in (devices or DEVICES).items():
            self.add(name)
            if tags:
                self.hub.admin("device", "set", name,
                               *[word for key, value in tags.items() for word in ("--tag", f"{key}={value}")])

    def user(self, name, *options, rights="service-connect"):
        self.hub.admin("user", "add", name, "--rights", rights, *options)
        self.keys[name] = self.key("user", name)

    def token(self, name):
        return wire.sas("localhost", self.keys[name], policy=name)

    def ask(self, method, target, user, body=b"", headers=()):
        http = wire.Http(self.port, self.ca)
        try:
            return http.ask(method, target, [("Authorization", self.token(user)), *headers], body)
        finally:
            http.close()

    def query(self, user, text="SELECT * FROM devices", headers=()):
        return self.ask("POST", "/devices/query?api-version=2021-04-12", user,
                        json.dumps({"query": text}).encode(), headers)

    def listed(self, user, text="SELECT * FROM devices", page=None):
        """All pages; the devices' ids, in the order they came."""
        found, headers = [], [("x-ms-max-item-count", str(page))] if page else []
        more = None
        while True:
            answer = self.query(user, text, headers + ([("x-ms-continuation", more)] if more else []))
            check_equal(answer.status, 200, answer.body)
            part = json.loads(answer.body)
            check(not page or len(part) <= page, f"{len(part)} of {page}")
            found += [one["deviceId"] + ("/" + one["moduleId"] if "moduleId" in one else "") for one in part]
            more = answer.get("x-ms-continuation")
            if not more:
                return found


def with_scopes(case):
    def start():
        with Site(hub_arguments=["--grace", "1"], gateway=False, client=False) as site:
            case(Scoped(site))

    start.__doc__, start.__name__ = case.__doc__, case.__name__
    return start


@with_scopes
def matrix(hub):
    """200 cells of devices x scopes x streams: not there (404), not allowed (403), or only away (404)"""
    hub.fill()
    for name, (options, _, _) in USERS.items():
        hub.user(name, *options)
    cells = 0
    for name, (_, reached, names) in USERS.items():
        for device in DEVICES:
            for stream in STREAMS:
                answer = hub.post(device, stream, token=hub.token(name)).read()
                if device not in reached:
                    check_error(answer, 404001, "DeviceNotFound")
                    nobody = hub.post("no-such", stream, token=hub.token(name)).read()
                    check_equal(text_of(answer), text_of(nobody), "as of a device that is not there")
                elif stream not in names:
                    check_error(answer, 403000, "GenericForbidden")
                else:
                    check_error(answer, 404103, "DeviceNotOnline")
                cells += 1
    print(f"# measured: {cells} cells")
    check_equal(cells, 200, "cells")


def text_of(answer):
    return json.loads(json.loads(answer.body)["Message"])["message"]


@with_scopes
def modules(hub):
    """a module is reached when its device is, and has its tags"""
    hub.fill({"gw-1": {"site": "berlin"}, "gw-2": {"site": "rome"}})
    for device in ("gw-1", "gw-2"):
        hub.hub.admin("device", "add", device, "--module", "cam")
    hub.user("berlin", "--tag", "site=berlin")
    path = "/twins/{}/modules/cam/streams/ssh?api-version=2020-05-31-preview"
    check_error(hub.post(path=path.format("gw-1"), token=hub.token("berlin")).read(), 404103, "DeviceNotOnline")
    check_error(hub.post(path=path.format("gw-2"), token=hub.token("berlin")).read(), 404001, "DeviceNotFound")
    check_equal(hub.listed("berlin", "SELECT * FROM devices.modules"), ["gw-1/cam"], "modules")
    check_equal(hub.listed("berlin", "SELECT * FROM devices.modules WHERE moduleId = 'x'"), [], "none")


def opened(hub, name, user, device=None):
    device = device or hub.device(name)
    post = hub.post(name, token=hub.token(user))
    request = device.request()
    device.answer(request, 200)
    answer = post.read()
    check_accepted(answer)
    legs = hub.device_leg(request), hub.service_leg(answer)
    check_echo(*legs, size=1000)
    return legs


def ends(legs, since, within, what, code=1008):
    for leg in legs:
        check_equal(leg.closed()[0], code, f"{what}: the close code")
    took = time.monotonic() - since
    print(f"# measured: {what}: both legs were closed after {took:.2f} s")
    check(took < within, f"{what}: {took:.2f} s")


@with_scopes
def live(hub):
    """a stream that falls out of its user's scope ends: by a change of the user, of the device's tags, of both"""
    hub.fill()
    for change in ("user", "tag", "streams"):
        hub.user(f"u-{change}", "--tag", "site=berlin")
        hub.user(f"other-{change}")
        legs, others = opened(hub, "gw-1", f"u-{change}"), opened(hub, "gw-1", f"other-{change}")
        since = time.monotonic()
        if change == "user":
            hub.hub.admin("user", "set", "u-user", "--tag", "site=rome")
        elif change == "streams":
            hub.hub.admin("user", "set", "u-streams", "--streams", "web*")
        else:
            hub.hub.admin("device", "set", "gw-1", "--tag", "floor=7")  # it is still in Berlin
            check_echo(*legs, size=1000)
            since = time.monotonic()
            hub.hub.admin("device", "set", "gw-1", "--tag", "site=rome")
        ends(legs, since, OUT_WITHIN, f"out by {change}")
        check_echo(*others, size=1000)
        hub.hub.admin("device", "set", "gw-1", "--tag", "site=berlin")


@with_scopes
def expiry(hub):
    """a user that expires: its streams end within 5 s, new ones are refused, and it may be extended"""
    hub.fill()
    hub.user("guest", "--expires", "4s")
    until = time.monotonic() + 4
    legs = opened(hub, "gw-1", "guest")
    time.sleep(1)
    check_echo(*legs, size=1000)
    ends(legs, until, EXPIRED_WITHIN, "expired")
    check_equal(hub.post("gw-1", token=hub.token("guest")).read().status, 401, "a new one")
    hub.hub.admin("user", "set", "guest", "--expires", "never")
    check_echo(*opened(hub, "gw-1", "guest"), size=1000)


@with_scopes
def amounts(hub):
    """streams at once, new ones a minute, bytes a day: each at its bound and one past it"""
    hub.fill()
    hub.user("two", "--streams-max", "2")
    hub.user("slow", "--opens-per-minute", "2")
    hub.user("thrifty", "--bytes-per-day", "3000")
    first, _ = opened(hub, "gw-1", "two"), opened(hub, "gw-2", "two")
    refused(hub, "two", "at once")
    first[0].drop()
    eventually(lambda: hub.streams() == 1, "one has ended")
    opened(hub, "gw-1", "two")
    for _ in range(2):
        check_error(hub.post("lone", token=hub.token("slow")).read(), 404103, "DeviceNotOnline")
    refused(hub, "slow", "a minute")
    legs = opened(hub, "gw-1", "thrifty")  # 2,000 bytes
    time.sleep(1.5)
    check_echo(*legs, size=499)
    time.sleep(1.5)
    legs[0].send(b"12")  # the 3,000th
    since = time.monotonic()
    legs[1].receive(2)
    ends(legs, since, OUT_WITHIN, "bytes of the day", 1011)
    refused(hub, "thrifty", "a day")


def refused(hub, user, why):
    answer = hub.post("gw-1", token=hub.token(user)).read()
    check_equal(answer.status, 429, answer.body)
    check(why in text_of(answer), text_of(answer))


@with_scopes
def listing(hub):
    """POST /devices/query: what a user reaches and no more, in pages, and never a key"""
    hub.fill()
    hub.hub.admin("device", "set", "gw-1", "--comment", "on the roof")
    hub.hub.admin("device", "disable", "gw-2")
    for name, (options, _, _) in USERS.items():
        hub.user(name, *options)
    device = hub.device("cam-1")
    check(device.ping(), "connected")
    secrets = list(hub.devices.values()) + list(hub.keys.values()) + [hub.service_key]
    for name, (_, reached, _) in USERS.items():
        check_equal(hub.listed(name), sorted(reached), name)
        check_equal(hub.listed(name, page=1), sorted(reached), f"{name}, one by one")
        for key in secrets:
            check(key.encode() not in hub.query(name).body, "a key in the answer")
    one = json.loads(hub.query("all", "SELECT * FROM devices WHERE deviceId = 'gw-1'").body)
    check_equal(one, [{"deviceId": "gw-1", "status": "enabled", "connectionState": "Disconnected",
                       "tags": {"floor": "1", "site": "berlin"}, "comment": "on the roof"}], "one")
    for where, wanted in (("tags.site = 'berlin' AND tags.floor = '1'", ["gw-1"]),
                          ("tags.site != 'berlin'", ["gw-2", "lone"]),
                          ("status = 'disabled'", ["gw-2"]),
                          ("connectionState = 'Connected'", ["cam-1"]),
                          ("tags.none = 'x'", [])):
        check_equal(hub.listed("all", f"SELECT * FROM devices WHERE {where}"), wanted, where)
        check_equal(hub.listed("glob", f"select * from devices where {where}"),
                    [name for name in wanted if name in USERS["glob"][1]], where)
    for body, why in ((b"", "no JSON"), (b"[]", "The body is"), (b'{"query": 1}', "The body is"),
                      (b'{"query": "SELECT * FROM devices WHERE a"}', "character"),
                      (b'{"query": "DELETE"}', "character 1: want SELECT")):
        answer = hub.ask("POST", "/devices/query?api-version=2021-04-12", "all", body)
        check_equal(answer.status, 400, answer.body)
        check(why in text_of(answer), text_of(answer))
    check_equal(hub.ask("POST", "/devices/query", "all", b" " * 4097).status, 413, "one byte too many")
    check_equal(hub.query("all", headers=[("x-ms-max-item-count", "1001")]).status, 400, "a page")
    check_equal(hub.query("all", headers=[("x-ms-continuation", "../x y")]).status, 400, "a page")
    hub.user("reader", "--devices", "gw-1", rights="registry-read")
    check_equal(hub.ask("GET", "/devices?api-version=2021-04-12", "reader").status, 403, "the whole list")
    hub.restart(HERE + "users-may-list = no\n")
    check_equal(hub.query("all").status, 403, "where it is switched off")


@with_scopes
def devices_of_users(hub):
    """a device that connects by a user's key is one of the user's scope, also after a change; one with a key of its own stays"""
    hub.fill()
    hub.user("fleet", "--devices", "gw-*", "--tag", "site=berlin", rights="device-connect")

    def connected(name):
        token = wire.sas(f"localhost/devices/{name}", hub.keys["fleet"], policy="fleet")
        return wire.Device(hub.mqtts_port, hub.ca, name, None, password=token)

    for name, wanted in (("gw-1", 0), ("cam-1", 5), ("gw-2", 5)):
        device = connected(name)
        check_equal(device.connack, wanted, name)
        device.close()
    own = hub.device("gw-10")
    for change in (("device", "set", "gw-1", "--tag", "site=rome"), ("user", "set", "fleet", "--devices", "cam-*")):
        device = connected("gw-1")
        check_equal(device.connack, 0, "before")
        since = time.monotonic()
        hub.hub.admin(*change)
        check(device.is_closed(), "it stays although it is out of the scope")
        check(time.monotonic() - since < OUT_WITHIN, "that took long")
        check_equal(connected("gw-1").connack, 5, f"after {change}")
        hub.hub.admin("device", "set", "gw-1", "--tag", "site=berlin")
    check(own.ping(), "a device with a key of its own")


if __name__ == "__main__":
    main(matrix, modules, live, expiry, amounts, listing, devices_of_users)
