# SPDX-License-Identifier: LGPL-2.1-or-later
"""A device with good credentials and bad manners, beside one that behaves: the hub gives it nothing
of the other's, holds nothing for it beyond its limits, and the other does not notice."""
import contextlib
import os
import socket
import ssl
import struct
import threading

import wire
from harness import SANITIZED, Site, check, check_equal, eventually, main
from hub_wire import CAPABLE, QUICK, check_accepted, check_echo, check_error, hub_settled, with_hub
from x509 import Certified

MANY = 200
BULK = 32 << 20


class Honest:
    """A stream of the device that behaves; it has to go on, whatever the other does."""

    def __init__(self, hub):
        self.hub = hub
        self.device = hub.device("good", client_type=CAPABLE)
        self.legs = hub.opened(self.device)
        self.memory = hub.hub.status_kib("VmRSS")

    def check(self):
        check_echo(*self.legs)
        request, answer = self.hub.accepted(self.device, response="20")  # whatever the hub's is
        pair = self.hub.device_leg(request), self.hub.service_leg(answer)
        check_echo(*pair, size=1000)
        pair[0].close()
        pair[1].closed()

    def check_memory(self, more_kib):
        now = self.hub.hub.status_kib("VmRSS")
        print(f"# the hub: {self.memory} KiB before, {now} KiB now")
        if not SANITIZED:
            check(now < self.memory + more_kib, f"the hub grew by {now - self.memory} KiB")


@with_hub()
def answers(hub):
    """answers to what it was not asked, twice and at odds: ignored; too many: it is read slowly"""
    honest, evil = Honest(hub), hub.device("evil")
    asked = hub.post("good")
    request = honest.device.request()
    for rest in ("", "&$streamd=half-close", "&$reason=policy:x"):
        for status in (200, 400):
            evil.answer(request, status, rest)
    check(evil.ping(), "PINGRESP")
    honest.device.answer(request, 200)
    check_accepted(asked.read())
    post = hub.post("evil")
    mine = evil.request()
    for status in (400, 200, 400, 200):
        evil.answer(mine, status)
    check_equal(post.read().get("iothub-streaming-is-accepted"), "False", "the first one counts")
    check(evil.ping(), "PINGRESP")
    for number in range(6000):
        evil.publish(f"$iothub/streams/res/200/?$rid={number}")
    honest.check()
    check(evil.ping(), "PINGRESP")
    honest.check_memory(8192)


@with_hub()
def tokens(hub):
    """its token opens its own leg once: not the service's, not another device's, not again"""
    honest, evil = Honest(hub), hub.device("evil")
    post = hub.post("evil")
    request = evil.request()
    good_post = hub.post("good")
    good = honest.device.request()
    for path, token in ((request.path.replace("/r/device", "/r/service"), request.token),
                        (good.path, request.token), (request.path, good.token),
                        (request.path, request.token[:-1]), (request.path, "")):
        check_equal(hub.leg(path, token).status, 401, path)
    leg = hub.device_leg(request)
    check_equal(hub.leg(request.path, request.token).status, 401, "the token again")
    evil.answer(request, 200)
    service = hub.service_leg(post.read())
    check_echo(leg, service)
    honest.device.answer(good, 400)
    good_post.read()
    honest.check()


@with_hub(QUICK)
def never_comes(hub):
    """it accepts, and its leg never comes: the services are told, and nothing is left"""
    honest, evil = Honest(hub), hub.device("evil")
    hub_settled(hub)
    before = hub.hub.fds()
    for _ in range(4):
        legs = []
        for _ in range(10):
            _, answer = hub.accepted(evil)
            legs.append(hub.service_leg(answer))
        for leg in legs:
            leg.send(b"x" * 1000)
        for leg in legs:
            check_equal(leg.closed()[0], 1011, "the service's leg")
            leg.drop()
    honest.check()
    eventually(lambda: hub.hub.fds() <= before + 45, "descriptors go back")
    honest.check_memory(8192)


@with_hub("[hub]\nresponse-timeout = 1\npending-per-device = 1000\n")
def does_not_read(hub):
    """it subscribes and reads nothing: every service is answered, nothing piles up"""
    honest, evil = Honest(hub), hub.device("evil")
    evil.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    posts = [hub.post("evil", stream="s" * 100, response="1") for _ in range(MANY)]
    honest.check()
    for post in posts:
        check_error(post.read(), 504101, "GatewayTimeout")
    honest.check()
    honest.check_memory(16384)


def frame(first, length, payload=b"", mask=True):
    head = bytes([first])
    if length < 126:
        head += bytes([length | (0x80 if mask else 0)])
    elif length < 65536:
        head += struct.pack(">BH", 126 | (0x80 if mask else 0), length)
    else:
        head += struct.pack(">BQ", 127 | (0x80 if mask else 0), length)
    return head + (b"\0\0\0\0" if mask else b"") + payload


FRAMES = {
    "unmasked": frame(0x82, 3, b"abc", mask=False),
    "reserved bits": frame(0xC2, 3, b"abc"),
    "unknown opcode": frame(0x83, 3, b"abc"),
    "unknown control": frame(0x8B, 0),
    "a ping of 126": frame(0x89, 126, b"x" * 126),
    "a ping in pieces": frame(0x09, 2, b"ab"),
    "a continuation of nothing": frame(0x80, 3, b"abc"),
    "a close of one byte": frame(0x88, 1, b"\3"),
    "a close code that is none": frame(0x88, 2, struct.pack(">H", 999)),
    "a length of 2^63": frame(0x82, 1 << 63),
    "a length not in its shortest form": bytes([0x82, 0xFE, 0, 3, 0, 0, 0, 0]) + b"abc",
}


@with_hub()
def frames(hub):
    """frames that RFC 6455 forbids end its stream, and no other"""
    honest, evil = Honest(hub), hub.device("evil")
    for what, data in FRAMES.items():
        leg, service = hub.opened(evil)
        leg.sock.sendall(data)
        code, _ = service.closed()
        check_equal(code, 1011, what)
        with contextlib.suppress(wire.Closed, OSError):
            while leg.message() is not None:
                pass
        leg.drop()
        service.drop()
    honest.check()
    honest.check_memory(8192)


@with_hub()
def floods(hub):
    """pings without end, and a length without its bytes: bounded, and the others are served"""
    honest, evil = Honest(hub), hub.device("evil")
    leg, service = hub.opened(evil)
    stop = threading.Event()

    def flood():
        ping = frame(0x89, 125, b"p" * 125) * 100
        with contextlib.suppress(OSError, ssl.SSLError):
            leg.sock.settimeout(1)
            while not stop.is_set():
                leg.sock.sendall(ping)

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    big, other = hub.opened(evil)
    big.sock.sendall(frame(0x82, 1 << 40))
    for _ in range(5):
        honest.check()
    honest.check_memory(8192)
    stop.set()
    thread.join()
    for end in (leg, big, service, other):
        end.drop()
    honest.check()


@with_hub()
def reader(hub):
    """its leg reads nothing: the service is held back, and the hub holds next to nothing"""
    honest, evil = Honest(hub), hub.device("evil")
    leg, service = hub.opened(evil)
    sent = 0
    service.sock.settimeout(2)
    with contextlib.suppress(TimeoutError):
        while sent < BULK:
            service.send(os.urandom(65536))
            sent += 65536
    check(sent < BULK, "the hub took it all")
    print(f"# {sent >> 10} KiB sent before it stopped")
    honest.check()
    honest.check_memory(8192)
    leg.drop()
    service.drop()


@with_hub()
def names(hub):
    """what it says of itself cannot forge a line of the log"""
    for text in ("x\nstreamhub: Device good is connected", "\x1b[2J", "%0a%0astreamhub: forged",
                 "\u2028streamhub: forged", "x" * 900):
        with contextlib.suppress(AssertionError, wire.Closed, OSError):
            hub.device("evil", client_type=text, subscribe=False).ping()
    hub_settled(hub)
    lines = hub.hub.log().splitlines()
    check(not any(line.startswith("streamhub: forged") or "\x1b" in line for line in lines), "forged")
    check(not any("Device good is connected" in line for line in lines), "forged")


def certificates():
    """a certificate that is good for it alone lets it be nobody else; large chains cost nothing that stays"""
    with Site(hub_arguments=["--grace", "1"], gateway=False, client=False) as site:
        hub = Certified(site, "penalty = 1\nhandshake-timeout = 5\n")
        honest = Honest(hub)
        for name in ("evil", "victim"):
            hub.hub.admin("device", "add", name, "--ca")
        hub.hub.admin("device", "add", "victim", "--module", "m", "--ca")
        mine = hub.root.issue("evil", "evil", san=["evil.example"])
        for name in ("victim", "victim/m", "good", "evil/m", "nobody", "EVIL", "evil.example"):
            check(hub.come(name, mine).connack in (3, 5), f"it came in as {name}")
        device = hub.come("evil", mine)
        check_equal((device.connack, device.subscribe()), (0, [0, 0]), "as itself")
        post = hub.post("victim", connect="0")
        check_error(post.read(), 404103, "DeviceNotOnline")
        check(device.has_no_request(), "it was asked in the place of another")
        large = hub.root.issue("large", "evil", san=[f"{n}.{'x' * 60}.example" for n in range(150)])
        for _ in range(3):
            many = [wire.connect(hub.port, hub.ca, certificate=large.files) for _ in range(50)]
            for one in many:
                one.close()
        honest.check()
        check_equal(device.ping(), True, "its own link")
        honest.check_memory(8192)


if __name__ == "__main__":
    main(answers, tokens, never_comes, does_not_read, frames, floods, reader, names, certificates)
