# SPDX-License-Identifier: LGPL-2.1-or-later
"""streamd-desktop without its window: it asks by notifications, and by its prompt where those do not do."""
import contextlib
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

# pylint: disable=wrong-import-position
from gi.repository import Gio, GLib

from ends import Server
from harness import Bus, Daemon, Process, Site, check, check_equal, eventually, main
from screen import SENSITIVE, App, Screen, Started, patiently
from shell import Logind, Saver, ServiceBus, Shell, Streamd
from x11 import Windows

DESK = "desk-3"
APP, APP_PATH = "io.streamd.Desktop", "/io/streamd/Desktop"
PROGRAM = os.environ["STREAMD_DESKTOP"]
# What a notification server can do; None: there is no server.
SERVERS = {"buttons": ("actions", "body", "body-markup"), "no buttons": ("body",), "no server": None}
MOMENT = 1.1  # s, in which nothing counts
RETURN, SPACE, ENTER, ESCAPE = 36, 65, 104, 9
REFUSED = 12  # the exit code of the caller


def echo(connection):
    while data := connection.recv(1 << 16):
        connection.sendall(data)


class Desk:
    """A machine with a screen that is a device, and somebody at another one who wants to come in."""

    def __init__(self, site):
        self.site = site
        self.bus = ServiceBus(site, "desk")
        self.streamd = Daemon(site, "desk", bus=self.bus)
        site.processes.append(self.streamd)
        self.streamd.add_hub("office", site.hub.add_device(DESK), site.hub.ca)
        self.streamd.ctl_ok("target", "add", "echo", Server(echo, site).address)
        self.streamd.ctl_ok("accept-policy", "add", "--stream", "guest", "--ask=echo")
        self.streamd.ctl_ok("accept-policy", "add", "--stream", "brief", "--ask=echo", "--ask-timeout=1s")
        site.client = site.start_daemon("client")
        site.client.add_hub("office", site.hub.connection_string("user", "service"), site.hub.ca)
        site.wait_online(DESK)
        self.screen = Screen(site, self.bus.address)
        self.windows = Windows(self.screen.display)
        self.system = Bus(site, "system")
        site.processes.append(self.system)
        self.env = {**self.streamd.env, "DBUS_SYSTEM_BUS_ADDRESS": self.system.address,
                    "XDG_CURRENT_DESKTOP": "tests"}
        self.bus.offer({**self.env, **self.screen.environment}, PROGRAM)
        self.session = Gio.DBusConnection.new_for_address_sync(
            self.bus.address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
            | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        self.shell = self.app = None

    def call(self, name, path, interface, method, args=None):  # pylint: disable=too-many-arguments
        return self.session.call_sync(name, path, interface, method, args, None, Gio.DBusCallFlags.NONE, 30_000,
                                      None).unpack()

    def act(self, action):
        self.call(APP, APP_PATH, "org.gtk.Actions", "Activate", GLib.Variant("(sava{sv})", (action, [], {})))

    def runs(self, name=APP):
        return self.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner",
                         GLib.Variant("(s)", (name,)))[0]

    def start_hidden(self):
        """The app without a window, if it does not run yet."""
        if self.runs():
            return
        self.app = App(self.screen, self.env, "--background", shown=False)
        self.wait_asking()

    def open_window(self):
        self.start_hidden()
        self.call(APP, APP_PATH, "org.freedesktop.Application", "Activate", GLib.Variant("(a{sv})", ({},)))
        self.app.appear()
        self.app.wait_text("need consent are asked about here")

    def close_window(self):
        self.act("close-window")
        eventually(lambda: not self.windows.titles(), "no window is left")

    def knock(self, stream="guest"):
        """Somebody wants a stream of the desk; their streamctl, which waits for the answer."""
        return self.site.client.start_ctl("connect", DESK, stream, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                          stderr=subprocess.PIPE)

    def requests(self):
        return self.streamd.ctl_json("request", "list")

    def wait_asking(self):
        """Until somebody is asked: without an agent streamd refuses by itself."""
        def look():
            caller = self.knock()
            eventually(lambda: caller.poll() is not None or self.requests(), "an answer or a question")
            asked = caller.poll() is None
            if asked:  # what is not shown yet could come later than the wait for its end
                eventually(lambda: self.prompt() or (self.shell and self.shell.notes), "the question")
            caller.kill()
            for request in self.requests():
                self.streamd.ctl("request", "reject", str(request["id"]))
            return asked

        patiently(look, "somebody is asked")
        self.wait_quiet()

    # -- what is on the screen

    @contextlib.contextmanager
    def server(self, kind):
        self.shell = Shell(self.bus.address, SERVERS[kind]) if SERVERS[kind] else None
        try:
            yield self.shell
        finally:
            if self.shell:
                self.shell.stop()
            self.shell = None

    def note(self):
        """The notification, once there is one."""
        return eventually(lambda: next(iter(self.shell.notes.values()), None), "a notification")

    def prompt(self):
        return "Incoming Stream" in self.windows.titles()

    def wait_prompt(self):
        eventually(self.prompt, "the prompt")
        self.app.appear()
        self.app.look_anew()

    def prompt_button(self, name):
        self.app.look_anew()
        return self.app.find("button", name)

    def wait_quiet(self):
        """Nothing asks any more."""
        if self.shell:
            eventually(lambda: not self.shell.notes, "no notification is left")
        eventually(lambda: not self.prompt(), "no prompt is left")

    def wait_asked(self, by_note, by_prompt):
        """The question is there, as it should be; an id of a notification, or None."""
        note = self.note() if self.shell else None
        check(note is None or ("allow" in note["actions"]) == by_note, f"buttons of {note}")
        if by_prompt:
            self.wait_prompt()
        else:
            check(not self.prompt(), "no prompt as long as nobody clicks")
        return note and note["id"]

    def answer(self, key, note):
        """Allow or Deny, in the notification if that has buttons, once the first moment is over."""
        if note and "allow" in self.shell.notes[note]["actions"]:
            time.sleep(MOMENT)  # there is nothing to wait for: it takes a press, and does not count it
            self.shell.press(note, key)
        else:
            self.app.press(key.capitalize())


DESKS = []


def desk():
    return DESKS[0]


# -- what becomes of a request, in each state of the desktop


def allowed(note, caller):
    desk().answer("allow", note)
    caller.stdin.write(b"hello")
    caller.stdin.close()
    check_equal(caller.stdout.read(), b"hello", "what comes back")
    check_equal(caller.wait(60), 0, "exit code")


def denied(note, caller):
    desk().answer("deny", note)
    check_equal(caller.wait(60), REFUSED, "exit code")
    check(b"no-consent" not in caller.stderr.read(), "somebody answered")


def timed_out(_note, caller):
    check_equal(caller.wait(60), REFUSED, "exit code")


def answered_elsewhere(_note, caller):
    desk().streamd.ctl_ok("request", "reject", str(desk().requests()[0]["id"]))
    check_equal(caller.wait(60), REFUSED, "exit code")


def withdrawn(_note, caller):
    """The rule that asks is removed."""
    rule = next(rule for rule in desk().streamd.ctl_json("accept-policy", "list")["rules"] if rule["stream"] == "guest")
    desk().streamd.ctl_ok("accept-policy", "remove", str(rule["id"]))
    check_equal(caller.wait(60), REFUSED, "exit code")
    desk().streamd.ctl_ok("accept-policy", "add", "--stream", "guest", "--ask=echo")


def initiator_gone(_note, caller):
    caller.kill()


def restarted(_note, caller):
    """streamd is killed and starts again, and asks again."""
    site, old = desk().site, desk().streamd
    old.popen.kill()
    old.popen.wait()
    old.ended_by_us = True
    desk().wait_quiet()
    desk().streamd = Daemon(site, "desk", bus=desk().bus)
    site.processes.append(desk().streamd)
    site.wait_online(DESK)
    # The hub asks once more for who still waits; that is in vain where the app is not an agent yet.
    eventually(lambda: caller.poll() is not None or desk().requests(), "an end or a question")
    if caller.poll() is not None:
        desk().wait_asking()
        caller = desk().knock()
    window = "Device Streams" in desk().windows.titles()
    buttons = bool(desk().shell) and "actions" in desk().shell.says
    allowed(desk().wait_asked(buttons, window or not buttons), caller)


ENDS = (denied, allowed, timed_out, answered_elsewhere, withdrawn)
# Nobody tells streamd that the initiator has gone: the request waits for its deadline.
LONG = (initiator_gone, restarted) if os.environ.get("STREAMD_LONG") else ()


def matrix(window):
    for kind in SERVERS:
        with desk().server(kind):
            # A restart takes long: where there is the least to hold on to, and where there is the most.
            restarts = (restarted,) if kind == ("buttons" if window else "no server") else ()
            for end in (*ENDS[window and kind != "buttons":], *(LONG or restarts)):
                began = time.monotonic()
                caller = desk().knock("brief" if end is timed_out else "guest")
                note = desk().wait_asked(kind == "buttons", window or kind != "buttons")
                end(note, caller)
                desk().wait_quiet()
                print(f"# {kind}: {end.__name__.replace('_', ' ')} {time.monotonic() - began:.1f} s", flush=True)


def activated():
    """nobody is asked, until the bus starts it; then it asks in the background, and goes when it is told"""
    caller = desk().knock()
    check_equal(caller.wait(60), REFUSED, "exit code")
    check(b"consent" in caller.stderr.read(), "there is nobody to ask")
    settings = os.path.join(desk().site.dir, "streamd-desktop.conf")
    with open(settings, "w", encoding="ascii") as file:
        file.write("[streamd-desktop]\nbackground=true\n")
    for kind in SERVERS:
        with desk().server(kind):
            desk().call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                        "StartServiceByName", GLib.Variant("(su)", (APP, 0)))
            desk().app = Started(desk())
            desk().wait_asking()
            caller = desk().knock()
            allowed(desk().wait_asked(kind == "buttons", kind != "buttons"), caller)
            desk().act("quit")
            eventually(lambda: not desk().runs(), "it ends")
    os.unlink(settings)


def closed():
    """with its window closed it asks by a notification, or by the prompt where there are no buttons"""
    desk().start_hidden()
    matrix(False)


def opened():
    """with its window open it asks by both, and an answer in one takes the other away"""
    desk().open_window()
    matrix(True)
    desk().close_window()


def titles():
    return desk().windows.titles()


def typed_and_clicked():
    """Return, Space, Enter and clicks while the question comes up answer nothing; a click later does"""
    desk().start_hidden()
    caller, stop = desk().knock(), threading.Event()

    def type_on():
        while not stop.is_set():
            for key in (RETURN, SPACE, ENTER):
                desk().screen.keys(key)

    typist = threading.Thread(target=type_on)
    typist.start()
    try:
        desk().wait_asked(False, True)
        began, moment, place = time.monotonic(), 0, None
        while moment < 2.5:  # beyond the first moment, in which the buttons cannot be pressed anyway
            if place is None and (allow := desk().prompt_button("Allow")):
                place = desk().app.middle(allow)
            if place and moment < 0.6:
                desk().screen.click(*place)
            moment = time.monotonic() - began
            time.sleep(0.05)
    finally:
        stop.set()
        typist.join()
    check(place, "there was somewhere to click")
    check(caller.poll() is None and desk().requests(), "it still waits")
    desk().screen.click(*place)
    caller.stdin.write(b"hello")
    caller.stdin.close()
    check_equal(caller.stdout.read(), b"hello", "what comes back after a click that was meant")
    desk().wait_quiet()


def dismissed():
    """Escape and the close button do nothing in the first moment, and then are Deny, with the text that is there"""
    desk().open_window()

    def escapes():
        desk().screen.keys(ESCAPE)

    def escapes_in_field():
        field = desk().app.wait_for("field", "Reason, if you deny")
        desk().app.fill("Reason, if you deny", "not now")
        desk().screen.click(*desk().app.middle(field))
        desk().screen.keys(ESCAPE)

    def closes():
        desk().app.press("Close")

    for dismiss, said in ((escapes, "said no"), (escapes_in_field, "not now"), (closes, "said no")):
        if dismiss is closes:  # the only window, or it would be the other one's button
            desk().close_window()
        began, caller = time.monotonic(), desk().knock()
        eventually(desk().prompt, "the prompt")
        if time.monotonic() - began < 0.7:  # else the moment may be over already
            desk().screen.keys(ESCAPE)
        desk().wait_prompt()
        patiently(lambda: (allow := desk().prompt_button("Allow")) and allow.states & SENSITIVE, "the moment is over")
        check(caller.poll() is None and desk().requests(), "it still waits, and can be answered")
        dismiss()
        check_equal(caller.wait(60), REFUSED, "exit code")
        heard = caller.stderr.read().decode()
        check(said in heard and "consent" not in heard, f"somebody answered: {heard!r}")
        desk().wait_quiet()


def hasty():
    """Allow in a notification that has just come lets nobody in, but shows the prompt; a click on it, too"""
    desk().start_hidden()
    with desk().server("buttons"):
        for key in ("allow", "default"):
            caller = desk().knock()
            note = desk().wait_asked(True, False)
            desk().shell.press(note, key)
            desk().wait_prompt()
            check_equal(len(desk().requests()), 1, "requests that wait")
            desk().app.press("Deny")
            check_equal(caller.wait(60), REFUSED, "exit code")
            desk().wait_quiet()


def spoofed():
    """what comes from outside stays on its line, in its order, and of bounded length; else there is no Allow"""
    desk().start_hidden()
    system = Streamd(desk().system.address)
    eventually(lambda: system.agent, "it is the agent of the system's streamd, too")
    tricks = ("<b>root</b>", "alice\nThrough hub: office", "alice\u202egnp", "alice\u200b", "a  b", "x" * 5000,
              "\u3164", "z" + "\u0301" * 50, "", "\ud7ff\ue000")
    with desk().server("buttons") as shell:
        for trick in tricks:
            system.ask(1, Initiator=trick)
            note = eventually(lambda: next((n for n in shell.notes.values() if "door" in n["body"]), None), "a note")
            lines = note["body"].split("\n")
            check_equal([line.split(":")[0] for line in lines[:-1]],
                        ["Who", "Stream", "Leads to", "To this device", "Through hub"], f"lines of {trick!r}")
            check(len(note["body"]) < 600 and "<" not in note["body"], f"bounded, escaped: {note['body']!r}")
            check(not set(note["body"]) & set("\u202e\u200b\u3164\ue000"), f"plain: {note['body']!r}")
            check_equal("allow" in note["actions"], trick == "<b>root</b>", f"Allow for {trick!r}")
            system.cancel(1, "withdrawn")
            eventually(lambda: note["id"] not in shell.notes, "it goes")
        check(any("&lt;b&gt;root" in body for body in shell.history), "shown as it is")
        system.ask(2, Initiator="א", StreamName="ב" * 3)
        note = eventually(lambda: next((n for n in shell.notes.values() if "ב" in n["body"]), None), "a note")
        check("Who: \u2068א\u2069\n" in note["body"], f"kept apart: {note['body']!r}")
        system.cancel(2, "withdrawn")
        desk().wait_quiet()
    check_equal(system.answers, [], "answers that nobody gave")
    system.stop()


def each_its_own():
    """two ask at once, one is closed; a streamd that starts again uses the ids again; one answer is not taken"""
    desk().start_hidden()
    system, saver = Streamd(desk().system.address), Saver(desk().bus.address)
    eventually(lambda: system.agent, "it is the agent")
    with desk().server("buttons") as shell:
        for number in (1, 2, 3, 4):
            system.ask(number, 600, StreamName=f"door-{number}")
        notes = eventually(lambda: len(shell.notes) == 3 and dict(shell.notes), "three at a time")
        ids = {number: next(i for i, n in notes.items() if f"door-{number}" in n["body"]) for number in (1, 2, 3)}
        shell.close(ids[1], 2)
        eventually(lambda: any("door-4" in n["body"] for n in shell.notes.values()), "the fourth has its turn")
        for lock in (True, False):
            saver.lock(lock)
            eventually(lambda: all(("door" in n["body"]) != lock for n in shell.notes.values()), "all say less, or more")
        time.sleep(MOMENT)
        shell.press(ids[2], "allow")
        shell.press(ids[1], "allow")  # of what has gone
        shell.press(ids[2], "deny")  # once more
        eventually(lambda: system.answers, "an answer")
        check_equal(system.answers, [(2, "allow")], "answers")
        system.stop()
        eventually(lambda: not shell.notes, "all go with streamd")
        again = Streamd(desk().system.address)
        eventually(lambda: again.agent, "it is the agent again")
        again.refuses = "door is full"
        again.ask(2, StreamName="other")
        note = desk().note()
        check("other" in note["body"], "the same id, another request")
        time.sleep(MOMENT)
        shell.press(ids[3], "allow")
        shell.press(note["id"], "allow")
        desk().wait_prompt()  # the answer was not taken
        desk().app.wait_text("door is full")
        again.refuses = None
        desk().app.press("Allow")
        eventually(lambda: again.answers, "an answer")
        check_equal((system.answers, again.answers), ([(2, "allow")], [(2, "allow")]), "answers of each")
        desk().wait_quiet()
        again.stop()
    saver.stop()


def counts_down():
    """the notification says how much is left in steps, is changed in place, and stays away when it was closed"""
    desk().start_hidden()
    system = Streamd(desk().system.address)
    eventually(lambda: system.agent, "it is the agent")
    with desk().server("buttons") as shell:
        system.ask(1, seconds=12)
        note = desk().note()
        check(note["body"].endswith("in less than 20 seconds"), note["body"])
        check(10_000 < note["timeout"] <= 12_000, f"it goes by itself after {note['timeout']} ms")
        eventually(lambda: shell.history[-1].endswith("in less than 10 seconds"), "the next step")
        check_equal((len(shell.history), list(shell.notes)), (2, [note["id"]]), "in place")
        shell.close(note["id"], 2)
        system.ask(2, seconds=2)
        eventually(lambda: len(shell.history) == 3, "another one")
        desk().wait_quiet()
        check_equal(len(shell.history), 3, "nothing more was shown")
        system.cancel(1, "withdrawn")
    system.stop()


def locked():
    """over a lock it neither says who nor lets anybody in; unlocked, it does"""
    desk().start_hidden()
    logind, saver = Logind(desk().system.address), Saver(desk().bus.address)
    with desk().server("buttons") as shell:
        for lock in (logind.lock, saver.lock):
            caller = desk().knock()
            note = desk().note()
            check("Who: service" in note["body"] and note["hints"]["urgency"] == 2, f"{note}")
            lock(True)
            eventually(lambda: "service" not in desk().note()["body"], "it says less")
            check_equal((list(desk().note()["actions"]), desk().note()["hints"]["urgency"]), (["default"], 1), "buttons")
            time.sleep(MOMENT)
            shell.emit("/org/freedesktop/Notifications", "org.freedesktop.Notifications", "ActionInvoked",
                       GLib.Variant("(us)", (note["id"], "allow")))
            desk().wait_prompt()  # below the lock
            lock(False)
            check_equal(len(desk().requests()), 1, "it still waits")
            desk().app.press("Deny")
            check_equal(caller.wait(60), REFUSED, "exit code")
            desk().wait_quiet()
    logind.stop()
    saver.stop()


def real_server():
    """dunst shows the question and offers its answers in a menu of its own, from which Allow is chosen"""
    site, env = desk().site, {**desk().env, **desk().screen.environment}
    menu, settings = os.path.join(site.dir, "menu"), os.path.join(site.dir, "dunstrc")
    with open(menu, "w", encoding="ascii") as file:
        file.write("#!/bin/sh\nexec grep -m1 Allow\n")
    os.chmod(menu, 0o755)
    with open(settings, "w", encoding="ascii") as file:
        file.write(f"[global]\ndmenu={menu}\n")
    dunst = Process(site, "dunst", ["dunst", "-config", settings], env=env)
    site.processes.append(dunst)

    def shown():
        said = subprocess.run(["dunstctl", "count", "displayed"], env=env, stdout=subprocess.PIPE, check=True)
        return int(said.stdout)

    eventually(lambda: desk().runs("org.freedesktop.Notifications"), "dunst is there")
    desk().start_hidden()
    caller = desk().knock()
    eventually(shown, "the notification")
    check(not desk().prompt(), "no prompt beside it")
    time.sleep(MOMENT)
    subprocess.run(["dunstctl", "context"], env=env, check=True)
    caller.stdin.write(b"hello")
    caller.stdin.close()
    check_equal(caller.stdout.read(), b"hello", "what comes back")
    eventually(lambda: not shown(), "it goes")
    dunst.stop()


def one_process():
    """the app and the service are one; each start finds the one that runs"""
    desk().start_hidden()
    again = Process(desk().site, "again", [PROGRAM, "--background"], env={**desk().env, **desk().screen.environment})
    check_equal(again.popen.wait(60), 0, "exit code of the second")
    check_equal(titles(), [], "windows")
    again = Process(desk().site, "again", [PROGRAM], env={**desk().env, **desk().screen.environment})
    check_equal(again.popen.wait(60), 0, "exit code of the third")
    eventually(lambda: "Device Streams" in titles(), "the window of the first")
    check(desk().app.process.alive(), "the first goes on")
    desk().app.appear()
    desk().app.look_anew()


def starts_with_session():
    """asked to, it leaves an entry that starts it in the background with the session; and takes it away"""
    desk().start_hidden()
    entry = os.path.join(desk().site.dir, "autostart", APP + ".desktop")
    desk().act("background")
    eventually(lambda: os.path.exists(entry) and os.path.getsize(entry) > 0, "the entry, written")
    subprocess.run(["desktop-file-validate", entry], check=True)
    with open(entry, encoding="utf-8") as file:
        words = next(line for line in file if line.startswith("Exec=")).strip()[5:].split()
    check_equal(words, [os.path.realpath(PROGRAM), "--background"], "what it starts")
    desk().close_window()
    check(desk().runs(), "it goes on without its window")
    desk().open_window()
    desk().act("background")
    eventually(lambda: not os.path.exists(entry), "the entry is gone")
    desk().act("quit")
    desk().app.look_anew()
    desk().app.press("Quit")
    eventually(lambda: not desk().runs(), "it ends")


def quits():
    """where nobody would be asked any more, closing and quitting say so; it can go on in the background"""
    app = desk().app = App(desk().screen, desk().env)
    app.wait_text("1 of 1 hub connected")
    for end in ("close-window", "quit"):
        desk().act(end)
        app.look_anew()
        app.wait_text("Nobody is asked any more")
        app.press("Cancel")
        eventually(lambda: "Quit Device Streams?" not in titles(), "the question goes")
        check(desk().runs() and "Device Streams" in titles(), "it is as before")
        app.look_anew()
    desk().act("close-window")
    app.look_anew()
    app.press("Go On in the Background")
    eventually(lambda: not titles(), "the window goes")
    caller = desk().knock()
    allowed(desk().wait_asked(False, True), caller)
    desk().wait_quiet()
    desk().open_window()
    desk().act("quit")
    app.look_anew()
    app.press("Quit")
    eventually(lambda: not desk().runs(), "it ends")
    check_equal(app.process.popen.wait(60), 0, "exit code")
    check_equal(app.complaints(), [], "what it complains about")


def main_cases():
    return (activated, closed, typed_and_clicked, dismissed, hasty, spoofed, each_its_own, counts_down, locked, real_server,
            opened, one_process, starts_with_session, quits)


def run():
    with Site(gateway=False, client=False) as site:
        DESKS.append(Desk(site))
        try:
            main(*main_cases())
        except SystemExit as ended:
            if ended.code:
                site.show_logs()
            return ended.code


if __name__ == "__main__":
    sys.exit(run())
