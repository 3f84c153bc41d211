# SPDX-License-Identifier: LGPL-2.1-or-later
"""What wrong credentials cost, and whom: never who has the right ones (requirement R4)."""
import base64
import contextlib
import os
import random
import statistics
import time

import wire
from harness import LONG, check, check_equal, eventually, main
from hub_wire import with_hub

REFUSED, TOO_SOON = 5, 3
WRONG = base64.b64encode(os.urandom(32)).decode()


def connack(hub, name, key):
    """What a CONNECT is answered; after a refusal the connection must be over."""
    device = wire.Device(hub.mqtts_port, hub.ca, name, key)
    if device.connack:
        check(device.is_closed(), "it went on after a refusal")
    device.close()
    return device.connack


@with_hub("[hub]\npenalty = 2\n")
def wrong_ones_wait(hub):
    """wrong keys: refused, then told to wait; the right key is let in at once; unknown ids the same"""
    key, other = hub.add("dev1"), hub.add("dev2")
    for name in ("dev1", "nobody"):
        since = time.monotonic()
        check_equal(connack(hub, name, WRONG), REFUSED, "with a wrong key")
        check_equal(connack(hub, name, WRONG), TOO_SOON, "with a wrong key again")
        eventually(lambda name=name: connack(hub, name, WRONG) == REFUSED, "it may be wrong again")
        check(time.monotonic() - since >= 2, "it had not to wait")
        check_equal(connack(hub, name, WRONG), TOO_SOON, "wrong again")
    check_equal(connack(hub, "dev1", key), 0, "with the right one, in the middle of a penalty")
    check_equal(connack(hub, "dev1", WRONG), REFUSED, "wrong, after a right one")
    check_equal(connack(hub, "dev2", other), 0, "another device")
    check_equal(hub.post("nobody").read().status, 404, "a service")


@with_hub("[hub]\npenalty = 600\n")
def forgiven(hub):
    """a device that the operator enables again, or adds, begins anew"""
    hub.add("dev1")
    for change in ("enable", "add"):
        name = "dev1" if change == "enable" else "dev3"
        check_equal(connack(hub, name, WRONG), REFUSED, "with a wrong key")
        check_equal(connack(hub, name, WRONG), TOO_SOON, "too soon")
        if change == "enable":
            hub.hub.admin("device", "disable", "dev1")
            hub.hub.admin("device", "enable", "dev1")
        else:
            hub.add("dev3")
        check_equal(connack(hub, name, WRONG), REFUSED, "after the change")


@with_hub("[hub]\npenalty = 600\n")
def services(hub):
    """a service with a wrong key: 401, then 429 with Retry-After and the end of the connection; users
    that do not exist the same; the right key passes"""
    for policy in ("service", "nobody"):
        bad = hub.service_token(key=WRONG, policy=policy)
        first = hub.post(token=bad)
        answer = first.read()
        check_equal((answer.status, answer.get("retry-after")), (401, None), "the first")
        check_equal(answer.get("connection"), "close", "the first")
        check_equal(first.sock.recv(1), b"", "the end")
        answer = hub.post(token=bad).read()
        check_equal((answer.status, answer.get("iothub-errorcode")), (429, "ThrottlingException"),
                    "the second")
        check_equal(answer.get("connection"), "close", "the second")
        check(0 < int(answer.get("retry-after")) <= 600, f"Retry-After {answer.get('retry-after')}")
    check_equal(hub.post().read().status, 404, "the right one")


@with_hub("[hub]\npenalty-identities = 3\nguessing-per-second = 2\n")
def guessing(hub):
    """a source that fails as one identity after the other gets two connections a second, until somebody
    there gets in"""
    key = hub.add("dev1")
    for number in range(3):
        check_equal(connack(hub, f"guess-{number}", WRONG), REFUSED, "a guess")

    def let_in(name, secret):
        try:
            return connack(hub, name, secret) is not None
        except (OSError, wire.Closed):
            return False

    since, passed = time.monotonic(), 0
    while time.monotonic() - since < 3:
        passed += let_in("guess-0", WRONG)
        time.sleep(0.01)
    check(4 <= passed <= 8, f"{passed} connections in 3 s")
    eventually(lambda: let_in("dev1", key), "the right one gets in")
    passed = sum(let_in("guess-0", WRONG) for _ in range(20))
    check_equal(passed, 20, "connections after somebody got in")


def answer_time(hub, kind, name):
    """How long the refusal of a wrong key takes, the handshake left out, in µs."""
    if kind == "device":
        sock = wire.connect(hub.mqtts_port, hub.ca)
        token = wire.sas(f"localhost/devices/{name}", WRONG)
        asked = wire.mqtt_packet(0x10, wire.mqtt_text("MQTT") + b"\x04\xc2\x00\xf0" + wire.mqtt_text(name)
                                 + wire.mqtt_text(f"localhost/{name}") + wire.mqtt_text(token))
    else:
        sock = wire.connect(hub.port, hub.ca)
        token = wire.sas("localhost", WRONG, policy=name)
        asked = (f"POST /twins/dev1/streams/x?api-version=1 HTTP/1.1\r\nHost: localhost\r\n"
                 f"Authorization: {token}\r\nContent-Length: 0\r\n\r\n").encode()
    with contextlib.closing(sock):
        since = time.perf_counter()
        sock.sendall(asked)
        check(sock.recv(1), "no answer")
        return (time.perf_counter() - since) * 1e6


@with_hub("[hub]\npenalty = 0\n")
def same_time(hub):
    """whether a device or a user exists, and is in use, cannot be told by the time that a refusal takes"""
    names = {"device": ("gw-in-use", "gw-unused", "gw-nobody"), "user": ("service", "user-none")}
    hub.device("gw-in-use")
    hub.add("gw-unused")
    hub.post("nobody").read()
    for kind, asked in names.items():
        times = {name: [] for name in asked}
        for _ in range(400 if LONG else 60):
            for name in random.sample(asked, len(asked)):  # slow moments are shared
                times[name].append(answer_time(hub, kind, name))
        medians = {name: statistics.median(taken) for name, taken in times.items()}
        print("# " + ", ".join(f"{name} {median:.0f} µs" for name, median in medians.items()))
        check(max(medians.values()) - min(medians.values()) < 1000, f"medians {medians}")


if __name__ == "__main__":
    main(wrong_ones_wait, forgiven, services, guessing, same_time)
