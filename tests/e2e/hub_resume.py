# SPDX-License-Identifier: LGPL-2.1-or-later
"""The hub between two ends whose streams survive their legs (docs/wire-protocol.md, section 8a): what is agreed, what passes,
and how a pair of legs ends."""
import itertools
import json
import os
import time

from harness import check, check_equal, eventually, main
from hub_wire import PLAIN_END, check_accepted, check_echo, with_hub
from records_file import Records
from resume_wire import AGREED, DEVICE, NO_RESUME, SERVICE, Pair, answer, first, new_key, part, say, word

LONG = "w " + " ".join(["9223372036854775807"] * 2)


def agreed(hub, device, able, caps, key, accepts=AGREED):
    """Whether the stream may survive: by the request to the device, and by the answer to the service."""
    post = hub.post(device.name, caps=caps, more=first(key) if key else ())
    request = device.request()
    asked = request.properties.get("$streamd", "").split(".")
    check_equal("$rkey" in request.properties, "resume" in asked, "the key goes with it")
    if "resume" in asked:
        check_equal(request.properties["$rkey"], key, "the key")
    if able:
        answer(device, request, 200, accepts)
    else:
        device.answer(request, 200)
    got = post.read()
    check_accepted(got)
    return "resume" in asked, "resume" in (got.get("streamd-caps") or "").split(",")


def matrix(hub, allowed):
    services = [None] + [", ".join(caps) for n in range(1, 4)
                         for caps in itertools.combinations(("half-close", "reason", "resume"), n)]
    devices = {"whole": DEVICE, "none": NO_RESUME, "no-sid": DEVICE.replace(",sid", ""), "no-half": DEVICE.replace("half-close,", ""),
               "no-reason": DEVICE.replace("reason,", "")}
    for name, text in devices.items():
        device = hub.device(name, client_type=text)
        for caps, key in itertools.product(services, (None, new_key())):
            want = allowed and name == "whole" and caps == SERVICE and key is not None
            if name == "no-sid":  # it does not repeat the id
                post = hub.post(name, caps=caps, more=first(key) if key else ())
                request = device.request()
                check("$rkey" not in request.properties and "resume" not in request.properties["$streamd"], "a device without sid")
                device.answer(request, 400)
                post.read()
                continue
            check_equal(agreed(hub, device, True, caps, key), (want, want), f"{name}, {caps}, {key is not None}")
    whole = hub.device("whole", client_type=DEVICE)
    for accepts in ("", "half-close.reason", "reason.resume", "half-close.resume"):
        check_equal(agreed(hub, whole, True, SERVICE, new_key(), accepts), (allowed, False), f"the device answers {accepts}")
    plain = hub.device("plain")
    check_equal(agreed(hub, plain, False, SERVICE, new_key()), (False, False), "a plain device")


@with_hub()
def negotiation(hub):
    """it applies when service, device and hub have it, with all that it needs, and a key"""
    matrix(hub, True)


@with_hub("[hub]\nresume = no\n")
def switched_off(hub):
    """and never at a hub that does not want it"""
    matrix(hub, False)


@with_hub()
def words(hub):
    """words pass whole and in their place, whatever the frames are that data come in"""
    pair = Pair(hub, hub.device(client_type=DEVICE))
    pair.begin()
    for near, far in ((pair.service, pair.device), (pair.device, pair.service)):
        data, expected = os.urandom(300000), []
        for i in range(0, len(data), 10000):
            near.send(data[i:i + 4000], fin=False)
            near.send(b"are you there", opcode=9)
            near.send(data[i + 4000:i + 10000], opcode=0)
            say(near, f"w {i} {i + 7}")
            expected.append((i + 10000, f"w {i} {i + 7}"))
        got, seen = b"", []
        while len(seen) < len(expected):
            is_text, payload = part(far)
            if is_text:
                seen.append((len(got), payload.decode()))
            else:
                got += payload
        check(got == data, "the data")
        check_equal(seen, expected, "where the words stood")
    say(pair.service, "e 300000")
    check_equal(word(pair.device), "e 300000", "the end of data")
    pair.service.close(1000, "service-closed")
    check_equal(part(pair.device), (1000, "service-closed"), "the end")


@with_hub()
def text_of_others(hub):
    """without it text is data, on both sides"""
    for text, caps in ((DEVICE, "half-close, reason"), (NO_RESUME, SERVICE), ("by-hand", SERVICE), (DEVICE, None)):
        device = hub.device(client_type=text)
        post = hub.post(caps=caps, more=first(new_key()))
        request = device.request()
        if "$sid" in request.properties:
            answer(device, request, 200, "half-close.reason")
        else:
            device.answer(request, 200)
        leg, peer = hub.device_leg(request), hub.service_leg(post.read())
        for near, far in ((leg, peer), (peer, leg)):
            say(near, "w 1 2")
            check_equal(part(far), (False, b"w 1 2"), f"{text}, {caps}")
        check_echo(leg, peer, 1000)
        peer.drop()
        leg.closed()


@with_hub()
def liars(hub):
    """a word of another form, or an empty message, ends the stream as `protocol`, for both"""
    device = hub.device(client_type=DEVICE)
    for text in ("x 1", "w 1", "w 1 2 3", "w 01 2", "e -1", "r", "c ", "c Cut", "w 1 9223372036854775808", "c " + "a" * 63, None):
        for liar in ("service", "device"):
            pair = Pair(hub, device)
            pair.begin()
            near, far = getattr(pair, liar), getattr(pair, "device" if liar == "service" else "service")
            near.send(b"before")
            if text is None:
                near.send(b"")
            else:
                say(near, text)
            check_equal(part(far), (False, b"before"), f"{text}: what came before")
            check_equal(part(near), (1008, "protocol"), f"{text}: who said it")
            check_equal(part(far), (1002, "protocol"), f"{text}: the other one")


@with_hub()
def metered(hub):
    """words within their allowance count nowhere; beyond it they are data, in meters, records and the bytes of a user's day"""
    records = Records(hub.site)
    hub.hub.admin("user", "add", "thrifty", "--rights", "service-connect", "--bytes-per-day", "100000")
    token = hub.service_token(policy="thrifty", key=hub.key("user", "thrifty"))
    device = hub.device(client_type=DEVICE)
    pair = Pair(hub, device, token=token)
    pair.begin()
    for _ in range(10):
        say(pair.service, "w 1 2")
        check_equal(word(pair.device), "w 1 2", "a word")
    pair.service.close(1000, "service-closed")
    part(pair.device)
    records.new()
    end = eventually(lambda: [r for r in records_of(hub) if r["operationName"] == "end"], "its record")[-1]
    check_equal((end["bytesToDevice"], end["bytesToService"]), (0, 0), "words are not counted")

    pair = Pair(hub, device, token=token)
    pair.begin()
    begun, count = time.monotonic(), 110000 // len(LONG)
    for _ in range(count):
        say(pair.service, LONG)
    got = None
    while not isinstance(got, tuple) or got[0] in (True, False):
        got = part(pair.device)
    check_equal(got, (1008, "byte-limit"), "the end")
    end = eventually(lambda: [r for r in records_of(hub) if r["operationName"] == "end" and r["streamId"] == pair.id], "its record")[0]
    free = 1024 * (2 + time.monotonic() - begun)
    check(count * len(LONG) - free <= end["bytesToDevice"] <= count * len(LONG) - 1024, f"{end['bytesToDevice']} of {count * len(LONG)}")


def records_of(hub):
    with open(os.path.join(hub.site.dir, "hub-state", "records", "records.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


@with_hub()
def ends(hub):
    """a leg that is lost ends the other one at once as `cut`; who ends the stream on purpose is told to both"""
    device = hub.device(client_type=DEVICE)
    for lost, told in (("service", "device"), ("device", "service")):
        pair = Pair(hub, device)
        pair.begin()
        getattr(pair, lost).drop()
        check_equal(part(getattr(pair, told)), (1011, "cut"), f"{lost} lost")
        pair = Pair(hub, device)
        pair.begin()
        getattr(pair, lost).close(1011, "silent")
        check_equal(part(getattr(pair, told)), (1011, "silent"), f"{lost} gives its leg up")
    pair = Pair(hub, device)
    pair.begin()
    check_equal(json.loads(hub.hub.admin("stream", "show", pair.id, "--json")).get("resumes"), None, "a first one")
    hub.hub.admin("stream", "close", pair.id)
    for leg in (pair.device, pair.service):
        check_equal(part(leg), (1008, "closed-by-operator"), "closed")
    pair = Pair(hub, device)
    pair.begin()
    hub.hub.admin("device", "disable", "dev1")
    for leg in (pair.device, pair.service):
        check_equal(part(leg), (1008, "revoked"), "revoked")


@with_hub()
def stops(hub):
    """a hub that stops ends these at once with 1001; others have its grace"""
    device, plain = hub.device(client_type=DEVICE), hub.device("plain")
    hub.hub.popen.send_signal(0)
    leg, peer = hub.opened(plain)
    pair = Pair(hub, device)
    pair.begin()
    begun = time.monotonic()
    hub.hub.popen.terminate()
    for side in (pair.device, pair.service):
        check_equal(part(side), (1001, "hub-stopping"), "at once")
    check_echo(leg, peer, 100)
    took = time.monotonic() - begun
    check_equal(leg.closed()[0], 1001, "when the grace is over")
    check_equal(peer.closed()[0], 1001, "when the grace is over")
    check(took < 1, f"{took:.2f} s, with a grace of 1 s")


if __name__ == "__main__":
    main(negotiation, switched_off, words, text_of_others, liars, metered, ends, stops)
