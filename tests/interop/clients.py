# SPDX-License-Identifier: LGPL-2.1-or-later
"""The matrix of docs/clients.md: devices and services of the field against the hub, with our streamd at the other end.
Every row runs at the same time as some others; a case is a row, and the last one compares the page with what was seen.

Usage: clients.py [ROW...]      STREAMD_LONG=1: streams beside telemetry for two minutes
"""
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
sys.path.insert(0, HERE)

# pylint: disable=wrong-import-position
import netspace  # noqa: E402
import packages  # noqa: E402
import wire  # noqa: E402
from clientkit import DIRECTORY, KEEP_ALIVE, Mosquitto, RawDevice, SdkDevice, environment, program  # noqa: E402
from ends import Server, connect, echo, in_threads, read_exactly, reset, tick  # noqa: E402
from harness import LONG, PATIENCE, Site, check, check_equal, eventually, main, run_ok, write_private  # noqa: E402

PAGE = os.path.join(os.path.dirname(os.path.dirname(HERE)), "docs", "clients.md")
COLUMNS = ("connect", "keep alive", "renew", "telemetry", "twin", "methods", "10 MB", "reject", "offline", "X.509")
NOT_THERE = "–"
WORKS = "works"
TOTAL = 160 * 65536
SILENCE = KEEP_ALIVE * 8 // 5  # longer than the hub waits for a sign of life
MESSAGES = 100
AT_ONCE = 2000
BESIDE = 120 if LONG else 10  # seconds
AT_A_TIME = 6  # jobs; most of each is waiting
SHORT_LIFE = 15  # of a token that has to be renewed
SETTINGS = """[hub]
device-return-time = 0
token-skew = 0
penalty = 0
leg-ping = 1
leg-dead = 5
client-certificates = yes
allowed-origins = https://localhost, https://localhost:443
"""


class Row:
    """What came of each cell."""

    def __init__(self, name, make):
        self.name, self.make = name, make
        self.id = re.sub(r"[^a-z0-9]+", "-", name.lower())  # of its device
        self.cells = {}
        self.faults = []

    def cell(self, column, call, *arguments):
        """Runs one; nothing said means that it works."""
        started = time.monotonic()
        try:
            self.cells[column] = call(*arguments) or WORKS
        except Exception:  # pylint: disable=broad-except
            self.cells[column] = "fails"
            self.faults.append(f"{column}:\n{traceback.format_exc()}")
        print(f"# {self.name} | {column}: {self.cells[column]} ({time.monotonic() - started:.1f} s)", flush=True)


def post(site, device, stream):
    """The answer to a request by hand."""
    key = wire.parse_connection_string(site.hub.connection_string("user", "service"))["SharedAccessKey"]
    http = wire.Http(site.hub.https_port, site.hub.ca)
    http.send("POST", f"/twins/{device}/streams/{stream}?api-version=2020-05-31-preview",
              [("Authorization", wire.sas("localhost", key, policy="service"))])
    answer = http.read()
    http.close()
    return answer


# -- devices -----------------------------------------------------------------------------------


def ten_megabytes(near):
    data = os.urandom(TOTAL)
    _, back = in_threads(lambda: near.sendall(data), lambda: read_exactly(near, TOTAL))
    check(back == data, "other bytes came back")


def telemetry(device, count):
    """Each is acknowledged, and each that was is counted by the hub for this device."""
    before = counted(device)
    check_equal(device.telemetry(count), count, "acknowledged")
    check_equal(counted(device) - before, count, "counted by the hub")


def counted(device):
    shown = json.loads(device.site.hub.admin("device", "show", device.name, "--json"))
    return shown.get("telemetry_messages", 0)


def stays(site, row):
    """Neither link nor stream is lost in a silence."""
    device = row.make(site, row.id + "-idle", 3600)
    near = connect(site.client.tunnel(device.name, "echo"))
    tick(near)
    site.wait_online(device.name)
    before = device.connections()
    time.sleep(SILENCE)
    tick(near)
    check_equal(device.connections(), before, "connections of the device")
    reset(near)
    device.stop()


def rejected(site, name):
    site.wait_online(name)
    answer = post(site, name, "no")
    check_equal((answer.status, answer.get("iothub-streaming-is-accepted")), (200, "False"), "rejected")


def goes_offline(site, device):
    device.stop()
    eventually(lambda: not site.is_online(device.name), f"{device.name} is offline")
    answer = post(site, device.name, "echo")
    check_equal((answer.status, answer.get("iothub-errorcode")), (404, "DeviceNotOnline"), "offline")


def open_stream(port):
    """A stream that carries something; none when the device is between two connections."""
    near = connect(port)
    try:
        tick(near)
    except ConnectionError:
        near.close()
        return None
    return near


def renewed(site, row):
    """A stream outlives the token of the link, and there are new ones afterwards."""
    device = row.make(site, row.id + "-renew", SHORT_LIFE)
    port = site.client.tunnel(device.name, "echo")
    near = eventually(lambda: open_stream(port), f"{device.name} takes a stream")
    before = device.connections()
    device.renew()
    eventually(lambda: device.connections() > before, f"{device.name} comes with another token")
    tick(near)
    reset(near)
    reset(eventually(lambda: open_stream(port), f"{device.name} takes a stream again"))
    device.stop()


def by_certificate(site, row):
    device = row.make(site, row.id + "-x509", None)
    near = connect(site.client.tunnel(device.name, "echo"))
    tick(near)
    reset(near)
    device.stop()


def device_row(site, row):
    made = []
    row.cell("connect", lambda: made.append(row.make(site, row.id, 3600)))
    if not made:
        return
    device = made[0]
    row.cell("twin", device.twin)
    row.cell("methods", device.methods)
    site.wait_online(row.id)
    near = connect(site.client.tunnel(row.id, "echo"))
    row.cell("stream", tick, near)
    in_threads(lambda: row.cell("10 MB", ten_megabytes, near), lambda: row.cell("telemetry", telemetry, device, MESSAGES))
    reset(near)
    row.cell("reject", rejected, site, row.id)
    if not isinstance(device, Mosquitto):  # whose commands are a connection each
        row.cell("one connection", lambda: check_equal(device.connections(), 1, "connections in all"))
    row.cell("offline", goes_offline, site, device)


def beside(site, row):
    """Twin, 2,000 messages at once and a stream, for a while, on one connection."""
    device = row.make(site, row.id + "-beside", 3600)
    near = connect(site.client.tunnel(device.name, "echo"))
    device.twin()
    deadline = time.monotonic() + BESIDE
    in_threads(lambda: ten_megabytes(near), lambda: telemetry(device, AT_ONCE))
    while time.monotonic() < deadline:
        tick(near)
        time.sleep(0.2)
    telemetry(device, AT_ONCE)
    reset(near)
    print(f"# {device.name}: {BESIDE} s, {device.connections() - 1} reconnects, {2 * AT_ONCE} acknowledged, "
          f"{counted(device)} counted", flush=True)
    check_equal(device.connections(), 1, "connections in all")
    device.stop()


def raw(client, transport, leg):
    return lambda site, name, life: RawDevice(site, name, leg, life, program(client), transport)


def sdk(client, transport, leg):
    return lambda site, name, life: SdkDevice(site, name, leg, life, program(client), transport)


DEVICES = {
    "azure-iot-device Node MQTT": sdk("sdk_device.js", "tcp", "ws"),
    "azure-iot-device Node MQTT-WS": sdk("sdk_device.js", "ws", "ws"),
    "azure-iot-device Python MQTT": sdk("sdk_device.py", "tcp", "websocket-client"),
    "azure-iot-device Python MQTT-WS": sdk("sdk_device.py", "ws", "aiohttp"),
    "paho-mqtt MQTT": raw("mqtt_paho.py", "tcp", "websockets"),
    "paho-mqtt MQTT-WS": raw("mqtt_paho.py", "ws", "websocket-client"),
    "aiomqtt MQTT": raw("mqtt_aiomqtt.py", "tcp", "aiohttp"),
    "aiomqtt MQTT-WS": raw("mqtt_aiomqtt.py", "ws", "websockets"),
    "Paho C MQTT": raw("paho-c", "tcp", "ws"),
    "Paho C MQTT-WS": raw("paho-c", "ws", "websockets"),
    "mosquitto MQTT": lambda site, name, life: Mosquitto(site, name, "websocket-client", life),
}


# -- services ----------------------------------------------------------------------------------


class Service:
    """A service of the field as a process that is told which stream to ask for (clients/service.py)."""

    def __init__(self, argv):
        self.argv = argv
        self.lines = None

    def start(self, site, name):
        self.site = site
        self.key = wire.parse_connection_string(site.hub.connection_string("user", "service"))["SharedAccessKey"]
        self.said = []
        self.log = os.path.join(site.dir, name + ".err")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.argv(site), env=environment(site, "field"), stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=log, text=True)
        site.children.append(self.process)
        self.tell("localhost", site.hub.https_port, site.hub.ca)

    def tell(self, *words):
        self.process.stdin.write("\t".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def ask(self, device, stream, idle=0, expired=False):
        token = wire.sas("localhost", self.key, seconds=-60 if expired else 3600, policy="service")
        self.tell(token, device, stream, TOTAL, idle)
        line = self.process.stdout.readline()
        with open(self.log, encoding="utf-8", errors="replace") as log:
            check(line, f"it ended: {log.read()[-2000:]}")
        answer = json.loads(line)
        echo_of = answer.get("echo")
        if echo_of:
            answer["whole"] = echo_of["sent"] == echo_of["echoed"] and echo_of["biggest"] <= 65536
            answer["late"] = echo_of["total"] == TOTAL + 64
        return answer

    def stop(self):
        self.process.stdin.close()
        check_equal(self.process.wait(PATIENCE), 0, "exit status")


class Microsoft:
    """Their Node packages for services: service.js, a process for each stream."""

    def start(self, site, _):
        self.site = site

    def ask(self, device, stream, idle=0, expired=False):
        parts = wire.parse_connection_string(self.site.hub.connection_string("user", "service"))
        path = os.path.join(self.site.dir, f"service-{stream}-{expired}.json")
        write_private(path, json.dumps({
            "host": "localhost", "port": self.site.hub.https_port, "policy": "service", "key": parts["SharedAccessKey"],
            "device": device, "stream": stream, "connectTimeout": 0, "responseTimeout": 30, "total": TOTAL,
            "messageSize": 65536, "idle": idle, "expired": expired}))
        env = dict(environment(self.site, "field"), NODE_EXTRA_CA_CERTS=self.site.hub.ca)
        answer = json.loads(run_ok(["node", os.path.join(HERE, "service.js"), path], env=env, timeout=PATIENCE * 2))
        if "echo" in answer:
            answer["whole"] = answer["echo"]["sent"] == answer["echo"]["digest"] and answer["echo"]["complete"]
            answer["late"] = answer["echo"].get("late") == 64
        return answer

    def stop(self):
        pass


def by_python(http, leg):
    return lambda: Service(lambda site: [*program("service.py"), http, leg])


def by_java(site):
    classes = os.path.join(site.dir, "java")
    run_ok(["javac", "-d", classes, os.path.join(HERE, "clients", "Service.java")])
    return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", classes, "Service"]


def is_answer(answer, status, **headers):
    said = {name.replace("-", "_"): value for name, value in answer["headers"].items()}
    check_equal((answer["status"], {name: said.get(name) for name in headers}), (status, headers), f"{answer}")


def service_row(site, row):
    service = row.make()
    answers = []

    def expired():
        is_answer(service.ask(site.DEVICE, "echo", expired=True), 401, iothub_errorcode="IotHubUnauthorized")
        answers.append(service.ask(site.DEVICE, "echo", idle=SILENCE))
        is_answer(answers[0], 200, iothub_streaming_is_accepted="True")

    def connected():
        service.start(site, row.id)
        expired()

    for column in ("telemetry", "twin", "methods", "X.509"):
        row.cells[column] = NOT_THERE
    row.cell("connect", connected)
    row.cell("renew", lambda: check(answers, "no answer with a new token"))
    row.cell("10 MB", lambda: check(answers[0]["whole"], f"the echo: {answers[0]}"))
    row.cell("keep alive", lambda: check(answers[0]["late"], f"after a silence: {answers[0]}"))
    row.cell("reject", lambda: is_answer(service.ask(site.DEVICE, "no"), 200, iothub_streaming_is_accepted="False"))
    row.cell("offline", lambda: is_answer(service.ask("asleep", "echo"), 404, iothub_errorcode="DeviceNotOnline"))
    row.cell("end", service.stop)


SERVICES = {
    "azure-iot-http-base Node": Microsoft,
    "curl": by_python("curl", "websocket-client"),
    "httpx": by_python("httpx", "websockets"),
    "aiohttp": by_python("aiohttp", "aiohttp"),
    "Java HttpClient": lambda: Service(by_java),
}


# -- the page ----------------------------------------------------------------------------------


def page_rows():
    """The table of docs/clients.md, by row and column."""
    with open(PAGE, encoding="utf-8") as file:
        lines = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in file if line.startswith("|")]
    heads = [line for line in lines if line[0] == "client"]
    check_equal([head[1:] for head in heads], [list(COLUMNS)], "the table's columns")
    at = lines.index(heads[0])
    return {line[0]: dict(zip(heads[0][1:], line[1:])) for line in lines[at + 2:at + 2 + len(DEVICES) + len(SERVICES)]}


def says_the_same(rows):
    said = page_rows()
    check_equal(sorted(said), sorted([*DEVICES, *SERVICES]), "rows of docs/clients.md")
    for row in rows:
        seen = {column: row.cells.get(column, "not run") for column in COLUMNS}
        check_equal({column: said[row.name][column] for column in COLUMNS}, seen, f"docs/clients.md, {row.name}")


# -- running it --------------------------------------------------------------------------------


def jobs(rows):
    """What runs side by side, the longest first."""
    found = [(row, lambda site, row: row.cell("beside", beside, site, row)) for row in rows if "azure-iot-device" in row.name]
    for row in rows:
        if row.name in SERVICES:
            found.append((row, service_row))
        else:
            found.append((row, device_row))
            found.append((row, lambda site, row: row.cell("renew", renewed, site, row)))
            found.append((row, lambda site, row: row.cell("X.509", by_certificate, site, row)))
            found.append((row, lambda site, row: row.cell("keep alive", stays, site, row)))
    return found


def run_job(site, row, job):
    try:
        job(site, row)
    except Exception:  # pylint: disable=broad-except
        row.faults.append(traceback.format_exc())


def run_rows(rows):
    """Runs all of them at one hub, on the ports that some clients have fixed."""
    with Site(hub_ports=("443", "8883")) as site:
        site.expose("echo", Server(echo, site).address)
        site.hub.admin("device", "add", "asleep")
        with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(lambda pair: run_job(site, *pair), jobs(rows)))
        if any(row.faults for row in rows):
            site.show_logs()


def case_of(row):
    def case():
        check(not row.faults, "\n".join(row.faults))

    case.__name__ = row.id
    case.__doc__ = f"{row.name}: " + ", ".join(f"{column} {said}" for column, said in row.cells.items())
    return case


def all_rows():
    wanted = sys.argv[1:]
    del sys.argv[1:]
    rows = [Row(name, make) for name, make in {**DEVICES, **SERVICES}.items()]
    return [row for row in rows if not wanted or row.id in wanted]


def the_page():
    """docs/clients.md says what was seen"""
    says_the_same(chosen)


if __name__ == "__main__":
    if not os.environ.get("STREAMD_NETSPACE"):  # where no network is any more
        packages.install(DIRECTORY)
    netspace.enter()
    run_ok(["ip", "link", "set", "lo", "up"])
    Site.HUB_SETTINGS = SETTINGS
    chosen = all_rows()
    run_rows(chosen)
    main(*map(case_of, chosen), the_page)
