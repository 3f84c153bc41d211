# SPDX-License-Identifier: LGPL-2.1-or-later
"""Microsoft's packages against ours: their device with our client, their service with our gateway,
and both of theirs with only the hub being ours. What a plain client is answered is compared with
docs/wire-protocol.md, section 3, to the letter."""
import base64
import json
import os
import queue
import re
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
sys.path.insert(0, HERE)

# pylint: disable=wrong-import-position
import packages  # noqa: E402
from devices_x509 import Certificate  # noqa: E402
from ends import Server, connect, in_threads, read_exactly, reset  # noqa: E402
from harness import PATIENCE, Site, check, check_equal, eventually, main, run  # noqa: E402

MODULES = os.environ["STREAMD_NODE_DIR"]
TOTAL = 153 * 65536  # ten megabytes, in whole messages of both sizes
SIZES = (64, 65536)
ANSWERS = ("iothub-errorcode", "iothub-streaming-is-accepted", "iothub-streaming-url",
           "iothub-streaming-auth-token", "streamd-caps", "streamd-stream-id",
           "streamd-reject-reason")


def node(site, script, config):
    """The command line and environment of a script; its configuration holds keys, so it is a file."""
    path = os.path.join(site.dir, f"{script}-{len(os.listdir(site.dir))}.json")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
        json.dump(config, file)
    env = site.environment(NODE_PATH=os.path.join(MODULES, "node_modules"),
                           NODE_EXTRA_CA_CERTS=site.hub.ca)
    return ["node", os.path.join(HERE, script), path], env


def read_text(path):
    with open(path, encoding="ascii") as file:
        return file.read()


class Device:
    """device.js as a process; what it says is kept in order."""

    def __init__(self, site, device, mode="accept", transport="tcp", message_size=65536, besides=0,
                 files=None):
        if files:
            site.hub.admin("device", "add", device, "--certificate", files[0])
        string = site.hub.connection_string("device", device) if files else site.hub.add_device(device)
        cert, key = (read_text(name) for name in files) if files else (None, None)
        port = site.hub.https_port if transport == "ws" else site.hub.mqtts_port
        host = "localhost" if transport == "ws" else f"localhost:{port}"
        string = re.sub(r"HostName=[^;]*", f"HostName={host}", string)
        self.events = queue.Queue()
        argv, env = node(site, "device.js", {
            "connectionString": string, "transport": transport, "port": port, "mode": mode,
            "messageSize": message_size, "besides": besides,
            **({"cert": cert, "key": key} if files else {})})
        self.process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True)
        site.children.append(self.process)
        threading.Thread(target=self._read, daemon=True).start()
        ready = self.expect("ready")
        check_equal(ready["granted"], [0, 0], "what SUBSCRIBE was granted")

    def _read(self):
        for line in self.process.stdout:
            self.events.put(json.loads(line))

    def expect(self, event):
        """The next thing it says, which has to be this."""
        try:
            said = self.events.get(timeout=PATIENCE)
        except queue.Empty:
            check(False, f"the device never said {event}")
        check_equal(said["event"], event, f"what the device says: {said}")
        return said


def initiate(site, device, stream, message_size=65536, connect_timeout=0,
             response_timeout=30, policy="service", key=None):
    """service.js; returns what it prints."""
    parts = dict(pair.split("=", 1) for pair in
                 site.hub.connection_string("user", policy).split(";"))
    argv, env = node(site, "service.js", {
        "host": "localhost", "port": site.hub.https_port, "policy": policy,
        "key": key or parts["SharedAccessKey"], "device": device, "stream": stream,
        "connectTimeout": connect_timeout, "responseTimeout": response_timeout, "total": TOTAL,
        "messageSize": message_size})
    done = run(argv, env=env, timeout=PATIENCE * 4)
    check_equal(done.returncode, 0, f"service.js ({done.stderr})")
    return json.loads(done.stdout)


def check_echo(answer):
    """Accepted, and every byte came back."""
    check_equal(answer["status"], 200, f"status of {answer}")
    check_equal(said_headers(answer)["iothub-streaming-is-accepted"], "True", "accepted")
    check(re.fullmatch(r"wss://localhost:\d+/.+", answer["headers"]["iothub-streaming-url"]),
          f"the url has no explicit port: {answer['headers']}")
    check("streamd-caps" not in answer["headers"], "a plain service is told more than it asked for")
    echo = answer["echo"]
    check(echo["complete"], f"the leg ended early: {echo}")
    check_equal((echo["total"], echo["digest"]), (TOTAL, echo["sent"]), "the echo")
    check(0 < echo["biggest"] <= 65536, f"a message of {echo['biggest']} bytes")


def said_headers(answer):
    return {name: value for name, value in answer["headers"].items() if name in ANSWERS}


def check_error(answer, code, name):
    """An error in the wire's format, exactly."""
    check_equal(answer["status"], code // 1000, f"status of {answer}")
    check_equal(said_headers(answer), {"iothub-errorcode": name}, "headers")
    outer = json.loads(answer["body"])
    check_equal(sorted(outer), ["ExceptionMessage", "Message"], "the body's members")
    check_equal(outer["ExceptionMessage"], "", "ExceptionMessage")
    inner = json.loads(outer["Message"])
    check_equal(sorted(inner), ["errorCode", "message", "timestampUtc", "trackingId"], "Message")
    check_equal(inner["errorCode"], code, "errorCode")
    check(all(isinstance(inner[k], str) and inner[k] for k in ("message", "timestampUtc",
                                                               "trackingId")), f"{inner}")


def echo_through(port):
    """Ten megabytes to an echo through a tunnel, while it comes back. Then a reset: a peer that has
    no half-close would be left the other direction for a minute after a mere end."""
    data = os.urandom(TOTAL)
    near = connect(port)
    _, back = in_threads(lambda: near.sendall(data), lambda: read_exactly(near, TOTAL))
    check(back == data, "the echo differs")
    reset(near)


def serve_echo(connection):
    while data := connection.recv(1 << 18):
        connection.sendall(data)


def their_device():
    """a device of Microsoft's packages over MQTT accepts streams of our client"""
    with Site(gateway=False) as site:
        for size in SIZES:
            device = Device(site, f"ms-{size}", message_size=size)
            port = site.client.tunnel(f"ms-{size}", "echo")
            echo_through(port)
            check_equal(device.expect("request")["name"], "echo", "the stream's name")
            device.expect("open")
            end = device.expect("closed")
            check_equal((end["code"], end["reason"]), (1011, "WS disconnected"), "the close")
            check_equal(end["total"], TOTAL, "bytes at the device")
            check(end["biggest"] <= 65536, f"a message of {end['biggest']} bytes")
        eventually(lambda: not site.client.streams(), "the streams end")


def their_device_over_websocket():
    """a device of Microsoft's packages over MQTT in WebSocket, and streamctl connect"""
    with Site(gateway=False) as site:
        device = Device(site, "ms-ws", transport="ws", message_size=64)
        port = site.client.tunnel("ms-ws", "echo")
        echo_through(port)
        for event in ("request", "open", "closed"):
            device.expect(event)
        for number in range(3):
            child = site.client.start_ctl("connect", "ms-ws", "echo", stdin=subprocess.PIPE,
                                          stdout=subprocess.PIPE)
            text = f"number {number}".ljust(64).encode()
            child.stdin.write(text)
            child.stdin.flush()
            check_equal(child.stdout.read(len(text)), text, "the echo")
            device.expect("request")
            device.expect("open")
            child.kill()
            child.wait(PATIENCE)
            device.expect("closed")


def their_twin_and_telemetry():
    """a device of Microsoft's packages with twin, reported properties, 2,000 messages and a stream: one connection"""
    with Site(gateway=False) as site:
        for transport in ("tcp", "ws"):
            name = f"ms-besides-{transport}"
            device = Device(site, name, transport=transport, message_size=64, besides=2000)
            check_equal(device.expect("twin")["desired"], 1, "the twin's version")
            check("keeps no reported" in str(device.expect("reported")["message"]), "the error for reported properties")
            check_equal(device.expect("telemetry")["sent"], 2000, "acknowledged")
            shown = json.loads(site.hub.admin("device", "show", name, "--json"))
            check_equal(shown["telemetry_messages"], 2000, "counted by the hub")
            port = site.client.tunnel(name, "echo")
            echo_through(port)
            for event in ("request", "open", "closed"):
                device.expect(event)
            check(device.events.empty(), "it never said that it was disconnected")


class AskingSite(Site):
    HUB_SETTINGS = Site.HUB_SETTINGS + "client-certificates = yes\n"


def their_device_with_a_certificate():
    """a device of Microsoft's packages with a certificate (X.509), by both transports"""
    with AskingSite(gateway=False) as site:
        for transport in ("tcp", "ws"):
            mine = Certificate(site.dir, transport, [transport])
            device = Device(site, f"ms-x509-{transport}", transport=transport, files=mine.files)
            port = site.client.tunnel(f"ms-x509-{transport}", "echo")
            echo_through(port)
            for event in ("request", "open", "closed"):
                device.expect(event)


def their_device_rejects():
    """a device of Microsoft's packages rejects: exit code 12 at our client, False at theirs"""
    with Site(gateway=False) as site:
        device = Device(site, "ms-no", mode="reject")
        done = site.client.ctl("connect", "ms-no", "echo")
        check_equal(done.returncode, 12, f"exit code ({done.stderr})")
        device.expect("request")
        check_rejected(initiate(site, "ms-no", "echo"))
        device.expect("request")


def check_rejected(answer):
    check_equal((answer["status"], answer["error"]), (200, None), f"{answer}")
    check_equal(said_headers(answer), {"iothub-streaming-is-accepted": "False"}, "headers")
    check_equal(answer["body"], "", "body")


def their_service():
    """a service of Microsoft's packages opens streams to our gateway"""
    with Site(client=False) as site:
        site.expose("echo", Server(serve_echo, site).address)
        for size in SIZES:
            check_echo(initiate(site, site.DEVICE, "echo", message_size=size))
        check_rejected(initiate(site, site.DEVICE, "something-else"))
        eventually(lambda: not site.gateway.streams(), "the streams end")


def their_errors():
    """offline, unknown, a wrong key, a policy without the right and a time-out, to the letter"""
    with Site(gateway=False, client=False) as site:
        site.hub.add_device("asleep")
        check_error(initiate(site, "asleep", "echo"), 404103, "DeviceNotOnline")
        check_error(initiate(site, "asleep", "echo", connect_timeout=1), 404103, "DeviceNotOnline")
        check_error(initiate(site, "nobody", "echo"), 404001, "DeviceNotFound")
        silent = Device(site, "ms-silent", mode="silent")
        check_error(initiate(site, "ms-silent", "echo", response_timeout=1), 504101, "GatewayTimeout")
        silent.expect("request")
        other = base64.b64encode(os.urandom(32)).decode()
        check_error(initiate(site, "asleep", "echo", key=other), 401003, "IotHubUnauthorized")
        check_error(initiate(site, "asleep", "echo", policy="device"), 401003, "IotHubUnauthorized")


def both_theirs():
    """their service and their device through our hub"""
    with Site(gateway=False, client=False) as site:
        for size in SIZES:
            device = Device(site, f"ms-{size}", message_size=size)
            check_echo(initiate(site, f"ms-{size}", "echo", message_size=size))
            for event in ("request", "open", "closed"):
                device.expect(event)


if __name__ == "__main__":
    packages.install(MODULES)
    main(their_device, their_device_over_websocket, their_twin_and_telemetry,
         their_device_with_a_certificate, their_device_rejects, their_service,
         their_errors, both_theirs)
