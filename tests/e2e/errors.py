# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes wrong is told at streamctl, each with its own message and exit code and within its time,
and leaves nothing behind: no stream, socket or descriptor, counted in every process."""
import base64
import contextlib
import os
import signal
import socket
import threading
import time

import wire
from ends import Server, connect, free_port, read_all
from harness import PATIENCE, SANITIZED, Site, check, check_equal, eventually, main, run_ok

# Upper bounds, generous for a machine under load; what is waited for is named beside each case.
AT_ONCE = 15
SLOW = 3 if SANITIZED else 1


class Case:
    """One way to fail, counted before and after."""

    def __init__(self, site):
        self.site = site
        site.expose("echo", Server(lambda c: c.sendall(read_all(c)), site).address)
        # One stream that works, so that what a process opens once and keeps is there already.
        self.works()
        self.before = site.count()

    def works(self):
        done = self.site.client.ctl("connect", "--hub", "office", self.site.DEVICE, "echo",
                                    stdin=None, input="hello")
        check_equal((done.returncode, done.stdout), (0, "hello"), f"a good stream ({done.stderr})")

    def fails(self, code, words, arguments, within=AT_ONCE, times=2, never=()):
        """`streamctl connect` with these arguments ends with that code and says those words, and NEVER these."""
        for _ in range(times):
            started = time.monotonic()
            done = self.site.client.ctl("connect", *arguments)
            took = time.monotonic() - started
            print(f"# {done.returncode} after {took:.1f} s: {' '.join(done.stderr.split())}")
            check_equal(done.returncode, code, f"exit code of {arguments} ({done.stderr.strip()})")
            check_equal(done.stdout, "", "standard output")
            for word in words:
                check(word.lower() in done.stderr.lower(), f"no {word!r} in {done.stderr!r}")
            for word in never:
                check(word not in done.stderr, f"{word!r} in {done.stderr!r}")
            check(took < within * SLOW, f"took {took:.1f} s, at most {within} s")

    def nothing_left(self):
        self.site.wait_count(self.before)


def target_down():
    """the target is down: exit code 12, and the reason"""
    with Site() as site:
        case = Case(site)
        site.expose("down", f"tcp:127.0.0.1:{free_port()}")
        site.expose("no-socket", f"unix:{site.dir}/nobody-listens")
        case.fails(12, ["target", "refused"], [site.DEVICE, "down"])
        case.fails(12, ["target"], [site.DEVICE, "no-socket"])
        site.gateway.ctl_ok("accept-policy", "add", "--stream", "gone", "--accept", "not-there")
        case.fails(12, ["target"], [site.DEVICE, "gone"])
        case.works()
        case.nothing_left()


def policy_says_no():
    """the policy says no: exit code 12, with the text of the rule"""
    with Site() as site:
        case = Case(site)
        case.fails(12, ["policy"], [site.DEVICE, "something"])
        site.gateway.ctl_ok("accept-policy", "add", "--stream", "secret*", "--reject",
                            "ask Ann in the office")
        case.fails(12, ["ask Ann in the office"], [site.DEVICE, "secret-door"])
        case.works()
        case.nothing_left()


def plain_says_no():
    """a device that is no streamd says no without a reason: exit code 12, and nothing about a policy that it lacks"""
    with Site() as site:
        case = Case(site)
        string = site.hub.add_device("plain")
        device = wire.Device(site.hub.https_port, site.hub.ca, "plain", wire.parse_connection_string(string)["SharedAccessKey"])
        device.subscribe()

        def say_no():
            with contextlib.suppress(OSError, wire.Closed):
                while True:
                    device.answer(device.request(), 400)

        threading.Thread(target=say_no, daemon=True).start()
        case.fails(12, ["the device rejected the stream", "ask whoever runs it"], ["plain", "ssh"], never=["accept-policy"])
        doctor = site.client.ctl("doctor", "plain", "ssh")
        check_equal(doctor.returncode, 12, doctor.stdout)
        check("accept-policy" not in doctor.stdout + doctor.stderr, doctor.stdout)
        case.fails(12, ["policy", "accept-policy test"], [site.DEVICE, "something"])
        device.close()


def device_unknown():
    """the device is unknown: exit code 4; malformed: 2"""
    with Site() as site:
        case = Case(site)
        case.fails(4, ["no such device"], ["nobody", "echo"])
        case.fails(2, [], ["no such/device/id", "echo"])
        case.nothing_left()


def device_disabled():
    """the device is disabled at the hub: exit code 11, and that is said; enabled again it works"""
    with Site() as site:
        case = Case(site)
        site.hub.admin("device", "disable", site.DEVICE)
        case.fails(11, ["disabled at the hub"], [site.DEVICE, "echo"])
        site.hub.admin("device", "enable", site.DEVICE)
        site.wait_online(site.DEVICE)
        case.works()
        case.nothing_left()


def device_offline():
    """the device is offline: exit code 10, at once and with --wait after its time"""
    with Site() as site:
        case = Case(site)
        site.hub.add_device("asleep")
        case.fails(10, ["not connected"], ["asleep", "echo"])
        case.fails(10, ["not connected"], ["--wait=1", "asleep", "echo"], times=1)
        case.nothing_left()


def wrong_key(connection_string):
    """The same with another key."""
    head, _ = connection_string.split("SharedAccessKey=", 1)
    return head + "SharedAccessKey=" + base64.b64encode(os.urandom(32)).decode()


def key_wrong():
    """the key is wrong: exit code 11 for a service, the state "refused" for a device"""
    with Site() as site:
        case = Case(site)
        good = site.hub.connection_string("user", "service")
        site.client.add_hub("wrong-key", wrong_key(good), site.hub.ca)
        site.client.add_hub("no-policy", good.replace("SharedAccessKeyName=service",
                                                      "SharedAccessKeyName=nobody"), site.hub.ca)
        device_only = site.hub.connection_string("user", "device")
        site.client.add_hub("no-right", device_only, site.hub.ca)
        for hub in ("wrong-key", "no-policy", "no-right"):
            case.fails(11, [], ["--hub", hub, site.DEVICE, "echo"])
        site.client.add_hub("me", wrong_key(site.hub.add_device("me")), site.hub.ca)
        eventually(lambda: hub_state(site, "me") == "refused", "the hub refuses the device")
        for hub in ("wrong-key", "no-policy", "no-right", "me"):
            site.client.ctl_ok("hub", "remove", hub)
        case.works()
        case.nothing_left()


def hub_state(site, name):
    shown = site.client.ctl_json("hub", "list")
    hubs = shown if isinstance(shown, list) else shown["hubs"]
    return next(hub["state"] for hub in hubs if hub["name"] == name)


def certificate_not_trusted():
    """the certificate is not trusted, or is another host's: exit code 15"""
    with Site(["--listen", "127.0.0.2:0"]) as site:
        case = Case(site)
        good = site.hub.connection_string("user", "service")
        other = os.path.join(site.dir, "other-hub")
        run_ok([site.streamhub, "init", "--state-dir", other, "--host-name", "localhost"])
        site.client.add_hub("other-ca", good, os.path.join(other, "ca.pem"))
        case.fails(15, ["certificate", "of CN=", "issued by CN="], ["--hub", "other-ca", site.DEVICE, "echo"])
        named = good.replace(f"localhost:{site.hub.https_port}",
                             f"127.0.0.2:{site.hub.ports['127.0.0.2']}")
        check(named != good, "the connection string has no port")
        site.client.add_hub("other-name", named, site.hub.ca)
        case.fails(15, ["certificate"], ["--hub", "other-name", site.DEVICE, "echo"])
        for hub in ("other-ca", "other-name"):
            site.client.ctl_ok("hub", "remove", hub)
        case.works()
        case.nothing_left()


def hub_away():
    """the hub is away: exit code 14; when it is back, streams open again"""
    with Site() as site:
        case = Case(site)
        good = site.hub.connection_string("user", "service")
        port = site.hub.https_port
        nobody = good.replace(f":{port}", f":{free_port()}")
        site.client.add_hub("nobody", nobody, site.hub.ca)
        case.fails(14, [], ["--hub", "nobody", site.DEVICE, "echo"])
        site.hub.stop()
        case.fails(14, [], ["--hub", "office", site.DEVICE, "echo"])
        site.start_hub(ports=(str(port), str(site.hub.mqtts_port)), name="hub-again")
        site.wait_online(site.DEVICE)
        site.client.ctl_ok("hub", "remove", "nobody")
        case.works()
        case.before["hub-again"] = case.before["hub"]
        case.nothing_left()


def device_never_answers():
    """the device never answers: exit code 13, within the time for an answer"""
    with Site() as site:
        case = Case(site)
        os.kill(site.gateway.pid, signal.SIGSTOP)
        try:
            case.fails(13, ["did not answer in time"], [site.DEVICE, "echo"], within=40, times=1)
        finally:
            os.kill(site.gateway.pid, signal.SIGCONT)
        eventually(lambda: not site.gateway.streams(), "the gateway drops the late request")
        site.wait_online(site.DEVICE)
        case.works()
        case.nothing_left()


def hub_never_answers():
    """the hub takes the connection and says nothing: an error within its time"""
    with Site() as site:
        case = Case(site)
        good = site.hub.connection_string("user", "service")
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            site.client.add_hub("silent", good.replace(f":{site.hub.https_port}", f":{port}"),
                                site.hub.ca)
            done = site.client.ctl("connect", "--hub", "silent", site.DEVICE, "echo",
                                   timeout=60 * SLOW)
            print(f"# {done.returncode}: {' '.join(done.stderr.split())}")
            check(done.returncode in (13, 14), f"{done.returncode}: {done.stderr}")
        site.client.ctl_ok("hub", "remove", "silent")
        case.works()
        case.nothing_left()


def through_a_tunnel():
    """through a tunnel every failure is a reset at the application, and nothing is left behind"""
    with Site() as site:
        case = Case(site)
        site.hub.add_device("asleep")
        site.expose("down", f"tcp:127.0.0.1:{free_port()}")
        for device, stream in ((site.DEVICE, "down"), (site.DEVICE, "not-allowed"),
                               ("asleep", "echo"), ("nobody", "echo")):
            port = site.client.tunnel(device, stream)
            for _ in range(5):
                with connect(port) as near:
                    near.settimeout(PATIENCE)
                    try:
                        got = near.recv(1)
                        check(False, f"{device} {stream}: {got!r} instead of a reset")
                    except ConnectionResetError:
                        pass
        site.client.close_tunnels()
        case.works()
        case.nothing_left()


def usage():
    """usage, a daemon that is not there, and what cannot be found have their own exit codes"""
    with Site(gateway=False) as site:
        ctl = site.client.ctl
        check_equal(ctl("connect").returncode, 2, "connect without arguments")
        check_equal(ctl("no-such-verb").returncode, 2, "a verb that is none")
        check_equal(ctl("connect", "--hub", "elsewhere", "gw-1", "echo").returncode, 4, "no hub")
        check_equal(ctl("hub", "remove", "elsewhere").returncode, 4, "no hub to remove")
        check_equal(ctl("target", "remove", "t").returncode, 4, "no target to remove")
        check_equal(ctl("target", "add", "t", "http://x").returncode, 2, "an address that is none")
        check_equal(ctl("target", "add", "t", "tcp:127.0.0.1:1").returncode, 0, "a target")
        check_equal(ctl("target", "add", "t", "tcp:127.0.0.1:1").returncode, 6, "the same again")
        site.client.stop()
        check_equal(ctl("status").returncode, 3, "status without a daemon")


if __name__ == "__main__":
    main(target_down, policy_says_no, plain_says_no, device_unknown, device_disabled, device_offline, key_wrong,
         certificate_not_trusted, hub_away, device_never_answers, hub_never_answers,
         through_a_tunnel, usage)
