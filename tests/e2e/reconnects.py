# SPDX-License-Identifier: LGPL-2.1-or-later
"""A device that connects again and again waits for its CONNACK (requirement R15): from the 10th connection within a
minute on, doubled up to 5 s, and nobody else does. STREAMD_LONG=1: a minute of quiet, and 1,000 other devices."""
import base64
import functools
import json
import os
import statistics
import threading
import time

import wire
from ends import in_threads
from harness import LONG, PATIENCE, check, check_equal, eventually, main
from hub_wire import CAPABLE, check_echo, with_hub
from x509 import certified

FREE = 9  # within a minute
WAITS = (0.3125, 0.625, 1.25, 2.5, 5, 5)
EARLY = 0.02  # clocks of two processes
EARLY_MAX = 16 * 1024
OTHERS = 1000 if LONG else 60


class Unread(wire.Device):
    """Has sent its CONNECT and reads nothing until it is asked to."""
    begun = False

    def read(self):
        if not self.begun:
            self.begun = True
            return 0x20, b"\0\0"
        return super().read()

    def admitted(self):
        return self.read() == (0x20, b"\0\0")


def module_key(hub, name, module):
    hub.hub.admin("device", "add", name, "--module", module)
    out = os.path.join(hub.site.dir, f"{name}-{module}.cs")
    hub.hub.admin("connection-string", "device", name, "--module", module, "--output", out)
    with open(out, encoding="ascii") as file:
        return wire.parse_connection_string(file.read().strip())["SharedAccessKey"]


class Identity:
    """Of a device or a module, over one carrier."""

    def __init__(self, hub, name, websocket=None, module=None):
        self.hub, self.websocket = hub, websocket
        self.key = hub.add(name)
        self.id = name
        if module:
            self.key, self.id = module_key(hub, name, module), f"{name}/{module}"

    def connect(self, kind=wire.Device):
        port = self.hub.port if self.websocket else self.hub.mqtts_port
        return kind(port, self.hub.ca, self.id, self.key, websocket=self.websocket, clean=True)

    def took(self):
        """Seconds from a connection to its CONNACK."""
        started = time.monotonic()
        device = self.connect()
        took = time.monotonic() - started
        check_equal(device.connack, 0, "CONNACK")
        device.close()
        return took

    def hurry(self):
        """As often as it is free: the next one waits."""
        for _ in range(FREE):
            self.took()


def two_packets(name, size):
    """Telemetry, SIZE bytes in all."""
    head = wire.mqtt_text(f"devices/{name}/messages/events/") + b"\0\x08"
    first = wire.mqtt_packet(0x32, head + b"x" * 8192)
    second = wire.mqtt_packet(0x32, head + b"x" * (size - len(first) - len(head) - 3))
    check_equal(len(first + second), size, "bytes")
    return first + second


def is_unanswered(device):
    """It ends, and no CONNACK comes before."""
    device.begun = True
    try:
        return device.read() is None
    except TimeoutError:
        return False
    except (wire.Closed, OSError):
        return True


def status(hub):
    return json.loads(hub.hub.admin("status", "--json"))


def waits_by_metrics(hub):
    """How many wait, and how many had to since the start."""
    lines = hub.hub.admin("metrics").splitlines()
    return tuple(int(line.split()[1]) for name in ("streamhub_devices_waiting", "streamhub_device_waits_total")
                 for line in lines if line.startswith(name + " "))


def check_waits(identity, faults):
    """At the 9th, at the 10th, and so on up to 5 s."""
    free = [identity.took() for _ in range(FREE)]
    waits = [identity.took() for _ in WAITS]
    print(f"# {identity.id} {identity.websocket}: {max(free):.3f} s; " + " ".join(f"{one:.2f}" for one in waits))
    if max(free) > PATIENCE / 4:
        faults.append(f"{identity.id}: one of the first {FREE} waited: {free}")
    for wanted, was in zip(WAITS, waits):
        if not wanted - EARLY <= was < wanted + PATIENCE / 4:
            faults.append(f"{identity.id}: {was} in place of {wanted}")


@with_hub("[hub]\n")
def doubles(hub):
    """both carriers x a device and its module, all at once: 9 are free, then 0.3 s to 5 s; the log says it once"""
    faults = []
    identities = [Identity(hub, name, websocket, module) for name, websocket in (("direct", None), ("wss", "mqtt"))
                  for module in (None, "m")]
    threads = [threading.Thread(target=check_waits, args=(one, faults)) for one in identities]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(not faults, f"{faults}")
    for one in identities:
        said = f"waits for its CONNACK ({one.id},"
        check_equal(hub.hub.log().count(said), 1, f"{said} in the log")
    if LONG:
        time.sleep(61)
        for one in identities:
            took = [one.took() for _ in range(FREE + 1)]
            check(max(took[:FREE]) < WAITS[0] <= took[FREE] + EARLY, f"after a minute of quiet: {took}")


@with_hub("[hub]\n")
def early(hub):
    """what a client sends before its CONNACK comes is done afterwards, in order; more than 16 KiB ends it"""
    for number, websocket in enumerate((None, "mqtt")):
        identity = Identity(hub, f"dev{number}", websocket)
        identity.hurry()
        device = identity.connect(Unread)
        device.send(0x82, b"\0\x07" + wire.mqtt_text(wire.POST_FILTER) + b"\0")
        device.send(0x32, wire.mqtt_text(f"devices/{identity.id}/messages/events/") + b"\0\x08" + b"x" * 15000)
        device.send(0xC0, b"")
        check(device.admitted(), "CONNACK")
        check_equal([device.read() for _ in range(3)], [(0x90, b"\0\x07\0"), (0x40, b"\0\x08"), (0xD0, b"")], "in order")
        post = hub.post(identity.id)
        device.answer(device.request(), 400)
        check_equal(post.read().status, 200, "a stream is asked for")
        device.close()
        device = identity.connect(Unread)
        device.send_raw(two_packets(identity.id, EARLY_MAX))
        check(device.admitted(), "CONNACK, after exactly so much")
        check_equal([device.read() for _ in range(2)], [(0x40, b"\0\x08")] * 2, "both are done")
        device.close()
        device = identity.connect(Unread)
        device.send_raw(two_packets(identity.id, EARLY_MAX + 1))
        check(is_unanswered(device), "a byte too much before its CONNACK")


@with_hub("[hub]\nrequest-timeout = 1\n")
def slots(hub):
    """who waits has authenticated: it takes no place of those that have not; its silence is none of its keep-alive"""
    identity = Identity(hub, "dev1")
    identity.hurry()
    for _ in WAITS[:3]:
        identity.took()
    started = time.monotonic()
    device = identity.connect(Unread)
    eventually(lambda: status(hub)["connections"] == 1, "it is there")
    check_equal(status(hub)["unauthenticated_connections"], 0, "it waits among those that have authenticated")
    check_equal(status(hub)["connected_devices"], 0, "and is not connected")
    check_equal(waits_by_metrics(hub), (1, 4), "it waits, after three that have waited")
    check(device.admitted(), "CONNACK, after longer than request-timeout")
    check(time.monotonic() - started > WAITS[3] - EARLY, "it has waited")
    check_equal(status(hub)["connected_devices"], 1, "connected")
    check_equal(waits_by_metrics(hub), (0, 4), "nobody waits")
    check(device.ping(), "the link")


@with_hub("[hub]\n")
def ends(hub):
    """what ends a connection ends one that waits: a newer one, its own end, the device's removal; who is connected
    meanwhile stays"""
    identity = Identity(hub, "dev1")
    for _ in range(FREE - 1):
        identity.took()
    there = identity.connect()
    first = identity.connect(Unread)
    second = identity.connect(Unread)
    check(first.is_closed(), "the one that waited, for a newer one")
    check(second.admitted(), "the newer one")
    check(there.is_closed(), "who was connected, now")
    check(second.ping(), "the newer one's link")
    check_equal(hub.hub.log().count("waits for its CONNACK (dev1,"), 1, "in the log, when it begins")
    for how in ("the connection", "DISCONNECT"):
        third = identity.connect(Unread)
        if how == "DISCONNECT":
            third.send(0xE0, b"")
            check(third.is_closed(), how)
        third.close()
        eventually(lambda: status(hub)["connections"] == 1, f"its place is free after its end: {how}")
    check(second.ping(), "who is connected stays")
    eventually(lambda: identity.took() > WAITS[-1] - 1, "one that waits for seconds", PATIENCE * 6)
    fourth = identity.connect(Unread)
    hub.hub.admin("device", "remove", "dev1")
    started = time.monotonic()
    check(fourth.is_closed(), "the device was removed")
    check(time.monotonic() - started < 2, "within 2 s")


def longest(connect):
    """One that waits for 5 s now, where the first connection of a minute waits."""
    for _ in WAITS[:4]:
        device = connect()
        check_equal(device.connack, 0, "CONNACK")
        device.close()
    return connect(kind=Unread)


@certified("penalty = 0\nreconnects-per-minute = 1\ntoken-skew = 0\n")
def credentials(hub):
    """one that waits ends with its token or certificate, when it is disabled, gets other credentials, or an authority
    takes its certificate back; others that wait are let in"""
    keys = {name: hub.add(name) for name in ("token", "disabled", "other-keys", "key-stays")}
    keys["disabled/m"] = module_key(hub, "disabled", "m")
    own, issued = {}, {}
    for name in ("certificate", "thumbprint", "own-stays"):
        own[name] = hub.own(name)
        hub.hub.admin("device", "add", name, "--certificate", own[name].files[0])
    for name in ("authority", "authority-stays"):
        issued[name] = hub.root.issue(name, name)
        hub.hub.admin("device", "add", name, "--ca")

    def admin(*arguments):
        return lambda: hub.hub.admin(*arguments)

    def renew(seconds):
        """A certificate that ends soon, in place of the one that it has come with until now."""
        own["certificate"] = hub.own("short", "certificate", end=seconds / 86400)
        hub.hub.admin("device", "set", "certificate", "--certificate", own["certificate"].files[0])

    acts = {"token": None, "certificate": None, "disabled": admin("device", "disable", "disabled"), "disabled/m": None,
            "other-keys": admin("device", "set", "other-keys", "--certificate", own["own-stays"].files[0]),
            "thumbprint": admin("device", "set", "thumbprint", "--certificate", own["own-stays"].files[0]),
            "authority": lambda: (hub.root.revoke(issued["authority"]), hub.hub.admin("reload"))}
    together, faults = threading.Barrier(len(keys) + len(own) + len(issued)), []
    all_wait = threading.Barrier(together.parties, lambda: eventually(
        lambda: waits_by_metrics(hub)[0] == together.parties, "all of them wait before anything happens to one"))
    figures = []

    def check_one(name):
        def connect(kind=wire.Device, seconds=3600):
            if kind is Unread:
                if name == "certificate":
                    renew(3)
                together.wait(PATIENCE)
                seconds = 2 if name == "token" else seconds
            certificate = own.get(name) or issued.get(name)
            return kind(hub.mqtts_port, hub.ca, name, keys.get(name), seconds=seconds,
                        certificate=certificate.files if certificate else None)
        device = longest(connect)
        all_wait.wait(PATIENCE)
        started = time.monotonic()
        if acts.get(name):
            acts[name]()
        done = is_unanswered(device) if name in acts else device.admitted()
        took = time.monotonic() - started
        figures.append(f"{name} {took:.2f} s")
        if not done or (name in acts and took > WAITS[-1] - 0.5):
            faults.append(f"{name}: {done}, {took} s")
        device.close()

    in_threads(*(functools.partial(check_one, name) for name in (*keys, *own, *issued)))
    print("# " + ", ".join(figures))
    check(not faults, f"{faults}")


@certified("penalty = 0\nreconnects-per-minute = 1\n")
def beside(hub):
    """one that waits beside a good one, with a certificate that no longer counts, ends alone: link and stream go on"""
    good, bad = {"own": hub.own("good"), "ca": hub.root.issue("good-ca", "ca")}, {"own": hub.own("bad"), "ca": hub.root.issue("bad-ca", "ca")}
    hub.hub.admin("device", "add", "own", "--thumbprint", bad["own"].thumbprint(), "--thumbprint", good["own"].thumbprint())
    hub.hub.admin("device", "add", "ca", "--ca")
    acts = {"own": lambda: hub.hub.admin("device", "set", "own", "--thumbprint", good["own"].thumbprint()),
            "ca": lambda: (hub.root.revoke(bad["ca"]), hub.hub.admin("reload"))}

    def check_one(name):
        def connect(certificate, kind=wire.Device):
            return kind(hub.mqtts_port, hub.ca, name, None, certificate=certificate[name].files, client_type=CAPABLE)
        for _ in WAITS[:3]:
            connect(good).close()
        device = connect(good)
        check_equal((device.connack, device.subscribe()), (0, [0, 0]), f"{name} is let in")
        leg, peer = hub.opened(device)
        waiting = connect(bad, Unread)
        acts[name]()
        check(is_unanswered(waiting), f"{name}: who waits is refused")
        check_echo(leg, peer)
        check(device.ping(), f"{name}: the other one goes on")

    faults = []

    def guarded(name):
        try:
            check_one(name)
        except Exception as fault:  # pylint: disable=broad-except
            faults.append(f"{name}: {fault!r}")

    in_threads(*(functools.partial(guarded, name) for name in acts))
    check(not faults, f"{faults}")


def p99(times):
    return statistics.quantiles(times, n=100)[98]


@with_hub("[hub]\nconnections-burst = 100000\nconnections-per-second = 100000\n")
def others(hub):
    """devices beside four that connect again and again: nobody else waits"""
    lines = os.path.join(hub.site.dir, "devices.jsonl")
    keys = {f"other{number}": base64.b64encode(number.to_bytes(4, "big") * 8).decode() for number in range(OTHERS)}
    with open(lines, "w", encoding="ascii") as file:
        for name, key in keys.items():
            file.write(json.dumps({"id": name, "keys": {"primary": key, "secondary": key}}) + "\n")
    hub.hub.admin("device", "import", lines)
    stop = threading.Event()

    def again_and_again(identity):
        while not stop.is_set():
            identity.took()

    busy = [Identity(hub, f"busy{number}") for number in range(4)]
    quiet = Round(hub, keys)
    for one in busy:
        one.hurry()
    threads = [threading.Thread(target=again_and_again, args=(one,)) for one in busy]
    for thread in threads:
        thread.start()
    eventually(lambda: hub.hub.log().count("waits for its CONNACK") >= 4, "they wait")
    beside = Round(hub, keys)
    stop.set()
    for thread in threads:
        thread.join()
    print(f"# {OTHERS} others, p99 and median: alone {quiet}; beside four that hurry {beside}")
    check(p99(beside.took) < max(p99(quiet.took) * 4, 0.25), "others wait as well")
    check(beside.cost[0] < max(quiet.cost[0] * 3, 1), "the hub itself has more to do for others")


class Round:
    """Each of the devices connects once; what a connection cost the hub's main thread: on a CPU, and in want of one."""

    def __init__(self, hub, keys):
        before = main_thread(hub)
        self.took = [connect_one(hub, *one) for one in keys.items()]
        self.cost = [(now - then) / 1e6 / len(keys) for then, now in zip(before, main_thread(hub))]

    def __str__(self):
        return (f"{p99(self.took) * 1000:.1f} ms, {statistics.median(self.took) * 1000:.1f} ms "
                f"(the hub's main thread {self.cost[0]:.2f} ms each, waits for a CPU {self.cost[1]:.2f} ms)")


def main_thread(hub):
    """Nanoseconds that it ran, and that it could have run and did not."""
    with open(f"/proc/{hub.hub.pid}/task/{hub.hub.pid}/schedstat", encoding="ascii") as file:
        return [int(one) for one in file.read().split()[:2]]


def connect_one(hub, name, key):
    started = time.monotonic()
    device = wire.Device(hub.mqtts_port, hub.ca, name, key)
    took = time.monotonic() - started
    check_equal(device.connack, 0, "CONNACK")
    check(took < WAITS[-1] - 0.5, f"{name} waits for {took:.2f} s")
    device.close()
    return took


if __name__ == "__main__":
    main(doubles, early, slots, ends, credentials, beside, others)
