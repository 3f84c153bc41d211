# SPDX-License-Identifier: LGPL-2.1-or-later
"""A screen without a monitor, and somebody who sits at it and sees through assistive technology.

Screen is an X server of its own (Xvfb) and a bus for accessibility. App is streamd-desktop on it, driven by
what it tells AT-SPI: buttons are pressed, fields are filled, labels are read. It takes python3-gi, for
D-Bus; everything else is in the e2e suite's harness."""
import os
import time
from collections import Counter
from typing import NamedTuple

from gi.repository import Gio, GLib

from harness import Process, check, eventually

A11Y_CONFIG = "/usr/share/defaults/at-spi2/accessibility.conf"
ATSPI = "org.a11y.atspi."
APP_ID = "io.streamd.Desktop"
# AtspiRole and AtspiStateType of atspi-constants.h: those that the tests look for.
ROLES = {7: "check box", 29: "label", 32: "row", 37: "tab", 42: "progress bar", 43: "button",
         61: "field", 79: "field"}
DEPTH = 40  # of the widgets in a window, at most
SENSITIVE, VISIBLE = 1 << 24, 1 << 30
PRESSED = ("button", "tab", "check box")


def read_line(process_argv, site, name, env=None):
    """Starts a process that writes one line to a descriptor, whose number replaces "{fd}"."""
    read_end, write_end = os.pipe()
    argv = [word.replace("{fd}", str(write_end)) for word in process_argv]
    process = Process(site, name, argv, env=env, pass_fds=[write_end])
    os.close(write_end)
    with open(read_end, encoding="ascii") as answer:
        line = answer.readline().strip()
    check(line, f"{name} did not start: {process.log()}")
    site.processes.append(process)
    return line


def patiently(condition, what):
    """As eventually(), but to look at a window is work: not fifty times a second."""
    def look():
        value = condition()
        if not value:
            time.sleep(0.08)
        return value

    return eventually(look, what)


def connection(address):
    """One of our own to a bus."""
    return Gio.DBusConnection.new_for_address_sync(
        address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
        | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)


class Here:
    """As much of the e2e suite's Site as a screen takes, in the home of whoever has logged in."""

    def __init__(self):
        self.dir = os.path.join(os.path.expanduser("~"), "screen")
        os.mkdir(self.dir)
        self.processes = []

    @staticmethod
    def environment(**more):
        return {**os.environ, "LANG": "C.UTF-8", **more}

    def stop(self):
        for process in reversed(self.processes):
            process.stop()


class Screen:
    """An X server, and what assistive technology needs. Ends with the site."""

    def __init__(self, site, session_address, size="1000x760"):
        self.site = site
        self.display = ":" + read_line(
            ["Xvfb", "-displayfd", "{fd}", "-screen", "0", size + "x24", "-nolisten", "tcp"],
            site, "xvfb")
        # The bus starts AT-SPI's registry, which has to be told where the bus is, as the app has to.
        address = f"unix:path={site.dir}/a11y"
        self.environment = {
            "DISPLAY": self.display, "GDK_BACKEND": "x11", "GSK_RENDERER": "cairo",
            "LIBGL_ALWAYS_SOFTWARE": "1", "GTK_A11Y": "atspi", "AT_SPI_BUS_ADDRESS": address,
        }
        env = site.environment(**self.environment, DBUS_SESSION_BUS_ADDRESS=session_address)
        read_line(["dbus-daemon", f"--config-file={A11Y_CONFIG}", "--nofork", "--print-address={fd}",
                   f"--address={address}"], site, "a11y-bus", env)
        self.bus = connection(address)

    def call(self, name, path, interface, method, args=None):
        """A method of AT-SPI; its results, or None when who was called has gone."""
        try:
            return self.bus.call_sync(name, path, interface, method, args, None,
                                      Gio.DBusCallFlags.NONE, 30_000, None).unpack()
        except GLib.Error:
            return None

    def keys(self, *codes):
        """Keys held down together: codes of the X server, which are those of evdev(4) and 8 more."""
        for press, order in ((0, codes), (1, reversed(codes))):
            for code in order:
                self.call(ATSPI + "Registry", "/org/a11y/atspi/registry/deviceeventcontroller",
                          ATSPI + "DeviceEventController", "GenerateKeyboardEvent",
                          GLib.Variant("(isu)", (code, "", press)))

    def click(self, x, y):
        """The first button of a mouse, there on the screen."""
        self.call(ATSPI + "Registry", "/org/a11y/atspi/registry/deviceeventcontroller",
                  ATSPI + "DeviceEventController", "GenerateMouseEvent", GLib.Variant("(iis)", (x, y, "b1c")))

    def type(self, text):
        """Writes TEXT with a keyboard."""
        self.call(ATSPI + "Registry", "/org/a11y/atspi/registry/deviceeventcontroller",
                  ATSPI + "DeviceEventController", "GenerateKeyboardEvent", GLib.Variant("(isu)", (0, text, 4)))

    def pid(self, name):
        got = self.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                        "GetConnectionUnixProcessID", GLib.Variant("(s)", (name,)))
        return got and got[0]


def dots(site, percent):
    """The environment of an app whose text has PERCENT of its size, by the server's resource that desktops set."""
    path = os.path.join(site.dir, f"text-{percent}")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"Xft.dpi: {96 * percent // 100}\n")
    return {"XENVIRONMENT": path}


class Widget(NamedTuple):
    path: str
    role: str
    name: str
    states: int


class App:
    """streamd-desktop on that screen, as the tests see it."""

    def __init__(self, screen, env, *arguments, argv=None, shown=True):
        self.screen = screen
        self.process = Process(screen.site, "desktop",
                               [*(argv or [os.environ["STREAMD_DESKTOP"]]), *arguments],
                               env={**env, **screen.environment})
        screen.site.processes.append(self.process)
        self.session = connection(env["DBUS_SESSION_BUS_ADDRESS"])
        self.seen = set()  # paths
        self.looks = 0
        self.name = None
        if shown:
            self.appear()

    def appear(self):
        """Until it has something on the screen; without a window AT-SPI does not know of it."""
        self.name = patiently(self._find, "the app is on the screen")

    def _find(self):
        check(self.process.alive(), f"the app ended: {self.process.log()}")
        apps = self.screen.call(ATSPI + "Registry", "/org/a11y/atspi/accessible/root",
                                ATSPI + "Accessible", "GetChildren")
        return next((name for name, _ in (apps or [[]])[0] if self.is_ours(name)), None)

    def is_ours(self, name):
        return self.screen.pid(name) == self.process.pid

    def widgets(self):
        """All that there is, whether it is on the page that is shown or not. One call tells of all
        widgets, but GTK makes of a widget what AT-SPI sees only when its parent was asked for it. Who
        has fewer children than they say is asked; and now and then everybody, for a widget that was
        hidden since is still counted."""
        self.looks += 1
        everybody = self.looks % 8 == 0
        for _ in range(DEPTH):
            items = self.screen.call(self.name, "/org/a11y/atspi/cache", ATSPI + "Cache", "GetItems")
            known = (items or [[]])[0]
            children = Counter(item[2][1] for item in known)
            asked = [item[0][1] for item in known if item[4] and everybody
                     or children[item[0][1]] < item[4]]
            if not any([self._learn(path) for path in asked]):
                break
        return [Widget(i[0][1], ROLES.get(i[7], ""), i[6], i[9][0]) for i in known]

    def _learn(self, path):
        """Asks for the children of a widget; whether there were some that were not known before."""
        got = self.screen.call(self.name, path, ATSPI + "Accessible", "GetChildren")
        new = {child for _, child in (got or [[]])[0]} - self.seen
        self.seen |= new
        return bool(new)

    def look_anew(self):
        """The next look sees what is new, such as a window."""
        self.looks = -1

    def act(self, action, target=None):
        """What the menu, or a key, would do."""
        self.session.call_sync(APP_ID, "/io/streamd/Desktop", "org.gtk.Actions", "Activate",
                               GLib.Variant("(sava{sv})", (action, [GLib.Variant("s", target)] if target else [], {})),
                               None, Gio.DBusCallFlags.NONE, 30_000, None)

    def find(self, role, name):
        return next((w for w in self.widgets() if w.role == role and w.name == name), None)

    def wait_for(self, role, name):
        return patiently(lambda: self.find(role, name), f"there is a {role} {name!r}")

    def wait_gone(self, role, name):
        patiently(lambda: self.find(role, name) is None, f"{role} {name!r} goes")

    def press(self, name):
        """Presses a button, once it can be pressed."""
        patiently(lambda: self._press(name), f"{name!r} can be pressed")

    def _press(self, name):
        # In libadwaita's own dialogs GTK 4.8 tells the name twice: with the underscore, and without.
        for widget in self.widgets():
            if widget.role in PRESSED and widget.name in (name, f"_{name} {name}") and widget.states & SENSITIVE \
                    and self._has_size(widget):
                done = self.screen.call(self.name, widget.path, ATSPI + "Action", "DoAction",
                                        GLib.Variant("(i)", (0,)))
                return done and done[0]
        return False

    def middle(self, widget):
        """Where on the screen a widget of a window in its corner is; there is no window manager that would
        have moved it."""
        left, top, width, height = self.screen.call(self.name, widget.path, ATSPI + "Component", "GetExtents",
                                                    GLib.Variant("(u)", (1,)))[0]
        return left + width // 2, top + height // 2

    def _has_size(self, widget):
        """What was never on the screen has none, and does nothing when it is pressed."""
        got = self.screen.call(self.name, widget.path, ATSPI + "Component", "GetExtents",
                               GLib.Variant("(u)", (1,)))
        return bool(got) and got[0][2] > 0

    def fill(self, name, text):
        """Writes TEXT into the field of that name."""
        field = self.wait_for("field", name)
        done = self.screen.call(self.name, field.path, ATSPI + "EditableText", "SetTextContents",
                                GLib.Variant("(s)", (text,)))
        check(done and done[0], f"{name} takes {text!r}")

    def wait_text(self, part):
        """Until a widget's name has PART in it; that name, with plain spaces."""
        def look():
            names = (w.name.replace("\u00a0", " ") for w in self.widgets() if w.states & VISIBLE)
            return next((name for name in names if part in name), None)

        return patiently(look, f"{part!r} is on the screen")

    def complaints(self):
        return [line for line in self.process.log().splitlines() if "CRITICAL" in line]


class Started(App):
    """The app as the bus has started it."""

    def __init__(self, at):  # pylint: disable=super-init-not-called
        self.screen, self.seen, self.looks, self.name = at.screen, set(), 0, None
        self.pid = at.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                           "GetConnectionUnixProcessID", GLib.Variant("(s)", (APP_ID,)))[0]

    def is_ours(self, name):
        return self.screen.pid(name) == self.pid

    def _find(self):
        apps = self.screen.call(ATSPI + "Registry", "/org/a11y/atspi/accessible/root", ATSPI + "Accessible",
                                "GetChildren")
        return next((name for name, _ in (apps or [[]])[0] if self.is_ours(name)), None)
