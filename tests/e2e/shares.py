# SPDX-License-Identifier: LGPL-2.1-or-later
"""What devices with good credentials may take of the hub: however fast they send, and whatever kind
of packet, the streams of others open, the hub's CPU stays, nobody is put out for it, and the log
keeps the records of others. The default limits but for the burst, which is soon over here."""
import contextlib
import select
import ssl
import struct
import threading
import time

import wire
from harness import LONG, check, check_equal, eventually, main
from hub_wire import check_accepted, with_hub

TELEMETRY = "devices/{}/messages/events/"
QUEUED = 10000
OPENINGS = 500 if LONG else 30
CPU_SECONDS = 5 if LONG else 1.5
HALF_A_CORE = 0.5


def packets(kind, name):
    """One packet of that kind."""
    some_id = struct.pack(">H", 7)
    return {
        "PINGREQ": wire.mqtt_packet(0xC0, b""),
        "PUBACK": wire.mqtt_packet(0x40, some_id),
        "SUBSCRIBE": wire.mqtt_packet(0x82, some_id + wire.mqtt_text(wire.POST_FILTER) + b"\0"),
        "UNSUBSCRIBE": wire.mqtt_packet(0xA2, some_id + wire.mqtt_text("a/b")),
        "PUBLISH": wire.mqtt_packet(0x30, wire.mqtt_text(TELEMETRY.format(name)) + b"{}"),
        "PUBLISH with an id": wire.mqtt_packet(
            0x32, wire.mqtt_text(TELEMETRY.format(name)) + some_id + b"{}"),
    }[kind]


class Flood:
    """Devices that send one kind of packet as fast as the hub reads it, and read what comes back."""

    def __init__(self, hub, kind, count):
        self.devices = [hub.device(f"flood-{number}", port=hub.mqtts_port) for number in range(count)]
        self.stop = threading.Event()
        self.ended_early = []
        # A thread each: no two may use one TLS session at once.
        self.threads = [threading.Thread(target=self._flood, daemon=True,
                                         args=(device, packets(kind, device.name) * 200))
                        for device in self.devices]
        for device, thread in zip(self.devices, self.threads):
            device.sock.setblocking(False)
            thread.start()

    def _flood(self, device, data):
        sent = 0
        while not self.stop.is_set():
            before = sent
            try:
                with contextlib.suppress(ssl.SSLWantWriteError, ssl.SSLWantReadError):
                    sent += device.sock.send(data[sent:])
                with contextlib.suppress(ssl.SSLWantWriteError, ssl.SSLWantReadError):
                    if not device.sock.recv(65536):
                        raise ConnectionError("the end")
            except OSError as error:
                self.ended_early.append(f"{device.name}: {error}")
                return
            if sent == before:
                select.select([device.sock], [device.sock], [], 0.1)
            sent %= len(data)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        for device in self.devices:
            device.close()
        check(not self.ended_early, f"put out: {self.ended_early}")


def opening(hub, device):
    """Seconds from the request to its answer, when the device says yes at once."""
    since = time.monotonic()
    post = hub.post(device.name, response="60")
    device.answer(device.request(), 200)
    check_accepted(post.read())
    post.close()
    return time.monotonic() - since


def openings(hub, device):
    times = sorted(opening(hub, device) for _ in range(OPENINGS))
    return times[len(times) // 2], times[len(times) * 99 // 100]


def cpu_share(hub):
    """The hub's CPU of one core, over some seconds of the flood alone."""
    before, since = hub.hub.cpu_seconds(), time.monotonic()
    time.sleep(CPU_SECONDS)
    return (hub.hub.cpu_seconds() - before) / (time.monotonic() - since)


SETTINGS = "[hub]\npublishes-burst = 500\nstream-deadline = 5\n"


def flooded(kinds):
    """Openings of one device, without and with others that flood."""

    @with_hub(SETTINGS)
    def case(hub):
        honest = hub.device("honest")
        quiet = openings(hub, honest)
        print(f"# measured: nobody floods: openings p50 {quiet[0] * 1000:.1f} p99 {quiet[1] * 1000:.1f} ms")
        for kind, counts in kinds.items():
            for count in counts:
                flood = Flood(hub, kind, count)
                time.sleep(0.5)
                cpu = cpu_share(hub)
                p50, p99 = openings(hub, honest)
                flood.end()
                print(f"# measured: {count} x {kind}: hub CPU {cpu * 100:.0f} % of a core, openings "
                      f"p50 {p50 * 1000:.1f} p99 {p99 * 1000:.1f} ms")
                check(cpu <= HALF_A_CORE, f"{count} x {kind}: {cpu * 100:.0f} % of a core")
                check(p99 <= 1, f"{count} x {kind}: an opening took {p99:.2f} s")
        told = hub.hub.log().count("more than its share")
        check(told >= 1, "the log does not say whom it slows")

    return case


ALL = (1, 4, 16)
SOME = ALL if LONG else (16,)


def pings():
    """1, 4 and 16 devices flood with PINGREQ: others' streams open, half a core at most"""
    flooded({"PINGREQ": ALL, "PUBACK": SOME})()


def subscriptions():
    """the same with SUBSCRIBE and UNSUBSCRIBE"""
    flooded({"SUBSCRIBE": ALL, "UNSUBSCRIBE": SOME})()


def publishes():
    """the same with PUBLISH of both qualities of service"""
    flooded({"PUBLISH": ALL, "PUBLISH with an id": SOME})()


def send_then_answer(device):
    """What is queued first goes first: the answer stands behind it."""
    device.sock.sendall(packets("PUBLISH with an id", device.name) * QUEUED)
    eventually(lambda: device.requests, "the request")
    device.answer(device.requests[0], 200)


def collect(device, wanted, acks):
    """Reads until a request came, or so many PUBACKs; the longest silence in between."""
    longest, since = 0, time.monotonic()
    while acks[0] < wanted:
        first, body = device.read()
        now = time.monotonic()
        longest, since = max(longest, now - since), now
        if first >> 4 == 3:
            device.keep(first, body)
            break
        check_equal(first, 0x40, "a packet that is not asked for")
        acks[0] += 1
    return longest


@with_hub()
def telemetry(hub):
    """10,000 publishes are queued at a device: its stream opens in a second, each is acknowledged"""
    devices = 100 if LONG else 8
    times = []
    for number in range(devices):
        device = hub.device(f"busy-{number}", port=hub.mqtts_port)
        sender = threading.Thread(target=send_then_answer, args=(device,), daemon=True)
        acks = [0]
        sender.start()
        since = time.monotonic()
        post = hub.post(device.name, response="60")
        while acks[0] < QUEUED:
            collect(device, QUEUED, acks)
        sender.join()
        check_accepted(post.read())
        times.append(time.monotonic() - since)
        check_equal(acks[0], QUEUED, "acknowledged")
        device.close()
    times.sort()
    print(f"# measured: an opening behind {QUEUED} publishes of its own device: "
          f"p50 {times[len(times) // 2]:.2f} s, the longest {times[-1]:.2f} s")
    check(times[-1] <= 1, f"an opening took {times[-1]:.2f} s")


@with_hub()
def bursts(hub):
    """4,000 publishes at once, then 1,000 a second with pauses: none lost, none put out"""
    device = hub.device("busy", port=hub.mqtts_port)
    one = packets("PUBLISH with an id", "busy")
    acks, since = [0], time.monotonic()
    threading.Thread(target=send_all, args=(device.sock, one * 6000), daemon=True).start()
    collect(device, 4000, acks)
    first = time.monotonic() - since
    longest = collect(device, 6000, acks)
    took = time.monotonic() - since
    print(f"# measured: 4000 publishes in {first:.2f} s, 6000 in {took:.2f} s, the longest pause "
          f"{longest * 1000:.0f} ms")
    check(took >= 1.5, f"6000 publishes were read in {took:.2f} s")
    check(longest <= 1, f"a pause of {longest:.2f} s")
    eventually(device.ping, "it is there")


def send_all(sock, data):
    with contextlib.suppress(OSError):
        sock.sendall(data)


@with_hub(SETTINGS)
def queued_elsewhere(hub):
    """10,000 publishes are queued at each of four devices: the stream of another opens in a second"""
    honest = hub.device("honest")
    busy = [hub.device(f"busy-{number}", port=hub.mqtts_port) for number in range(4)]
    for device in busy:
        blob = packets("PUBLISH", device.name) * QUEUED
        threading.Thread(target=send_all, args=(device.sock, blob), daemon=True).start()
    p50, p99 = openings(hub, honest)
    print(f"# measured: beside 4 x {QUEUED} queued publishes: p50 {p50 * 1000:.1f} p99 {p99 * 1000:.1f} ms")
    check(p99 <= 1, f"an opening took {p99:.2f} s")


@with_hub()
def records(hub):
    """one device floods the log: every record of the others is there, and what was left out is told"""
    stop, count = threading.Event(), [0]
    loud = hub.device("loud", subscribe=False)
    loud.close()

    def flood():
        while not stop.is_set():
            with contextlib.suppress(OSError, wire.Closed, AssertionError):
                hub.device("loud", port=hub.mqtts_port, subscribe=False).close()
                count[0] += 1

    threads = [threading.Thread(target=flood, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(20):
        quiet = hub.device(f"quiet-{number}", port=hub.mqtts_port)
        legs = hub.opened(quiet)
        for leg in legs:
            leg.drop()
        quiet.close()
    stop.set()
    for thread in threads:
        thread.join()

    def all_there():
        log = hub.hub.log()
        return all(f"Device quiet-{number} is connected from" in log and
                   f"Device quiet-{number} is not connected any more" in log and
                   f"of quiet-{number} for service is open" in log for number in range(20))

    eventually(all_there, "every record of the others", 10)
    log = hub.hub.log()
    print(f"# measured: {count[0]} connections of one device, "
          f"{log.count('Device loud')} records of it, {log.count('left out')} lines of what was left out")


main(pings, subscriptions, publishes, telemetry, bursts, queued_elsewhere, records)
