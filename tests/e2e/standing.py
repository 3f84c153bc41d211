# SPDX-License-Identifier: LGPL-2.1-or-later
"""How streamd and the hub say that they stand: STATUS= for `systemctl status`, `streamctl status --check`, and the log of a
hub that is away."""
import contextlib
import json
import os
import re
import socket
import threading

from ends import Server, connect, free_port, read_all
from harness import Hub, Site, check, check_equal, eventually, main, write_private

SERVICE = "HostName=localhost:{};SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0"


class Told(Site):
    keep_notify = True


def becomes(daemon, text):
    """TEXT is a pattern for all of the line."""
    eventually(lambda: re.fullmatch(text, daemon.status() or ""), f"{daemon.name} says {text}; it says {daemon.status()}")


def check_code(daemon, code, *words):
    """What status --check prints and exits with."""
    done = daemon.ctl("status", "--check", *words)
    check_equal(done.returncode, code, f"--check {words}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def gateway_transitions():
    """STATUS= at every change: no hub, a hub, streams, tunnels, a lost hub, why, its return, a bad configuration, the end"""
    with Told(gateway=False, client=False) as site:
        config = os.path.join(site.dir, "gateway.conf")
        write_private(config, "")
        daemon = site.start_daemon("gateway", ["--config", config])
        becomes(daemon, "No hub is configured, 0 streams, 0 tunnels")
        check("there is no hub" in check_code(daemon, 4), "no hub")
        daemon.add_hub("office", site.hub.add_device(site.DEVICE), site.hub.ca)
        becomes(daemon, "1 of 1 hub connected, 0 streams, 0 tunnels")
        check_equal(check_code(daemon, 0), "", "nothing is wrong")
        site.wait_online(site.DEVICE)

        client = site.start_daemon("client")
        client.add_hub("office", site.hub.connection_string("user", "service"), site.hub.ca)
        site.gateway = daemon
        site.expose("echo", Server(read_all, site).address)
        port = client.tunnel(site.DEVICE, "echo")
        becomes(client, "1 of 1 hub connected, 0 streams, 1 tunnel")
        with connect(port), connect(port):
            becomes(daemon, "1 of 1 hub connected, 2 streams, 0 tunnels")
            becomes(client, "1 of 1 hub connected, 2 streams, 1 tunnel")
        becomes(daemon, "1 of 1 hub connected, 0 streams, 0 tunnels")
        client.close_tunnels()
        becomes(client, "1 of 1 hub connected, 0 streams, 0 tunnels")

        write_private(config, "[nonsense]\n")
        check(daemon.ctl("reload").returncode != 0, "a bad configuration")
        becomes(daemon, "1 of 1 hub connected, 0 streams, 0 tunnels; not reloaded, the old configuration stays: .*gateway.conf:1.*")
        write_private(config, "")
        daemon.ctl_ok("reload")
        becomes(daemon, "1 of 1 hub connected, 0 streams, 0 tunnels")

        daemon.ctl_ok("hub", "disconnect", "office")
        becomes(daemon, "0 of 1 hub connected, 0 streams, 0 tunnels; office: disconnected on request")
        check(re.fullmatch(r"office: disconnected for .*\n", check_code(daemon, 14)), "left on request")
        daemon.ctl_ok("hub", "connect", "office")
        becomes(daemon, "1 of 1 hub connected, 0 streams, 0 tunnels")
        site.hub.admin("device", "disable", site.DEVICE)
        becomes(daemon, "0 of 1 hub connected, 0 streams, 0 tunnels; office: refused: .+")
        check(re.fullmatch(r"office: refused for .*: .+\n", check_code(daemon, 11)), "refused")
        site.hub.admin("device", "enable", site.DEVICE)
        daemon.ctl_ok("hub", "connect", "office")
        becomes(daemon, "1 of 1 hub connected, 0 streams, 0 tunnels")
        daemon.stop()
        check_equal(daemon.status(), "Stopping", "the end")


def many_problems():
    """more problems than are named are counted, and each is bounded; a hub is named by --hub; --json; exit codes"""
    with Told(gateway=False, client=False) as site:
        daemon = site.start_daemon("gateway")
        for number in range(6):
            path = os.path.join(site.dir, "nobody.cs")
            write_private(path, SERVICE.format(free_port()) + "\n")
            daemon.ctl_ok("hub", "add", f"hub-{number}", "--connection-string-file", path)
        becomes(daemon, r"0 of 6 hubs connected, 0 streams, 0 tunnels; hub-0: [^;]+; hub-1: [^;]+; hub-2: [^;]+; hub-3: [^;]+; and 2 more")
        check(len(daemon.status()) < 1000, "it is bounded")
        daemon.add_hub("office", site.hub.add_device(site.DEVICE), site.hub.ca)
        becomes(daemon, "1 of 7 hubs connected,.*")
        check_equal(len(check_code(daemon, 14).splitlines()), 6, "lines")
        check_equal(check_code(daemon, 0, "--hub", "office"), "", "the one that is there")
        check(check_code(daemon, 14, "--hub", "hub-3").startswith("hub-3: "), "one that is not")
        check("there is no hub 'nowhere'" in check_code(daemon, 4, "--hub", "nowhere"), "one that nobody knows")
        check_equal(daemon.ctl("status", "--hub", "office").returncode, 2, "--hub alone")
        done = daemon.ctl("status", "--check", "--json")
        answer = json.loads(done.stdout)
        check_equal((done.returncode, answer["ok"], answer["state_error"], len(answer["hubs"])), (14, False, "", 7), "--json")
        hubs = {hub["name"]: hub for hub in answer["hubs"]}
        check_equal(hubs["office"]["connected"], True, "--json: office")
        check(not hubs["hub-0"]["connected"] and hubs["hub-0"]["last_error"], f"--json: {hubs['hub-0']}")
        done = daemon.ctl("status", "--check", "--json", "--hub", "office")
        check_equal((done.returncode, json.loads(done.stdout)["ok"]), (0, True), "--json of one")
    # Once a second at most, whatever happens.
    check(len(daemon.statuses) < 30, f"{len(daemon.statuses)} times: {daemon.statuses}")


def state_refused():
    """a streamd that runs without its state says so, and --check fails though no hub is away"""
    with Told(gateway=False, client=False) as site:
        os.makedirs(os.path.join(site.dir, "gateway-state"), mode=0o700)
        write_private(os.path.join(site.dir, "gateway-state", "state"), "streamd-store version=99 sum=12\n")
        daemon = site.start_daemon("gateway")
        becomes(daemon, "No hub is configured, 0 streams, 0 tunnels; streamd runs without its state, .*")
        check("runs without its state" in check_code(daemon, 1), "the state")


def take_and_close(listener):
    """Whoever comes is sent away."""
    with contextlib.suppress(OSError):
        while True:
            listener.accept()[0].close()


def lost_once():
    """a hub that is away is told once, and again for another reason; its return says for how long; not each attempt is told"""
    with Site(client=False) as site:
        gateway, port = site.gateway, str(site.hub.https_port)
        lost = lambda: [line for line in gateway.log().splitlines() if "Hub office is not connected" in line]
        site.hub.stop()
        eventually(lost, "the loss is told")
        def attempt():
            since = gateway.ctl_json("hub", "show", "office")["since"]
            gateway.ctl("hub", "connect", "office")
            eventually(lambda: (lambda hub: hub["since"] != since and hub["state"] == "disconnected")(
                gateway.ctl_json("hub", "show", "office")), "an attempt ends")

        for _ in range(4):
            attempt()
        reasons = [re.sub(r" \(away for .*", "", line) for line in lost()]
        check_equal(len(reasons), len(set(reasons)), f"a reason is told once: {reasons}")
        check(len(reasons) <= 3, f"the loss, an end on the way, and that nobody is there: {reasons}")
        nobody = socket.create_server(("127.0.0.1", int(port)))  # somebody else is at its port: another reason
        nobody.listen()
        site.closers.append(nobody.close)
        hang_up = threading.Thread(target=take_and_close, args=(nobody,), daemon=True)
        hang_up.start()
        known = set(reasons)
        for _ in range(3):
            attempt()
        reasons = [re.sub(r" \(away for .*", "", line) for line in lost()]
        check_equal(len(reasons), len(set(reasons)), f"each of the other reasons is told once: {reasons}")
        check(len(set(reasons) - known) <= 3, f"other reasons: {reasons}")
        check(re.search(r"\(away for \d+ s, attempt \d+\)", lost()[-1]), f"with how long: {lost()[-1]}")
        nobody.shutdown(socket.SHUT_RDWR)
        hang_up.join()
        nobody.close()
        site.start_hub(ports=(port, "0"), name="hub-again")
        gateway.ctl_ok("hub", "connect", "office")
        eventually(lambda: "Connected to hub office as gw-1, after " in gateway.log(), "the return is told")
        back = re.findall(r"as gw-1, after (\d+) s without it, at attempt (\d+)", gateway.log())
        check_equal(len(back), 1, f"once: {gateway.log()}")
        check(int(back[0][1]) >= 7, f"attempts: {back}")


class HubStatus:
    """The hub's service manager."""

    def __init__(self, site):
        self.path = os.path.join(site.dir, "hub.notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        site.closers.append(self.socket.close)
        self.name, self.text = "hub", None

    def status(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                for line in self.socket.recv(4096).split(b"\n"):
                    if line.startswith(b"STATUS="):
                        self.text = line[7:].decode()
        return self.text


def hub_transitions():
    """STATUS= of the hub: devices, streams, draining, the end; hub_storage.py has a disk that takes no change"""
    with Site(gateway=False, client=False) as site:
        site.hub.stop()
        manager = HubStatus(site)
        hub = Hub(site, "hub-told", ["--config", os.path.join(site.dir, "hub-settings.conf")],
                  env=site.environment(NOTIFY_SOCKET=manager.path))
        site.processes.append(hub)
        site.hub = hub
        port = hub.https_port
        becomes(manager, f"Serving localhost, port {port}, 0 devices, 0 streams")
        site.gateway = site.start_daemon("gateway")
        site.gateway.add_hub("office", hub.add_device(site.DEVICE), hub.ca)
        becomes(manager, f"Serving localhost, port {port}, 1 device, 0 streams")
        site.wait_online(site.DEVICE)
        client = site.start_daemon("client")
        client.add_hub("office", hub.connection_string("user", "service"), hub.ca)
        site.expose("echo", Server(read_all, site).address)
        with connect(client.tunnel(site.DEVICE, "echo")):
            becomes(manager, f"Serving localhost, port {port}, 1 device, 1 stream")
        becomes(manager, f"Serving localhost, port {port}, 1 device, 0 streams")
        hub.admin("drain", "--timeout", "1")
        becomes(manager, f"Serving localhost, port {port}, 1 device, 0 streams, taking no new ones")
        hub.admin("drain", "--read-only", "--timeout", "1")
        becomes(manager, f"Serving localhost, port {port}, 1 device, 0 streams, taking no new ones, the registry is read-only on request")
        hub.admin("drain", "--cancel")
        becomes(manager, f"Serving localhost, port {port}, 1 device, 0 streams")
        hub.stop()
        check(re.fullmatch(f"Ending streams of localhost, port {port}, .*", manager.status()), manager.status())


if __name__ == "__main__":
    main(gateway_transitions, many_problems, state_refused, lost_once, hub_transitions)
