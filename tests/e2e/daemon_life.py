# SPDX-License-Identifier: LGPL-2.1-or-later
"""What streamd holds, gives back and keeps: descriptors over hundreds of streams, state over a
restart, streams over a lost control link; and the less common ways in and out."""
import contextlib
import os
import signal
import socket
import subprocess
import time

from ends import Server, connect, free_port, in_threads, read_all, read_exactly, reset
from harness import (PATIENCE, Daemon, Failure, Site, check, check_equal, eventually, listed, main,
                     run, write_private)

ROUNDS = 200


def echo_all(connection):
    connection.sendall(read_all(connection))


def echo_each(connection):
    while True:
        data = connection.recv(65536)
        if not data:
            return
        connection.sendall(data)


def good(port):
    """One stream through a tunnel, from its beginning to its orderly end."""
    with connect(port) as near:
        near.sendall(b"hello")
        near.shutdown(socket.SHUT_WR)
        check_equal(read_all(near), b"hello", "the echo")


def bad(port):
    """One stream that fails: a reset, nothing else."""
    with connect(port) as near:
        try:
            check_equal(near.recv(1), None, "what came instead of a reset")
        except ConnectionResetError:
            pass


def rude(port):
    """A connection that goes away while its stream is being opened."""
    with connect(port) as near:
        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def many(action, port, count=ROUNDS, at_once=20):
    for _ in range(count // at_once):
        in_threads(*[lambda: action(port) for _ in range(at_once)])


def nothing_is_left():
    """two hundred streams that opened, as many that failed, as many given up: no descriptor stays"""
    with Site() as site:
        site.expose("echo", Server(echo_all, site).address)
        site.expose("down", f"tcp:127.0.0.1:{free_port()}")
        site.gateway.ctl_ok("accept-policy", "add", "--stream", "gone", "--accept", "not-there")
        ports = {name: site.client.tunnel(site.DEVICE, name)
                 for name in ("echo", "down", "gone", "not-allowed")}
        nobody = site.client.tunnel("nobody", "echo")
        many(good, ports["echo"], 40)
        before = site.count()
        many(good, ports["echo"])
        for name in ("down", "gone", "not-allowed"):
            many(bad, ports[name], ROUNDS // 4)
        many(bad, nobody, ROUNDS // 4)
        many(rude, ports["echo"])
        site.wait_count(before)
        good(ports["echo"])


def given_up():
    """callers that leave while they wait for a device leave nothing behind, here and at the hub"""
    with Site() as site:
        site.hub.add_device("asleep")
        site.expose("echo", Server(echo_all, site).address)
        port = site.client.tunnel(site.DEVICE, "echo")
        good(port)
        before = site.count()
        waiting = [site.client.start_ctl("connect", "asleep", "echo", "--wait=60",
                                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
                   for _ in range(10)]
        eventually(lambda: len(site.client.streams()) == len(waiting), "ten streams wait")
        for process in waiting:
            process.kill()
            process.wait()
        site.wait_count(before)


def application_gives_up():
    """an application that resets its connection to a tunnel ends the wait for the device"""
    with Site() as site:
        site.hub.add_device("asleep")
        port = site.client.tunnel("asleep", "echo", "--wait=60")
        before = site.count()
        waiting = [connect(port) for _ in range(5)]
        eventually(lambda: len(site.client.streams()) == len(waiting), "five streams wait")
        for connection in waiting:
            reset(connection)
        site.wait_count(before)


def token_renewed():
    """a token that lives six seconds: renewed again and again, the link is never away"""
    with Site(gateway=False) as site:
        secret = os.path.join(site.dir, "gw.cs")
        write_private(secret, site.hub.add_device(site.DEVICE) + "\n")
        config = os.path.join(site.dir, "streamd.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(f"[hub office]\nConnectionStringFile={secret}\nCaFile={site.hub.ca}\n"
                       "TokenLife=6\n[policy]\nDefault=accept\n")
        site.gateway = site.start_daemon("gateway", ["--config", config])
        site.wait_online(site.DEVICE)
        site.gateway.ctl_ok("target", "add", "each", Server(echo_each, site).address)
        since = hub_since(site.gateway)
        with connect(site.client.tunnel(site.DEVICE, "each")) as near:
            until = time.monotonic() + 15  # two lives and a half
            while time.monotonic() < until:
                near.sendall(b"tick")
                check_equal(read_exactly(near, 4), b"tick", "the echo")
                check_equal(hub_state(site.gateway), "connected", "state of the hub")
                time.sleep(0.1)
        check_equal(hub_since(site.gateway), since, "the time of the last change")


def restarted(site, daemon):
    """The same streamd again, on a new bus."""
    name = daemon.name
    check_equal(daemon.stop(), 0, "exit status of streamd")
    daemon.bus.stop()
    for old in (daemon, daemon.bus):
        site.processes.remove(old)
    again = Daemon(site, name)
    site.processes.append(again)
    return again


def policy(daemon):
    shown = daemon.ctl_json("accept-policy", "list")
    shown["default"].pop("revision")  # counts from the start of the daemon
    return shown, daemon.ctl_json("target", "list")


def kept():
    """hubs, targets, rules, the default and background tunnels are there again after a restart"""
    with Site() as site:
        site.expose("echo", Server(echo_all, site).address)
        site.gateway.ctl_ok("accept-policy", "set-default", "reject", "not today")
        port = site.client.tunnel(site.DEVICE, "echo")
        good(port)
        shown = policy(site.gateway)
        site.gateway = restarted(site, site.gateway)
        site.wait_online(site.DEVICE)
        check_equal(policy(site.gateway), shown, "rules, default and targets")
        site.client = restarted(site, site.client)
        eventually(lambda: listed(site.client.ctl_json("tunnel", "list"), "tunnels"), "the tunnel")
        good(port)
        with open(os.path.join(site.dir, "client-state", "state"), encoding="utf-8") as file:
            check("SharedAccessKey" not in file.read(), "a key is in the file state")


def damaged():
    """a damaged state file: streamd does not start, and says which file and why"""
    with Site(gateway=False) as site:
        check_equal(site.client.stop(), 0, "exit status of streamd")
        path = os.path.join(site.dir, "client-state", "state")
        with open(path, "r+b") as file:
            file.truncate(os.path.getsize(path) // 2)
        done = run([site.streamd, "--user"], env=site.client.env, timeout=PATIENCE)
        check(done.returncode != 0, "it started")
        check(path in done.stderr and "damaged" in done.stderr, f"it said {done.stderr!r}")
        site.processes.remove(site.client)
        site.client = None


def over_mqtts():
    """a device whose control link is MQTT over TLS on a port of its own"""
    with Site(gateway=False) as site:
        site.gateway = site.start_daemon("gateway")
        site.gateway.add_hub("office", site.hub.add_device(site.DEVICE), site.hub.ca,
                             "--transport", "mqtts", "--mqtt-port", str(site.hub.mqtts_port))
        site.wait_online(site.DEVICE)
        site.expose("echo", Server(echo_all, site).address)
        good(site.client.tunnel(site.DEVICE, "echo"))


def unix_sockets():
    """a Unix socket as target and as listener"""
    with Site() as site:
        target, near_path = os.path.join(site.dir, "target"), os.path.join(site.dir, "near")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(target)
            listener.listen()
            site.expose("echo", "unix:" + target)
            out = site.client.ctl_ok("tunnel", "open", site.DEVICE, "echo", "--background",
                                     "--listen", "unix:" + near_path)
            check("unix:" + near_path in out, f"it said {out!r}")
            check_equal(os.stat(near_path).st_mode & 0o777, 0o600, "mode of the socket")
            with socket.socket(socket.AF_UNIX) as near:
                near.settimeout(PATIENCE)
                near.connect(near_path)
                far, _ = listener.accept()
                with far:
                    far.settimeout(PATIENCE)
                    near.sendall(b"there")
                    near.shutdown(socket.SHUT_WR)
                    check_equal(read_all(far), b"there", "what came to the target")
                    far.sendall(b"and back")
                check_equal(read_all(near), b"and back", "what came back")
        site.client.close_tunnels()
        check(not os.path.exists(near_path), "the socket is still there")


def link_lost():
    """a control link that is lost ends no stream, and new streams come when it is back"""
    with Site() as site:
        site.expose("each", Server(echo_each, site).address)
        port = site.client.tunnel(site.DEVICE, "each")
        with connect(port) as near:
            near.sendall(b"before")
            check_equal(read_exactly(near, 6), b"before", "the echo")
            # Another streamd takes the identity: the hub drops the first one's link.
            other = site.start_daemon("other")
            other.add_hub("office", site.hub.connection_string("device", site.DEVICE), site.hub.ca)
            eventually(lambda: hub_state(other) == "connected", "the other has the link")
            eventually(lambda: hub_state(site.gateway) != "connected", "the first has lost it")
            near.sendall(b"after")
            check_equal(read_exactly(near, 5), b"after", "the echo")
            other.ctl_ok("hub", "remove", "office")
            eventually(lambda: hub_state(site.gateway) == "connected", "the first has it again")
            with connect(port) as second:
                second.sendall(b"new")
                check_equal(read_exactly(second, 3), b"new", "the echo")
            near.sendall(b"still")
            check_equal(read_exactly(near, 5), b"still", "the echo")


def hub_state(daemon):
    return listed(daemon.ctl_json("hub", "list"), "hubs")[0]["state"]


def hub_since(daemon):
    return listed(daemon.ctl_json("hub", "list"), "hubs")[0]["since"]


def hub_restarted():
    """a hub that is killed and comes back on its port finds its device and its service again"""
    with Site() as site:
        site.expose("echo", Server(echo_all, site).address)
        port = site.client.tunnel(site.DEVICE, "echo")
        good(port)
        ports = (str(site.hub.https_port), str(site.hub.mqtts_port))
        site.hub.stop(signal.SIGKILL)
        site.hub.popen.stdout.close()
        site.processes.remove(site.hub)
        bad(port)
        site.start_hub(ports=ports, name="hub-again")
        site.wait_online(site.DEVICE)
        good(port)


def closed_by_hand():
    """stream close ends a stream as a cut at both ends; tunnel close and hub remove end theirs"""
    with Site() as site:
        site.expose("each", Server(echo_each, site).address)
        port = site.client.tunnel(site.DEVICE, "each")
        for close in (lambda s: site.client.ctl_ok("stream", "close", str(s["id"])),
                      lambda s: site.client.close_tunnels(),
                      lambda s: site.gateway.ctl_ok("hub", "remove", "office", "--force")):
            if not listed(site.client.ctl_json("tunnel", "list"), "tunnels"):
                port = site.client.tunnel(site.DEVICE, "each")
            with connect(port) as near:
                near.sendall(b"x")
                check_equal(read_exactly(near, 1), b"x", "the echo")
                close(site.client.streams()[0])
                with contextlib.suppress(ConnectionResetError):
                    check_equal(near.recv(1), b"", "more data")
            eventually(lambda: not site.client.streams(), "the stream has ended")


main(nothing_is_left, given_up, application_gives_up, token_renewed, kept, damaged, over_mqtts, unix_sockets, link_lost, hub_restarted,
     closed_by_hand)
