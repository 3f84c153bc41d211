# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changes of keys at the hub, with devices and users by hand: a new key over the device's connection, whatever
gets lost on the way; devices with bad manners; and keys that are revoked at once."""
import base64
import json
import os
import signal
import sqlite3
import subprocess
import time

import wire
from harness import PATIENCE, check, check_equal, eventually, main, run
from hub_keys import connack, keys_of
from hub_wire import CAPABLE, check_accepted, check_echo, with_hub

ABLE = "streamd/0.2 (caps=half-close,reason,deadline,initiator,sid,order,rekey)"
SETTINGS = "[hub]\nreconnects-per-minute = 1000\npenalty = 0\nrekey-grace = {}\n"
OFFER, ANSWER = "$iothub/streamd/rekey/?$rid=", "$iothub/streamd/rekey/res/"


class Device(wire.Device):
    """Keeps what it is offered: (rid, key)."""

    def __init__(self, hub, name, key, client_type=ABLE):
        self.offers = []
        super().__init__(hub.port, hub.ca, name, key, client_type=client_type)
        check_equal(self.connack, 0, f"{name} is let in")
        self.subscribe()
        hub.open.callback(self.close)

    def keep(self, first, body):
        size = int.from_bytes(body[:2], "big")
        topic, payload = body[2:2 + size].decode(), body[2 + size:]
        if not topic.startswith(OFFER):
            super().keep(first, body)
            return
        check_equal(first, 0x30, "the first byte of an offer")
        check_equal(len(base64.b64decode(payload, validate=True)), 32, "bytes of a key")
        check(payload.decode() not in topic, "a key in a topic")
        self.offers.append((topic[len(OFFER):], payload.decode()))

    def offer(self):
        while not self.offers:
            self.keep(*self.read())
        return self.offers.pop(0)

    def answer_offer(self, rid, text="200/"):
        status, _, rest = text.partition("/")
        self.publish(f"{ANSWER}{status}/?$rid={rid}{rest}")


class Asked:
    """`device rekey`, while the device does its part."""

    def __init__(self, hub, *words):
        self.child = subprocess.Popen(
            [hub.site.streamhub, "--state-dir", hub.hub.state_dir, "device", "rekey", *words, "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        hub.site.children.append(self.child)

    def results(self):
        """(exit code, {device: result})"""
        out, err = self.child.communicate(timeout=PATIENCE)
        check(out, f"no result: {err}")
        return self.child.returncode, {"/".join(filter(None, (row["device_id"], row.get("module_id")))):
                                       row["result"] for row in json.loads(out)}

    def check(self, name, result, code=0):
        check_equal(self.results(), (code, {name: result}), "device rekey")


def shown(hub, name):
    device, _, module = name.partition("/")
    words = ["device", "show", device, "--json"] + (["--module", module] if module else [])
    return json.loads(hub.hub.admin(*words)).get("rekey", {}).get("state")


def names(hub, *given):
    for name in given:
        device, _, module = name.partition("/")
        hub.hub.admin("device", "add", device, *(["--module", module] if module else []))


def keys(hub, name):
    device, _, module = name.partition("/")
    return keys_of(hub, "device", device, module or None)


@with_hub(SETTINGS.format(3600))
def each_key(hub):
    """device and module, by the primary and by the secondary key: the other one is new, the one in use stays"""
    names(hub, "dev1", "dev1/m", "dev10")
    for name in ("dev1", "dev1/m"):
        for used in (0, 1):
            before, others = keys(hub, name), keys(hub, "dev10")
            device = Device(hub, name, before[used])
            asked = Asked(hub, name)
            rid, key = device.offer()
            now = keys(hub, name)
            check_equal((now[used], now[1 - used]), (before[used], key), f"{name} by {used}")
            check(key not in before, "a key that was there")
            check_equal(shown(hub, name), "offered", name)
            device.answer_offer(rid)
            asked.check(name, "done")
            check(device.ping(), "the connection stays")
            again = Device(hub, name, key)
            eventually(lambda n=name: shown(hub, n) == "confirmed", "it is in use")
            check(again.ping() and not again.offers, "nothing more is offered")
            check_equal(connack(hub, name, before[used], hub.port), 0, "the former key, in the grace")
            check_equal(keys(hub, "dev10"), others, "another device's keys")
            hub.hub.admin("device", "regenerate", name, "both")
            check_equal(shown(hub, name), None, "a regeneration ends it")


@with_hub(SETTINGS.format(2))
def lost_answers(hub):
    """an answer that is lost: the same key again at the next link, also after the hub was killed; then the grace"""
    names(hub, "dev1")
    old = keys(hub, "dev1")
    Asked(hub, "dev1").check("dev1", "pending")
    check_equal((shown(hub, "dev1"), keys(hub, "dev1")), ("wanted", old), "away: no key is touched")
    offered = set()
    for number in range(4):
        if number % 2:
            hub.hub.stop(signal.SIGKILL)
            hub.restart(SETTINGS.format(2))
        device = Device(hub, "dev1", old[0])
        offered.add(device.offer()[1])
        device.close()
    check_equal(len(offered), 1, "one key, however often it is sent")
    key = offered.pop()
    check_equal(keys(hub, "dev1"), [old[0], key], "stored once")
    # It has stored the key, and nobody knows but itself.
    device = Device(hub, "dev1", key)
    eventually(lambda: shown(hub, "dev1") == "confirmed", "the login tells")
    check_equal(connack(hub, "dev1", old[0], hub.port), 0, "the former key in the grace")
    hub.hub.stop(signal.SIGKILL)
    hub.restart(SETTINGS.format(2))
    device = Device(hub, "dev1", key)
    eventually(lambda: keys(hub, "dev1")[0] != old[0], "the former key is replaced")
    check_equal(connack(hub, "dev1", old[0], hub.port), 5, "it is good no more")
    check(device.ping() and shown(hub, "dev1") is None, "the link of the new one stays")


@with_hub(SETTINGS.format(3600))
def refusals(hub):
    """read-only, busy, failed, no answer, and a reason of a later version: what is told, and what stays of the keys"""
    names(hub, "dev1")
    before = keys(hub, "dev1")
    device = Device(hub, "dev1", before[0])
    for text, result, code, state in (("400/&$reason=read-only", "read-only", 12, "read-only"),
                                      ("400/&$reason=busy", "pending", 0, "offered"),
                                      ("400/&$reason=failed", "pending", 0, "offered"),
                                      ("400/&$reason=of-a-later-version", "pending", 0, "offered"),
                                      ("400/&$reason=read-only", "read-only", 12, "read-only")):
        asked = Asked(hub, "dev1")
        device.answer_offer(device.offer()[0], text)
        asked.check("dev1", result, code)
        check_equal(shown(hub, "dev1"), state, text)
        check_equal(keys(hub, "dev1") == before, state == "read-only", f"the keys after {text}")
    asked = Asked(hub, "dev1")
    device.offer()
    begin = time.monotonic()
    asked.check("dev1", "pending")
    check(8 < time.monotonic() - begin < 30, "the wait for an answer is bounded")
    asked = Asked(hub, "dev1")
    device.offer()
    device.close()
    asked.check("dev1", "pending")


@with_hub(SETTINGS.format(3600) + "rekey = yes\n")
def not_capable(hub):
    """clients that did not announce it: 0.1.0, a plain one, one by a user's key; the switch; names that are not there"""
    names(hub, "old", "plain", "by-user", "on")
    before = {name: keys(hub, name) for name in ("old", "plain", "by-user")}
    hub.hub.admin("user", "add", "fleet", "--rights", "device-connect")
    devices = [Device(hub, "old", before["old"][0], CAPABLE), Device(hub, "plain", before["plain"][0], "x")]
    token = wire.sas("localhost/devices/by-user", hub.key("user", "fleet"), policy="fleet")
    by_user = wire.Device(hub.port, hub.ca, "by-user", "", password=token, client_type=ABLE)
    check_equal(by_user.connack, 0, "by a user's key")
    by_user.subscribe()
    code, results = Asked(hub, "old", "plain", "by-user").results()
    check_equal((code, set(results.values())), (12, {"not-capable"}), "results")
    for device in devices + [by_user]:
        check(device.has_no_request(), "nothing was sent")
    check_equal({name: keys(hub, name) for name in before}, before, "keys")
    done = run([hub.site.streamhub, "--state-dir", hub.hub.state_dir, "device", "rekey", "nobody"])
    check("there is no device 'nobody'" in done.stdout and done.returncode == 12, done.stdout + done.stderr)
    hub.restart(SETTINGS.format(3600) + "rekey = no\n")
    device = Device(hub, "on", keys(hub, "on")[0])
    done = run([hub.site.streamhub, "--state-dir", hub.hub.state_dir, "device", "rekey", "on"])
    check("rekey" in done.stderr and done.returncode == 7, f"{done.returncode} {done.stderr}")
    check(device.ping() and not device.offers, "switched off")


BAD = ("200/x", "200", "201/", "400/", "400/&$reason=", "200/&$reason=read-only", "200/&x=y")


@with_hub(SETTINGS.format(3600))
def evil_devices(hub):
    """answers unasked, late, twice, of another's, malformed, oversize, or where nothing was announced"""
    names(hub, "good", "evil", "old")
    good = Device(hub, "good", keys(hub, "good")[0])
    key = keys(hub, "evil")[0]
    evil = Device(hub, "evil", key)
    for rid in ("1", "0", "18446744073709551615", "99999999999999999999"):
        evil.answer_offer(rid)
        evil.answer_offer(rid, "400/&$reason=read-only")
    asked = Asked(hub, "good")
    rid, new = good.offer()
    evil.answer_offer(rid)
    evil.answer_offer(rid, "400/&$reason=read-only")
    check(evil.ping() and good.ping(), "both are there")
    check_equal(shown(hub, "good"), "offered", "another's answer counts for nothing")
    good.answer_offer(str(int(rid) - 1))
    good.answer_offer(rid)
    for text in ("200/", "400/&$reason=read-only"):
        good.answer_offer(rid, text)
    asked.check("good", "done")
    check(good.ping() and new in keys(hub, "good"), "twice, and a refusal afterwards: the first one counts")
    late = Asked(hub, "evil")
    rid, _ = evil.offer()
    evil.close()
    late.check("evil", "pending")
    evil = Device(hub, "evil", key)
    again, _ = evil.offer()
    check(again != rid, "a number for each link")
    evil.answer_offer(rid, "400/&$reason=read-only")
    check(evil.ping(), "too late")
    check_equal(shown(hub, "evil"), "offered", "the answer of an earlier link")
    for text in BAD:
        evil = Device(hub, "evil", key)
        status, _, rest = text.partition("/")
        evil.publish(f"{ANSWER}{status}" + (f"/?$rid=1{rest}" if "/" in text else ""))
        check(evil.is_closed(), f"{text}: the link ends")
    for topic, payload in ((f"{ANSWER}200/?$rid=1", b"x"), (f"{ANSWER}200/?$rid=1", b"x" * 200000),
                           (f"{ANSWER}200/?$rid=" + "1" * 4000, b""), (OFFER + "1", b"A" * 44),
                           (f"{ANSWER}200/?$rid=1&" + "x" * 8000, b"")):
        evil = Device(hub, "evil", key)
        evil.publish(topic, payload)
        check(evil.is_closed(), f"{topic[:40]}: the link ends")
    old = Device(hub, "old", keys(hub, "old")[0], CAPABLE)
    old.publish(f"{ANSWER}200/?$rid=1")
    check(old.is_closed(), "where nothing was announced it is a topic like any other")
    check(good.ping(), "and the good one does not notice")


class Life:
    """A device by one of its keys and a stream to it by one of a user's."""

    def __init__(self, hub, name, device_key, user, user_key):
        self.hub, self.name = hub, name
        self.device = Device(hub, name, device_key, CAPABLE)
        token = wire.sas("localhost", user_key, policy=user)
        device, _, module = name.partition("/")
        path = f"/twins/{device}" + (f"/modules/{module}" if module else "") + "/streams/ssh?api-version=x"
        post = hub.post(path=path, token=token)
        request = self.device.request()
        self.device.answer(request, 200)
        answer = post.read()
        check_accepted(answer)
        self.legs = hub.device_leg(request), hub.service_leg(answer)

    def check(self, device, stream):
        if stream:
            check_echo(*self.legs, size=1000)
        else:
            check_equal([leg.closed()[0] for leg in self.legs], [1008, 1008], f"{self.name}: legs")
        if device:
            check(self.device.ping(), f"{self.name}: the link stays")
        else:
            check(self.device.is_closed(), f"{self.name}: the link ends")

    def leave(self):
        self.device.close()
        for leg in self.legs:
            leg.drop()


MASKS = {"primary": {0}, "secondary": {1}, "both": {0, 1}}


@with_hub(SETTINGS.format(3600))
def regenerated(hub):
    """regenerate, by device, module and user, each key: what a replaced key opened ends at once, the rest stays"""
    names(hub, "dev1", "dev1/m", "dev2")
    hub.hub.admin("user", "add", "anna", "--rights", "service-connect,device-connect")
    hub.hub.admin("user", "add", "ben", "--rights", "service-connect")
    for kind, subject in (("device", "dev1"), ("device", "dev1/m"), ("user", "anna")):
        for which, replaced in MASKS.items():
            anna, ben = keys_of(hub, "user", "anna"), keys_of(hub, "user", "ben")
            lives = {}
            for used in (0, 1):
                # The other end by its primary key: nothing of it is touched.
                if kind == "device":
                    lives[used] = Life(hub, subject, keys(hub, subject)[used], "ben", ben[0])
                else:
                    lives[used] = Life(hub, "dev2", keys(hub, "dev2")[0], "anna", anna[used])
                bystander = Life(hub, "dev1" if subject != "dev1" else "dev1/m",
                                 keys(hub, "dev1" if subject != "dev1" else "dev1/m")[0], "ben", ben[0])
                done = run([hub.site.streamhub, "--state-dir", hub.hub.state_dir, kind, "regenerate",
                            subject, which])
                check_equal(done.returncode, 0, done.stderr)
                gone = used in replaced
                check_equal("was cut" in done.stderr, gone, f"{subject} {which}: the warning: {done.stderr}")
                if gone:
                    wanted = f"devices: {int(kind == 'device')}, streams: 1"
                    check(wanted in done.stderr, f"{done.stderr!r} has no {wanted!r}")
                lives[used].check(device=kind == "user" or not gone, stream=not gone)
                bystander.check(device=True, stream=True)
                lives[used].leave()
                bystander.leave()
                anna = keys_of(hub, "user", "anna")


@with_hub(SETTINGS.format(3600))
def handed_out(hub):
    """regenerate shows a key only where it is asked for, in a new file of mode 0600 or on standard output"""
    names(hub, "dev1")

    def verb(*words):
        return run([hub.site.streamhub, "--state-dir", hub.hub.state_dir, *words])

    for kind, name in (("device", "dev1"), ("user", "service")):
        for which, index in (("primary", 0), ("secondary", 1), ("both", 0)):
            for more in ((), ("--json",)):
                done = verb(kind, "regenerate", name, which, *more)
                check_equal(done.returncode, 0, done.stderr)
                check(not any(key in done.stdout + done.stderr for key in keys_of(hub, kind, name)), "a key is shown")
            done = verb(kind, "regenerate", name, which, "--output", "-")
            check_equal(done.stdout.strip().split("SharedAccessKey=")[1], keys_of(hub, kind, name)[index], which)
            path = os.path.join(hub.site.dir, f"{kind}-{which}")
            check_equal(verb(kind, "regenerate", name, which, "--output", path).returncode, 0, "to a file")
            check_equal(os.stat(path).st_mode & 0o777, 0o600, "its mode")
            before = keys_of(hub, kind, name)
            check_equal(verb(kind, "regenerate", name, which, "--output", path).returncode, 6, "it is there")
            check_equal(keys_of(hub, kind, name), before, "then no key is changed")
        check_equal(verb(kind, "regenerate", name, "third").returncode, 2, "a word that is none")
        check_equal(verb(kind, "regenerate", "nobody", "both").returncode, 4, "nobody")
        check_equal(verb(kind, "regenerate", name, "both", "--json", "--output", "-").returncode, 2, "both outputs")
    for words in ((), ("--all", "dev1"), ("--all", "--tag", "a=b"), ("dev1/m/n",), ("",)):
        check_equal(verb("device", "rekey", *words).returncode, 2, f"rekey {words}")


@with_hub(SETTINGS.format(3600))
def full_disk(hub):
    """where the registry cannot be written to, nothing is sent, and the verb says why"""
    names(hub, "dev1")
    before = keys(hub, "dev1")
    device = Device(hub, "dev1", before[0])
    with sqlite3.connect(os.path.join(hub.hub.state_dir, "registry.sqlite"), isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        code, results = Asked(hub, "dev1").results()
        other.execute("ROLLBACK")
    check_equal((code, results), (12, {"dev1": "failed"}), "device rekey")
    check(device.ping() and not device.offers, "nothing was sent")
    check_equal((keys(hub, "dev1"), shown(hub, "dev1")), (before, None), "nothing has changed")


if __name__ == "__main__":
    main(each_key, lost_answers, refusals, not_capable, evil_devices, regenerated, handed_out, full_disk)
