# SPDX-License-Identifier: LGPL-2.1-or-later
"""streamd-desktop sets a machine up: it joins hubs, offers services, checks the way, finds devices, and opens
terminals and web pages on them. All of it is real, but the terminal and the browser."""
import hashlib
import http.server
import json
import os
import shutil
import ssl
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

# pylint: disable=wrong-import-position
from ends import Server, Sshd, echo
from gi.repository import GLib
from harness import Site, check, check_equal, eventually, main, write_private
from screen import ATSPI, App, Screen
from x11 import Windows

HERE = os.path.dirname(os.path.abspath(__file__))
SHOTS = os.environ.get("STREAMD_SHOTS")  # a folder for pictures of each page, to look at
DEVICES = 200
MANY = "many"  # the hub by which the devices are seen; it comes first

# What runs in the terminal is a person's session: it has a pty, and things are typed.
TERMINAL = """#!/usr/bin/python3
import json, os, pty, sys
with open({path!r} + ".argv", "w") as file:
    json.dump(sys.argv[1:], file)
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
os.write(fd, b"echo reached-$((6 * 7)); exit\\n")
said = b""
try:
    while data := os.read(fd, 4096):
        said += data
except OSError:
    pass
os.waitpid(pid, 0)
with open({path!r} + ".new", "wb") as file:
    file.write(said)
os.rename({path!r} + ".new", {path!r})
"""
BROWSER = """#!/usr/bin/python3
import os, sys, urllib.request
with open({path!r} + ".new", "w") as file:
    file.write(sys.argv[1] + "\\n" + urllib.request.urlopen(sys.argv[1], timeout=60).read().decode())
os.rename({path!r} + ".new", {path!r})
"""
PAGE = b"<title>Pump 7</title>"


class Page(http.server.BaseHTTPRequestHandler):
    """The web page of a device."""

    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(200)
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


class Desk:
    """A machine without any hub, and whoever sits at it; a gateway offers ssh and a web page."""

    def __init__(self, site):
        self.site = site
        self.sshd = Sshd(site)
        site.expose("ssh", self.sshd.address)
        self.web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=self.web.serve_forever, daemon=True).start()
        site.closers.append(self.web.shutdown)
        site.expose("web", f"tcp:127.0.0.1:{self.web.server_port}")
        site.client = site.start_daemon("client")
        self.bin = os.path.join(site.dir, "bin")
        os.mkdir(self.bin)
        self.terminal, self.browser = (os.path.join(site.dir, name) for name in ("terminal", "browser"))
        self.write_programs()
        self.screen = Screen(site, site.client.bus.address)
        self.windows = Windows(self.screen.display)
        env = {**site.client.env, "PATH": f"{self.bin}:{os.environ['PATH']}", "SHELL": "/bin/sh",
               "XDG_DATA_HOME": os.path.join(site.dir, "data"), "GSETTINGS_BACKEND": "memory"}
        self.app = App(self.screen, env)
        self.neighbour = subprocess.Popen(["/usr/bin/python3", os.path.join(HERE, "neighbour.py")],
                                          env={**env, **self.screen.environment, "GTK_A11Y": "none"},
                                          stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        site.children.append(self.neighbour)

    def script(self, name, text):
        with open(os.path.join(self.bin, name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(os.path.join(self.bin, name), 0o755)

    def write_programs(self):
        """The terminal and the browser; and an ssh that knows the gateway, as a person's does after a week."""
        site = self.site
        config = os.path.join(site.dir, "ssh_config")
        with open(self.sshd.host_key + ".pub", encoding="ascii") as file:
            key = " ".join(file.read().split()[:2])
        with open(os.path.join(site.dir, "known_hosts"), "w", encoding="ascii") as file:
            file.write(f"*.device {key}\n")
        with open(config, "w", encoding="ascii") as file:
            file.write(f"IdentityFile {self.sshd.user_key}\nIdentitiesOnly yes\nIdentityAgent none\nBatchMode yes\n"
                       f"StrictHostKeyChecking yes\nUserKnownHostsFile {site.dir}/known_hosts\n"
                       "GlobalKnownHostsFile none\n")
        self.script("ssh", f'#!/bin/sh\nexec {shutil.which("ssh")} -F {config} "$@"\n')
        self.script("xdg-terminal-exec", TERMINAL.format(path=self.terminal))
        self.script("browser", BROWSER.format(path=self.browser))
        os.symlink(site.streamctl, os.path.join(self.bin, "streamctl"))
        applications = os.path.join(site.dir, "data", "applications")
        os.makedirs(applications)
        with open(os.path.join(applications, "browser.desktop"), "w", encoding="ascii") as file:
            file.write(f"[Desktop Entry]\nType=Application\nName=Browser\nExec={self.bin}/browser %u\n"
                       "MimeType=x-scheme-handler/http;x-scheme-handler/https;\n")
        with open(os.path.join(applications, "mimeapps.list"), "w", encoding="ascii") as file:
            file.write("[Default Applications]\nx-scheme-handler/http=browser.desktop\n")

    def tell(self, *words):
        """Has the neighbour do something; what it answers."""
        self.neighbour.stdin.write((" ".join(words) + "\n").encode())
        self.neighbour.stdin.flush()
        return self.neighbour.stdout.readline().decode().strip()

    def file(self, name, text):
        path = os.path.join(self.site.dir, name)
        write_private(path, text)
        return path

    def mouse(self, what, x, y):
        self.screen.call(ATSPI + "Registry", "/org/a11y/atspi/registry/deviceeventcontroller",
                         ATSPI + "DeviceEventController", "GenerateMouseEvent", GLib.Variant("(iis)", (x, y, what)))

    def shoot(self, name):
        """Pictures of the topmost window of the app, narrow and wide."""
        if not SHOTS:
            return
        import time  # pylint: disable=import-outside-toplevel
        window = [w for w in self.windows.all() if w.width > 130][-1]
        for width in (360, 1000):
            self.windows.place(window, width, 720)
            time.sleep(0.7)
            now = next(w for w in self.windows.all() if w.handle == window.handle)
            with open(os.path.join(SHOTS, f"{name}-{width}.png"), "wb") as file:
                file.write(self.windows.picture(now).png())


class Office(Site):
    """A hub that shows its devices to nobody who may only connect to them."""

    HUB_SETTINGS = Site.HUB_SETTINGS + "users-may-list = false\n"


DESKS = []


def desk():
    return DESKS[0]


def paste(path):
    """Opens the dialog, and pastes what is in the file."""
    desk().tell("clip", path)
    desk().app.press("Paste It")


WRONG = [
    ("-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n", "not an invitation but a private key of ssh"),
    ("-----BEGIN CERTIFICATE-----\nc2VjcmV0\n", "but a certificate in PEM"),
    ('{"key": "c2VjcmV0"}', "but JSON"),
    ("HostName=hub;Invitation=a;DeviceId=gw-1;Invi", "Its end is missing"),
    ("milk, eggs, c2VjcmV0", "neither an invitation nor a connection string"),
]


def wrong_texts():
    """what is pasted in place of an invitation is told what it is, and nothing of it is shown (all kinds: the unit test)"""
    app = desk().app
    app.wait_text("No Hub")
    app.press("Hubs")
    desk().shoot("hubs-empty")
    app.press("Join a Hub…")
    app.wait_text("Which Hub?")
    desk().shoot("join")
    for text, says in WRONG:
        paste(desk().file("wrong", text))
        app.wait_text(says)
    check(not any("c2Vj" in widget.name for widget in app.widgets()), "a part of the text is shown")


def fingerprint(path):
    with open(path, encoding="ascii") as file:
        der = ssl.PEM_cert_to_DER_cert(file.read())
    digest = hashlib.sha256(der).hexdigest().upper()
    return ":".join(digest[i:i + 2] for i in range(0, len(digest), 2))


def join_by_paste():
    """an invitation for a user is pasted, tells hub, user and authority before it is used, and leaves no clipboard"""
    app, site = desk().app, desk().site
    path = os.path.join(site.dir, "alice.invite")
    site.hub.admin("invite", "user", "alice", "--output", path)
    paste(path)
    app.wait_text("opens streams as the user alice")
    app.wait_text(f"localhost:{site.hub.https_port}")
    app.wait_text(fingerprint(site.hub.ca))
    check_equal(site.client.ctl_json("hub", "list"), [], "hubs before it is confirmed")
    desk().shoot("join-confirm")
    app.fill("Name of the hub here", "office")
    app.press("Join")
    app.wait_text("Joined: this machine opens streams as the user alice")
    app.wait_text("1 of 1 hub connected")
    eventually(lambda: desk().tell("read") in ("null", '""'), "the invitation is not in the clipboard any more")


def denied():
    """a user whose invitation does not let her see the hub's devices is told so, and what it takes"""
    desk().app.press("Devices")
    desk().app.wait_text("You may not see which devices the hub has: that takes the permission registry-read")
    desk().shoot("devices-denied")
    desk().app.press("Hubs")


def drag(verb, path):
    """The neighbour's file or text onto the app's window, which is alone."""
    windows = desk().windows
    desk().tell(verb, path)
    small, big = sorted(windows.all(), key=lambda window: window.width)[:2]
    windows.place(big, 820, 560)
    windows.place(small, 120, 120, 870, 630)
    windows.raise_(small)
    way = [(930 - i * 40, 690 - i * 25) for i in range(12)]
    desk().mouse("abs", 930, 690)
    desk().mouse("b1p", 930, 690)
    for x, y in [*way, (480, 410), (478, 408)]:
        desk().mouse("abs", x, y)
        desk().app.widgets()  # a turn of the app's main loop
    desk().mouse("b1r", 478, 408)


def join_by_drop():
    """a file is dropped onto the window: a key of ssh is told as such, an invitation makes this machine a device"""
    app, site = desk().app, desk().site
    drag("drag", desk().sshd.user_key)
    app.wait_text("not an invitation but a private key of ssh")
    app.press("Cancel")
    app.wait_gone("label", "Which Hub?")
    path = os.path.join(site.dir, "desk.invite")
    site.hub.admin("invite", "device", "desk-1", "--output", path)
    drag("drag", path)
    app.wait_text("this machine becomes the device desk-1")
    app.fill("Name of the hub here", "work")
    app.press("Join")
    app.wait_text("Joined: this machine is the device desk-1")
    site.wait_online("desk-1")


CONTROL_L, RETURN = (37, 46), 36


def join_by_choice():
    """a file is chosen: a connection string with the key in it, whose name here is not yet taken"""
    app, site = desk().app, desk().site
    site.hub.admin("user", "add", "reader", "--rights", "registry-read,service-connect")
    path = os.path.join(site.dir, "reader.invite")
    site.hub.admin("invite", "user", "reader", "--existing", "--output", path)
    app.press("Join a Hub…")
    app.wait_text("Which Hub?")
    app.act("new-tunnel")  # as its key: not while a dialog has the keyboard
    app.act("close-window")
    app.wait_gone("label", "Which Hub?")
    check("Open a Tunnel" not in desk().windows.titles(), "a dialog over a dialog")
    app.press("Join a Hub…")
    app.press("Choose a File…")
    app.wait_text("Choose the Invitation")
    desk().screen.keys(*CONTROL_L)
    desk().screen.type(path)
    desk().screen.keys(RETURN)
    app.wait_text("a connection string, with the key itself in it")
    app.fill("Name of the hub here", MANY)
    app.press("Join")
    app.wait_text("Joined: this machine opens streams as the user reader")


def hubs():
    """hubs are shown, disconnected, connected; before one is removed, open streams through it are told"""
    app, site = desk().app, desk().site
    app.wait_text("3 of 3 hubs connected")
    desk().shoot("hubs")
    app.press("More about work")
    app.wait_text("this machine is the device desk-1")
    desk().shoot("hub")
    app.press("Disconnect")
    app.wait_text("2 of 3 hubs connected")
    app.press("Done")
    app.press("Connect to work")
    app.wait_text("3 of 3 hubs connected")
    app.press("More about work")
    site.client.ctl_ok("offer", "echo", Server(echo, site).address)
    site.gateway.add_hub("asker", site.hub.connection_string("user", "service"), site.hub.ca)
    with site.gateway.start_ctl("connect", "--hub", "asker", "desk-1", "echo", stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE) as caller:
        caller.stdin.write(b"x")
        caller.stdin.flush()
        check_equal(caller.stdout.read(1), b"x", "the echo")
        app.press("Remove…")
        app.wait_text("1 stream that came in through this hub is open, perhaps the one you work through")
        desk().shoot("hub-remove")
        app.press("Cancel")
        app.wait_gone("label", "Remove the Hub work?")
        check_equal(len(site.client.ctl_json("hub", "list")), 3, "hubs after Cancel")
        caller.stdin.close()
    app.press("More about work")
    app.press("Remove…")
    app.press("Remove")
    app.wait_text("Removed the hub work")
    app.wait_text("2 of 2 hubs connected")
    eventually(lambda: not site.is_online("desk-1"), "the device is gone")


def services():
    """what listens here is suggested; a service is offered and withdrawn; the rules are told in words, in order"""
    app, site = desk().app, desk().site
    app.press("Services")
    site.client.ctl_ok("withdraw", "echo")
    site.client.ctl_ok("accept-policy", "add", "--stream", "guest", "--initiator", "bob", "--reject", "not today")
    app.wait_text("1. streams named guest, opened by bob")
    app.wait_text("rejected: “not today”")
    app.wait_text("Everything else")
    app.press("Offer a Service…")
    app.fill("Name of the service", "shop")
    app.fill("Address", str(desk().web.server_port))
    desk().shoot("offer")
    app.press("Offer")
    app.wait_text("Offered: streams named shop are accepted")
    app.wait_text("2. streams named shop")
    app.wait_text("accepted, to the service shop")
    check_equal(site.client.ctl_json("target", "list")[0]["address"], f"tcp:127.0.0.1:{desk().web.server_port}",
                "the target")
    desk().shoot("services")
    app.press("Offer a Service…")
    app.fill("Name of the service", "shop")
    app.fill("Address", "tcp:127.0.0.1:1")
    app.press("Offer")
    app.wait_text("Choose another name, or remove what has this one first.")
    app.press("Cancel")
    app.wait_gone("label", "Offer a Service")
    app.press("Offer a Service…")
    app.fill("Name of the service", "shop")
    app.fill("Address", str(desk().web.server_port))
    app.fill("Only for the user (empty: all)", "bob")
    app.press("Offer")
    app.wait_text("\n2. streams named shop")  # which lets in everybody
    app.press("Cancel")
    app.wait_gone("label", "Offer a Service")
    check_equal(len(site.client.ctl_json("accept-policy", "list")["rules"]), 2, "rules after an offer in vain")
    for answer in ("Cancel", "Remove"):
        app.press("Withdraw shop")
        app.wait_text(answer)
        check_equal(len(site.client.ctl_json("target", "list")), 1, "targets before the answer")
        app.press(answer)
        app.wait_gone("label", "Withdraw shop")
    app.wait_text("Withdrawn: it is not accepted any more")
    app.wait_gone("button", "Withdraw shop")
    check_equal(len(site.client.ctl_json("accept-policy", "list")["rules"]), 1, "rules")


def doctor():
    """the way to a hub is checked, step by step; one that nobody listens at is told with its cure, and as text"""
    app = desk().app
    app.press("Hubs")
    app.press("More about office")
    app.press("Check…")
    app.wait_text("All is well")
    app.wait_text("Connection: ok")
    desk().shoot("doctor-good")
    app.press("Done")
    app.press("Join a Hub…")
    paste(desk().file("bad", "HostName=localhost:1;SharedAccessKeyName=x;SharedAccessKey=c2VjcmV0"))
    app.wait_text("opens streams as the user x")
    app.fill("Name of the hub here", "nobody")
    app.press("Join")
    app.wait_text("The hub is kept, but not connected yet:")
    desk().shoot("join-stuck")
    app.press("Done")
    app.press("More about nobody")
    app.press("Check…")
    app.wait_text("Connection: failed")
    app.wait_text("What helps: Nothing listens there: is the hub running, and is this its port?")
    desk().shoot("doctor-bad")
    app.press("Copy as Text")
    app.wait_text("Copied, to send it")
    text = json.loads(desk().tell("read"))
    check("Hub nobody, as the user x at localhost:1" in text and "What helps: Nothing listens" in text, text)
    app.press("Done")
    app.press("More about nobody")
    app.press("Remove…")
    app.press("Remove")
    app.wait_text("Removed the hub nobody")


def devices():
    """who may see the hub's devices sees two hundred, and which are connected, and finds one"""
    app, site = desk().app, desk().site
    lines = "".join(json.dumps({"id": f"pump-{i:03}"}) + "\n" for i in range(DEVICES - 2))
    site.hub.admin("device", "import", desk().file("pumps", lines))
    app.press("Devices")
    app.wait_text(f"of {DEVICES} devices are connected")
    app.wait_text("pump-003")
    desk().shoot("devices")
    app.fill("Search devices", "PUMP-19")
    app.wait_text("pump-197")
    app.wait_gone("label", "pump-003")
    app.fill("Search devices", "nothing like it")
    app.wait_text("None is listed here")
    desk().shoot("devices-none")
    app.fill("Search devices", "")
    app.press("Only connected devices")
    app.wait_for("button", f"Terminal with {site.DEVICE}")
    app.wait_gone("label", "pump-003")
    app.press("Only connected devices")


def terminal():
    """ssh runs in the user's terminal, in a pty, and reaches the device; no shell reads its words"""
    app, site = desk().app, desk().site
    app.fill("Search devices", site.DEVICE)
    app.press(f"Terminal with {site.DEVICE}")
    app.wait_text(f"A terminal with {site.DEVICE} opens")
    eventually(lambda: os.path.exists(desk().terminal), "the session in the terminal ends")
    with open(desk().terminal, encoding="utf-8", errors="replace") as file:
        said = file.read()
    check("reached-42" in said, said)
    with open(desk().terminal + ".argv", encoding="utf-8") as file:
        argv = json.load(file)
    check_equal(argv[1:], ["ssh", "--user", f"--hub={MANY}", "--", site.DEVICE], "what runs in the terminal")


def browser():
    """a tunnel to a web service, and its page in the browser; the tunnel is closed when that is asked for"""
    app, site = desk().app, desk().site
    app.press(f"Web page of {site.DEVICE}")
    desk().shoot("browser")
    app.press("Open")
    app.wait_text("for as long as the tunnel is open")
    eventually(lambda: os.path.exists(desk().browser), "the browser has the page")
    with open(desk().browser, encoding="utf-8") as file:
        address, page = file.read().split("\n")
    check_equal(page, PAGE.decode(), "the page")
    check(address.startswith("http://127.0.0.1:"), address)
    desk().shoot("browser-open")
    app.press("Close the Tunnel")
    eventually(lambda: site.client.ctl_json("tunnel", "list") == [], "the tunnel is closed")
    app.press(f"More about {site.DEVICE}")
    app.wait_text("ssh runs in your terminal, through the hub.")
    desk().shoot("device")
    app.press("Check the Way There…")
    app.wait_text("Stream: ok")
    app.press("Done")
    check_equal(app.complaints(), [], "what the app complains about")


def run():
    """The exit status; a failure inside of the site would show all of its logs, also for none."""
    if SHOTS:
        os.makedirs(SHOTS, exist_ok=True)
    with Office(client=False) as site:
        DESKS.append(Desk(site))
        try:
            main(wrong_texts, join_by_paste, denied, join_by_drop, join_by_choice, hubs, services, doctor, devices,
                 terminal, browser)
        except SystemExit as ended:
            if ended.code:
                site.show_logs()
            return ended.code


if __name__ == "__main__":
    sys.exit(run())
