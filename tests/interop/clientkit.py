# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices of the field as processes, all with the same methods, whatever library they stand on. What each library is
told and says: clients/lines.py."""
import json
import os
import queue
import subprocess
import threading
import time
import urllib.parse

import packages
import wire
from harness import PATIENCE, check, check_equal, eventually, run_ok, write_private

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "clients")
DIRECTORY = os.environ.get("STREAMD_NODE_DIR", "")
EMPTY_TWIN = {"desired": {"$version": 1}, "reported": {"$version": 1}}
TWIN_FILTER = "$iothub/twin/res/#"
METHODS_FILTER = "$iothub/methods/POST/#"
REFUSED = 128  # in a SUBACK
KEEP_ALIVE = 5  # seconds, shortened; the least that mosquitto_sub takes
USUAL_KEEP_ALIVE = 60


def environment(site, python):
    """Of a client in Python or Node."""
    return site.environment(PYTHONPATH=packages.python_path(DIRECTORY, python), PYTHONDONTWRITEBYTECODE="1",
                            NODE_PATH=os.path.join(DIRECTORY, "node_modules"))


def program(name):
    """The command line of a client."""
    if name.endswith(".py"):
        return ["/usr/bin/python3", os.path.join(FOLDER, name)]
    if name.endswith(".js"):
        return ["node", os.path.join(FOLDER, name)]
    return [os.path.join(DIRECTORY, name)]


class Lines:
    """A process that is told and says things by the line; on_event() gets what it says by itself, in a thread."""

    def __init__(self, site, name, argv, env, on_event=None):
        self.name = name
        self.log_path = os.path.join(site.dir, name + ".err")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                            text=True, encoding="utf-8")
        site.children.append(self.process)
        self.on_event = on_event
        self.done = queue.Queue()
        self.asking = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            said = json.loads(line)
            if "done" in said:
                self.done.put(said)
            elif self.on_event:
                self.on_event(said)
        self.done.put({"done": None})

    def errors(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()[-2000:]

    def tell(self, *words):
        self.process.stdin.write("\t".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def do(self, *words):
        """Tells it, and waits for what came of it."""
        with self.asking:
            self.tell(*words)
            try:
                said = self.done.get(timeout=PATIENCE * 2)
            except queue.Empty:
                check(False, f"{self.name} never did {words[0]}: {self.errors()}")
        check_equal(said["done"], words[0], f"what {self.name} did: {said} {self.errors()}")
        return said


class Request:
    """A request for a stream, of its topic."""

    def __init__(self, topic):
        levels = topic.split("/")
        check_equal((len(levels), levels[:3]), (5, ["$iothub", "streams", "POST"]), "the request's topic")
        pairs = dict(pair.split("=", 1) for pair in levels[4][1:].split("&"))
        self.stream, self.rid, self.token = levels[3], pairs["$rid"], pairs["$auth"]
        self.url = urllib.parse.unquote(pairs["$url"])


class Device:
    """Accepts streams of every name but "no" and carries each with the leg's library. Subclasses say how they connect,
    publish, ask for their twin and send telemetry."""

    def __init__(self, site, name, leg, life):
        self.site, self.name, self.leg, self.life = site, name, leg, life
        # Shortened where it is what is tried: on a busy machine a client that answers others may be late with it.
        self.keep_alive = KEEP_ALIVE if name.endswith("-idle") else USUAL_KEEP_ALIVE
        self.prepare_leg()
        self.events = []
        if life is None:
            site.hub.admin("device", "add", name, "--certificate", self.make_certificate())
            self.string = f"HostName=localhost;DeviceId={name};x509=true"
        else:
            self.string = site.hub.add_device(name)
            self.key = wire.parse_connection_string(self.string)["SharedAccessKey"]

    def make_certificate(self):
        """A file with key and certificate."""
        self.certificate = os.path.join(self.site.dir, self.name + ".pem")
        pem = run_ok(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc",
                      "-days", "2", "-subj", f"/CN={self.name}", "-keyout", "-", "-out", "-"])
        write_private(self.certificate, pem)
        return self.certificate

    def secret(self, life):
        """A token, or the device's certificate."""
        if life is None:
            return f"cert:{self.certificate}"
        return wire.sas(f"localhost/devices/{self.name}", self.key, seconds=life)

    def user(self):
        return f"localhost/{self.name}/?api-version=2021-04-12&DeviceClientType=interop"

    def requested(self, topic):
        request = Request(topic)
        status = 400 if request.stream == "no" else 200
        self.publish(f"$iothub/streams/res/{status}/?$rid={request.rid}")
        if status == 200:
            self.open_leg(request)

    def prepare_leg(self):
        """A process begins before it is needed: on a busy machine that takes longer than a stream may wait."""
        argv = program("leg.js") if self.leg == "ws" else program("leg.py") + [self.leg]
        self.spare = Lines(self.site, f"{self.name}-leg", argv, environment(self.site, "field"))

    def open_leg(self, request):
        leg = self.spare
        leg.tell(request.url, request.token, self.site.hub.ca)
        leg.process.stdin.close()
        self.prepare_leg()

    def connections(self):
        """How often the hub has let it in: of its log."""
        words = (f"Device {self.name} is connected from", f"Device {self.name} connected again from")
        log = self.site.hub.log()
        return sum(log.count(word) for word in words)

    def take(self, said):
        """What the process says of itself."""
        self.events.append(said)
        if said["event"] == "message" and said["topic"].startswith("$iothub/streams/POST/"):
            threading.Thread(target=self.requested, args=(said["topic"],), daemon=True).start()

    def wait_event(self, wanted):
        return eventually(lambda: next((said for said in self.events if wanted(said)), None),
                          f"{self.name} says it: {self.events[-3:]}")


class RawDevice(Device):
    """On a library that speaks MQTT and knows nothing else."""

    def __init__(self, site, name, leg, life, argv, transport):
        super().__init__(site, name, leg, life)
        self.lines = Lines(site, name, argv, environment(site, "field"), self.take)
        self.wait_event(lambda said: said["event"] == "started")  # a token's life begins when it is needed
        port = site.hub.https_port if transport == "ws" else site.hub.mqtts_port
        self.lines.tell("connect", "localhost", port, transport, site.hub.ca, name, self.user(), self.secret(life),
                        self.keep_alive)
        check_equal(self.wait_event(lambda said: said["event"] == "connected")["code"], 0, f"CONNACK {self.lines.errors()}")
        check(self.lines.do("subscribe", wire.POST_FILTER, 1)["codes"] in ([1], [0]), "streams are not granted")
        site.wait_online(name)

    def publish(self, topic, payload="", qos=1):
        check("error" not in self.lines.do("publish", topic, qos, payload), "not acknowledged")

    def answered(self, topic, status):
        """What the twin answers."""
        rid = len(self.events) + 1
        self.publish(f"{topic}?$rid={rid}", '{"a":1}')
        return self.wait_event(lambda said: said["event"] == "message" and
                               said["topic"] == f"$iothub/twin/res/{status}/?$rid={rid}")["payload"]

    def twin(self):
        check_equal(self.lines.do("subscribe", TWIN_FILTER, 0)["codes"], [0], "granted")
        check_equal(json.loads(self.answered("$iothub/twin/GET/", 200)), EMPTY_TWIN, "the twin")
        check_equal(json.loads(self.answered("$iothub/twin/PATCH/properties/reported/", 501))["errorCode"], 501000,
                    "the error")

    def methods(self):
        check_equal(self.lines.do("subscribe", METHODS_FILTER, 0)["codes"], [REFUSED], "granted")
        return "refused"

    def telemetry(self, count):
        return self.lines.do("telemetry", f"devices/{self.name}/messages/events/", count)["acknowledged"]

    def renew(self):
        """The hub ends the connection when the token does; the next one brings this."""
        self.lines.do("password", self.secret(3600))

    def stop(self):
        self.lines.tell("quit")
        check_equal(self.lines.process.wait(PATIENCE), 0, f"exit status of {self.name}: {self.lines.errors()}")


class SdkDevice(Device):
    """On Microsoft's packages, which renew tokens by themselves."""

    def __init__(self, site, name, leg, life, argv, transport):
        super().__init__(site, name, leg, life)
        self.lines = Lines(site, name, argv, environment(site, "microsoft"), self.take)
        self.lines.tell("sdk", self.string, transport, site.hub.ca, self.keep_alive,
                        life or self.secret(None))
        self.wait_event(lambda said: said["event"] == "connected")
        self.lines.do("subscribe", wire.POST_FILTER, 1)
        site.wait_online(name)

    def publish(self, topic, payload="", qos=1):
        check("error" not in self.lines.do("publish", topic, qos, payload), "not acknowledged")

    def twin(self):
        said = self.lines.do("twin")
        check_equal(said.get("value"), EMPTY_TWIN, f"the twin ({said})")
        error = self.lines.do("report").get("error")
        check(error, "reported properties are refused, and the client does not say so")
        print(f"# {self.name}: reported properties: {error}")

    def methods(self):
        check_equal(self.lines.do("methods"), {"done": "methods", "error": None}, "methods")
        return "unnoticed"

    def telemetry(self, count):
        return self.lines.do("telemetry", "", count)["acknowledged"]

    def renew(self):
        """By itself."""

    stop = RawDevice.stop


class Mosquitto(Device):
    """Mosquitto's two commands and a shell's loop: one waits for a request, the other answers. Both have the device's
    identity, so one runs at a time; options are in a file, since others can read a command line."""

    def __init__(self, site, name, leg, life):
        super().__init__(site, name, leg, life)
        self.home = os.path.join(site.dir, name)
        os.makedirs(os.path.join(self.home, ".config"), mode=0o700)
        self.write_options(self.secret(life))
        self.env = dict(environment(site, "field"), HOME=self.home, XDG_CONFIG_HOME=os.path.join(self.home, ".config"))
        self.one = threading.RLock()
        self.waiting = None
        self.going = True
        self.loop = threading.Thread(target=self.listen, daemon=True)
        self.loop.start()
        site.wait_online(name)

    def write_options(self, secret):
        own = secret.removeprefix("cert:")
        login = (f"--cert {own}", f"--key {own}") if own != secret else (f"-P {secret}",)
        for command in ("mosquitto_sub", "mosquitto_pub", "mosquitto_rr"):
            write_private(os.path.join(self.home, ".config", command), "\n".join((
                "-h localhost", f"-p {self.site.hub.mqtts_port}", f"--cafile {self.site.hub.ca}", f"-i {self.name}",
                f"-u {self.user()}", *login, "-V mqttv311", f"-k {self.keep_alive}", "")))

    def start(self, *argv, **kwargs):
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(argv, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                   **kwargs)
        self.site.children.append(process)
        return process

    def listen(self):
        while self.going:
            with self.one:
                self.waiting = self.start("mosquitto_sub", "-t", wire.POST_FILTER, "-q", "1", "-C", "1", "-F", "%t")
            said = self.waiting.stdout.read().strip()
            self.waiting.wait()
            with self.one:
                if said.startswith("$iothub/streams/"):
                    self.requested(said)
                elif self.going:
                    time.sleep(0.2)

    def run(self, *argv, **kwargs):
        """Runs a command in the place of the one that waits."""
        with self.one:
            self.waiting.terminate()
            self.waiting.wait()
            process = self.start(*argv, stdin=subprocess.PIPE)
            out, _ = process.communicate(kwargs.get("input", ""), timeout=PATIENCE)
        return process.returncode, out

    def publish(self, topic, payload=""):
        check_equal(self.run("mosquitto_pub", "-t", topic, "-q", "1", "-m", payload), (0, ""), "mosquitto_pub")

    def ask(self, topic, payload, answers):
        return self.run("mosquitto_rr", "-t", f"$iothub/twin/{topic}?$rid=1", "-m", payload, "-W", "10", "-e", answers)[1]

    def twin(self):
        """The answer comes on the connection that asked, so only mosquitto_rr could read it. It takes no filter with a
        wildcard, and the hub grants no other."""
        for topic, payload, status in (("GET/", "", 200), ("PATCH/properties/reported/", '{"a":1}', 501)):
            check("Invalid response topic" in self.ask(topic, payload, TWIN_FILTER), "mosquitto_rr takes a wildcard")
            check_equal(self.ask(topic, payload, f"$iothub/twin/res/{status}/?$rid=1").strip(), "Unspecified error",
                        "what mosquitto_rr says to a filter that is refused")
        return "refused"

    def methods(self):
        code, out = self.run("mosquitto_sub", "-t", METHODS_FILTER, "-W", "10")
        check("denied" in out, f"mosquitto_sub for methods: {code} {out}")
        return "refused"

    def telemetry(self, count):
        code, out = self.run("mosquitto_pub", "-t", f"devices/{self.name}/messages/events/", "-q", "1", "-l",
                             input="".join(f"m{number}\n" for number in range(count)))
        check_equal((code, out), (0, ""), "mosquitto_pub -l")
        return count

    def renew(self):
        self.write_options(self.secret(3600))

    def stop(self):
        self.going = False
        with self.one:
            self.waiting.terminate()
        self.loop.join(PATIENCE)
