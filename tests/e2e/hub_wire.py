# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the cases of the hub alone stand on: one hub, and devices and services by hand (wire.py)."""
import contextlib
import json
import os
import threading

import wire
from harness import Site, check, check_equal

PLAIN_END = (1011, "WS disconnected")
CAPABLE = "streamd/1.0 (caps=half-close,reason,deadline,initiator)"  # as 0.1.0 says it
WITH_SID = "streamd/1.0 (caps=half-close,reason,deadline,initiator,sid)"

# So that what takes long by default is waited for quickly.
QUICK = """[hub]
stream-deadline = 2
keep-alive-timeout = 2
request-timeout = 2
handshake-timeout = 2
"""


class Wire:
    """A hub, and devices and services for it."""

    def __init__(self, site):
        self.site = site
        self.hub = site.hub
        self.port = site.hub.https_port
        self.mqtts_port = site.hub.mqtts_port
        self.ca = site.hub.ca
        self.devices = {}
        self.service_key = self.key("user", "service")
        self.open = contextlib.ExitStack()
        site.closers.append(self.open.close)

    def key(self, kind, name):
        text = self.hub.connection_string(kind, name)
        return wire.parse_connection_string(text)["SharedAccessKey"]

    def add(self, device):
        if device not in self.devices:
            self.hub.admin("device", "add", device)
            self.devices[device] = self.key("device", device)
        return self.devices[device]

    def device(self, name="dev1", port=None, subscribe=True, **kwargs):
        device = wire.Device(port or self.port, self.ca, name, self.add(name), **kwargs)
        self.open.callback(device.close)
        if subscribe and device.connack == 0:
            check_equal(device.subscribe(), [0, 0], "granted")
        return device

    def streams(self):
        """How many it has that have not ended."""
        return json.loads(self.hub.admin("status", "--json"))["streams"]

    def service_token(self, **kwargs):
        kwargs.setdefault("policy", "service")
        return wire.sas(kwargs.pop("resource", "localhost"), kwargs.pop("key", self.service_key),
                        **kwargs)

    def post(self, device="dev1", stream="ssh", token=None, connect=None, response=None, caps=None,
             path=None, version="2020-05-31-preview", body=b"", more=()):
        """Sends the POST, with MORE fields; a Post to read the answer from."""
        fields = [("Authorization", token or self.service_token())] if token != "" else []
        if connect is not None:
            fields.append(("iothub-streaming-connect-timeout-in-seconds", str(connect)))
        if response is not None:
            fields.append(("iothub-streaming-response-timeout-in-seconds", str(response)))
        if caps is not None:
            fields.append(("streamd-caps", caps))
        fields.extend(more)
        post = wire.Http(self.port, self.ca)
        self.open.callback(post.close)
        post.send("POST", path or f"/twins/{device}/streams/{stream}?api-version={version}", fields, body)
        return post

    def leg(self, path, token, protocol=None, **kwargs):
        leg = wire.WebSocket(self.port, self.ca, path, token, protocol, **kwargs)
        self.open.callback(leg.drop)
        return leg

    def device_leg(self, request, **kwargs):
        leg = self.leg(request.path, request.token, **kwargs)
        check_equal(leg.status, 101, "the device's leg")
        return leg

    def service_leg(self, answer, **kwargs):
        url = answer.get("iothub-streaming-url")
        path = "/" + url.split("/", 3)[3]
        leg = self.leg(path, answer.get("iothub-streaming-auth-token"), **kwargs)
        check_equal(leg.status, 101, "the service's leg")
        return leg

    def accepted(self, device, **kwargs):
        """Up to the state `accepted`: (request, answer)."""
        post = self.post(device.name, **kwargs)
        request = device.request()
        device.answer(request, 200)
        answer = post.read()
        check_accepted(answer)
        return request, answer

    def opened(self, device, **kwargs):
        """Up to the state `open`: (device's leg, service's leg)."""
        request, answer = self.accepted(device, **kwargs)
        return self.device_leg(request), self.service_leg(answer)

    def restart(self, config=""):
        """The hub again on the same registry, with other settings."""
        self.open.close()
        if self.hub in self.site.processes and self.hub.alive():
            check_equal(self.hub.stop(), 0, "the hub's exit status")
        path = os.path.join(self.site.dir, "hub.conf")
        if "device-return-time" not in config:
            config = (config or "[hub]\n") + "device-return-time = 0\n"
        with open(path, "w", encoding="ascii") as file:
            file.write(config)
        self.hub = self.site.start_hub(["--config", path, "--grace", "2"])
        self.port, self.mqtts_port = self.hub.https_port, self.hub.mqtts_port


def with_hub(config=None):
    """A case with a hub of its own."""

    def decorate(case):
        def run():
            with Site(hub_arguments=["--grace", "1"], gateway=False, client=False) as site:
                hub = Wire(site)
                if config is not None:
                    hub.restart(config)
                case(hub)

        run.__doc__, run.__name__ = case.__doc__, case.__name__
        return run

    return decorate


def check_accepted(answer):
    check_equal(answer.status, 200, f"status ({answer.body!r})")
    check_equal(answer.get("iothub-streaming-is-accepted"), "True", "accepted")
    check_equal(answer.body, b"", "body")


def check_error(answer, code, name):
    check_equal((answer.status, answer.get("iothub-errorcode")), (code // 1000, name), "error")
    outer = json.loads(answer.body)
    check_equal(outer["ExceptionMessage"], "", "ExceptionMessage")
    inner = json.loads(outer["Message"])
    check_equal(inner["errorCode"], code, "errorCode")
    check_equal(sorted(inner), ["errorCode", "message", "timestampUtc", "trackingId"], "fields")


def check_echo(one, other, size=200000):
    """Bytes both ways. They are read as they are sent: under load sockets hold less than that."""
    for sender, receiver in ((one, other), (other, one)):
        data = os.urandom(size)
        sending = threading.Thread(target=sender.send, args=(data,), daemon=True)
        sending.start()
        check(receiver.receive(size) == data, "other bytes came out")
        sending.join()


def hub_settled(hub):
    """What was sent before has been seen: the hub has answered something that came after it."""
    for _ in range(20):
        check(hub.post(token="no token").read().status in (401, 429), "it was let in")
