# SPDX-License-Identifier: LGPL-2.1-or-later
"""The hub is stopped and started again: how fast it goes, what those hear who are there, and that no
opening fails on the way (hub.md's figure: 300 devices, 20 openings a second; fewer in the normal tier)."""
import json
import os
import signal
import socket
import statistics
import subprocess
import threading
import time

import wire
from ends import Server, connect, echo, tick
from harness import LONG, NO_RESUME, SANITIZED, Site, check, check_equal, eventually, main, run, run_ok
from hub_wire import CAPABLE, Wire, check_accepted, check_echo, check_error, with_hub

DEVICES = 300 if LONG else 24
PER_GATEWAY = 60  # identities of one streamd
RATE = 20
SECONDS = 20 if LONG else 5
CUT = 17  # exit code
GONE = 1.0  # s from SIGTERM to the end of the process
SLOW = 4 if SANITIZED else 1


DEFAULT = "[hub]\ndevice-return-time = 30\n"


class Fresh(Site):
    """A hub as it is by default: it waits for devices that are not back yet."""

    HUB_SETTINGS = DEFAULT


class Plain(Fresh):
    """Its streams end with their legs."""

    DAEMON_SETTINGS = NO_RESUME


def no_grace(case):
    """A case with a hub as the unit starts it."""

    def run():
        with Site(gateway=False, client=False) as site:
            case(Wire(site))

    run.__doc__, run.__name__ = case.__doc__, case.__name__
    return run


def gone_in(process, what):
    """Sends SIGTERM; seconds until the process has ended."""
    start = time.monotonic()
    process.popen.send_signal(signal.SIGTERM)
    status = process.popen.wait(30)
    took = time.monotonic() - start
    process.ended_by_us = True
    print(f"# {what}: gone after {took:.2f} s")
    check_equal(status, 0, "exit status")
    return took


filled = []  # ends that take nothing more


def fill(end):
    """Sends until nobody takes it."""
    end.sock.settimeout(0.5)
    try:
        while True:
            end.send(bytes(65000))
    except OSError:
        filled.append(end)


@no_grace
def at_once(hub):
    """SIGTERM: 503 for those that wait, 1001 for every leg, and the process is gone, all within 1 s"""
    hub.add("away")
    device, able = hub.device(), hub.device("able", client_type=CAPABLE)
    legs = list(hub.opened(device))
    for _ in range(20):
        legs += hub.opened(able, caps="half-close, reason")
    request, _ = hub.accepted(device)
    legs.append(hub.device_leg(request))
    asked, waits = hub.post(), hub.post("away", connect=50)
    legs.append(hub.device_leg(device.request()))
    stuck = [hub.opened(able, caps="half-close, reason") for _ in range(2)]
    for end in (stuck[0][0], stuck[1][1]):
        threading.Thread(target=fill, args=(end,), daemon=True).start()
    eventually(lambda: all(filled.count(end) for end in (stuck[0][0], stuck[1][1])), "two streams are full")
    took = gone_in(hub.hub, f"{len(legs)} legs, and two streams that nobody reads")
    for post in (asked, waits):
        refusal = post.read()
        check_error(refusal, 503001, "ServiceUnavailable")
        check_equal(refusal.get("Retry-After"), "1", "Retry-After")
    for leg in legs:
        check_equal(leg.closed()[0], 1001, "close code")
    check(device.is_closed() and able.is_closed(), "the control links have ended")
    check(took <= GONE * SLOW, f"gone after {took:.2f} s")


@no_grace
def drained(hub):
    """drain: no new streams, those that there are end by themselves; --timeout, --cancel"""
    device = hub.device()
    leg, peer = hub.opened(device)
    verb = [hub.site.streamhub, "--state-dir", hub.hub.state_dir, "drain"]
    for timeout in ("0", "1"):
        start = time.monotonic()
        done = subprocess.run([*verb, "--timeout", timeout], capture_output=True, text=True, check=False)
        check_equal(done.returncode, 13, f"exit code ({done.stderr})")
        check("1 stream is left" in done.stderr, done.stderr)
        check(time.monotonic() - start >= int(timeout), "it waited")
    refusal = hub.post().read()
    check_error(refusal, 503001, "ServiceUnavailable")
    check_equal(refusal.get("Retry-After"), "1", "Retry-After")
    check_equal(json.loads(hub.hub.admin("status", "--json"))["draining"], True, "draining")
    check_echo(leg, peer)
    hub.hub.admin("drain", "--cancel")
    other, other_peer = hub.opened(device)
    check_echo(other, other_peer)
    waiting = subprocess.Popen(verb, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    hub.site.children.append(waiting)
    eventually(lambda: json.loads(hub.hub.admin("status", "--json"))["draining"], "it drains")
    for one in (peer, other_peer):
        check_equal(waiting.poll(), None, "drain waits for the streams")
        one.close(1000)
    check_equal(waiting.wait(30), 0, "exit code")
    check(device.ping(), "the control link goes on")


def wait_for_device(config, connect_after, **timeouts):
    """What a POST is answered whose device comes CONNECT_AFTER s after the start of the hub (None: never)."""
    with Site(gateway=False, client=False) as site:
        hub = Wire(site)
        hub.add("dev1")
        hub.restart(config)
        start = time.monotonic()
        post = hub.post(**timeouts)
        if connect_after is not None:
            time.sleep(connect_after)
            device = hub.device()
            device.answer(device.request(), 200)
        answer = post.read()
        return answer, time.monotonic() - start


def devices_come_back():
    """after a start an opening waits for its device, for its own time-out, and no longer than the setting"""
    answer, took = wait_for_device(DEFAULT, 1.0, response=10)
    check_accepted(answer)
    answer, took = wait_for_device(DEFAULT, None, response="0.7")
    check_error(answer, 404103, "DeviceNotOnline")
    check(0.6 <= took < 5, f"its own time-out: {took:.2f} s")
    answer, took = wait_for_device("[hub]\ndevice-return-time = 2\n", None, response=20)
    check_error(answer, 404103, "DeviceNotOnline")
    check(took < 10, f"the setting: {took:.2f} s")
    answer, took = wait_for_device("[hub]\ndevice-return-time = 0\n", None, response=20)
    check_error(answer, 404103, "DeviceNotOnline")
    check(took < 5, f"switched off: {took:.2f} s")


def one_idle_stream(site):
    """A stream that rests."""
    site.expose("echo", Server(echo, site).address)
    near = connect(site.client.tunnel(site.DEVICE, "echo"))
    tick(near)
    return near


def begun_again(site, ports):
    """The hub is started on its ports, and the gateway is back."""
    start = time.monotonic()
    site.start_hub((), ports)
    site.wait_online(site.DEVICE)
    print(f"# the gateway is back {time.monotonic() - start:.2f} s after the hub was begun")


def shown_streams(daemon):
    shown = daemon.ctl_json("stream", "list")
    return shown if isinstance(shown, list) else shown["streams"]


def both_ends():
    """an idle stream that ends with its leg, through a restart: both ends hear that the hub stops, and the gateway is back"""
    with Plain() as site:
        near = one_idle_stream(site)
        ports = (str(site.hub.https_port), str(site.hub.mqtts_port))
        took = gone_in(site.hub, "one idle stream")
        try:
            check_equal(near.recv(1), None, "the application's end is a reset")
        except ConnectionResetError:
            pass
        for daemon in (site.client, site.gateway):
            eventually(lambda d=daemon: not d.streams(), "the stream has ended")
            check_equal([one["close_reason"] for one in shown_streams(daemon)], ["hub-stopping"], daemon.name)
        begun_again(site, ports)
        check(took <= GONE * SLOW, f"gone after {took:.2f} s")


def survives():
    """an idle stream that survives its leg: both ends wait at once, the hub does not, and the stream goes on"""
    with Fresh() as site:
        near = one_idle_stream(site)
        ports = (str(site.hub.https_port), str(site.hub.mqtts_port))
        took = gone_in(site.hub, "one idle stream")
        for daemon in (site.client, site.gateway):
            eventually(lambda d=daemon: [one["state"] for one in shown_streams(d)] == ["suspended"],
                       f"{daemon.name} suspends the stream", GONE * 5)
        begun_again(site, ports)
        start = time.monotonic()
        tick(near)
        print(f"# the stream goes on {time.monotonic() - start:.2f} s after the gateway was back")
        check(took <= GONE * SLOW, f"gone after {took:.2f} s")


# -- openings through a restart ----------------------------------------------------------------


class Held:
    """Listening sockets that outlive the hub, as those of the units."""

    def __init__(self, site):
        self.sockets = []
        for _ in range(2):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind((site.ADDRESS, 0))
            one.listen(4096)
            self.sockets.append(one)
        self.ports = [one.getsockname()[1] for one in self.sockets]
        site.closers.append(self.close)

    def close(self):
        for one in self.sockets:
            one.close()

    def start(self, site, name):
        """streamhub serve with them, as a service manager starts it."""
        fds = [one.fileno() for one in self.sockets]
        script = (f'exec 3<&{fds[0]} 4<&{fds[1]}; LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=https:mqtts '
                  'exec "$@"')
        state = os.path.join(site.dir, "hub-state")
        with open(os.path.join(site.dir, name + ".log"), "ab") as log:
            process = subprocess.Popen(
                ["bash", "-c", script, "hub", site.streamhub, "serve", "--state-dir", state],
                env=site.environment(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, pass_fds=fds)
        site.children.append(process)
        eventually(lambda: run([site.streamhub, "--state-dir", state, "status"]).returncode == 0,
                   "the hub answers")
        return process


def open_one(site, device, results):
    start = time.monotonic()
    done = subprocess.run(site.client.argv("connect", device, "hello"), env=site.client.env,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)
    results.append((start, time.monotonic() - start, done.returncode, done.stdout, done.stderr))


def open_through(site, devices, restart):
    """RATE openings a second while RESTART runs in their midst; their results."""
    results, threads = [], []
    begin = time.monotonic()
    for number in range(RATE * SECONDS):
        time.sleep(max(0, begin + number / RATE - time.monotonic()))
        if number == RATE * SECONDS // 3:
            threads.append(threading.Thread(target=restart))
            threads[-1].start()
        threads.append(threading.Thread(target=open_one,
                                        args=(site, devices[number % len(devices)], results)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return results


def judge(results, what):
    """None failed to open, 99 of 100 within 5 s. What was open when the hub stopped was cut, which its
    application is told."""
    cut = [r for r in results if r[2] == CUT and b"hub is stopping" in r[4]]
    failed = [r for r in results if (r[2] != 0 or r[3] != b"hello") and r not in cut]
    took = sorted(r[1] for r in results)
    p99 = took[len(took) * 99 // 100]
    print(f"# {what}: {len(results)} openings, {len(failed)} failed, {len(cut)} cut when they were open; "
          f"median {statistics.median(took):.2f} s, p99 {p99:.2f} s, longest {took[-1]:.2f} s")
    for one in failed[:5]:
        print(f"# failed: after {one[1]:.2f} s {one[2:]}")
    check(not failed, f"{len(failed)} of {len(results)} openings failed")
    check(len(cut) <= RATE // 4, f"{len(cut)} were cut: more than can have been open")
    check(p99 <= 5 * SLOW, f"p99 {p99:.2f} s")


def through(held_sockets):
    with Fresh(gateway=False) as site:
        devices = [f"gw-{i}" for i in range(DEVICES)]
        address = Server(lambda c: c.sendall(b"hello"), site).address
        gateways = []
        for number in range((DEVICES + PER_GATEWAY - 1) // PER_GATEWAY):
            site.gateway = site.start_daemon(f"gateway-{number}")
            site.expose("hello", address)
            gateways.append(site.gateway)
        held = None
        if held_sockets:
            site.hub.stop()
            held = Held(site)
            hub = held.start(site, "hub-held")
            ports = tuple(map(str, held.ports))
        else:
            ports = (str(site.hub.https_port), str(site.hub.mqtts_port))
        for number, device in enumerate(devices):
            identity = local_identity(site, "device", device, ports[0])
            gateways[number // PER_GATEWAY].add_hub(device, identity, site.hub.ca)
        site.client.ctl_ok("hub", "remove", "office")
        site.client.add_hub("office", local_identity(site, "user", "service", ports[0]), site.hub.ca)
        eventually(lambda: status(site)["connected_devices"] == DEVICES, "all devices are there")

        def restart():
            nonlocal hub
            if held:
                hub.send_signal(signal.SIGTERM)
                check_equal(hub.wait(30), 0, "exit status")
                hub = held.start(site, "hub-held")
            else:
                site.hub.stop()
                site.start_hub((), ports)

        judge(open_through(site, devices, restart), "sockets held" if held else "nobody listens meanwhile")


def admin(site, *arguments):
    return run_ok([site.streamhub, "--state-dir", os.path.join(site.dir, "hub-state"), *arguments])


def status(site):
    return json.loads(admin(site, "status", "--json"))


def local_identity(site, kind, name, port):
    """A connection string with the port that the hub has now."""
    if kind == "device":
        admin(site, "device", "add", name)
    text = wire.parse_connection_string(admin(site, "connection-string", kind, name))
    host = text.pop("HostName").split(":")[0]
    return ";".join([f"HostName={host}:{port}"] + [f"{key}={value}" for key, value in text.items()])


def openings():
    """openings through a restart, while a service manager holds the sockets: none fails"""
    through(True)


def openings_refused():
    """openings through a restart, while nobody listens: none fails"""
    through(False)


if __name__ == "__main__":
    main(at_once, drained, devices_come_back, both_ends, survives, openings, openings_refused)
