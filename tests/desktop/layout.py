# SPDX-License-Identifier: LGPL-2.1-or-later
"""streamd-desktop in small and large windows, with text of twice the size, light, dark and with high contrast: nothing
is cut off or lies over something else, and the desktop's wish is followed as it changes."""
import contextlib
import os
import signal
import sys
import threading
from collections import Counter
from typing import NamedTuple

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

# pylint: disable=wrong-import-position
from gi.repository import Gio, GLib
from ends import connect
from harness import Failure, Site, eventually, main
from screen import App, Screen, connection, dots, patiently
from x11 import Windows

SIZES = ((1400, 900), (800, 600), (360, 640))  # each smaller than the one before: what has not followed yet sticks out
NARROW = 360
PAGES = ("tunnels", "streams", "devices", "hubs")
DIALOGS = ("new-tunnel", "new-transfer")
LONG = "pump-house-north-of-the-river-second-floor-left-of-the-stairs"
ESCAPE = 9
FRAME = 12  # pixels that a window takes for its shadow, without a window manager, at most
ENTRIES = ("AdwEntryRow", "AdwPasswordEntryRow")
READ = ("AdwEntryRow", "GtkLabel", "GtkButton", "GtkText", "GtkSwitch", "GtkMenuButton", "GtkSpinButton", "GtkToggleButton")
READABLE, CLEAR = 4.5, 7  # contrast of text, as WCAG 2 counts: AA and AAA
APPEARANCE = "org.freedesktop.appearance"
WISHES = {"color-scheme": (APPEARANCE, "color-scheme"), "contrast": (APPEARANCE, "contrast"),
          "high-contrast": ("org.gnome.desktop.a11y.interface", "high-contrast")}
PORTAL = """<node><interface name='org.freedesktop.portal.Settings'>
<method name='Read'><arg type='s' direction='in'/><arg type='s' direction='in'/><arg type='v' direction='out'/></method>
<method name='ReadAll'><arg type='as' direction='in'/><arg type='a{sa{sv}}' direction='out'/></method>
<signal name='SettingChanged'><arg type='s'/><arg type='s'/><arg type='v'/></signal>
</interface></node>"""


class Portal:
    """The desktop's settings, as its portal tells of them."""

    def __init__(self, address):
        self.values = {WISHES["color-scheme"]: GLib.Variant("u", 0), WISHES["contrast"]: GLib.Variant("u", 0),
                       WISHES["high-contrast"]: GLib.Variant("b", False)}
        self.bus = connection(address)
        interface = Gio.DBusNodeInfo.new_for_xml(PORTAL).interfaces[0]
        self.bus.register_object("/org/freedesktop/portal/desktop", interface, self._on_call, None, None)
        self.bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
                           GLib.Variant("(su)", ("org.freedesktop.portal.Desktop", 4)), None, 0, -1, None)
        threading.Thread(target=GLib.MainLoop().run, daemon=True).start()

    def _on_call(self, *given):
        method, args, invocation = given[4:7]
        if method == "ReadAll":
            found = {}
            for (space, key), value in self.values.items():
                found.setdefault(space, {})[key] = value
            invocation.return_value(GLib.Variant("(a{sa{sv}})", (found,)))
        elif args.unpack() in self.values:
            invocation.return_value(GLib.Variant("(v)", (GLib.Variant("v", self.values[args.unpack()]),)))
        else:
            invocation.return_dbus_error("org.freedesktop.portal.Error.NotFound", "not here")

    def wish(self, dark, contrast):
        for name, value in (("color-scheme", GLib.Variant("u", int(dark))), ("contrast", GLib.Variant("u", int(contrast))),
                            ("high-contrast", GLib.Variant("b", contrast))):
            self.values[WISHES[name]] = value
            self.bus.emit_signal(None, "/org/freedesktop/portal/desktop", "org.freedesktop.portal.Settings",
                                 "SettingChanged", GLib.Variant("(ssv)", (*WISHES[name], value)))


def meet(one, other):
    """What two rectangles share; None: nothing that could be seen."""
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right, bottom = min(one[0] + one[2], other[0] + other[2]), min(one[1] + one[3], other[1] + other[3])
    return (left, top, right - left, bottom - top) if right - left > 1 and bottom - top > 1 else None


class Placed(NamedTuple):
    window: int
    depth: int
    kind: str
    at: tuple
    cut: bool
    text: str


class View:
    """What is on the screen, as tests/desktop/measure.c tells of it."""

    def __init__(self, process, path):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        process.popen.send_signal(signal.SIGUSR1)
        eventually(lambda: os.path.exists(path), "the app measures itself")
        with open(path, encoding="utf-8") as file:
            rows = [line.rstrip("\n").split("\t") for line in file]
        self.all = [Placed(int(row[0]), int(row[1]), row[2], tuple(map(int, row[3:7])), row[7] == "1", row[8])
                    for row in rows]

    def texts(self, window):
        """(widget, where it can be seen, the indices around it) of what is read or pressed in that window."""
        found, around = [], []
        for index, widget in enumerate(self.all):
            del around[widget.depth:]
            # The caption in an entry's row moves, and is there twice.
            inside = any(self.all[i].kind in ENTRIES for i in around)
            if widget.window == window and widget.kind in READ and not inside:
                seen = widget.at
                for holder in (self.all[i] for i in around):
                    if holder.kind == "sideways" and seen:
                        seen = meet(seen, holder.at)
                    elif holder.kind == "GtkScrolledWindow" and seen:
                        # What is below can be scrolled to; beside there is nothing to scroll.
                        seen = meet(seen, (seen[0], holder.at[1], seen[2], holder.at[3]))
                if seen:
                    found.append((widget, index, seen, set(around)))
            around.append(index)
        return found

    def faults(self, kind, width, height, may_be_cut):
        """What sticks out of that window, is cut, or lies over something else in it."""
        window = next((w for w in self.all if w.depth == 0 and w.kind == kind), None)
        if not window or not (0 <= width - window.at[2] <= FRAME and 0 <= height - window.at[3] <= FRAME):
            return ["it has not followed yet"]
        texts = self.texts(window.window)
        width, height = window.at[2:]
        found = [f"{w.kind} {w.text!r} at {at} sticks out of {width}x{height}" for w, _, at, _ in texts
                 if at[0] < 0 or at[1] < 0 or at[0] + at[2] > width or at[1] + at[3] > height]
        # A window's title may be cut, as every title bar does where it is narrow.
        # So may the name below a tab's icon where text is large.
        found += [f"{w.text!r} is cut at {at}" for w, _, at, around in texts if w.cut
                  and not any(self.all[i].kind in may_be_cut for i in around)]
        for place, (widget, index, at, around) in enumerate(texts):
            for other, its_index, there, its_around in texts[place + 1:]:
                if index not in its_around and its_index not in around and meet(at, there):
                    found.append(f"{widget.kind} {widget.text!r} at {at} and {other.kind} {other.text!r} at {there} "
                                 "lie over each other")
        return found


class Desk:
    """One app on a screen, and the site that it shows."""

    def __init__(self, site):
        self.site = site
        self.screen = Screen(site, site.client.bus.address, size="1440x940")
        self.windows = Windows(self.screen.display)
        self.portal = Portal(site.client.bus.address)
        site.client.tunnel(site.DEVICE, "ssh")
        port = site.client.tunnel(LONG, "a-stream-with-a-name-of-some-length")
        with contextlib.suppress(OSError), connect(port) as near:
            near.recv(1)  # it ends: there is no such device
        self.app, self.may_be_cut = None, ()
        self.measured = os.path.join(site.dir, "measured")

    def view(self):
        return View(self.app.process, self.measured)

    def start(self, percent):
        if self.app:
            self.app.process.stop()
            self.app.process.ended_by_us = True
        self.app = App(self.screen, {**self.site.client.env, **dots(self.site, percent),
                                     "STREAMD_MEASURED": self.measured})
        self.may_be_cut = ("AdwHeaderBar",) if percent == 100 else ("AdwHeaderBar", "AdwViewSwitcherBar")
        self.app.wait_text("1 of 1 hub connected")

    def fits(self, window, size, what, kind="AdwApplicationWindow"):  # pylint: disable=too-many-arguments
        """The window in that size, or as small as it gets, shows everything."""
        self.windows.place(window, *size)
        last = []

        def whole():
            least = self.windows.least(window)
            last[:] = self.view().faults(kind, *size, self.may_be_cut)
            if least[0] > size[0] or least[1] > size[1]:
                last.append(f"it wants {least}")
            return not last

        try:
            patiently(whole, f"{what} fits into {size}")
        except Failure:
            raise Failure(f"{what} in {size}: {'; '.join(last[:6])}") from None

    def pages(self):
        for size in SIZES:
            for page in PAGES:
                self.app.act("page", page)
                self.fits(self.windows.all()[0], size, page)

    def dialogs(self):
        for action in DIALOGS:
            self.app.act(action)
            patiently(lambda: len(self.windows.all()) == 2, f"{action} opens")
            self.fits(self.windows.all()[1], (NARROW, 640), action, "AdwWindow")
            self.screen.keys(ESCAPE)
            patiently(lambda: len(self.windows.all()) == 1, f"{action} closes")


DESKS = []


def sizes():
    """at 360x640, 800x600 and 1400x900 nothing of a page is cut off or lies over something else"""
    DESKS[0].start(100)
    DESKS[0].pages()


def dialogs():
    """the dialogs fit into 360x640"""
    DESKS[0].dialogs()


def luminance(pixel):
    parts = [part / 255 for part in pixel]
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(picture, extents):
    """(contrast of what is written there, luminance of its ground)."""
    left, top, width, height = extents
    seen = Counter(picture.pixel(x, y) for x in range(left, left + width) for y in range(top, top + height))
    ground = luminance(seen.most_common(1)[0][0])
    return max((max(ground, luminance(p)) + 0.05) / (min(ground, luminance(p)) + 0.05) for p in seen), ground


def looks():
    """light, dark and high contrast are as the desktop says, at once; the second lines of rows are readable in all"""
    desk = DESKS[0]
    desk.app.act("page", "tunnels")
    plain = {}  # dark or not: the contrast that it has without the wish for more
    for dark, high in ((False, False), (True, False), (True, True), (False, True), (False, False)):
        desk.portal.wish(dark, high)

        last = []

        def followed(last=last, dark=dark, high=high):
            seen, window = desk.view().all, desk.windows.all()[0]
            label = next((w.at for w in seen if "via office" in w.text), None)
            if not label:
                return False
            frame = (window.width - seen[0].at[2]) // 2
            # Its lower half: nothing of the line above.
            place = (label[0] + frame, label[1] + label[3] // 2 + frame, label[2], label[3] // 2)
            ratio, ground = contrast(desk.windows.picture(window), place)
            last[:] = ratio, ground
            if (ground < 0.1) != dark:
                return False
            usual = plain.setdefault(dark, ratio)  # without the wish for more, which comes later
            ok = ratio >= max(CLEAR, usual + 0.5) if high else READABLE <= ratio < usual + 0.5
            return (round(ratio, 1), round(ground, 2)) if ok else False

        try:
            print(f"# dark {dark}, contrast {high}:", patiently(followed, "the app looks so"))
        except Failure:
            raise Failure(f"dark {dark}, high contrast {high}: contrast and ground are {last}") from None


def large_text():
    """with text of twice the size a window of 360 pixels still shows every page and dialog"""
    DESKS[0].start(200)
    DESKS[0].pages()
    DESKS[0].dialogs()


def run():
    with Site() as site:
        DESKS.append(Desk(site))
        try:
            main(sizes, dialogs, looks, large_text)
        except SystemExit as ended:
            if ended.code:
                site.show_logs()
            return ended.code


if __name__ == "__main__":
    sys.exit(run())
