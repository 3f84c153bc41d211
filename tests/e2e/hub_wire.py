# SPDX-License-Identifier: LGPL-2.1-or-later
"""The hub on the wire: devices and services by hand, every cell of docs/wire-protocol.md, section 4a
that a client can reach, and the rules of sections 1 to 4 that real clients depend on."""
import contextlib
import json
import os
import signal
import ssl
import threading

import wire
from harness import Site, check, check_equal, eventually, main

PLAIN_END = (1011, "WS disconnected")
CAPABLE = "streamd/1.0 (caps=half-close,reason,deadline,initiator)"

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
        self.service_key = self.key("policy", "service")
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

    def service_token(self, **kwargs):
        kwargs.setdefault("policy", "service")
        return wire.sas(kwargs.pop("resource", "localhost"), kwargs.pop("key", self.service_key),
                        **kwargs)

    def post(self, device="dev1", stream="ssh", token=None, connect=None, response=None, caps=None,
             path=None, version="2020-05-31-preview"):
        """Sends the POST; a Post to read the answer from."""
        fields = [("Authorization", token or self.service_token())] if token != "" else []
        if connect is not None:
            fields.append(("iothub-streaming-connect-timeout-in-seconds", str(connect)))
        if response is not None:
            fields.append(("iothub-streaming-response-timeout-in-seconds", str(response)))
        if caps is not None:
            fields.append(("streamd-caps", caps))
        post = wire.Http(self.port, self.ca)
        self.open.callback(post.close)
        post.send("POST", path or f"/twins/{device}/streams/{stream}?api-version={version}", fields)
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
        with open(path, "w", encoding="ascii") as file:
            file.write(config)
        self.hub = self.site.start_hub(["--config", path, "--grace", "2"])
        self.port, self.mqtts_port = self.hub.https_port, self.hub.mqtts_port


def with_hub(config=None):
    """A case with a hub of its own."""

    def decorate(case):
        def run():
            with Site(gateway=False, client=False) as site:
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
    """Bytes both ways."""
    for sender, receiver in ((one, other), (other, one)):
        data = os.urandom(size)
        sender.send(data)
        check(receiver.receive(size) == data, "other bytes came out")


# -- the whole way -----------------------------------------------------------------------------


@with_hub()
def whole_stream(hub):
    """a stream opens, carries bytes both ways and ends, over every transport of the device"""
    for number, how in enumerate(({"port": hub.mqtts_port}, {"port": hub.port}, {"websocket": "MQTT"},
                                  {"websocket": "mqtt", "query": "?iothub-no-client-cert=true"},
                                  {"port": hub.mqtts_port, "alpn": ["mqtt"]})):
        device = hub.device(f"dev{number}", **how)
        check_equal(device.connack, 0, "CONNACK")
        if "websocket" in how:
            check_equal(device.carrier.response.get("Sec-WebSocket-Protocol"), how["websocket"],
                        "subprotocol")
        leg, peer = hub.opened(device)
        check_echo(leg, peer)
        peer.close(1000)
        check_equal(leg.closed(), PLAIN_END, "the device's end")
        leg, peer = hub.opened(device)
        leg.drop()
        check_equal(peer.closed(), PLAIN_END, "the service's end")


@with_hub()
def request_form(hub):
    """the request is one that the C client can read, and the answer one that Node can"""
    device = hub.device()
    post = hub.post(stream="a.b_c~d-e", version="x")
    request = device.request()
    check_equal(request.name, "a.b_c~d-e", "stream")
    check_equal(list(request.properties), ["$rid", "$url", "$auth"], "properties for a plain device")
    check_equal(len(request.token), 43, "token's length")
    sid = request.path.split("/")[7]
    check_equal(request.path, f"/bridges/ih/localhost/d/dev1/sid/{sid}/r/device", "path")
    check(len(sid) == 32 and all(c in "0123456789abcdef" for c in sid), "32 hexadecimal digits")
    device.answer(request, 200)
    answer = post.read()
    check_accepted(answer)
    check_equal(answer.get("iothub-streaming-url"),
                f"wss://localhost:{hub.port}/bridges/ih/localhost/d/dev1/sid/{sid}/r/service", "url")
    check(answer.get("iothub-streaming-auth-token") != request.token, "each side has its own token")
    for field in ("streamd-caps", "streamd-stream-id", "streamd-reject-reason"):
        check_equal(answer.get(field), None, field)
    check_equal([device.request().rid for post in [hub.post() for _ in range(3)] if post],
                ["2", "3", "4"], "rids count up")


@with_hub()
def extensions(hub):
    """extensions are told to those who have them, and to nobody else"""
    device = hub.device(client_type=CAPABLE)
    post = hub.post(caps="half-close, reason, nonsense")
    request = device.request()
    check_equal(request.properties["$streamd"], "half-close.reason", "capabilities")
    check(0 < int(request.properties["$deadline"]) <= 60000, "milliseconds left")
    check_equal(request.properties["$initiator"], "service", "initiator")
    check(request.properties["$from"].startswith("127.0.0.1:"), request.properties["$from"])
    device.answer(request, 200, "&$streamd=half-close.reason")
    answer = post.read()
    check_accepted(answer)
    check_equal(answer.get("streamd-caps"), "half-close,reason", "streamd-caps")
    check_equal(answer.get("streamd-stream-id"), request.path.split("/")[7], "streamd-stream-id")
    leg, peer = hub.device_leg(request), hub.service_leg(answer)
    leg.send(b"")  # no more data this way
    check_equal(peer.message(), b"", "the end of data is passed on")
    peer.send(b"more")
    check_equal(leg.message(), b"more", "the other way is open still")
    peer.close(1000, "service-closed")
    check_equal(leg.closed()[0], 1000, "an orderly end")

    post = hub.post(caps="half-close, reason")  # only the service is capable
    plain = hub.device("plain")
    post = hub.post("plain", caps="half-close, reason")
    request = plain.request()
    check("$streamd" not in request.properties, "a plain device hears nothing")
    plain.answer(request, 200)
    answer = post.read()
    check_equal(answer.get("streamd-caps"), "reason", "streamd-caps")
    leg, peer = hub.device_leg(request), hub.service_leg(answer)
    peer.send(b"x")
    peer.send(b"")
    check_equal(leg.message(), b"x", "data")
    check(leg.reader.is_quiet(), "no empty message toward a plain peer")
    peer.drop()
    check_equal(leg.closed(), PLAIN_END, "plain end")


@with_hub()
def rejected_with_reason(hub):
    """a rejection and its reason reach a service that asked for them"""
    device = hub.device(client_type=CAPABLE)
    post = hub.post(caps="reason")
    request = device.request()
    check_equal(request.properties["$streamd"], "reason", "never empty")
    device.answer(request, 400, "&$streamd=reason&$reason=target-refused%20port%2022")
    answer = post.read()
    check_equal((answer.status, answer.get("iothub-streaming-is-accepted")), (200, "False"), "answer")
    check_equal(answer.get("streamd-reject-reason"), "target-refused port 22", "reason")
    post = hub.post()
    device.answer(device.request(), 400, "&$reason=policy")
    answer = post.read()
    check_equal(answer.get("iothub-streaming-is-accepted"), "False", "answer")
    check_equal(answer.get("streamd-reject-reason"), None, "a plain service hears nothing")


# -- the table: waiting ------------------------------------------------------------------------


@with_hub()
def waiting(hub):
    """waiting: offline at once, after the connect time-out, or asked when the device subscribes"""
    hub.add("dev1")
    check_error(hub.post().read(), 404103, "DeviceNotOnline")
    check_error(hub.post(connect="0.3").read(), 404103, "DeviceNotOnline")
    device = hub.device(subscribe=False)
    check_error(hub.post().read(), 404103, "DeviceNotOnline")
    post = hub.post(connect=50)
    check(device.has_no_request(), "not asked before it subscribes")
    check_equal(device.subscribe(wire.POST_FILTER, qos=1), [1], "granted")
    device.answer(device.request(), 200)
    check_accepted(post.read())


@with_hub()
def waiting_client_gone(hub):
    """waiting: a service that goes away is forgotten"""
    hub.add("dev1")
    post = hub.post(connect=50)
    other = hub.post(connect=50)
    post.close()
    device = hub.device(subscribe=False)
    hub_settled(hub)
    device.subscribe()
    request = device.request()
    check_equal(request.rid, "2", "only the second is left")
    check(device.has_no_request(), "only one")
    device.answer(request, 400)
    check_equal(other.read().get("iothub-streaming-is-accepted"), "False", "answer")


def hub_settled(hub):
    """What was sent before has been seen: the hub has answered something that came after it."""
    for _ in range(3):
        check_equal(hub.post(token="no token").read().status, 401, "status")


@with_hub(QUICK)
def waiting_deadline(hub):
    """waiting: 60 s since the POST end it, whatever it asked for (here 2 s)"""
    hub.add("dev1")
    check_error(hub.post(connect=50).read(), 404103, "DeviceNotOnline")


# -- asked -------------------------------------------------------------------------------------


@with_hub()
def asked_again(hub):
    """asked: on a new connection the request comes again, same rid and token, until its leg has come"""
    device = hub.device()
    post = hub.post()
    first = device.request()
    device.close()
    again = hub.device(subscribe=False)
    check(again.session_present, "session present")
    second = again.request()
    check_equal((second.rid, second.token), (first.rid, first.token), "rid and token")
    newer = hub.device(subscribe=False)
    check(again.is_closed(), "the newer connection wins")
    check_equal(newer.request().token, first.token, "token")
    hub.device_leg(second)
    newer.subscribe()
    check(newer.has_no_request(), "not again after its leg")
    newer.answer(second, 200, qos=1)
    check_accepted(post.read())


@with_hub()
def asked_rejected(hub):
    """asked: answer 400 rejects, and a leg that came is closed with 1000"""
    device = hub.device()
    post = hub.post()
    request = device.request()
    leg = hub.device_leg(request)
    device.answer(request, 400)
    answer = post.read()
    check_equal((answer.status, answer.get("iothub-streaming-is-accepted"), answer.body),
                (200, "False", b""), "answer")
    check_equal(leg.closed()[0], 1000, "close code")


@with_hub()
def asked_leg_first(hub):
    """asked: the device's leg may come first, is not read, and is no acceptance"""
    device = hub.device()
    post = hub.post()
    request = device.request()
    leg = hub.device_leg(request, protocol="MQTT")
    check_equal(leg.response.get("Sec-WebSocket-Protocol"), "MQTT", "subprotocol")
    leg.send(b"early")
    check(post.reader.is_quiet(), "a leg alone is not acceptance")
    device.answer(request, 200)
    answer = post.read()
    check_accepted(answer)
    peer = hub.service_leg(answer)
    check_equal(peer.message(), b"early", "what the device sent early")
    check_echo(leg, peer)


@with_hub()
def asked_leg_lost(hub):
    """asked: an answer 200 after the device's leg was lost is 404104"""
    device = hub.device()
    post = hub.post()
    request = device.request()
    hub.device_leg(request).drop()
    hub_settled(hub)
    device.answer(request, 200)
    check_error(post.read(), 404104, "DeviceConnectionClosedRemotely")


@with_hub()
def asked_client_gone(hub):
    """asked: the service goes away; a leg is closed, the token is void"""
    device = hub.device()
    post = hub.post()
    request = device.request()
    leg = hub.device_leg(request)
    post.close()
    check_equal(leg.closed(), PLAIN_END, "the device's leg")
    post = hub.post()
    request = device.request()
    post.close()
    hub_settled(hub)
    check_equal(hub.leg(request.path, request.token).status, 401, "a token that was revoked")
    device.answer(request, 200)
    check(device.ping(), "an answer too late does no harm")


@with_hub()
def asked_time_out(hub):
    """asked: no answer in time is 504101, and a late leg hears of it"""
    device = hub.device()
    post = hub.post(response="0.4")
    request = device.request()
    leg = hub.device_leg(request)
    check_error(post.read(), 504101, "GatewayTimeout")
    check_equal(leg.closed(), PLAIN_END, "the device's leg")
    post = hub.post(response="0.2")
    request = device.request()
    check_error(post.read(), 504101, "GatewayTimeout")
    check_equal(hub.device_leg(request).closed(), PLAIN_END, "a late leg")
    capable = hub.device("able", client_type=CAPABLE)
    post = hub.post("able", response="0.2")
    request = capable.request()
    check_error(post.read(), 504101, "GatewayTimeout")
    check_equal(hub.device_leg(request).closed(), (1011, "timed-out"), "a late leg")
    check_equal(hub.leg(request.path, request.token).status, 401, "a token works once")


@with_hub(QUICK)
def asked_deadline(hub):
    """asked: 60 s since the POST end it (here 2 s)"""
    device = hub.device()
    post = hub.post(response=50)
    leg = hub.device_leg(device.request())
    check_error(post.read(), 504101, "GatewayTimeout")
    check_equal(leg.closed(), PLAIN_END, "the device's leg")


# -- accepted ----------------------------------------------------------------------------------


@with_hub()
def accepted_early_data(hub):
    """accepted: what the service sends before the device's leg is there is held"""
    device = hub.device()
    request, answer = hub.accepted(device)
    peer = hub.service_leg(answer)
    peer.send(b"hello " * 1000)
    check(peer.reader.is_quiet(), "held")
    leg = hub.device_leg(request)
    check_equal(leg.receive(6000), b"hello " * 1000, "early data")
    check_echo(leg, peer)


@with_hub()
def accepted_early_data_only(hub):
    """accepted: a service that sends and leaves is delivered to the device when it comes"""
    device = hub.device()
    request, answer = hub.accepted(device)
    peer = hub.service_leg(answer)
    peer.send(b"bye")
    peer.close(1000)
    peer.drop()
    hub_settled(hub)
    leg = hub.device_leg(request)
    check_equal(leg.message(), b"bye", "early data")
    check_equal(leg.closed(), PLAIN_END, "then the end")


@with_hub()
def accepted_more_answers(hub):
    """accepted and open: further answers change nothing"""
    device = hub.device()
    request, answer = hub.accepted(device)
    device.answer(request, 200)
    device.answer(request, 400)
    device.subscribe()
    check(device.has_no_request(), "no further request")
    leg, peer = hub.device_leg(request), hub.service_leg(answer)
    device.answer(request, 400)
    device.answer(request, 200)
    check(device.ping(), "PINGRESP")
    check_echo(leg, peer)


@with_hub()
def accepted_device_lost(hub):
    """accepted: the device's leg is lost; the service's is closed, now or when it comes"""
    device = hub.device()
    request, answer = hub.accepted(device)
    hub.device_leg(request).drop()
    hub_settled(hub)
    check_equal(hub.service_leg(answer).closed(), PLAIN_END, "a service's leg that comes late")
    check_equal(hub.leg(request.path, request.token).status, 401, "a token works once")


@with_hub()
def accepted_link_lost(hub):
    """accepted and open: a lost control link ends no stream, nor does a service that hangs up"""
    device = hub.device()
    request, answer = hub.accepted(device)
    device.close()
    leg = hub.device_leg(request)
    hub.device()
    peer = hub.service_leg(answer)
    check_echo(leg, peer)
    hub.device()
    check_echo(leg, peer)


@with_hub(QUICK)
def accepted_deadline(hub):
    """accepted: 60 s since the POST end it (here 2 s), whichever leg is missing"""
    device = hub.device()
    request, answer = hub.accepted(device)
    check_equal(hub.device_leg(request).closed(), PLAIN_END, "the device's leg")
    path = "/" + answer.get("iothub-streaming-url").split("/", 3)[3]
    check_equal(hub.leg(path, answer.get("iothub-streaming-auth-token")).status, 401,
                "a token after its time")
    request, answer = hub.accepted(device)
    check_equal(hub.service_leg(answer).closed(), PLAIN_END, "the service's leg")
    leg, peer = hub.opened(device)
    check(leg.reader.is_quiet(2.5), "an open stream has no deadline")
    check_echo(leg, peer)


# -- open --------------------------------------------------------------------------------------


@with_hub()
def open_tokens_spent(hub):
    """open: neither token works again, nor for another path"""
    device = hub.device()
    request, answer = hub.accepted(device)
    token = answer.get("iothub-streaming-auth-token")
    path = "/" + answer.get("iothub-streaming-url").split("/", 3)[3]
    other, _ = hub.accepted(device)
    for bad_path, bad_token in ((path, request.token), (request.path, token),
                                (other.path, request.token), (path, "A" * 43), (path, ""),
                                (path, token + "A"), (path.replace("/d/dev1/", "/d/dev2/"), token)):
        check_equal(hub.leg(bad_path, bad_token).status, 401, f"{bad_path} {bad_token}")
    leg, peer = hub.device_leg(request), hub.service_leg(answer)
    check_echo(leg, peer)
    check_equal(hub.leg(path, token).status, 401, "a spent token")
    check_equal(hub.leg(request.path, request.token).status, 401, "a spent token")
    check_echo(leg, peer)


@with_hub()
def open_drained(hub):
    """open: what a peer sent before it left is delivered before the end"""
    device = hub.device()
    leg, peer = hub.opened(device)
    data = os.urandom(3000000)
    sender = threading.Thread(target=lambda: (peer.send(data), peer.close(1000)))
    sender.start()
    check(leg.receive(len(data)) == data, "other bytes came out")
    check_equal(leg.closed(), PLAIN_END, "then the end")
    sender.join()


@with_hub()
def open_many(hub):
    """open: many streams at once keep their bytes apart"""
    device = hub.device()
    pairs = [hub.opened(device) for _ in range(30)]
    for number, (leg, peer) in enumerate(pairs):
        leg.send(b"%d" % number)
        peer.send(b"%d" % -number)
    for number, (leg, peer) in enumerate(pairs):
        check_equal((leg.message(), peer.message()), (b"%d" % -number, b"%d" % number), "bytes")


# -- revoked, stopped --------------------------------------------------------------------------


@with_hub()
def revoked(hub):
    """disabled or removed devices and policies: every state ends at once"""
    for number, (verb, code, name) in enumerate((("disable", 401002, "IotHubUnauthorizedAccess"),
                                                 ("remove", 404001, "DeviceNotFound"))):
        away, here = f"away{number}", f"here{number}"
        hub.add(away)
        device = hub.device(here)
        leg, peer = hub.opened(device)
        request, _ = hub.accepted(device)
        half = hub.device_leg(request)
        asked = hub.post(here)
        early = hub.device_leg(device.request())
        waits = hub.post(away, connect=50)
        hub_settled(hub)
        hub.hub.admin("device", verb, away)
        check_error(waits.read(), code, name)
        hub.hub.admin("device", verb, here)
        check_error(asked.read(), code, name)
        for one in (leg, peer, half, early):
            check_equal(one.closed()[0], 1008, "close code")
        check(device.is_closed(), "the control link ends")
        check_equal(hub.device(here).connack, 5, "CONNACK")
        check_error(hub.post(here).read(), code, name)
    device = hub.device("dev1")
    hub.hub.admin("policy", "add", "second", "--rights", "service-connect")
    token = hub.service_token(key=hub.key("policy", "second"), policy="second")
    post = hub.post(token=token)
    request = device.request()
    hub.hub.admin("policy", "remove", "second")
    check_error(post.read(), 401002, "IotHubUnauthorizedAccess")
    check_error(hub.post(token=token).read(), 401003, "IotHubUnauthorized")


@with_hub(QUICK.replace("stream-deadline = 2", "stream-deadline = 60"))
def hub_stops(hub):
    """the hub stops: 503 for those that wait, then 1001 after the grace"""
    hub.add("away")
    device = hub.device()
    leg, peer = hub.opened(device)
    request, _ = hub.accepted(device)
    half = hub.device_leg(request)
    asked, waits = hub.post(), hub.post("away", connect=50)
    early = hub.device_leg(device.request())
    idle = wire.Http(hub.port, hub.ca)
    hub_settled(hub)
    hub.hub.popen.send_signal(signal.SIGTERM)
    for post in (asked, waits):
        answer = post.read()
        check_error(answer, 503001, "ServiceUnavailable")
        check(int(answer.get("Retry-After")) > 0, "Retry-After")
    check_equal(early.closed()[0], 1001, "close code")
    check_echo(leg, peer)
    with contextlib.suppress(wire.Closed):
        check_equal(idle.reader.take(1), b"", "an idle connection")
    for one in (half, leg, peer):
        check_equal(one.closed()[0], 1001, "close code after the grace")
    check_equal(hub.hub.popen.wait(30), 0, "exit status")


# -- REST --------------------------------------------------------------------------------------


@with_hub()
def rest_errors(hub):
    """a bad request is told in the wire's form, and who has no right learns nothing"""
    hub.device()
    check_error(hub.post("nobody").read(), 404001, "DeviceNotFound")
    check_error(hub.post(path="/twins/dev1/modules/m/streams/s").read(), 404010, "ModuleNotFound")
    check_error(hub.post(path="/twins/nobody/modules/m/streams/s").read(), 404001, "DeviceNotFound")
    check_error(hub.post(stream="a%2Fb").read(), 400004, "ArgumentInvalid")
    check_error(hub.post(stream="a%20b").read(), 400004, "ArgumentInvalid")
    check_error(hub.post(response="soon").read(), 400004, "ArgumentInvalid")
    check_error(hub.post(connect="-1").read(), 400004, "ArgumentInvalid")
    wrong = wire.base64.b64encode(bytes(32)).decode()
    tokens = {
        "none": "", "nonsense": "Bearer abc", "wrong key": hub.service_token(key=wrong),
        "expired": hub.service_token(seconds=-400), "too long": hub.service_token(seconds=4000000),
        "no such policy": hub.service_token(policy="nobody"),
        "no right": wire.sas("localhost", hub.key("policy", "device"), policy="device"),
        "no policy": wire.sas("localhost", hub.service_key),
        "another hub": hub.service_token(resource="example.com"),
        "another device": hub.service_token(resource="localhost/twins/dev10"),
        "a device": wire.sas("localhost/devices/dev1", hub.devices["dev1"]),
    }
    bodies = set()
    for what, token in tokens.items():
        for device in ("dev1", "nobody"):
            answer = hub.post(device, token=token).read()
            check_error(answer, 401003, "IotHubUnauthorized")
            bodies.add(json.loads(json.loads(answer.body)["Message"])["message"])
            check_equal(answer.get("Connection"), "close", what)
    check_equal(len(bodies), 1, "one text for all")


@with_hub()
def rest_connection(hub):
    """one connection takes request after request, and a fault ends it"""
    device = hub.device()
    post = hub.post()
    for _ in range(5):
        device.answer(device.request(), 400)
        check_equal(post.read().get("iothub-streaming-is-accepted"), "False", "answer")
        post.send("POST", "/twins/dev1/streams/x", [("Authorization", hub.service_token())], b"{}")
    device.answer(device.request(), 400)
    post.read()
    fields = [("Authorization", hub.service_token())]
    for status, method, target, more in (
            (404, "GET", "/", []), (404, "GET", "/twins/dev1/streams/x", fields),
            (404, "DELETE", "/devices/dev1", fields), (404, "GET", "/$iothub/websocket/", []),
            (404, "POST", "/twins/dev1/streams/x/y", fields), (404, "POST", "//twins/dev1/streams/x", fields),
            (403, "POST", "/twins/dev1/streams/x", fields + [("Origin", "https://example.com")]),
            (400, "POST", "/twins/dev1/streams/x", fields + [("Content-Length", "5")]),
            (501, "POST", "/twins/dev1/streams/x", fields + [("Transfer-Encoding", "chunked")]),
            (400, "GET", "/$iothub/websocket", [("Upgrade", "websocket")])):
        http = wire.Http(hub.port, hub.ca)
        answer = http.ask(method, target, more)
        check(answer.status == status or (status == 501 and answer.status == 400),
              f"{answer.status} instead of {status} for {method} {target} {more}")
        check_equal(answer.get("Connection"), "close", "Connection")
        try:
            check_equal(http.reader.take(1), b"", "the connection ends")
        except wire.Closed:
            pass
    http = wire.Http(hub.port, hub.ca)
    answer = http.ask("POST", "/twins/dev1/streams/x", fields + [("Origin", "null")])
    check_equal(answer.status, 403, "any Origin is refused")


@with_hub(QUICK)
def slow_clients(hub):
    """a slow handshake, head or CONNECT, and an idle connection, are ended by the hub"""
    plain = wire.socket.create_connection(("127.0.0.1", hub.port), timeout=wire.WAIT)
    silent = wire.connect(hub.port, hub.ca)
    half = wire.connect(hub.port, hub.ca)
    half.sendall(b"POST /twins/dev1/str")
    mqtt = wire.connect(hub.mqtts_port, hub.ca)
    mqtt.sendall(b"\x10")
    hub.add("dev1")
    idle = hub.post()
    check_error(idle.read(), 404103, "DeviceNotOnline")
    for sock in (plain, silent, half, mqtt, idle.sock):
        try:
            check_equal(sock.recv(1), b"", "the end")
        except (ConnectionError, ssl.SSLError):
            pass
        sock.close()


# -- MQTT --------------------------------------------------------------------------------------


@with_hub("[hub]\ntakeovers-per-minute = 1000\n")
def mqtt_credentials(hub):
    """CONNECT: every form of user name is taken, every bad credential refused with 5"""
    key = hub.add("dev1")
    host = "localhost"
    users = (f"{host}/dev1/?api-version=2021-04-12&DeviceClientType=x", f"{host}/dev1",
             f"{host}/dev1/api-version=2016-11-14", f"{host}/dev1/?api-version=x&model-id=y",
             f"127.0.0.1:{hub.mqtts_port}/dev1/?api-version=x")
    for user in users:
        device = hub.device(user=user)
        check_equal(device.connack, 0, user)
    for encode in (True, False):
        for resource in ("localhost/devices/dev1", "LOCALHOST:8883/devices/dev1", "127.0.0.1/devices/dev1"):
            check_equal(hub.device(password=wire.sas(resource, key, encode=encode)).connack, 0, resource)
    policy = wire.sas("localhost", hub.key("policy", "device"), policy="device")
    check_equal(hub.device(password=policy).connack, 0, "a policy with device-connect")
    other = hub.add("dev2")
    for what, kwargs in {
            "wrong key": {"password": wire.sas("localhost/devices/dev1", other)},
            "another device": {"password": wire.sas("localhost/devices/dev2", other)},
            "another hub": {"password": wire.sas("example.com/devices/dev1", key)},
            "a longer name": {"password": wire.sas("localhost/devices/dev10", key)},
            "expired": {"seconds": -400},
            "nonsense": {"password": "secret"},
            "empty": {"password": ""},
            "a policy without the right": {"password": wire.sas("localhost", hub.service_key, policy="service")},
            "another user": {"user": "localhost/dev2/?api-version=x"},
            "no hub": {"user": "dev1"},
    }.items():
        check_equal(hub.device(**kwargs).connack, 5, what)
    unknown = wire.Device(hub.port, hub.ca, "nobody", key)
    check_equal(unknown.connack, 5, "unknown device")
    check(unknown.is_closed(), "closed")


@with_hub()
def mqtt_session(hub):
    """subscriptions are kept for clean session 0, and only for it; a newer connection wins"""
    device = hub.device()
    check_equal(device.session_present, False, "a first connection")
    newer = hub.device(subscribe=False)
    check(newer.session_present, "session present")
    check(device.is_closed(), "the older one is closed")
    newer.send(0xE0, b"")  # DISCONNECT
    check(newer.is_closed(), "closed")
    again = hub.device(subscribe=False)
    check(again.session_present, "session present")
    post = hub.post()
    again.answer(again.request(), 400)
    check_equal(post.read().get("iothub-streaming-is-accepted"), "False", "asked without SUBSCRIBE")
    again.unsubscribe(wire.POST_FILTER)
    check_error(hub.post().read(), 404103, "DeviceNotOnline")
    clean = hub.device(subscribe=False, clean=True)
    check_equal(clean.session_present, False, "clean session")
    clean.subscribe()
    clean.close()
    hub_settled(hub)
    eventually(lambda: hub.post().read().status == 404, "offline")
    check_equal(hub.device(subscribe=False).session_present, False, "nothing was kept")


@with_hub()
def mqtt_packets(hub):
    """every SUBSCRIBE is answered, telemetry acknowledged, anything else ends the connection"""
    device = hub.device(subscribe=False)
    filters = ("$iothub/twin/res/#", wire.POST_FILTER, "devices/dev1/messages/devicebound/#",
               wire.RES_FILTER, "#")
    check_equal(device.subscribe(*filters, qos=1), [0x80, 1, 0x80, 1, 0x80], "codes")
    check(device.publish("devices/dev1/messages/events/", b"{}", qos=1), "PUBACK")
    check(device.publish("devices/dev1/messages/events/a=b&c=d", b"{}"), "telemetry")
    check(device.ping(), "PINGRESP")
    for topic in ("devices/dev2/messages/events/", "$iothub/twin/GET/?$rid=1", "x",
                  "$iothub/streams/res/300/?$rid=1"):
        other = hub.device()
        other.publish(topic, b"{}")
        check(other.is_closed(), topic)
    for first, body in ((0x10, b""), (0x20, b"\0\0"), (0x34, b"\0\1x\0\1"), (0xF0, b""), (0x80, b""),
                        (0x3E, b""), (0x00, b"")):
        other = hub.device()
        other.send(first, body)
        check(other.is_closed(), f"{first:#x}")
    early = wire.connect(hub.port, hub.ca)
    early.sendall(wire.mqtt_packet(0x82, b"\0\1\0\1x\0"))
    check(wire.Reader(early).until(b"\r\n").startswith(b"HTTP/1.1 400 "), "SUBSCRIBE before CONNECT")
    early = wire.connect(hub.mqtts_port, hub.ca, ["mqtt"])
    early.sendall(wire.mqtt_packet(0x82, b"\0\1\0\1x\0"))
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        check_equal(early.recv(1), b"", "SUBSCRIBE before CONNECT")


@with_hub()
def mqtt_early(hub):
    """what a device sends behind CONNECT without waiting is done after CONNACK"""
    hub.add("dev1")
    device = wire.Device.__new__(wire.Device)
    send, held = wire.Device.send_raw, []
    device.send_raw = held.append
    with contextlib.suppress(AssertionError):
        device.read = lambda: (0, b"")
        wire.Device.__init__(device, hub.port, hub.ca, "dev1", hub.devices["dev1"])
    del device.send_raw, device.read
    subscribe = wire.mqtt_packet(0x82, b"\0\7" + wire.mqtt_text(wire.POST_FILTER) + b"\0")
    send(device, held[0] + subscribe + wire.mqtt_packet(0xC0, b""))
    check_equal(device.read(), (0x20, b"\0\0"), "CONNACK")
    check_equal(device.read(), (0x90, b"\0\7\0"), "SUBACK")
    check_equal(device.read(), (0xD0, b""), "PINGRESP")
    post = hub.post()
    device.answer(device.request(), 400)
    check_equal(post.read().get("iothub-streaming-is-accepted"), "False", "answer")


@with_hub("[hub]\ntoken-skew = 0\n")
def mqtt_limits(hub):
    """a token that expires and a keep-alive that is not kept end the connection"""
    device = hub.device("one", seconds=2)
    check_equal(device.connack, 0, "CONNACK")
    quiet = hub.device("two", keep_alive=1)
    leg, peer = hub.opened(hub.device("three", seconds=4))
    check(device.is_closed(), "at its expiry")
    check(quiet.is_closed(), "after 1.5 times the keep-alive")
    check_echo(leg, peer)


@with_hub("[hub]\ntakeovers-per-minute = 3\npending-per-device = 2\nstreams-per-device = 3\n")
def limits(hub):
    """limits: take-overs, streams that wait, streams of a device"""
    for _ in range(4):
        device = hub.device()
        check_equal(device.connack, 0, "CONNACK")
    check_equal(hub.device().connack, 3, "too many take-overs")
    posts = [hub.post(), hub.post()]
    requests = [device.request(), device.request()]
    check_error(hub.post().read(), 429001, "ThrottlingException")
    for request in requests:
        device.answer(request, 400)
    for post in posts:
        post.read()
    pairs = [hub.opened(device) for _ in range(3)]
    check_error(hub.post().read(), 429001, "ThrottlingException")
    check_echo(*pairs[0])
    pairs[0][0].close()
    pairs[0][1].closed()
    eventually(lambda: hub_has_room(hub, device), "room for another")


def hub_has_room(hub, device):
    post = hub.post(response="0.1")
    answer = post.read()
    if answer.status != 429:
        device.request()
    return answer.status == 504


@with_hub()
def nothing_left(hub):
    """streams, sessions and refusals leave no descriptor behind"""
    device = hub.device()
    hub_settled(hub)
    before = hub.hub.fds()
    for _ in range(20):
        leg, peer = hub.opened(device)
        leg.close()
        peer.closed()
        hub.post(response="0.01").read()
        hub.device_leg(device.request()).closed()
        hub.post("nobody").read()
    hub.open.close()
    eventually(lambda: hub.hub.fds() <= before, "descriptors go back")


if __name__ == "__main__":
    main(whole_stream, request_form, extensions, rejected_with_reason, waiting, waiting_client_gone,
         waiting_deadline, asked_again, asked_rejected, asked_leg_first, asked_leg_lost,
         asked_client_gone, asked_time_out, asked_deadline, accepted_early_data,
         accepted_early_data_only, accepted_more_answers, accepted_device_lost, accepted_link_lost,
         accepted_deadline, open_tokens_spent, open_drained, open_many, revoked, hub_stops,
         rest_errors, rest_connection, slow_clients, mqtt_credentials, mqtt_session, mqtt_packets,
         mqtt_early, mqtt_limits, limits, nothing_left)
