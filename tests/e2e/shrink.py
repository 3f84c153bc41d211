# SPDX-License-Identifier: LGPL-2.1-or-later
"""What hub and streamd keep of memory after a crowd has gone: it comes back down. STREAMD_LONG=1:
8,000 devices and 4,000 streams at the hub."""
import os
import socket
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import wire
from ends import Server, echo, read_exactly
from harness import LONG, SANITIZED, Failure, Site, check, eventually, main
from herd import Admin
from hub_wire import CAPABLE, Wire, check_accepted

DEVICES, STREAMS = (8000, 4000) if LONG else (1000, 300)
TUNNELLED = 250  # streams of one streamd: a device has 256
PER_DEVICE = 20
PER_ADDRESS = 50
WORKERS = 8
LEAST = 3 << 9   # KiB that may stay, whatever the crowd took,
SHARE = 0.25     # or so much of it,
SOON = 45        # s
HISTORY = 330    # s, for which streamd remembers 256 streams that have ended (daemon/stream/stream.h);
REMEMBERED = 0.7  # with them so much stays: each page that has one of them; 0.60 to 0.65 was seen


class Crowd:
    """Devices, each from an address that has few of them, and streams; all by hand."""

    def __init__(self, hub):
        self.hub = hub
        self.legs = []
        with ThreadPoolExecutor(WORKERS) as pool:
            keys = self._register()
            self.devices = list(pool.map(self._device, range(DEVICES), keys))
            for legs in pool.map(self._open_some, self.devices[:STREAMS // PER_DEVICE]):
                self.legs += legs

    def _register(self):
        admin = Admin(os.path.join(self.hub.hub.state_dir, "admin.sock"))
        keys = []
        for number in range(DEVICES):
            name = f"dev-{number:05}"
            admin.ask("POST", "/v1/devices", {"deviceId": name})
            text = admin.ask("GET", f"/v1/devices/{urllib.parse.quote(name)}/connection-string")
            keys.append(wire.parse_connection_string(text)["SharedAccessKey"])
        admin.close()
        return keys

    def _device(self, number, key):
        source = f"127.1.{number // PER_ADDRESS // 250}.{number // PER_ADDRESS % 250 + 1}"
        device = wire.Device(self.hub.mqtts_port, self.hub.ca, f"dev-{number:05}", key,
                             client_type=CAPABLE, source=source)
        check(device.connack == 0 and device.subscribe() == [0, 0], f"{device.name} is not let in")
        return device

    def _open_some(self, device):
        legs = []
        for _ in range(PER_DEVICE):
            post = wire.Http(self.hub.port, self.hub.ca)
            post.send("POST", f"/twins/{device.name}/streams/x?api-version=1",
                      [("Authorization", self.hub.service_token())])
            request = device.request()
            device.answer(request, 200)
            answer = post.read()
            check_accepted(answer)
            post.close()
            path = "/" + answer.get("iothub-streaming-url").split("/", 3)[3]
            pair = (wire.WebSocket(self.hub.port, self.hub.ca, request.path, request.token),
                    wire.WebSocket(self.hub.port, self.hub.ca, path,
                                   answer.get("iothub-streaming-auth-token")))
            pair[0].send(b"x" * 1000)
            check(pair[1].receive(1000) == b"x" * 1000, "the stream")
            legs += pair
        return legs

    def leave(self):
        for leg in self.legs:
            leg.drop()
        for device in self.devices:
            device.close()


def comes_down(process, before, peak, what, share=SHARE, soon=SOON):
    """Waits until the process has given back what it took."""
    since = time.monotonic()
    bound = before + max(LEAST, share * (peak - before))
    if not SANITIZED:
        try:
            eventually(lambda: process.status_kib("VmRSS") <= bound, "it comes down", soon)
        except Failure:
            now = process.status_kib("VmRSS")
            raise Failure(f"{what}: {before} KiB before, {peak} with them, {now} after") from None
    print(f"# measured: {what}: {before / 1024:.1f} MB before, {peak / 1024:.1f} MB with them, "
          f"{process.status_kib('VmRSS') / 1024:.1f} MB {time.monotonic() - since:.1f} s after they left")


def hub_shrinks():
    """devices and streams have gone: the hub's memory comes back down"""
    with Site(gateway=False, client=False) as site:
        hub = Wire(site)
        warm = hub.device("warm")
        for leg in hub.opened(warm):
            leg.drop()
        before = hub.hub.status_kib("VmRSS")
        crowd = Crowd(hub)
        peak = hub.hub.status_kib("VmRSS")
        print(f"# {DEVICES} devices, {STREAMS} streams: {peak / 1024:.1f} MB, {hub.hub.fds()} descriptors")
        crowd.leave()
        comes_down(hub.hub, before, peak, f"the hub, {DEVICES} devices and {STREAMS} streams")
        eventually(lambda: hub.streams() == 0, "no stream is left")


def daemons_shrink():
    """many streams have ended: both streamd's memory comes back down"""
    with Site() as site:
        server = Server(echo, site)
        site.expose("echo", server.address)
        port = site.client.tunnel(site.DEVICE, "echo")
        before = {p: p.status_kib("VmRSS") for p in (site.gateway, site.client)}
        with ThreadPoolExecutor(WORKERS) as pool:
            ends = list(pool.map(lambda _: talk(port), range(TUNNELLED)))
        peak = {p: p.status_kib("VmRSS") for p in before}
        for end in ends:
            end.close()
        for process, at_first in before.items():
            what = f"{process.name}, {TUNNELLED} streams"
            comes_down(process, at_first, peak[process], what, REMEMBERED)
            if LONG:
                comes_down(process, at_first, peak[process], what + ", forgotten", soon=HISTORY)


def talk(port):

    near = socket.create_connection(("127.0.0.1", port), timeout=60)
    near.sendall(b"tick")
    check(read_exactly(near, 4) == b"tick", "the echo is wrong")
    return near


main(hub_shrinks, daemons_shrink)
