# SPDX-License-Identifier: LGPL-2.1-or-later
"""What SDKs and other people's clients send beside what a stream needs: an Origin, questions about the twin,
results of methods, telemetry. None of it may shut one out."""
import json
import os
import struct

import wire
from harness import check, check_equal, eventually, main
from hub_wire import with_hub


def origin_statuses(hub, origin):
    """Of a request, of an MQTT link and of a leg, each with that Origin; all are wrong in some other way too."""
    upgrade = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
               ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Origin", origin)]
    leg = "/bridges/ih/localhost/d/dev1/sid/0/r/device"
    asked = (("POST", "/twins/nobody/streams/x", [("Authorization", hub.service_token()), ("Origin", origin)]),
             ("GET", "/$iothub/websocket", upgrade + [("Sec-WebSocket-Protocol", "mqtt")]),
             ("GET", leg, upgrade + [("Authorization", "Bearer x")]))
    return tuple(wire.Http(hub.port, hub.ca).ask(*one).status for one in asked)


@with_hub("[hub]\nstreaming-host = streams.example.org:8444\n")
def origins(hub):
    """the hub's own names under any scheme and port, and what is listed, may come; a reload changes the list"""
    own = ["https://localhost", f"https://localhost:{hub.port}", "http://localhost", "wss://LOCALHOST:1",
           "https://127.0.0.1", "http://streams.example.org:1"]
    listed = ["https://portal.example", "HTTPS://Other.example:8443"]
    foreign = ["https://evil.example", "https://localhost.evil.example", "https://localhost@evil.example", "null", "",
               "https://localhost/", "http://portal.example", "https://portal.example:8443", "https://other.example",
               "file://", "https://127.0.0.1.evil.example", "https://example.org"]
    passes, refused = (404, 101, 401), (403, 403, 403)
    for origin in own:
        check_equal(origin_statuses(hub, origin), passes, origin)
    for origin in foreign + listed:
        check_equal(origin_statuses(hub, origin), refused, origin)
    path = os.path.join(hub.site.dir, "hub.conf")
    with open(path, "a", encoding="ascii") as file:
        file.write("allowed-origins = https://portal.example, https://other.example:8443\n")
    hub.hub.admin("reload")
    for origin in own + listed:
        eventually(lambda one=origin: origin_statuses(hub, one) == passes, origin)
    for origin in foreign:
        check_equal(origin_statuses(hub, origin), refused, origin)


def check_twin(device):
    """Reading and writing, with and without an acknowledgement, which comes behind the answer."""
    for number, (qos, topic, status) in enumerate((qos, *row) for qos in (0, 1) for row in (
            ("$iothub/twin/GET/", 200), ("$iothub/twin/PATCH/properties/reported/", 501))):
        device.send(0x30 | qos << 1, wire.mqtt_text(f"{topic}?$rid={number}") + b"\0\x63" * qos + b'{"a":1}')
        first, body = device.read()
        size = struct.unpack(">H", body[:2])[0]
        check_equal((first, body[2:2 + size].decode()), (0x30, f"$iothub/twin/res/{status}/?$rid={number}"), "topic")
        said = json.loads(body[2 + size:])
        check_equal(said.get("errorCode", said.get("desired")), {"$version": 1} if status == 200 else 501000, "payload")
        if qos:
            check_equal(device.read(), (0x40, b"\0\x63"), "PUBACK")


@with_hub("[hub]\n")
def twin_and_telemetry(hub):
    """twin, methods and 2,000 messages at once never cost the connection, on both carriers, subscribed or not"""
    for websocket in (None, "mqtt"):
        for subscribed in (True, False):
            device = hub.device(websocket=websocket)
            if subscribed:
                check_equal(device.subscribe("$iothub/twin/res/#", "$iothub/twin/PATCH/properties/desired/#"), [0, 0],
                            "granted")
            check_twin(device)
            check(device.publish("$iothub/methods/res/200/?$rid=1", b"{}", qos=1), "PUBACK of a method's result")
            for _ in range(2000):
                device.next_id += 1
                device.send(0x32, wire.mqtt_text("devices/dev1/messages/events/") +
                            struct.pack(">H", device.next_id) + b"x" * 100)
            for number in range(2000):
                check_equal(device.expect(0x40), struct.pack(">H", device.next_id - 1999 + number), "PUBACK in order")
            post = hub.post()
            device.answer(device.request(), 400)
            check_equal(post.read().status, 200, "a stream is asked for on the same link")
    told = json.loads(hub.hub.admin("device", "show", "dev1", "--json"))
    check_equal((told["telemetry_messages"], told["telemetry_bytes"]), (8000, 800000), "counted")
    check_equal(hub.hub.log().count("dev1 sends telemetry, which is acknowledged, counted and dropped"), 1, "in the log")
    hub.hub.stop()
    hub.hub = hub.site.start_hub(["--config", os.path.join(hub.site.dir, "hub.conf")])
    told = json.loads(hub.hub.admin("device", "show", "dev1", "--json"))
    check_equal(told["telemetry_messages"], 8000, "after a stop")


def shown(hub, *more):
    return json.loads(hub.hub.admin("device", "show", "dev1", "--json", *more))


@with_hub("[hub]\ntelemetry = drop\n")
def telemetry_dropped(hub):
    """each acknowledged message is counted for the device or the module that sent it, with its bytes and since when"""
    hub.hub.admin("device", "add", "dev1")
    hub.devices["dev1"] = hub.key("device", "dev1")
    hub.hub.admin("device", "add", "dev1", "--module", "m")
    check("telemetry_messages" not in shown(hub), "nothing yet")
    out = os.path.join(hub.site.dir, "module.cs")
    hub.hub.admin("connection-string", "device", "dev1", "--module", "m", "--output", out)
    with open(out, encoding="ascii") as file:
        key = wire.parse_connection_string(file.read().strip())["SharedAccessKey"]
    device = hub.device()
    module = wire.Device(hub.mqtts_port, hub.ca, "dev1/m", key)
    for size in (0, 1, 1000):
        check(device.publish("devices/dev1/messages/events/", b"x" * size, qos=1), "PUBACK")
    check(module.publish("devices/dev1/modules/m/messages/events/", b"abc", qos=1), "PUBACK")
    device.publish("devices/dev1/messages/events/", b"1234")
    check(device.ping(), "the link")
    for one, messages, size in ((shown(hub), 4, 1005), (shown(hub, "--module", "m"), 1, 3)):
        check_equal((one["telemetry_messages"], one["telemetry_bytes"]), (messages, size), f"{one}")
        check("last_refusal" not in one, f"{one}")
        check_equal(one["telemetry_since"][:3], "202", "since when")
    row = [line for line in hub.hub.admin("device", "show", "dev1").splitlines() if line.startswith("Telemetry")]
    check("4 messages with 1005 bytes dropped since 20" in row[0], f"{row}")
    check_equal(hub.hub.log().count("sends telemetry"), 2, "the device and the module, once each")
    module.close()


@with_hub("[hub]\ntelemetry = refuse\n")
def telemetry_refused(hub):
    """the connection ends, unacknowledged; the log and `device show` say why, and nothing is counted"""
    for websocket in (None, "mqtt"):
        device = hub.device(websocket=websocket)
        check_twin(device)
        device.send(0x32, wire.mqtt_text("devices/dev1/messages/events/") + b"\0\x07{}")
        check(device.is_closed(), "closed")
        eventually(lambda: shown(hub)["state"] == "refused", "refused")
    one = shown(hub)
    check_equal(one["last_refusal"], "it sends telemetry, which this hub refuses", f"{one}")
    check("telemetry_messages" not in one, f"{one}")
    check_equal(hub.hub.log().count("it sends telemetry, which this hub refuses"), 2, "in the log, each time")


if __name__ == "__main__":
    main(origins, twin_and_telemetry, telemetry_dropped, telemetry_refused)
