# SPDX-License-Identifier: LGPL-2.1-or-later
"""New keys over the devices' own connections, with real ones: a fleet under streams, streamd killed at each step,
a key that is not streamd's to change, and a hub that sends what it may not."""
import base64
import contextlib
import glob
import json
import os
import random
import re
import signal
import threading
import time
import urllib.parse
from email.utils import formatdate

from ends import Server, echo
from evil_hub import CONNACK, SUBACK, EvilHub, control_link, frame, the_hub, unmask, upgrade
from harness import LONG, Failure, Site, check, check_equal, eventually, main, run, write_private
from hub_keys import connack, keys_of
from hub_wire import Wire, check_accepted
from state import Killed

FLEET = 300 if LONG else 40
PER_DAEMON = 60  # streamd takes 64 hubs
RATE = 20  # streams a second
GRACE = 3
SETTINGS = f"[hub]\ndevice-return-time = 0\nreconnects-per-minute = 1000\npenalty = 0\nrekey-grace = {GRACE}\n"


class Fast(Site):
    HUB_SETTINGS = SETTINGS


def key_of(string):
    return string.strip().split("SharedAccessKey=")[1]


def shown(site, device):
    return json.loads(site.hub.admin("device", "show", device, "--json")).get("rekey", {}).get("state")


def rekey(site, *words):
    """(exit code, {device: result})"""
    done = run([site.streamhub, "--state-dir", site.hub.state_dir, "device", "rekey", *words, "--json"])
    check(done.stdout, f"no results: {done.stderr}")
    return done.returncode, {"/".join(filter(None, (row["device_id"], row.get("module_id")))): row["result"]
                             for row in json.loads(done.stdout)}


def kept_keys(site, daemon, hub):
    """The keys of that hub that are on the daemon's disk."""
    found = []
    for path in glob.glob(os.path.join(site.dir, daemon + "-state", "secrets.d", hub + ".[0-9]*")):
        with open(path, encoding="utf-8") as file:
            found += [key_of(line) for line in file if "SharedAccessKey=" in line]
    return found


# -- a fleet -------------------------------------------------------------------------------------


class Traffic:
    """Streams to devices of the fleet, RATE a second, each with an echo; what failed is kept."""

    def __init__(self, wire, devices):
        self.wire, self.devices = wire, devices
        self.done, self.failed, self.running = 0, [], []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        begin = time.monotonic()
        while not self.stop.is_set():
            worker = threading.Thread(target=self._one, args=(random.choice(self.devices),), daemon=True)
            worker.start()
            self.running.append(worker)
            self.stop.wait(max(0.0, begin + len(self.running) / RATE - time.monotonic()))

    def _one(self, device):
        try:
            answer = self.wire.post(device, "echo", connect=10, response=10).read()
            check_accepted(answer)
            leg = self.wire.service_leg(answer)
            data = os.urandom(1000)
            leg.send(data)
            check_equal(leg.receive(len(data)), data, "the echo")
            leg.drop()
            self.done += 1
        except Exception as error:  # pylint: disable=broad-except
            self.failed.append(f"{device}: {error!r}")

    def end(self):
        self.stop.set()
        self.thread.join()
        for worker in self.running:
            worker.join()


def make_fleet(site):
    """(names, their keys, the daemons that have them)"""
    server = Server(echo, site)
    names, daemons = [f"d{n:03}" for n in range(FLEET)], {}
    names[-1] = "d000/m"  # a module is given a key as any device is
    strings = {}
    for at, name in enumerate(names):
        device, _, module = name.partition("/")
        module = ["--module", module] if module else []
        site.hub.admin("device", "add", device, *module)
        strings[name] = site.hub.admin("connection-string", "device", device, *module).strip()
        if at % PER_DAEMON == 0:
            site.gateway = site.start_daemon(f"gateway{at // PER_DAEMON}")
            site.expose("echo", server.address)
        site.gateway.add_hub(name.replace("/", "."), strings[name], site.hub.ca)
        daemons[name] = site.gateway.name
    for name in names:
        device, _, module = name.partition("/")
        words = ["device", "show", device, "--json"] + (["--module", module] if module else [])
        eventually(lambda w=words: json.loads(site.hub.admin(*w))["online"], f"{name} is online")
    return names, {name: key_of(text) for name, text in strings.items()}, daemons


def new_keys(site, wire, names, old):
    """The keys of the hub, once no grace runs any more."""
    found = {}

    def settled(name):
        device, _, module = name.partition("/")
        found[name] = keys_of(wire, "device", device, module or None)
        return old[name] not in found[name]

    for name in names:
        eventually(lambda n=name: settled(n), f"the former key of {name} is replaced")
    check(site.hub.alive(), "the hub is there")
    return found


def rotation():
    """every device of a fleet gets a new key under 20 streams a second: none fails, old keys are good no more"""
    with Fast(gateway=False, client=False) as site:
        names, old, daemons = make_fleet(site)
        wire = Wire(site)
        for name in names[:3]:  # long ones, over all of it
            wire.devices[name] = old[name]
        held = []
        for name in names[:3]:
            answer = wire.post(name, "echo", connect=10, response=10).read()
            check_accepted(answer)
            held.append(wire.service_leg(answer))
        traffic = Traffic(wire, [name for name in names if "/" not in name])
        begin = time.monotonic()
        code, results = rekey(site, "--all")
        print(f"# {len(results)} keys in {time.monotonic() - begin:.1f} s, {traffic.done} streams by then")
        check_equal((code, results), (0, {name: "done" for name in names}), "device rekey --all")
        found = new_keys(site, wire, names, old)
        traffic.end()
        print(f"# {traffic.done} streams, failed: {traffic.failed}; all in {time.monotonic() - begin:.1f} s")
        check(not traffic.failed and traffic.done > RATE, "streams failed")
        for leg in held:
            data = os.urandom(1000)
            leg.send(data)
            check_equal(leg.receive(len(data)), data, "a stream that was open all the time")
        for name in names:
            kept = kept_keys(site, daemons[name], name.replace("/", "."))
            check_equal(len(kept), 1, f"keys of {name} on the disk")
            check(kept[0] in found[name] and kept[0] != old[name], f"{name} has one of the hub's keys")
        for name in (names[0], names[-1]):
            check_equal(connack(wire, name, old[name], wire.port), 5, f"the former key of {name}")


# -- streamd -------------------------------------------------------------------------------------


class KilledAtKeys(Killed):
    HUB_SETTINGS = SETTINGS.replace(f"rekey-grace = {GRACE}", "rekey-grace = 3600")


def killed():
    """streamd is killed at each step of storing a key: it comes back with one that is good, and has the new one then"""
    with KilledAtKeys() as site:
        wire = Wire(site)
        string = site.hub.add_device("gw")
        site.start()
        site.client.add_hub("office", string, site.hub.ca)
        site.wait_online("gw")
        site.leave()
        deaths = 0
        for step in range(1, 100, 1 if LONG else 2):
            site.start(step)
            site.wait_online("gw")
            code, results = rekey(site, "gw")
            died = not site.client.alive() or results["gw"] != "done"
            check_equal(code, 0, f"{results}")
            if died:
                eventually(lambda: not site.client.alive(), f"it dies at step {step}")
                deaths += 1
            site.leave(signal.SIGKILL)
            site.start()
            eventually(lambda: shown(site, "gw") == "confirmed", f"it has the new key, after step {step}")
            kept = kept_keys(site, "client", "office")
            check(kept and kept[-1] in keys_of(wire, "device", "gw"), f"one of the hub's keys, after step {step}")
            site.leave()
            if not died:
                print(f"# died {deaths} times, at steps below {step}")
                check(deaths > 1, "it never died")
                return
        raise Failure("it always dies")


def hub_restarts():
    """the hub is killed while a key waits for a device that is away: the device gets it from the next hub, once"""
    with Fast(client=False) as site:
        wire = Wire(site)
        old = keys_of(wire, "device", "gw-1")
        port = site.hub.https_port
        site.gateway.stop()
        site.processes.remove(site.gateway)
        eventually(lambda: not site.is_online("gw-1"), "it is away")
        check_equal(rekey(site, "gw-1"), (0, {"gw-1": "pending"}), "device rekey")
        site.hub.stop(signal.SIGKILL)
        site.start_hub(ports=(str(port), "0"))
        check_equal((shown(site, "gw-1"), keys_of(wire_of(site), "device", "gw-1")), ("wanted", old), "after a restart")
        site.gateway = site.start_daemon("gateway")
        eventually(lambda: shown(site, "gw-1") == "confirmed", "it has a new key")
        eventually(lambda: old[0] not in keys_of(wire_of(site), "device", "gw-1"), "and the former one is gone")
        check_equal(site.gateway.log().count("it is saved and in use"), 1, "keys that were saved")


def wire_of(site):
    class Now:
        hub = site.hub
    return Now


def read_only():
    """a key of a configuration file or of a credential of systemd is left alone, and the hub's keys stay"""
    with Site(gateway=False, client=False) as site:
        wire = Wire(site)
        config = os.path.join(site.dir, "gateway.conf")
        credentials = os.path.join(site.dir, "credentials")
        os.mkdir(credentials, 0o700)
        write_private(os.path.join(site.dir, "one.cs"), site.hub.add_device("one") + "\n")
        write_private(os.path.join(credentials, "two.cs"), site.hub.add_device("two") + "\n")
        write_private(config, f"[hub one]\nConnectionStringFile={site.dir}/one.cs\nCaFile={site.hub.ca}\n"
                      f"[hub two]\nConnectionStringCredential=two.cs\nCaFile={site.hub.ca}\n")
        before = {name: keys_of(wire, "device", name) for name in ("one", "two")}
        os.environ["CREDENTIALS_DIRECTORY"] = credentials
        real = site.environment
        site.environment = lambda **more: real(CREDENTIALS_DIRECTORY=credentials, **more)
        site.gateway = site.start_daemon("gateway", ["--config", config])
        for name in before:
            site.wait_online(name)
        check_equal(rekey(site, "--all"), (12, {"one": "read-only", "two": "read-only"}), "device rekey")
        check_equal({name: keys_of(wire, "device", name) for name in before}, before, "the hub's keys")
        check("read-only" in site.hub.admin("device", "show", "one", "--json"), "it is shown")
        check("cannot store" in site.hub.admin("device", "show", "two"), "in words, too")
        for name in before:
            check(site.is_online(name), f"{name} is there")
        check(not os.path.exists(os.path.join(site.dir, "gateway-state", "state")), "nothing was saved")


# -- an evil hub ---------------------------------------------------------------------------------


def offer(rid, key, topic="$iothub/streamd/rekey/?$rid={}", first=0x30):
    name = topic.format(rid).encode()
    body = len(name).to_bytes(2, "big") + name + key
    digits, length = bytearray(), len(body)
    while True:
        digits.append(length % 128 | (128 if length > 127 else 0))
        length //= 128
        if not length:
            return bytes([first]) + bytes(digits) + body


def message(payload):
    size = len(payload)
    return (b"\x82" + (bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big") if size < 65536
                       else b"\x7f" + size.to_bytes(8, "big")) + payload)


def good_key(number):
    return base64.b64encode(bytes([number]) * 32)


def hears(connection, enough):
    """What the device says until ENOUGH of it, or until it falls silent."""
    data = b""
    connection.settimeout(3)
    with contextlib.suppress(OSError):
        while not enough(unmask(data)):
            more = connection.recv(65536)
            if not more:
                break
            data += more
    return unmask(data)


def evil_hub():
    """malformed and oversize keys, replays and floods: nothing of it is stored, a good one is, and writes are few"""
    heard, sent = [], threading.Event()
    bad = [b"", b"A", b"A" * 43, b"A" * 44 + b"=", b"\0" * 44, base64.b64encode(bytes(15)),
           base64.b64encode(bytes(65)), b"A" * 100000, base64.b64encode(bytes(32)) + b"\n",
           b"HostName=evil;SharedAccessKey=AAAA"]
    topics = ["$iothub/streamd/rekey/", "$iothub/streamd/rekey/?$rid=", "$iothub/streamd/rekey/?$rid=x",
              "$iothub/streamd/rekey/?$rid=" + "1" * 21, "$iothub/streamd/rekey/?$rid=1&x=y",
              "$iothub/streamd/rekey/x?$rid=1", "$iothub/streamd/rekey/?$rid=" + "1" * 7000,
              "$iothub/streamd/rekey/res/200/?$rid=1"]

    def act(connection, head):
        connection.sendall(upgrade(head, "Sec-WebSocket-Protocol: mqtt"))
        connection.sendall(frame(CONNACK) + frame(SUBACK))
        if sent.is_set():
            heard.append(hears(connection, lambda said: False))
            return
        sent.set()
        for number, key in enumerate(bad):
            connection.sendall(message(offer(100 + number, key)))
        for topic in topics:
            connection.sendall(message(offer("", good_key(1), topic)))
        connection.sendall(message(offer(1, good_key(1))))
        heard.append(hears(connection, lambda said: b"res/200/?$rid=1" in said))
        # The same again, and then many others: each of them would be a write.
        connection.sendall(message(offer(2, good_key(1))))
        for number in range(3, 60):
            connection.sendall(message(offer(number, good_key(number))))
            time.sleep(0.02)
        heard.append(hears(connection, lambda said: b"$rid=59" in said))

    with Site(gateway=False, client=False) as site:
        site.gateway = site.start_daemon("gateway")
        hub = EvilHub(site, act)
        site.gateway.add_hub("evil", hub.device(), site.hub.ca)
        eventually(lambda: len(heard) > 1, "it was asked")
        said = re.search(rb"caps=([a-z,-]+)\)", urllib.parse.unquote_to_bytes(heard[0]))
        check(said and b"rekey" in said[1].split(b","), f"its CONNECT: {heard[0]!r}")
        for number in range(len(bad)):
            check(f"$rid={100 + number}".encode() not in heard[0], f"an answer to {bad[number][:20]!r}")
        check(b"res/200/?$rid=1" in heard[0], f"the good one: {heard[0]!r}")
        check(b"res/200/?$rid=2" in heard[1], f"a replay is answered: {heard[1]!r}")
        stored = heard[1].count(b"/res/200/") - 1
        busy = heard[1].count(b"$reason=busy")
        print(f"# of 57 more keys {stored} were stored, {busy} put off")
        check(stored <= 3 and busy > 0, "keys that are stored at once are few")
        kept = kept_keys(site, "gateway", "evil")
        check_equal(len(kept), 1, "keys on the disk")
        check(kept[0].encode() in [good_key(number) for number in range(1, 60)], "a whole one")
        site.gateway.ctl_ok("hub", "remove", "evil")


def not_announced():
    """on a link that announced nothing of it (a diagnosis) a new key is dropped"""
    said = []

    def act(connection, head):
        if "websocket" not in head:  # it asks for the time
            connection.sendall(f"HTTP/1.1 404 Not Found\r\nDate: {formatdate(usegmt=True)}\r\n"
                               "Content-Length: 0\r\n\r\n".encode())
            return
        connection.sendall(upgrade(head, "Sec-WebSocket-Protocol: mqtt"))
        connection.sendall(frame(CONNACK) + frame(SUBACK) + message(offer(7, good_key(7))))
        said.append(hears(connection, lambda told: b"$rid=7" in told))

    with Site(gateway=False, client=False) as site:
        site.gateway = site.start_daemon("gateway")
        hub = EvilHub(site, control_link(b"\x20\x02\x00\x03"))
        site.gateway.add_hub("evil", hub.device(), site.hub.ca)
        eventually(lambda: the_hub(site.gateway)["last_error"], "its own link is refused")
        site.gateway.ctl_ok("hub", "disconnect", "evil")
        before = kept_keys(site, "gateway", "evil")
        hub.act = act
        site.gateway.ctl("doctor", "--hub", "evil")
        eventually(lambda: said, "the diagnosis has made a link")
        check(b"order" in urllib.parse.unquote_to_bytes(said[0]), f"its CONNECT: {said[0]!r}")
        check(b"rekey" not in said[0], "it announced nothing, and answered nothing")
        check_equal(kept_keys(site, "gateway", "evil"), before, "the key")


if __name__ == "__main__":
    main(rotation, killed, hub_restarts, read_only, evil_hub, not_announced)
