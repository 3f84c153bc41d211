# SPDX-License-Identifier: LGPL-2.1-or-later
"""Joining a hub by an invitation, as the wire has it (docs/wire-protocol.md, section 9): what each state
answers, what the invitation's key opens, bodies that are none, many at once with lost answers."""
import base64
import contextlib
import json
import os
import sqlite3
import time

import wire
from ends import in_threads
from harness import LONG, Failure, Site, check, check_equal, eventually, main, run, write_private

BY_HAND = 300 if LONG else 60     # clients
BODY_MAX = 512                    # ROUTE_ENROLL_MAX


def new_key(size=32):
    return base64.b64encode(os.urandom(size)).decode()


class Invitation:
    """The file that `streamhub invite` wrote, and the requests that it is for."""

    def __init__(self, site, *arguments):
        self.site = site
        self.path = os.path.join(site.dir, f"{arguments[1]}-{len(os.listdir(site.dir))}.invite")
        site.hub.admin("invite", *arguments, "--output", self.path)
        with open(self.path, encoding="ascii") as file:
            self.text = file.read()
        self.parts = wire.parse_connection_string(self.text.split("\n")[0])
        self.name, self.key = self.parts["Invitation"], self.parts["InvitationKey"]

    def through(self, port):
        """The same invitation for a hub at that port, in a file of its own."""
        path = f"{self.path}-{port}"
        write_private(path, self.text.replace(f":{self.site.hub.https_port};", f":{port};", 1))
        return path

    def token(self, **kwargs):
        return wire.sas(f"localhost/enrollments/{self.name}", self.key, **kwargs)

    def put(self, name, key, kind="devices", token=None, body=None, read=True):
        """(status, error code, status of the device), or None when the answer is not waited for."""
        http = wire.Http(self.site.hub.https_port, self.site.hub.ca)
        with contextlib.closing(http):
            http.send("PUT", f"/enrollments/{self.name}/{kind}/{name}",
                      [("Authorization", token or self.token())],
                      json.dumps({"key": key}).encode() if body is None else body)
            if not read:
                return None
            answer = http.read()
        body = json.loads(answer.body or b"{}")
        return answer.status, answer.get("iothub-errorcode"), body.get("status")

    def shown(self):
        return next(i for i in invitations(self.site) if i["name"] == self.name)


def invitations(site):
    return json.loads(site.hub.admin("invite", "list", "--json"))


def devices(site):
    return {d["device_id"]: d for d in json.loads(site.hub.admin("device", "list", "--json"))}


def only_hub(**kwargs):
    return Site(gateway=False, client=False, **kwargs)


JOINED, TAKEN, NOT_FOR_IT = (200, None, "enabled"), (409, "DeviceAlreadyExists", None), (403, "InvitationNotForIt", None)
CLOSED = {"used-up": (403, "InvitationUsedUp", None), "expired": (403, "InvitationExpired", None),
          "revoked": (403, "InvitationRevoked", None)}


def matrix():
    """state x id x key: what is answered; only an id that is new in an open invitation counts"""
    with only_hub() as site:
        group = {
            "open": Invitation(site, "group", "open", "--devices", "gw-*", "--uses", "3"),
            "used-up": Invitation(site, "group", "used", "--devices", "gw-*", "--uses", "1"),
            "expired": Invitation(site, "group", "expired", "--devices", "gw-*", "--uses", "3", "--expires", "4s"),
            "revoked": Invitation(site, "group", "revoked", "--devices", "gw-*", "--uses", "3"),
        }
        key = {state: new_key() for state in group}
        for state, invitation in group.items():
            check_equal(invitation.put(f"gw-{state}", key[state]), JOINED, state)
        site.hub.admin("invite", "revoke", "revoked")
        eventually(lambda: group["expired"].shown()["state"] == "expired", "it expires")
        for state, invitation in group.items():
            cells = {
                ("its own id", "same key"): JOINED,
                ("its own id", "another key"): CLOSED.get(state, TAKEN),
                ("an id of others", "another key"): CLOSED.get(state, TAKEN),
                ("a new id", "another key"): CLOSED.get(state, JOINED),
                ("an id outside", "another key"): NOT_FOR_IT,
                ("an id outside", "same key"): NOT_FOR_IT,
            }
            other = next(s for s in group if s != state)
            ids = {"its own id": f"gw-{state}", "an id of others": f"gw-{other}", "a new id": f"gw-{state}-new",
                   "an id outside": "box-1"}
            for (which, whose), wanted in cells.items():
                got = invitation.put(ids[which], key[state] if whose == "same key" else new_key())
                check_equal(got, wanted, f"{state}, {which}, {whose}")
            check_equal((invitation.shown()["state"], invitation.shown()["used"]),
                        (state, 2 if state == "open" else 1), state)
        # An unknown one, and one whose key is wrong, look alike.
        unknown = group["open"]
        unknown.name = "unknown"
        check_equal(unknown.put("gw-9", new_key())[:2], (401, "IotHubUnauthorized"), "unknown")
        unknown.name = "open"
        wrong = wire.sas("localhost/enrollments/open", new_key())
        check_equal(unknown.put("gw-9", new_key(), token=wrong)[:2], (401, "IotHubUnauthorized"), "a wrong key")
        check_equal(unknown.put("gw-9", new_key(), token=wrong)[0], 429, "a wrong key, too soon")
        # Wrong ones shut out neither who has the right one nor another invitation.
        check_equal(unknown.put("gw-last", new_key()), JOINED, "the right key at once")
        check_equal(unknown.put("gw-over", new_key()), CLOSED["used-up"], "one past the last")
        check_equal(len(devices(site)), 6, "devices")
        # A device that is removed frees its id.
        again = Invitation(site, "group", "again", "--devices", "gw-*", "--uses", "2")
        check_equal(again.put("gw-open", new_key()), TAKEN, "taken")
        site.hub.admin("device", "remove", "gw-open")
        check_equal(again.put("gw-open", new_key()), JOINED, "free again")
        # A closed one makes room for another of its name, whose key is another.
        check_equal(Invitation(site, "group", "used", "--devices", "*", "--uses", "1").put("x", new_key()), JOINED,
                    "the new one")
        check_equal(group["used-up"].put("gw-used-up", key["used-up"])[0], 401, "the old one")


def kinds():
    """for a device, a module, a user: that one and nobody else; with the tags and the scope that were asked for"""
    with only_hub() as site:
        one = Invitation(site, "device", "gw-1", "--tag", "site=berlin")
        check_equal(one.put("gw-2", new_key()), NOT_FOR_IT, "another device")
        check_equal(one.put("gw-1", new_key(), kind="users"), NOT_FOR_IT, "as a user")
        check_equal(one.put("gw-1", new_key()), JOINED, "itself")
        check_equal(devices(site)["gw-1"]["tags"], {"site": "berlin"}, "its tags")
        module = Invitation(site, "device", "gw-1", "--module", "cam")
        check_equal(module.put("gw-1", new_key()), NOT_FOR_IT, "the device by its module's")
        check_equal(module.put("gw-1/modules/cam", new_key()), JOINED, "the module")
        user = Invitation(site, "user", "ada", "--devices", "gw-*", "--user-expires", "30d")
        check_equal(user.put("ada", new_key()), NOT_FOR_IT, "as a device")
        key = new_key()
        check_equal(user.put("ada", key, kind="users"), JOINED, "herself")
        shown = json.loads(site.hub.admin("user", "show", "ada", "--json"))
        check_equal((shown["rights"], shown["scope"]["devices"]), (["service-connect"], ["gw-*"]), "what she may")
        check("expires" in shown["scope"], "until when")
        check(key in site.hub.admin("connection-string", "user", "ada"), "her own key")
        ids = os.path.join(site.dir, "ids")
        with open(ids, "w", encoding="ascii") as file:
            file.write("gw-10\n\n  gw-11  \n")
        listed = Invitation(site, "group", "listed", "--devices", "*", "--ids", ids, "--uses", "9", "--tag", "lot=7")
        for name, wanted in (("gw-1", NOT_FOR_IT), ("gw-12", NOT_FOR_IT), ("gw-10", JOINED), ("gw-11", JOINED)):
            check_equal(listed.put(name, new_key()), wanted, name)
        check_equal(devices(site)["gw-11"]["tags"], {"lot": "7"}, "the tags of a group")
        with open(ids, "a", encoding="ascii") as file:
            file.write("gw 13\n")
        done = run([site.streamhub, "--state-dir", site.hub.state_dir, "invite", "group", "bad", "--devices", "*",
                    "--uses", "1", "--ids", ids, "--output", "-"])
        check_equal(done.returncode, 2, done.stderr)
        check("line 4" in done.stderr, done.stderr)


def opens_nothing_else():
    """the key of a group is good for no other route, device or user; no other key is good for an enrolment"""
    with only_hub() as site:
        group = Invitation(site, "group", "factory", "--devices", "gw-*", "--uses", "9")
        other = Invitation(site, "group", "other", "--devices", "gw-*", "--uses", "9")
        own = new_key()
        check_equal(group.put("gw-1", own), JOINED, "its own purpose")
        hub = site.hub
        routes = [("GET", "/devices"), ("POST", "/devices/query"), ("POST", "/twins/gw-1/streams/ssh"),
                  ("POST", "/twins/gw-1/modules/m/streams/ssh"), ("GET", "/enrollments/factory"),
                  ("GET", "/enrollments/factory/devices/gw-1"), ("DELETE", "/enrollments/factory/devices/gw-1"),
                  ("PUT", "/devices/gw-9"), ("GET", "/devices/gw-1"), ("DELETE", "/devices/gw-1"),
                  ("GET", "/twins/gw-1"), ("GET", "/statistics/devices")]
        for policy in (None, "factory", "service", "iothubowner"):
            for resource in ("localhost", "localhost/enrollments/factory", "localhost/devices", "localhost/devices/gw-1"):
                for method, path in routes:
                    http = wire.Http(hub.https_port, hub.ca)
                    token = wire.sas(resource, group.key, policy=policy)
                    body = b'{"query":"SELECT * FROM devices"}' if method in ("POST", "PUT") else b""
                    status = http.ask(method, path, [("Authorization", token)], body).status
                    http.close()
                    check(status in (401, 403, 404, 405, 429, 501), f"{method} {path} as {policy} for {resource}: {status}")
        for name in ("gw-1", "factory"):
            device = wire.Device(hub.mqtts_port, hub.ca, name, group.key)
            device.close()
            check(device.connack in (3, 5), f"MQTT as {name}: {device.connack}")
        owner = wire.parse_connection_string(hub.connection_string("user", "iothubowner"))["SharedAccessKey"]
        resource = "localhost/enrollments/factory"
        tokens = {"a device's key": wire.sas(resource, own), "another invitation's key": wire.sas(resource, other.key),
                  "the owner's key": wire.sas(resource, owner),
                  "the owner": wire.sas("localhost", owner, policy="iothubowner"),
                  "as a policy": wire.sas(resource, group.key, policy="factory"),
                  "another path": wire.sas("localhost/enrollments/other", group.key),
                  "another hub": wire.sas("elsewhere/enrollments/factory", group.key),
                  "expired": wire.sas(resource, group.key, seconds=-3600), "nothing": "nothing"}
        for what, token in tokens.items():
            check(group.put("gw-2", new_key(), token=token)[0] in (401, 429), what)
        check_equal(group.put("gw-2", new_key()), JOINED, "and the right one at once")
        check_equal(sorted(devices(site)), ["gw-1", "gw-2"], "devices")


def bodies():
    """a body that is not the one that is wanted: 400 or 413, and nothing counts; up to the last byte it is taken"""
    with only_hub() as site:
        group = Invitation(site, "group", "factory", "--devices", "*", "--uses", "9")
        good = json.dumps({"key": new_key()}).encode()
        bad = [b"", b"{}", b"[]", b"null", b'{"key":1}', b'{"key":null}', b'{"key":""}', good[:-1], good + b"x",
               good + good, good + b"\0", b"\0" + good, b'{"KEY":' + good[7:], b'{"key":"\\u0041"}', b"\xff" * 100,
               good[:-1] + b',"key":"' + new_key().encode() + b'"}', b"[" * BODY_MAX,
               json.dumps({"key": new_key(31)}).encode(), json.dumps({"key": new_key(65)}).encode()]
        for body in bad:
            check_equal(group.put("gw-1", "", body=body)[:2], (400, "ArgumentInvalid"), body[:40])
        http = wire.Http(site.hub.https_port, site.hub.ca)
        http.send("PUT", "/enrollments/factory/devices/gw-1", [("Authorization", group.token())],
                  good + b" " * (BODY_MAX + 1 - len(good)))
        check_equal(http.read().status, 413, "one byte too many")
        http.close()
        for name in ("gw%201", "%2e%2e", "a%2fb", "x" * 129, "%00"):
            check(group.put(name, new_key())[0] in (400, 404, 405, 501), name)
        check_equal((group.shown()["used"], devices(site)), (0, {}), "what counts")
        check_equal(group.put("gw-1", "", body=good + b" " * (BODY_MAX - len(good))), JOINED, "the last byte")
        for size in (32, 64):
            check_equal(group.put(f"gw-{size}", new_key(size)), JOINED, f"{size} bytes")


def many_by_hand():
    """many at once from one invitation, each with lost answers: each has its own key, and each counts once"""
    with only_hub() as site:
        group = Invitation(site, "group", "factory", "--devices", "gw-*", "--uses", str(BY_HAND), "--tag", "lot=1")
        keys = {f"gw-{i}": new_key() for i in range(BY_HAND)}
        lost = []

        def join(name):
            for attempt in range(20):
                # The first answer is never read; of two more attempts, some are not.
                if attempt < 1 + len(lost) % 3:
                    lost.append(name)
                    group.put(name, keys[name], read=False)
                    continue
                got = group.put(name, keys[name])
                if got == JOINED:
                    return
                check(got[0] in (503, 429), f"{name}: {got}")
                time.sleep(0.1)
            raise Failure(f"{name} never joined")

        since = time.monotonic()
        names = list(keys)
        in_threads(*(lambda part=names[i::20]: [join(name) for name in part] for i in range(20)))
        took = time.monotonic() - since
        shown = devices(site)
        print(f"# measured: {BY_HAND} joined in {took:.1f} s, with {len(lost)} answers lost")
        check_equal(sorted(shown), sorted(keys), "who is there")
        check_equal((group.shown()["used"], group.shown()["state"]), (BY_HAND, "used-up"), "counted")
        check_equal(group.put("gw-more", new_key()), CLOSED["used-up"], "one more")
        check_equal(keys_in(site), keys, "each its own key")


def keys_in(site):
    with contextlib.closing(sqlite3.connect(os.path.join(site.hub.state_dir, "registry.sqlite"))) as registry:
        return {name: base64.b64encode(key).decode()
                for name, key in registry.execute("SELECT id, primary_key FROM device WHERE module = ''")}


if __name__ == "__main__":
    main(matrix, kinds, opens_nothing_else, bodies, many_by_hand)
