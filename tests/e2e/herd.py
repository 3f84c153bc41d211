# SPDX-License-Identifier: LGPL-2.1-or-later
"""Everybody comes back at once: simulated devices after a hub that died, while streams are opened
(requirement R31, fault F10). 2,000 of them and 10 streams a second with STREAMD_LONG.

A device is MQTT by hand over TLS and keeps to the rule for coming back: the first attempt within a
second, then a random part of a bound that doubles up to 60 s. Eight share an address, as behind NAT,
so that the hub's limits for one source are what they are by default."""
import asyncio
import contextlib
import http.client
import json
import os
import queue
import random
import signal
import socket
import ssl
import statistics
import threading
import time
import urllib.parse

import wire
from harness import LONG, PATIENCE, Failure, Site, check, check_equal, eventually, main

DEVICES = 2000 if LONG else 150
PER_ADDRESS = 8
STREAMS_PER_SECOND = 10
ALL_BACK = 60.0  # s after the hub's death
SEED = 31


class Admin(http.client.HTTPConnection):
    """The hub's admin socket."""

    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None):
        self.request(method, path, json.dumps(body) if body else None,
                     {"Content-Type": "application/json"} if body else {})
        answer = self.getresponse()
        text = answer.read()
        check(answer.status < 300, f"{method} {path}: {answer.status} {text!r}")
        return text.decode()


class Device:
    """One device, on the loop of the herd."""

    def __init__(self, herd, number, key):
        self.herd, self.number, self.key = herd, number, key
        self.name = f"dev-{number:05}"
        self.source = f"127.1.{number // PER_ADDRESS // 250}.{number // PER_ADDRESS % 250 + 1}"
        self.dice = random.Random(SEED * 100003 + number)
        self.online = False
        self.writer = None

    async def live(self):
        bound = 1.0
        while True:
            try:
                await self._session()
                bound = 1.0
            except (OSError, ssl.SSLError, asyncio.IncompleteReadError, TimeoutError):
                pass
            if self.online:
                bound = 1.0
            self.online = False
            await asyncio.sleep(self.dice.uniform(0, bound))
            bound = min(bound * 2, 60.0)

    async def _session(self):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.herd.port, ssl=self.herd.tls, server_hostname="localhost",
            local_addr=(self.source, 0), limit=8192)
        self.writer = writer
        try:
            await self._talk(reader, writer)
        finally:
            writer.transport.abort()

    async def _talk(self, reader, writer):
        password = wire.sas(f"localhost/devices/{self.name}", self.key)
        user = f"localhost/{self.name}/?api-version=2020-05-31-preview&DeviceClientType=herd"
        writer.write(wire.mqtt_packet(
            0x10, wire.mqtt_text("MQTT") + bytes([4, 0xC2, 0, 240]) + wire.mqtt_text(self.name)
            + wire.mqtt_text(user) + wire.mqtt_text(password)))
        first, body = await read_packet(reader)
        if first != 0x20 or body[1] != 0:
            raise OSError(f"refused: {body!r}")
        filters = wire.mqtt_text(wire.POST_FILTER) + b"\0" + wire.mqtt_text(wire.RES_FILTER) + b"\0"
        writer.write(wire.mqtt_packet(0x82, b"\0\1" + filters))
        while True:
            first, body = await read_packet(reader)
            if first == 0x90:
                self.online = True
            elif first == 0x30:
                self._asked(writer, body)

    def _asked(self, writer, body):
        size = int.from_bytes(body[:2], "big")
        request = wire.Request(0x30, body[2:2 + size].decode(), body[2 + size:])
        self.herd.requests.put(request)
        topic = f"$iothub/streams/res/200/?$rid={request.rid}"
        writer.write(wire.mqtt_packet(0x30, wire.mqtt_text(topic)))


async def read_packet(reader):
    first = (await reader.readexactly(1))[0]
    size = shift = 0
    while True:
        digit = (await reader.readexactly(1))[0]
        size |= (digit & 0x7F) << shift
        shift += 7
        if digit < 0x80:
            return first, await reader.readexactly(size)


class Herd:
    """All devices, on a thread of their own."""

    def __init__(self, site, keys):
        self.port = site.hub.mqtts_port
        self.tls = ssl.create_default_context(cafile=site.hub.ca)
        self.requests = queue.Queue()
        self.devices = [Device(self, number, key) for number, key in enumerate(keys)]
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        asyncio.set_event_loop(self.loop)
        tasks = [self.loop.create_task(device.live()) for device in self.devices]
        self.loop.run_forever()
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    def online(self):
        return sum(device.online for device in self.devices)

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()


class Opener:
    """Opens streams to devices of the herd at a steady rate, with a byte each way; counts them."""

    def __init__(self, site, herd, key):
        self.site, self.herd, self.key = site, herd, key
        self.port, self.ca = site.hub.https_port, site.hub.ca
        self.opened, self.failed, self.wrong, self.times = 0, 0, [], []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(n,), daemon=True)
                        for n in range(STREAMS_PER_SECOND)]
        for thread in self.threads:
            thread.start()

    def _run(self, number):
        dice = random.Random(SEED + number)
        self.over.wait(number / STREAMS_PER_SECOND)
        while not self.over.is_set():
            since = time.monotonic()
            try:
                self._open(dice.choice(self.herd.devices))
                self.times.append(time.monotonic() - since)
                self.opened += 1
            except (OSError, wire.Closed, ValueError, queue.Empty):
                self.failed += 1
            except AssertionError as error:
                self.wrong.append(str(error))
            self.over.wait(max(0.0, 1.0 - (time.monotonic() - since)))

    def _open(self, device):
        with contextlib.ExitStack() as stack:
            post = wire.Http(self.port, self.ca)
            stack.callback(post.close)
            post.send("POST", f"/twins/{device.name}/streams/herd?api-version=1",
                      [("Authorization", wire.sas("localhost", self.key, policy="service"))])
            answer = post.read()
            if answer.status != 200:
                raise OSError(f"status {answer.status}")
            path = "/" + answer.get("iothub-streaming-url").split("/", 3)[3]
            token = answer.get("iothub-streaming-auth-token")
            ends = [self._leg(stack, path, token), self._leg(stack, *self._request_of(path))]
            for one, other in (ends, ends[::-1]):
                one.send(device.name.encode())
                got = other.receive(len(device.name))
                if got != device.name.encode():
                    raise AssertionError(f"{got!r} at the other end of {device.name}")

    def _request_of(self, path):
        """What the device was asked for this stream; the others' are put back."""
        stream = path.split("/sid/")[1].split("/")[0]
        until = time.monotonic() + 10
        while time.monotonic() < until:
            request = self.herd.requests.get(timeout=10)
            if stream in request.path:
                return request.path, request.token
            self.herd.requests.put(request)
            time.sleep(0.005)
        raise queue.Empty

    def _leg(self, stack, path, token):
        leg = wire.WebSocket(self.port, self.ca, path, token)
        stack.callback(leg.drop)
        if leg.status != 101:
            raise OSError(f"leg: {leg.status}")
        return leg

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(wire.WAIT + 10)


def register(site):
    """The devices' keys."""
    admin = Admin(os.path.join(site.hub.state_dir, "admin.sock"))
    keys = []
    for number in range(DEVICES):
        name = f"dev-{number:05}"
        admin.ask("POST", "/v1/devices", {"deviceId": name})
        text = admin.ask("GET", f"/v1/devices/{urllib.parse.quote(name)}/connection-string")
        keys.append(wire.parse_connection_string(text)["SharedAccessKey"])
    admin.close()
    return keys


def herd_returns():
    """a herd of devices is back within a minute of the hub's death, while streams are opened"""
    with Site(gateway=False, client=False) as site:
        ports = (str(site.hub.https_port), str(site.hub.mqtts_port))
        herd = Herd(site, register(site))
        site.closers.append(herd.close)
        service = site.hub.connection_string("user", "service")
        eventually(lambda: herd.online() == DEVICES, "all devices are online", PATIENCE * 3)
        opener = Opener(site, herd, wire.parse_connection_string(service)["SharedAccessKey"])
        eventually(lambda: opener.opened >= 2 * STREAMS_PER_SECOND, "streams are opened")
        site.hub.stop(signal.SIGKILL)
        since = time.monotonic()
        site.processes.remove(site.hub)
        eventually(lambda: herd.online() == 0, "all devices have lost the hub")
        before, curve = opener.opened, {}
        site.start_hub(ports=ports)
        while herd.online() < DEVICES and time.monotonic() - since < 2 * ALL_BACK:
            for share in (50, 90, 99):
                if herd.online() >= DEVICES * share // 100:
                    curve.setdefault(share, time.monotonic() - since)
            time.sleep(0.05)
        took = time.monotonic() - since
        while_back = opener.opened - before
        eventually(lambda: opener.opened > before + while_back + STREAMS_PER_SECOND, "streams go on")
        opener.stop()
        print(f"# {DEVICES} devices back in {took:.1f} s; "
              + ", ".join(f"{share} % in {at:.1f} s" for share, at in curve.items()))
        print(f"# streams: {opener.opened} opened, {opener.failed} not (most while the hub was away), "
              f"{while_back} opened before all were back; median {statistics.median(opener.times):.3f} s")
        print(f"# the hub: RSS {site.hub.status_kib('VmRSS')} KiB, {site.hub.cpu_seconds():.1f} CPU s")
        check_equal(opener.wrong, [], "streams that were wrong")
        check_equal(herd.online(), DEVICES, "devices online")
        if took > ALL_BACK:
            raise Failure(f"it took {took:.1f} s")


if __name__ == "__main__":
    main(herd_returns)
