# SPDX-License-Identifier: LGPL-2.1-or-later
"""streamd-desktop on a screen, with real daemons and a real hub, used as a person would use it."""
import contextlib
import os
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

# pylint: disable=wrong-import-position
from ends import Server, connect, in_threads, read_exactly
from harness import Process, Site, check, check_equal, eventually, main
from screen import App, Screen

PAYLOAD = os.urandom(300_000)
# The desk is a device, too: people ask to reach it.
DESK = "desk-3"
WRONG_AT = 12_345_678
CONTROL_N, ESCAPE = (37, 57), 9


def echo(connection):
    while data := connection.recv(1 << 16):
        connection.sendall(data)


def liar(connection):
    """An echo with one wrong bit in it."""
    passed = 0
    while data := connection.recv(1 << 16):
        if passed <= WRONG_AT < passed + len(data):
            at = WRONG_AT - passed
            data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
        passed += len(data)
        connection.sendall(data)


class Desk:
    """A site whose client has a screen; one for all cases, which use it one after the other."""

    def __init__(self, site):
        self.site = site
        self.server = Server(echo, site)
        site.expose("echo", self.server.address)
        site.expose("liar", Server(liar, site).address)
        site.client.add_hub("workshop", site.hub.add_device(DESK), site.hub.ca)
        site.client.ctl_ok("target", "add", "echo", self.server.address)
        site.client.ctl_ok("accept-policy", "add", "--stream", "guest", "--ask=echo")
        site.client.ctl_ok("accept-policy", "add", "--stream", "brief", "--ask=echo", "--ask-timeout=6s")
        site.wait_online(DESK)
        self.screen = Screen(site, site.client.bus.address)
        # The gateway's bus is the system's for the app: without the id, for another one may follow there.
        self.system_bus = site.gateway.bus.address.split(",")[0]
        self.app = App(self.screen,
                       {**site.client.env, "DBUS_SYSTEM_BUS_ADDRESS": self.system_bus})

    def knock(self, stream="guest"):
        """Somebody wants a stream of the desk; their streamctl, which waits for the answer."""
        return self.site.client.start_ctl("connect", "--hub", "office", DESK, stream,
                                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                          stderr=subprocess.PIPE)


DESKS = []


def desk():
    return DESKS[0]


def passes(port):
    """Bytes go through the tunnel on that port, and come back the same."""
    with connect(port) as near:
        _, back = in_threads(lambda: near.sendall(PAYLOAD), lambda: read_exactly(near, len(PAYLOAD)))
        check_equal(back, PAYLOAD, "what came back")


def shows_hubs():
    """it finds streamd by itself, shows its hubs as connected, and that it answers requests"""
    app = desk().app
    app.wait_text("2 of 2 hubs connected")
    app.press("Hubs")  # since GTK 4.18 what is on another page is not there for who cannot see it
    app.wait_text("office")
    app.wait_text(f"this machine is the device {DESK}")
    app.press("Tunnels")
    app.wait_text("need consent are asked about here")


def tunnel():
    """a tunnel is opened in the dialog, carries bytes, shows its stream, and is closed"""
    app, site = desk().app, desk().site
    app.press("Open a tunnel")
    app.fill("Device", site.DEVICE)
    app.fill("Stream", "echo")
    app.press("Open")
    port = int(app.wait_text("The tunnel listens on tcp:127.0.0.1:").rsplit(":", 1)[1])
    app.wait_for("label", f"{site.DEVICE} · echo")
    passes(port)
    with connect(port) as near:
        near.sendall(b"still here")
        app.wait_text("1 connection")
        app.press("Streams")
        app.wait_text("through tunnel 1")
    app.press("Tunnels")
    app.press(f"Close the tunnel {site.DEVICE} · echo")
    app.wait_gone("button", f"Close the tunnel {site.DEVICE} · echo")
    check_equal(site.client.ctl_json("tunnel", "list"), [], "tunnels")
    with contextlib.suppress(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()
        check(False, "the tunnel still listens")
    app.press("Devices")
    app.wait_text("used before")
    app.press("Tunnels")


def keyboard():
    """Ctrl+N opens the dialog and Escape closes it, as keys of a keyboard"""
    app, screen = desk().app, desk().screen
    screen.keys(*CONTROL_N)
    app.wait_for("field", "Listen on")
    screen.keys(ESCAPE)
    app.wait_gone("field", "Listen on")


def refused_tunnel():
    """what streamd says of a tunnel that it refuses is in the dialog, which stays"""
    app, site = desk().app, desk().site
    app.press("Open a tunnel")
    app.fill("Device", site.DEVICE)
    app.fill("Stream", "echo")
    app.fill("Listen on", "tcp:192.0.2.1:1")
    app.press("Open")
    app.wait_text("192.0.2.1")
    app.press("Cancel")
    app.wait_gone("field", "Listen on")


def transfer():
    """100 MB go through the descriptor of a stream both ways and are the same"""
    app, site = desk().app, desk().site
    app.press("Devices")
    app.press(f"More about {site.DEVICE}")
    app.press("Test a Transfer…")
    app.fill("Stream", "echo")
    app.press("Start")
    said = app.wait_text("came back the same")
    print(f"# {said}")
    check(said.startswith("100.0 MB"), said)
    streams = site.client.ctl_json("stream", "list")
    moved = [(s["bytes_in"], s["bytes_out"]) for s in streams if s["tunnel"] == 0]
    check((100_000_000, 100_000_000) in moved, f"streamd counts the same: {moved}")


def wrong_transfer():
    """one bit that is not as it was sent is found, and where it was"""
    app = desk().app
    app.fill("Stream", "liar")
    app.press("Start")
    app.wait_text(f"different from byte {WRONG_AT} on")


def failed_transfer():
    """a transfer over a stream that the device rejects says why"""
    app = desk().app
    app.fill("Stream", "nothing-there")
    app.press("Start")
    app.wait_text("accept policy rejected")
    app.press("Done")
    app.wait_gone("button", "Done")


def allow():
    """somebody knocks, the prompt says who and what, Allow lets them in"""
    app = desk().app
    caller = desk().knock()
    app.wait_text("“service” asks for “guest” on this machine")
    app.wait_text("Refused by itself in ")
    app.press("Allow")
    app.wait_gone("button", "Allow")
    caller.stdin.write(b"hello")
    caller.stdin.close()
    check_equal(caller.stdout.read(), b"hello", "what comes back")
    check_equal(caller.wait(60), 0, f"exit code of {caller.stderr.read()}")


def deny():
    """Deny rejects, with the text that was typed"""
    app = desk().app
    caller = desk().knock()
    app.fill("Reason, if you deny", "not before noon")
    app.press("Deny")
    app.wait_gone("button", "Deny")
    check_equal(caller.wait(60), 12, "exit code")
    check(b"not before noon" in caller.stderr.read(), "the caller reads the text")


def deadline():
    """a prompt that nobody answers counts down, goes, and the caller hears that nobody answered"""
    app = desk().app
    caller = desk().knock("brief")
    app.wait_for("button", "Allow")
    app.wait_text("nobody answered in time")
    app.wait_gone("button", "Allow")
    check_equal(caller.wait(60), 12, "exit code")


def answered_elsewhere():
    """a request that another agent answers is taken off the screen; two wait in line"""
    app = desk().app
    first, second = desk().knock(), None
    app.wait_for("button", "Allow")
    second = desk().knock()
    app.wait_text("1 more request waits")
    requests = desk().site.client.ctl_json("request", "list")
    desk().site.client.ctl_ok("request", "reject", str(requests[0]["id"]))
    check_equal(first.wait(60), 12, "exit code of the first")
    app.wait_text("answered elsewhere")
    app.press("Deny")
    check_equal(second.wait(60), 12, "exit code of the second")


def restart():
    """streamd is killed and comes back; the app says so, follows, and is an agent again"""
    app, site = desk().app, desk().site
    old = site.client
    caller = desk().knock()
    app.wait_for("button", "Allow")
    old.popen.kill()
    old.popen.wait()
    old.ended_by_us = True
    app.wait_text("streamd Is Not Running")
    app.wait_gone("button", "Allow")
    check(caller.wait(60) != 0, "the caller's end")
    site.processes.append(Process(site, "client-again", [site.streamd, "--user"], env=old.env))
    app.wait_text("2 of 2 hubs connected")
    app.wait_text("need consent are asked about here")
    eventually(lambda: site.is_online(DESK), "the desk is a device again")
    allow()


def suspended():
    """a stream that has lost its connection is shown as suspended, for how long, and as open when it goes on"""
    app, site = desk().app, desk().site
    port = site.client.tunnel(site.DEVICE, "echo", "--hub", "office")
    with connect(port) as near:
        near.sendall(b"before")
        check_equal(read_exactly(near, 6), b"before", "what came back")
        eventually(lambda: any(s["resumable"] for s in site.client.streams()), "both ends have talked")
        app.press("Streams")
        app.wait_text("Open for ")
        ports = (str(site.hub.https_port), str(site.hub.mqtts_port))
        site.hub.stop(signal.SIGKILL)
        app.wait_text("Suspended for ")
        # It counts, and who cannot see hears it: the row's name has it, too.
        app.wait_text(f"{site.DEVICE} · echo · Suspended for 2 s")
        site.start_hub(ports=ports)
        app.wait_text("Open for ")
        near.sendall(b"after")
        check_equal(read_exactly(near, 5), b"after", "what came back")
    app.press("Tunnels")
    app.press(f"Close the tunnel {site.DEVICE} · echo")
    app.wait_gone("button", f"Close the tunnel {site.DEVICE} · echo")
    app.wait_text("2 of 2 hubs connected")


def other_bus():
    """it is sent to the other bus, which ends; it says so, and is there again when the bus is"""
    app, site = desk().app, desk().site
    subprocess.run(["gdbus", "call", "--session", "--dest", "io.streamd.Desktop", "--object-path",
                    "/io/streamd/Desktop", "--method", "org.gtk.Actions.SetState", "bus",
                    "<'system'>", "{}"], env=site.client.env, check=True, stdout=subprocess.DEVNULL)
    app.wait_text("The system's streamd")
    app.wait_text("1 of 1 hub connected")
    for process in (site.gateway.bus, site.gateway):
        process.popen.kill()
        process.popen.wait()
        process.ended_by_us = True
    app.wait_text("The Bus Cannot Be Reached")
    path = desk().system_bus.split("=", 1)[1]
    os.unlink(path)
    site.processes.append(Process(site, "bus-again", ["dbus-daemon", f"--config-file={path}.conf",
                                                      "--nofork"]))
    eventually(lambda: os.path.exists(path), "the bus is there again")
    env = {**site.gateway.env, "DBUS_SESSION_BUS_ADDRESS": desk().system_bus}
    site.processes.append(Process(site, "gateway-again", [site.streamd, "--user"], env=env))
    app.wait_text("1 of 1 hub connected")
    check(app.process.alive(), "the app lives")
    check_equal(app.complaints(), [], "what the app complains about")


def run():
    """The exit status; a failure inside of the site would show all of its logs, also for none."""
    with Site() as site:
        DESKS.append(Desk(site))
        try:
            main(shows_hubs, tunnel, keyboard, refused_tunnel, transfer, wrong_transfer, failed_transfer,
                 allow, deny, deadline, answered_elsewhere, suspended, restart,
                 other_bus)
        except SystemExit as ended:
            if ended.code:
                site.show_logs()
            return ended.code


if __name__ == "__main__":
    sys.exit(run())
