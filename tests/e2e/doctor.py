# SPDX-License-Identifier: LGPL-2.1-or-later
"""`streamctl doctor` with each step broken in turn: it names the step, says what helps, ends with the exit
code of the failure, leaves out what needs the step, and leaves nothing behind."""
import email.utils
import json
import os
import ssl
import subprocess
import time

import certificates
from ends import Server, free_port, read_all
from errors import wrong_key
from evil_hub import CONNACK, EvilHub, answers, frame, upgrade
from harness import PATIENCE, SANITIZED, Site, check, check_equal, eventually, main, run, run_ok
from proxies import Hostile, Tinyproxy

COMMON = ["dns", "proxy", "tcp", "tls", "clock", "credentials"]
DEVICE = COMMON[:-1] + ["identity", "credentials", "subscription", "policy", "target", "resume"]
SERVICE = COMMON + ["device", "policy", "target", "stream", "resume"]
NEEDS_NO_HUB = ("identity", "policy", "target")  # in the device role


def examine(daemon, hub, *arguments):
    """The checks of one hub by step, and the exit code."""
    done = daemon.ctl("doctor", "--hub", hub, "--json", *arguments)
    check(done.stdout, f"nothing said: {done.stderr}")
    for entry in json.loads(done.stdout):
        if entry.get("hub") == hub:
            return {c["step"]: c for c in entry["checks"]}, done.returncode
    raise AssertionError(f"no hub {hub} in {done.stdout}{done.stderr}")


def results(checks):
    return {step: c["result"] for step, c in checks.items()}


def fails(daemon, hub, step, code, cure, *arguments, cause=None, person=True):
    """That step, and no other, fails; the same is told to a person, with what helps."""
    checks, status = examine(daemon, hub, *arguments)
    failed = [name for name, c in checks.items() if c["result"] == "failed"]
    check_equal(failed, [step], f"what fails ({checks})")
    found = checks[step]
    check_equal(status, code, f"exit code ({found})")
    if cause:
        check_equal(found["cause"], cause, f"cause ({found})")
    check(cure in found["cure"], f"the cure {found['cure']!r} has no {cure!r}")
    check(found["time"] < PATIENCE * 1e6, f"time of {found}")
    # Those before it are good, and those behind that need it are left out.
    order = list(checks)
    for name in order[order.index(step) + 1:]:
        if checks[name]["result"] == "skipped" and checks[name].get("why") == "earlier":
            continue
        local = "subscription" in checks and name in NEEDS_NO_HUB
        check(local or step == "clock", f"{name} after {step}: {checks[name]}")
    if not person:
        return found
    done = daemon.ctl("doctor", "--hub", hub, *arguments)
    check_equal(done.returncode, code, "exit code for a person")
    last = done.stdout.rstrip().splitlines()
    print(f"# {code}: {' | '.join(line.strip() for line in last if line.startswith(('The', '  ')))}")
    check(any(line.startswith("The step that fails: ") for line in last), done.stdout)
    check(any("What helps: " in line and cure in line for line in last), done.stdout)
    return found


def remove(daemon, hub):
    daemon.ctl_ok("hub", "remove", hub)


def all_is_well():
    """nothing is broken: every step that applies is ok, in both roles, to a person and as JSON"""
    with Site() as site:
        site.expose("echo", Server(lambda c: c.sendall(read_all(c)), site).address)
        checks, status = examine(site.gateway, "office", "--stream", "echo")
        check_equal(list(checks), DEVICE, "steps of a device")
        check_equal(status, 0, f"exit code ({checks})")
        check_equal({n for n, r in results(checks).items() if r != "ok"}, {"proxy"}, "not ok")
        check_equal(checks["credentials"]["state"], "connected", "the link that is up is not disturbed")
        checks, status = examine(site.client, "office", site.DEVICE, "echo")
        check_equal(list(checks), SERVICE, "steps of a service")
        check_equal(status, 0, f"exit code ({checks})")
        check_equal({n for n, r in results(checks).items() if r != "ok"}, {"proxy"}, "not ok")
        check_equal(checks["resume"]["resume_time"], 180_000_000, "how long streams survive a lost connection")
        eventually(lambda: not site.client.streams(), "its stream is closed again")
        done = site.client.ctl("doctor")
        check_equal(done.returncode, 0, f"without arguments ({done.stdout}{done.stderr})")
        for word in ("This machine", "streamd", "Hub office", "TLS", "Clock", "ok", "skipped"):
            check(word in done.stdout, f"no {word!r} in {done.stdout!r}")
        # A link that somebody has taken down stays down, and is looked at all the same.
        site.gateway.ctl_ok("hub", "disconnect", "office")
        checks, status = examine(site.gateway, "office")
        check_equal((status, checks["subscription"]["result"]), (0, "ok"), "while disconnected")
        check_equal(site.gateway.ctl_json("hub", "list")[0]["state"], "disconnected", "the state")


def does_not_survive():
    """where streams do not survive their connection, it is said who ends them with it"""
    with Site() as site:
        site.expose("echo", Server(lambda c: c.sendall(read_all(c)), site).address)
        site.client.ctl_ok("hub", "set", "office", "--resume=no")
        checks, status = examine(site.client, "office", site.DEVICE, "echo")
        check_equal((status, checks["resume"]["result"], checks["resume"]["why"]), (0, "skipped", "resume-off"), "off here")
        check("so it is set here" in site.client.ctl("doctor", site.DEVICE, "echo").stdout, "to a person")
        site.client.ctl_ok("hub", "set", "office", "--resume=yes")
        site.gateway.ctl_ok("hub", "set", "office", "--resume=no")
        site.wait_online(site.DEVICE)
        checks, status = examine(site.client, "office", site.DEVICE, "echo")
        check_equal((status, checks["resume"]["result"]), (0, "limited"), f"off at the device: {checks['resume']}")
        check("Resume=no" in checks["resume"]["cure"], checks["resume"])
        check("the hub or the device ends a stream" in site.client.ctl("doctor", site.DEVICE, "echo").stdout, "to a person")


def used_wrongly():
    """arguments that do not fit are refused; without streamd it is said, exit code 3"""
    with Site() as site:
        for arguments, code in [(["gw-1", "echo", "--stream", "echo"], 2), (["a", "b", "c"], 2), (["--hub", "nobody"], 4),
                                (["--hub", "office", "--initiator", "x"], 2),
                                (["--stream", "x"], 4)]:
            done = site.client.ctl("doctor", *arguments)
            check_equal(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
        check_equal(site.gateway.ctl("doctor", "gw-1", "echo").returncode, 4, "no service hub")
        site.client.stop()
        done = site.client.ctl("doctor")
        check_equal(done.returncode, 3, f"without streamd ({done.stderr})")
        check("Is it running?" in done.stderr, done.stderr)
        done = site.client.ctl("doctor", "--json")
        check_equal((done.returncode, json.loads(done.stdout)[0]["checks"][-1]["result"]),
                    (3, "failed"), "as JSON")


class Discreet(Site):
    """Its hub tells users nothing of devices."""
    HUB_SETTINGS = Site.HUB_SETTINGS + "users-may-list = no\n"


def device_alone():
    """a device without a stream: there, away, unknown, not to be told; the device itself hears nothing of it"""
    rest = {"policy": "no-stream", "target": "no-stream", "stream": "no-stream"}
    with Site() as site:
        site.wait_online(site.DEVICE)
        for device in site.DEVICE, site.DEVICE + "/logger":
            checks, status = examine(site.client, "office", device)
            check_equal((status, list(checks)), (0, SERVICE), f"{device}: {checks}")
            check_equal((checks["device"]["result"], checks["device"]["state"]), ("ok", "Connected"), device)
            check_equal({name: checks[name].get("why") for name in rest}, rest, device)
        check_equal(site.gateway.ctl_json("stream", "list"), [], "streams of the device")
        fails(site.client, "office", "device", 4, "Check the device's name", "gw-9", cause="not-found")
        fails(site.client, "office", "device", 2, "Check the device's name", "what?", cause="request")
        site.hub.admin("device", "add", "gw-2")
        fails(site.client, "office", "device", 10, "Start streamd on the device", "gw-2", cause="offline")
        site.hub.admin("device", "disable", "gw-2")
        fails(site.client, "office", "device", 10, "Enable the device", "gw-2", cause="revoked")
    with Discreet() as site:
        checks, status = examine(site.client, "office", site.DEVICE)
        check_equal((status, checks["device"].get("why"), checks["stream"].get("why")), (0, "not-told", "no-stream"), checks)


def no_name(site):
    service = site.hub.connection_string("user", "service")
    return service.replace("HostName=localhost", "HostName=nothing.invalid")


def name_and_port():
    """no such name, a port where nobody listens, one that says nothing, one that speaks no TLS"""
    with Site(gateway=False) as site:
        service = site.hub.connection_string("user", "service")
        site.client.add_hub("no-name", no_name(site), site.hub.ca)
        fails(site.client, "no-name", "dns", 14, "DNS", cause="name-unknown")
        port = f"localhost:{site.hub.https_port}"
        site.client.add_hub("closed", service.replace(port, f"localhost:{free_port()}"), site.hub.ca)
        fails(site.client, "closed", "tcp", 14, "Nothing listens", cause="refused")
        plain = Server(lambda c: c.sendall(b"220 mail.example ESMTP\r\n") or c.recv(1), site)
        site.client.add_hub("plain", service.replace(port, f"localhost:{plain.port}"), site.hub.ca)
        fails(site.client, "plain", "tls", 16, "no TLS", cause="no-tls")
        gone = Server(lambda c: c.recv(1), site)
        site.client.add_hub("gone", service.replace(port, f"localhost:{gone.port}"), site.hub.ca)
        fails(site.client, "gone", "tls", 14, "cut during TLS", cause="tls-cut")


def no_dns():
    """no DNS server answers: the step ends in its time, and says so"""
    with Site(gateway=False, client=False) as site:
        resolv = os.path.join(site.dir, "resolv.conf")
        with open(resolv, "w", encoding="ascii") as file:
            file.write("nameserver 192.0.2.1\n")
        wrapper = os.path.join(site.dir, "streamd-alone")
        with open(wrapper, "w", encoding="ascii") as file:
            # What is sent to 192.0.2.1 goes into an interface that leads nowhere.
            file.write(f"""#!/bin/sh
exec unshare {'-nm' if os.geteuid() == 0 else '--map-current-user --keep-caps -nm'} sh -c '
ip link set lo up && ip link add v0 type veth peer name v1 &&
ip addr add 192.0.2.2/24 dev v0 && ip link set v0 up && ip link set v1 up &&
ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev v0 && mount --bind {resolv} /etc/resolv.conf && exec {site.streamd} "$@"' sh "$@"
""")
        os.chmod(wrapper, 0o755)
        site.streamd = wrapper
        site.client = site.start_daemon("client")
        site.client.add_hub("deaf", no_name(site), site.hub.ca)
        found = fails(site.client, "deaf", "dns", 14, "DNS", cause="name-timeout", person=False)
        check(found["time"] < 8e6 + PATIENCE * 1e5, f"it took {found['time']} µs")


class TlsEnd:
    """A hub's TLS with a certificate of our choice; nothing behind it."""

    def __init__(self, site, certificate, key):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.server = Server(self._serve, site)
        self.port = self.server.port

    def _serve(self, plain):
        plain.settimeout(PATIENCE)
        with self.context.wrap_socket(plain, server_side=True) as connection:
            connection.recv(1)


def certificate():
    """a certificate of another authority, expired, not yet valid, for another name"""
    with Site(gateway=False) as site:
        service = site.hub.connection_string("user", "service")
        other = os.path.join(site.dir, "other-hub")
        run([site.streamhub, "init", "--state-dir", other, "--host-name", "localhost"])
        rows = [
            ("issuer", (os.path.join(other, "server.pem"), os.path.join(other, "server-key.pem")),
             "own authority", "certificate-issuer"),
            ("expired", certificates.make(site, end="20240101000000Z"), "new certificate",
             "certificate-expired"),
            ("not-yet", certificates.make(site, begin="20800101000000Z"), "clock is behind",
             "certificate-not-yet-valid"),
            ("name", certificates.make(site, name="elsewhere.example"), "another name",
             "certificate-name"),
        ]
        for name, pair, cure, cause in rows:
            end = TlsEnd(site, *pair)
            site.client.add_hub(name, service.replace(f":{site.hub.https_port}", f":{end.port}"),
                                site.hub.ca)
            found = fails(site.client, name, "tls", 15, cure, cause=cause)
            check(found["not_before"] < found["not_after"], f"the dates in {found}")


def through_proxies():
    """a proxy: looked at when it works; down, wanting credentials, and unable to reach the hub"""
    with Site(gateway=False) as site:
        service = site.hub.connection_string("user", "service")
        proxy = Tinyproxy(site)
        site.client.add_hub("good", service, site.hub.ca, "--proxy", f"http://127.0.0.1:{proxy.port}")
        checks, status = examine(site.client, "good")
        check_equal((status, checks["proxy"]["result"], checks["tcp"]["why"]), (0, "ok", "proxied"),
                    f"through a proxy ({checks})")
        check_equal(checks["proxy"]["proxy"], f"127.0.0.1:{proxy.port}", "the proxy's name")
        rows = [("down", f"http://127.0.0.1:{free_port()}", 14, "host and port of the proxy", "proxy-down")]
        for name, answer, code, cure, cause in [
                ("guarded", b"407 Who", 18, "user and password", "proxy-credentials"),
                ("closed", b"403 No", 18, "allow connections", "proxy-refused"),
                ("lost", b"503 Gone", 14, "cannot reach the hub", "proxy-unreachable"),
                ("odd", b"200", 14, "no proxy", "proxy-answer")]:
            text = b"SSH-2.0-x\r\n\r\n" if name == "odd" else b"HTTP/1.1 " + answer + b"\r\n\r\n"
            end = Hostile(site, lambda c, _, text=text: c.sendall(text))
            rows.append((name, end.url, code, cure, cause))
        for name, url, code, cure, cause in rows:
            site.client.add_hub(name, service, site.hub.ca, "--proxy", url)
            fails(site.client, name, "proxy", code, cure, cause=cause)
        site.client.add_hub("no-proxy-name", service, site.hub.ca, "--proxy", "http://proxy.invalid:1")
        fails(site.client, "no-proxy-name", "dns", 14, "DNS", cause="name-unknown")


def dated(seconds):
    """An answer whose date is that far from now."""
    when = email.utils.formatdate(time.time() + seconds, usegmt=True)
    return f"HTTP/1.1 404 Not Found\r\nDate: {when}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def another_clock(offset):
    """What a process needs in its environment for a clock that is off."""
    env = run_ok(["faketime", "-f", offset, "env"]).splitlines()
    preload = [line.split("=", 1)[1] for line in env if line.startswith("LD_PRELOAD=")]
    check(preload, "faketime sets no LD_PRELOAD")
    return {"LD_PRELOAD": preload[0], "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def clock():
    """a hub whose date is ten minutes off, either way; one or no minute is fine"""
    with Site(gateway=False) as site:
        for name, seconds, message in [("ahead", -600, "our clock is ahead"),
                                       ("behind", 600, "our clock is behind")]:
            hub = EvilHub(site, answers(dated(seconds)))
            site.client.add_hub(name, hub.service(), site.hub.ca)
            found = fails(site.client, name, "clock", 11, "timedatectl", cause="clock")
            check(message in found["message"], f"message of {found}")
            check(abs(found["skew"] + seconds * 1e6) < 60e6, f"skew of {found}")
        hub = EvilHub(site, answers(dated(60)))
        site.client.add_hub("nearly", hub.service(), site.hub.ca)
        check_equal(examine(site.client, "nearly")[1], 0, "a minute off")
    if SANITIZED:  # no other library can be loaded before a sanitizer's
        return
    with Site(gateway=False, client=False) as site:
        site.hub.stop()
        plain = site.environment
        site.environment = lambda **more: {**plain(**more), **another_clock("+600s")}
        site.start_hub(name="hub-ahead")
        site.environment = plain
        site.client = site.start_daemon("client")
        site.client.add_hub("office", site.hub.connection_string("user", "service"), site.hub.ca)
        found = fails(site.client, "office", "clock", 11, "timedatectl", cause="clock")
        check(abs(found["skew"] + 600e6) < 60e6, f"skew of {found}")


def credentials():
    """a wrong key in both roles, a device that is disabled or unknown"""
    with Site() as site:
        service = site.hub.connection_string("user", "service")
        device = site.hub.add_device("other")
        site.client.ctl_ok("accept-policy", "set-default", "accept")
        site.client.add_hub("key", wrong_key(service), site.hub.ca)
        fails(site.client, "key", "credentials", 11, "connection string", cause="identity")
        site.client.add_hub("device-key", wrong_key(device), site.hub.ca)
        fails(site.client, "device-key", "credentials", 11, "key the same")
        site.client.add_hub("unknown", device.replace("DeviceId=other", "DeviceId=nobody"),
                            site.hub.ca)
        fails(site.client, "unknown", "credentials", 11, "known and enabled")
        # Its attempts with the wrong key would have those of the next one told to wait.
        site.client.ctl_ok("hub", "remove", "device-key")
        site.hub.admin("device", "disable", "other")
        site.client.add_hub("disabled", device, site.hub.ca)
        fails(site.client, "disabled", "credentials", 11, "enabled")
        site.client.add_hub("mqtts", site.hub.connection_string("device", site.DEVICE), site.hub.ca,
                            "--transport", "mqtts", "--mqtt-port", str(free_port()))
        fails(site.client, "mqtts", "credentials", 14, "--transport wss", cause="link")


def asked_to_wait():
    """a hub that only asks to wait, in both roles: nobody is sent to check a key that may be good; and a
    hub that refused the key before it did so"""
    answered = []

    def act(connection, head):
        if "websocket" not in head:
            wait = "HTTP/1.1 429 x\r\nRetry-After: 9\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            connection.sendall((wait if head.startswith("POST") else dated(0)).encode())
            return
        connection.sendall(upgrade(head, "Sec-WebSocket-Protocol: mqtt"))
        connection.sendall(frame(b"\x20\x02\x00" + (answered.pop() if answered else b"\x03")))
        while connection.recv(4096):
            pass

    with Site(gateway=False, client=False) as site:
        site.client = site.start_daemon("client")
        site.client.ctl_ok("accept-policy", "set-default", "accept")
        hub = EvilHub(site, act)
        for name, string in (("device", hub.device()), ("service", hub.service())):
            site.client.add_hub(name, string, site.hub.ca)
            found = fails(site.client, name, "credentials", 1, "Wait a few minutes", cause="too-soon")
            check("asks to wait" in found["message"], f"{found}")
            for text in (found["message"], found["cure"]):
                check("key" not in text and "connection string" not in text, f"{found}")
        answered.append(b"\x05")
        site.client.add_hub("refused", hub.device(), site.hub.ca)
        eventually(lambda: not answered, "it was refused")
        found = fails(site.client, "refused", "credentials", 11, "connection string", cause="identity")
        check("wrong key" in found["message"], f"{found}")


def subscription():
    """a hub that takes the device and refuses the subscription"""

    def act(connection, head):
        if "websocket" not in head:
            connection.sendall(dated(0).encode())
            return
        connection.sendall(upgrade(head, "Sec-WebSocket-Protocol: mqtt"))
        connection.sendall(frame(CONNACK))
        connection.recv(4096)
        connection.sendall(frame(b"\x90\x04\x00\x01\x80\x80"))
        while connection.recv(4096):
            pass

    with Site(gateway=False, client=False) as site:
        site.gateway = site.start_daemon("gateway")
        site.gateway.ctl_ok("accept-policy", "set-default", "accept")
        hub = EvilHub(site, act)
        site.gateway.add_hub("old", hub.device(), site.hub.ca)
        fails(site.gateway, "old", "subscription", 1, "does not offer device streams",
              cause="no-streams")


def device_side():
    """on the device: no rule, a rule that rejects, no target, a target that is down"""
    with Site(client=False) as site:
        fails(site.gateway, "office", "policy", 12, "accept-policy add", cause="policy-empty")
        site.expose("down", f"tcp:127.0.0.1:{free_port()}")
        fails(site.gateway, "office", "target", 12, "Nothing listens", cause="target-refused")
        fails(site.gateway, "office", "target", 12, "start the service", "--stream", "down")
        fails(site.gateway, "office", "policy", 12, "accept-policy test", "--stream", "other",
              cause="policy")
        site.gateway.ctl_ok("accept-policy", "add", "--stream", "mine", "--initiator", "ann",
                            "--accept", "nowhere")
        fails(site.gateway, "office", "policy", 12, "accept-policy test", "--stream", "mine")
        fails(site.gateway, "office", "target", 12, "target add", "--stream", "mine",
              "--initiator", "ann", cause="no-target")


def service_side():
    """a real stream: the device is unknown, offline or disabled, its policy rejects, its target is down"""
    with Site() as site:
        site.expose("down", f"tcp:127.0.0.1:{free_port()}")
        fails(site.client, "office", "device", 4, "device's name", "nobody", "x", cause="not-found")
        site.hub.add_device("asleep")
        fails(site.client, "office", "device", 10, "Start streamd", "asleep", "x", cause="offline")
        fails(site.client, "office", "policy", 12, "rule", site.DEVICE, "other", cause="policy")
        fails(site.client, "office", "target", 12, "start the service", site.DEVICE, "down",
              cause="target-refused")
        site.hub.admin("device", "disable", "asleep")
        fails(site.client, "office", "device", 11, "Enable the device", "asleep", "x", cause="revoked")


def caller_gone():
    """who leaves takes the diagnosis along: nothing is left of it"""
    with Site(gateway=False) as site:
        silent = Server(lambda c: [c.recv(1 << 16), time.sleep(PATIENCE)], site)
        service = site.hub.connection_string("user", "service")
        site.client.add_hub("silent", service.replace(f":{site.hub.https_port}", f":{silent.port}"),
                            site.hub.ca)
        site.client.ctl_ok("hub", "disconnect", "silent")
        examine(site.client, "office")
        before = site.client.fds()
        for _ in range(5):
            child = site.client.start_ctl("doctor", "--hub", "silent", stdout=subprocess.PIPE)
            eventually(lambda: site.client.fds() > before, "it is under way")
            child.kill()
            child.wait()
            eventually(lambda: site.client.fds() <= before, "it is over")
        check_equal(examine(site.client, "office")[1], 0, "the next one")


if __name__ == "__main__":
    main(all_is_well, does_not_survive, used_wrongly, device_alone, name_and_port, no_dns, certificate, through_proxies, clock,
         credentials, asked_to_wait, subscription, device_side, service_side, caller_gone)
