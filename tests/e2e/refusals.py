# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nobody is refused without a word: each way to be refused before a session, by each carrier, from IPv4 and IPv6,
as somebody the hub knows and as somebody it does not. The peer gets the answer that it understands, and the log one
line with the address, the identity that was claimed, the reason and the cure; what comes again is counted."""
import base64
import contextlib
import json
import os
import re
import struct
import time

import wire
from attacks import Attack, hub_of
from devices_x509 import Certificate
from harness import LONG, PATIENCE, check, check_equal, eventually, main
from shut_out import networks

FLOOD = 5000 if LONG else 2000
SETTINGS = "penalty = 0\nclient-certificates = yes\nconnections-burst = 100000\nconnections-per-second = 100000\n"
LEFT = "more left out"
LINES = 228  # of so many sources the log writes a line in a second (common/log/rate.h)
WRONG = base64.b64encode(b"w" * 32).decode()
YEARS = 400 * 86400
UPGRADE = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
           f"Sec-WebSocket-Key: {base64.b64encode(b'0' * 16).decode()}")
TEXT = wire.mqtt_text
CONNACK_5 = b"\x20\x02\x00\x05"


class Peers:
    """Connections to the hub, each from a source of its own."""

    def __init__(self, hub, folder):
        self.hub, self.count = hub, 0
        self.certificate = Certificate(folder, "own", ["by-ca"])

    def source(self, family):
        self.count += 1
        first, second = divmod(self.count, 200)
        return f"127.{first + 20}.{second + 1}.7" if family == 4 else f"2001:db8:{first + 1:x}:{second + 1:x}::7"

    def tls(self, source, carrier, certificate=None):
        context = self.hub.context
        if certificate:
            context = wire.ssl.create_default_context(cafile=self.hub.process.ca)
            context.load_cert_chain(*certificate.files)
        plain = self.hub.dial(source, self.hub.process.mqtts_port if carrier == "mqtts" else None)
        return context.wrap_socket(plain, server_hostname="localhost")

    def says(self, source, carrier, data, certificate=None):
        """All that the hub says to DATA until it closes."""
        with contextlib.closing(self.tls(source, carrier, certificate)) as sock:
            if carrier == "wss":
                sock.sendall(request("GET", "/$iothub/websocket", *UPGRADE, "Sec-WebSocket-Protocol: mqtt"))
                wire.Reader(sock).until(b"\r\n\r\n")
                sock.sendall(frame(data))
            else:
                sock.sendall(data)
            return unframed(everything(sock)) if carrier == "wss" else everything(sock)


def everything(sock):
    said = b""
    with contextlib.suppress(ConnectionError, wire.ssl.SSLError):
        while piece := sock.recv(65536):
            said += piece
    return said


def frame(data):
    size = bytes([0x80 | len(data)]) if len(data) < 126 else struct.pack(">BH", 0x80 | 126, len(data))
    return b"\x82" + size + bytes(4) + data


def unframed(said):
    """The data of the hub's frames."""
    data = b""
    while said:
        size, head = said[1] & 0x7F, 2
        if size == 126:
            size, head = struct.unpack(">H", said[2:4])[0], 4
        if said[0] & 0x0F == 2:
            data += said[head:head + size]
        said = said[head + size:]
    return data


def request(method, path, *fields, version="1.1", body=b""):
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: localhost", *fields, "", ""]).encode() + body


def connect(client_id, password=None, user=None, name="MQTT", level=4, properties=b"", flags=None):
    user = f"localhost/{client_id}/?api-version=2021-04-12" if user is None else user
    if flags is None:
        flags = 0x82 if password is None else 0xC2
    body = TEXT(name) + bytes([level, flags]) + struct.pack(">H", 240) + properties + TEXT(client_id) + TEXT(user)
    return wire.mqtt_packet(0x10, body + (b"" if password is None else TEXT(password)))


# -- the rows: (name, what is sent, what comes back, who is named, reason, cure) -----------------

NOBODY = "nobody named"


def mqtt_rows(hub):
    """By MQTT, however it is carried."""
    five = dict(level=5, properties=b"\x05\x11\x00\x00\x00\x0a")
    for who in ("gw-1", "ghost"):
        yield f"MQTT 5 as {who}", connect(who, **five), b"\x20\x03\x00\x84\x00", who, "MQTT 5", "choose MQTT 3.1.1"
        yield (f"MQTT 3.1 as {who}", connect(who, name="MQIsdp", level=3), b"\x20\x02\x00\x01", who, "MQTT 3.1",
               "choose MQTT 3.1.1")
        yield f"no password as {who}", connect(who), CONNACK_5, who, \
            "neither a token" if who == "gw-1" else "no such device", "token" if who == "gw-1" else "device add"
        yield f"no SAS as {who}", connect(who, "secret"), CONNACK_5, who, "SharedAccessSignature", "connection string"
        resource = f"localhost/devices/{who}"
        key = hub.keys.get(who, WRONG)
        yield (f"wrong key as {who}", connect(who, wire.sas(resource, WRONG)), CONNACK_5, who,
               "wrong signature" if who == "gw-1" else "no such device",
               "connection-string" if who == "gw-1" else "device add")
        yield (f"too long-lived as {who}", connect(who, wire.sas(resource, key, seconds=YEARS)), CONNACK_5, who,
               "expires too far ahead", "device-token-life-max")
        yield (f"expired as {who}", connect(who, wire.sas(resource, key, seconds=-900)), CONNACK_5, who, "has expired",
               "renew it")
        yield (f"another's as {who}", connect(who, wire.sas("localhost/devices/other", key)), CONNACK_5, who,
               "another resource", "sr is")
    yield "MQTT 5 without a name", connect("", **five), b"\x20\x03\x00\x84\x00", NOBODY, "MQTT 5", "choose MQTT 3.1.1"
    yield "level 3", connect("gw-1", level=3), b"\x20\x02\x00\x01", "gw-1", "MQTT 3.1", "choose MQTT 3.1.1"
    yield "another protocol", connect("gw-1", name="MQTX"), b"", "gw-1", "not MQTT", "choose MQTT 3.1.1"
    yield "a bad CONNECT", b"\x10\x03abc", b"", NOBODY, "not a valid CONNECT", "begin with a CONNECT"
    yield "a reserved flag", connect("gw-1", flags=0x83), b"", "gw-1", "not a valid CONNECT", "begin with a CONNECT"
    yield "too large", b"\x10\xff\xff\x7f", b"", NOBODY, "too large", "begin with a CONNECT"
    yield ("a bad client id", connect("gw 1\x1b[2J" + "n" * 300), CONNACK_5, r"gw 1\x1b[2Jnnn", "bad client id",
           "the client id is DEVICE")
    yield "another's user name", connect("gw-1", user="localhost/gw-2/"), CONNACK_5, "gw-1", "bad client id", "user name"
    yield "a disabled one", connect("off", wire.sas("localhost/devices/off", hub.keys["off"])), CONNACK_5, "off", \
        "disabled", "device enable"


def certificate_rows():
    """By MQTT with a client certificate that nobody vouches for."""
    yield "no trust", connect("by-ca"), CONNACK_5, "by-ca", "has no authority for devices", "device-ca"
    yield "no trust, unknown", connect("ghost"), CONNACK_5, "ghost", "no such device", "device add"
    yield "keys, and a certificate", connect("gw-1"), CONNACK_5, "gw-1", "no certificate counts", "device set"


def http_rows(hub):
    """By HTTP: what comes back is a status, and the error's number in the body."""
    token = wire.sas("localhost", hub.user_key, policy="service")
    auth = f"Authorization: {token}"
    post = "/twins/gw-1/streams/ssh"
    none = "Content-Length: 0"

    def stream(who, field, path=post):
        return request("POST", path, *([f"Authorization: {field}"] if field else []), none, "Connection: close"), who

    def sas(**kwargs):
        return wire.sas(kwargs.pop("resource", "localhost"), kwargs.pop("key", hub.user_key), **kwargs)

    def upgrade(protocol, *more):
        return request("GET", "/$iothub/websocket", *UPGRADE, f"Sec-WebSocket-Protocol: {protocol}", *more)

    yield "AMQP over WebSocket", upgrade("AMQPWSB10", "User-Agent: .NET/8"), 501, NOBODY, "AMQP over WebSocket", "choose MQTT"
    yield "AMQP with a token", upgrade("AMQPWSB10", auth), 501, "service", "AMQP over WebSocket", "choose MQTT"
    yield "AMQP itself", b"AMQP\x03\x01\x00\x00", None, NOBODY, "AMQP is not there yet", "choose MQTT"
    yield "a bad subprotocol", upgrade("soap, x"), 400, NOBODY, "the subprotocol is none of this hub's: soap, x", "mqtt"
    yield "no path", request("GET", "/favicon.ico"), 501, NOBODY, "no such path: GET /favicon.ico", "wire-protocol.md"
    yield "no path, named", request("GET", "/x", auth), 501, "service", "no such path: GET /x", "wire-protocol.md"
    yield "no method", request("PUT", post, auth, none), 405, "service", "no such method: PUT /twins", "wire-protocol.md"
    yield "a long path", request("GET", "/" + "%1b" * 2000), 501, NOBODY, "no such path: GET /%1b%1b", "wire-protocol.md"
    yield "an escaped NUL", request("GET", "/twins/%00"), 400, NOBODY, "without NUL", "clients.md"
    yield "a bad escape", request("GET", "/twins/%zz"), 400, NOBODY, "not a path", "clients.md"
    yield "another version of WebSocket", upgrade("mqtt").replace(b"Version: 13", b"Version: 8"), 426, NOBODY, \
        "only version 13", "RFC 6455"
    yield "both lengths", request("POST", post, none, "Transfer-Encoding: chunked"), 400, NOBODY, "both", "clients.md"
    yield "another coding", request("POST", post, "Transfer-Encoding: gzip"), 501, NOBODY, "other than chunked", "clients.md"
    yield "a coding in 1.0", request("POST", post, "Transfer-Encoding: chunked", version="1.0"), 400, NOBODY, "HTTP/1.0", \
        "clients.md"
    yield "an extension", request("POST", post, "Transfer-Encoding: chunked", body=b"1;x\r\n"), 400, NOBODY, "extension", \
        "clients.md"
    yield "too large a body", request("PUT", "/devices/gw-1", auth, "Content-Length: 5000"), 413, "service", "too large", \
        "send less"
    yield "HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, NOBODY, "not a path", "clients.md"
    yield "a browser", request("POST", post, "Origin: https://evil.example", none), 403, NOBODY, "https://evil.example", \
        "allowed-origins"
    yield "neither", b"\x00\x01", 400, NOBODY, "neither MQTT nor HTTP", "speak MQTT 3.1.1"
    for name, (data, who), reason, cure in (
            ("no token", stream(NOBODY, None), "no token was sent", "send Authorization"),
            ("another scheme", stream(NOBODY, "Basic YTph"), "SharedAccessSignature", "connection string"),
            ("an unknown user", stream("mallory", sas(policy="mallory")), "no such user", "user add"),
            ("a wrong key", stream("service", sas(key=WRONG, policy="service")), "wrong signature", "connection-string"),
            ("an expired token", stream("service", sas(seconds=-900, policy="service")), "has expired", "renew it"),
            ("too long-lived", stream("service", sas(seconds=YEARS, policy="service")), "expires too far ahead",
             "service-token-life-max"),
            ("another hub's", stream("service", sas(resource="example.com", policy="service")), "another resource", "sr is"),
            ("no right", stream("device", sas(key=hub.key("policy", "device"), policy="device")), "lacks the permission",
             "user set --rights"),
            ("a device's token", stream("devices/gw-1", wire.sas("localhost/devices/gw-1", hub.keys["gw-1"])),
             "another resource", "sr is"),
            ("an unknown invitation", (request("PUT", "/enrollments/factory/devices/x", "Content-Length: 2", body=b"{}"),
                                       "enrollments/factory/devices/x"), "no token", "send Authorization"),
            ("a leg", (request("GET", f"/bridges/ih/h/d/gw-1/sid/{'0' * 32}/r/device", *UPGRADE, "Authorization: Bearer x"),
                       "gw-1"), "the token of the leg", "open the stream again")):
        yield name, data, 401, who, reason, cure
    narrow = wire.sas("localhost", hub.key("policy", "narrow"), policy="narrow")
    yield ("404001", *stream("service", token, "/twins/ghost/streams/ssh")[:1], 404001, "service",
           "no such device: ghost", "device add")
    yield ("404001 of a module's device", *stream("service", token, "/twins/ghost/modules/m/streams/ssh")[:1], 404001,
           "service", "no such device: ghost", "device add")
    yield ("404010", *stream("service", token, "/twins/gw-1/modules/m/streams/ssh")[:1], 404010, "service",
           "no such module: gw-1/m", "device add DEVICE/MODULE")
    yield ("404001 out of scope", *stream("narrow", narrow)[:1], 404001, "narrow", "does not reach the device: gw-1",
           "user set")
    yield ("404001 out of scope, unknown", *stream("narrow", narrow, "/twins/ghost/streams/ssh")[:1], 404001, "narrow",
           "no such device: ghost", "device add")
    yield ("404001 of the registry", request("GET", "/twins/ghost", auth, "Connection: close"), 404001, "service", "no such device: ghost",
           "device add")
    yield ("a stream that is not theirs", *stream("narrow", narrow, "/twins/mine/streams/web")[:1], 403, "narrow",
           "This user may not open", "user set")
    yield "a disabled device", *stream("service", token, "/twins/off/streams/ssh")[:1], 401002, "service", "disabled", \
        "device enable"


def http_answer(said, wanted, name):
    """The error's text; None where an answer would mean nothing."""
    if wanted is None:
        check_equal(said, b"", f"{name}: nothing is said")
        return None
    head, body = said.split(b"\r\n\r\n", 1)
    check_equal(int(head.split()[1]), wanted if wanted < 1000 else wanted // 1000, f"{name}: {said[:300]}")
    if not body:
        return None
    inner = json.loads(json.loads(body)["Message"])
    if wanted >= 1000:
        check_equal(inner["errorCode"], wanted, name)
    return inner["message"]


# -- the log -----------------------------------------------------------------------------------


def shown(source):
    return f"[{source}]:" if ":" in source else f"{source}:"


def lines_of(hub, source):
    """The lines of refusals, and not the counts: those come when a minute is over."""
    return [line for line in hub.process.log().splitlines() if f"{shown(source)}" in line and LEFT not in line]


def written(hub):
    """(refusals with a line, those in a count, lines with a count, records that the log left out)"""
    lines = [line for line in hub.process.log().splitlines() if " refused" in line]
    counts = [int(found.group(1)) for line in lines if (found := re.search(rf"(\d+) {LEFT}[:,] ", line))]
    left = [int(found.group(1)) for line in lines if (found := re.search(r"(\d+) refused (\(.*\) )?records were", line))]
    return len(lines) - len(counts) - len(left), sum(counts), len(counts), sum(left)


def check_line(hub, source, name, claimed, reason, cure):
    """One line, with all that it has to say."""
    eventually(lambda: lines_of(hub, source), f"{name}: a line about {source}")
    check_equal(len(lines_of(hub, source)), 1, f"{name}: {lines_of(hub, source)}")
    line = lines_of(hub, source)[0]
    told = line.split("; ", 1)
    check(len(told) == 2 and claimed in told[0] and reason in told[0] and cure in told[1] and "is refused" in told[0],
          f"{name}: {claimed!r}, {reason!r}, {cure!r} in {line!r}")
    check(len(line) < 700, f"{name}: {len(line)} bytes")


def settled(hub, peers):
    """What was refused before is in the log: the hub has refused somebody since."""
    source = peers.source(4)
    peers.says(source, "https", b"\x00")
    eventually(lambda: lines_of(hub, source), "a line about the last one")


def prepare(hub):
    for device in ("off", "mine"):
        hub.add(device)
    hub.process.admin("device", "disable", "off")
    hub.process.admin("device", "add", "by-ca", "--ca")
    hub.process.admin("user", "add", "narrow", "--rights", "service-connect", "--devices", "mine", "--streams", "ssh")
    return Peers(hub, hub.site.dir)


def cells(hub, peers):
    """(name, carrier, source, what is sent, certificate, the rest of the row)"""
    for name, data, *rest in mqtt_rows(hub):
        for carrier, family in (("https", 4), ("mqtts", 4), ("wss", 4), ("https", 6)):
            yield f"{name} by {carrier}{family}", carrier, peers.source(family), data, None, rest
    for name, data, *rest in certificate_rows():
        for carrier, family in (("https", 4), ("mqtts", 4), ("wss", 6)):
            yield f"{name} by {carrier}{family}", carrier, peers.source(family), data, peers.certificate, rest
    for name, data, *rest in http_rows(hub):
        for carrier, family in (("https", 4), ("mqtts", 4), ("https", 6)):
            yield f"{name} by {carrier}{family}", carrier, peers.source(family), data, None, rest


def each_row():
    """every refusal: the answer, and one line with address, identity, reason and cure; the second one is counted"""
    with hub_of(SETTINGS) as hub:
        peers = prepare(hub)
        table = list(cells(hub, peers))
        check(len(table) < LINES, f"{len(table)} sources in a second have a line each")
        texts = {}
        for name, carrier, source, data, certificate, (wanted, *_) in table:
            for _ in range(2):
                said = peers.says(source, carrier, data, certificate)
                if isinstance(wanted, bytes):
                    check_equal(said, wanted, name)
                else:
                    texts[name.rsplit(" by ", 1)[0]] = http_answer(said, wanted, name)
        settled(hub, peers)
        for name, _, source, _, _, (_, *line) in table:
            check_line(hub, source, name, *line)
        check("choose mqtt" in texts["AMQP over WebSocket"].lower(), texts["AMQP over WebSocket"])
        check_equal(texts["404001 out of scope"], texts["404001"], "the text does not tell what is out of scope")
        check_equal(texts["404001 out of scope"], texts["404001 out of scope, unknown"], "nor to the same user")
        hub.process.stop()
        lines, counted, counts, left = written(hub)
        check_equal((lines, counted, left), (len(table) + 1, len(table), 0), f"each has a line, and then a count: {counts}")
        print(f"# {len(table)} cells, {len({cell[0].rsplit(' by ', 1)[0] for cell in table})} ways; {counts} lines with a count")


def flood():
    """a source that is refused again and again, as many: its log has a bound, and others have their lines whole"""
    with hub_of(SETTINGS) as hub:
        peers = prepare(hub)

        def act(hub, number):
            hub.connack("127.66.0.1", f"x{number}", WRONG)

        attack = Attack(hub, act, 100000, 4)
        others = []
        eventually(lambda: attack.made.value > 100, "it has begun", PATIENCE)
        while attack.made.value < FLOOD:
            source = peers.source(4)
            peers.says(source, "mqtts", connect("gw-1", level=5, properties=b"\0"))
            others.append(source)
            time.sleep(0.05)
        made, since = attack.made.value, attack.since
        attack.stop()
        settled(hub, peers)
        for source in others:
            check_line(hub, source, "beside the flood", "gw-1", "MQTT 5", "choose MQTT 3.1.1")
        own = lines_of(hub, "127.66.0.1")
        bound = 64 * (1 + int(time.monotonic() - since) // 60) + 2
        check(0 < len(own) <= bound, f"{len(own)} lines about the flood, {bound} at most")
        hub.process.stop()
        lines, counted, counts, left = written(hub)
        total = lines + counted + left - len(others) - 1
        check(attack.passed.value <= total <= attack.made.value + 4,
              f"{attack.passed.value} of {attack.made.value} were answered: {lines} lines, {counted} counted, {left} left out")
        print(f"# {made} refusals of one source: {len(own)} lines and {counts} counts; {len(others)} beside it whole")


if __name__ == "__main__":
    networks()
    main(each_row, flood)
