# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a desktop's shell and its machine have beside windows, as small as the tests need it, each on a thread
of its own: Shell shows notifications (org.freedesktop.Notifications) and its buttons are pressed; Saver and
Logind say that the screen is locked; Streamd asks its agents what a real hub would never let through; ServiceBus starts the app."""
import os
import threading

from gi.repository import Gio, GLib

from harness import Bus, check
from screen import APP_ID

NOTES = "org.freedesktop.Notifications"
PROPERTIES = "org.freedesktop.DBus.Properties"
SESSION = "org.freedesktop.login1.Session"
SESSION_PATH = "/org/freedesktop/login1/session/auto"
STREAMD, ROOT = "io.streamd.Streamd1", "/io/streamd/Streamd1"

NOTES_XML = f"""<node><interface name='{NOTES}'>
<method name='GetCapabilities'><arg type='as' direction='out'/></method>
<method name='GetServerInformation'><arg type='s' direction='out'/><arg type='s' direction='out'/>
<arg type='s' direction='out'/><arg type='s' direction='out'/></method>
<method name='Notify'><arg type='s' direction='in'/><arg type='u' direction='in'/><arg type='s' direction='in'/>
<arg type='s' direction='in'/><arg type='s' direction='in'/><arg type='as' direction='in'/>
<arg type='a{{sv}}' direction='in'/><arg type='i' direction='in'/><arg type='u' direction='out'/></method>
<method name='CloseNotification'><arg type='u' direction='in'/></method>
</interface></node>"""
SAVER_XML = """<node><interface name='org.gnome.ScreenSaver'>
<method name='GetActive'><arg type='b' direction='out'/></method></interface></node>"""
SESSION_XML = f"""<node><interface name='{SESSION}'>
<property name='LockedHint' type='b' access='read'/></interface></node>"""
MANAGER_XML = f"""<node><interface name='{STREAMD}.Manager'>
<method name='RegisterAgent'><arg type='o' direction='in'/><arg type='a{{sv}}' direction='in'/></method>
<method name='UnregisterAgent'><arg type='o' direction='in'/></method>
<property name='Version' type='s' access='read'/></interface></node>"""
REQUEST_XML = f"""<node><interface name='{STREAMD}.Request'>
<method name='AcceptTo'><arg type='s' direction='in'/></method>
<method name='Reject'><arg type='s' direction='in'/></method></interface></node>"""


class Peer:
    """A program on a bus, with a main loop of its own; it ends with the site, or by stop()."""

    def __init__(self, address, name, objects):
        self.loop, self.ready = None, threading.Event()
        self.bus = Gio.DBusConnection.new_for_address_sync(
            address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
            | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        self.bus.set_exit_on_close(False)
        self.thread = threading.Thread(target=self._run, args=(name, objects), daemon=True)
        self.thread.start()
        check(self.ready.wait(20), f"{name} is there")

    def _run(self, name, objects):
        context = GLib.MainContext()
        context.push_thread_default()
        self.loop = GLib.MainLoop(context)
        for path, xml in objects:
            self.bus.register_object(path, Gio.DBusNodeInfo.new_for_xml(xml).interfaces[0], self._on_call,
                                     self._on_get, None)
        self.bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
                           GLib.Variant("(su)", (name, 4)), None, Gio.DBusCallFlags.NONE, 20_000, None)
        self.ready.set()
        self.loop.run()
        context.pop_thread_default()

    def _on_call(self, _bus, sender, path, _interface, method, args, invocation):  # pylint: disable=too-many-arguments
        try:
            result = getattr(self, "on_" + method)(sender, path, *args.unpack())
        except GLib.Error as error:
            invocation.return_gerror(error)
        else:
            invocation.return_value(result)

    def _on_get(self, _bus, _sender, _path, _interface, name):  # pylint: disable=too-many-arguments
        return getattr(self, "get_" + name)()

    def emit(self, path, interface, signal, args):
        self.bus.emit_signal(None, path, interface, signal, args)
        self.bus.flush_sync(None)

    def stop(self):
        self.bus.close_sync(None)
        self.loop.quit()
        self.thread.join(20)


class Shell(Peer):
    """Notifications. SAYS: what it can do."""

    def __init__(self, address, says=("actions", "body", "body-markup")):
        self.says = says
        self.notes = {}  # by id: those that are shown
        self.history = []  # all texts, in their order
        self.last = 0
        super().__init__(address, NOTES, [("/org/freedesktop/Notifications", NOTES_XML)])

    def on_GetCapabilities(self, *_):
        return GLib.Variant("(as)", (self.says,))

    @staticmethod
    def on_GetServerInformation(*_):
        return GLib.Variant("(ssss)", ("shell", "tests", "1", "1.2"))

    def on_Notify(self, _sender, _path, *fields):
        _app, replaces, _icon, summary, body, actions, hints, timeout = fields
        if replaces not in self.notes:
            self.last += 1
            replaces = self.last
        self.notes[replaces] = {"summary": summary, "body": body, "actions": dict(zip(actions[::2], actions[1::2])),
                                "hints": hints, "timeout": timeout, "id": replaces}
        self.history.append(body)
        return GLib.Variant("(u)", (replaces,))

    def on_CloseNotification(self, _sender, _path, note):
        self.close(note, 3)

    def close(self, note, reason):
        if self.notes.pop(note, None):
            self.emit("/org/freedesktop/Notifications", NOTES, "NotificationClosed",
                      GLib.Variant("(uu)", (note, reason)))

    def press(self, note, key):
        """A button, or with "default" the notification itself; it goes, as most servers have it."""
        self.emit("/org/freedesktop/Notifications", NOTES, "ActionInvoked", GLib.Variant("(us)", (note, key)))
        self.close(note, 2)


class Saver(Peer):
    """A screen saver's lock."""

    def __init__(self, address):
        super().__init__(address, "org.gnome.ScreenSaver", [("/org/gnome/ScreenSaver", SAVER_XML)])

    @staticmethod
    def on_GetActive(*_):
        return GLib.Variant("(b)", (False,))

    def lock(self, locked):
        self.emit("/org/gnome/ScreenSaver", "org.gnome.ScreenSaver", "ActiveChanged", GLib.Variant("(b)", (locked,)))


class Logind(Peer):
    """A session of logind's."""

    def __init__(self, address):
        self.locked = False
        super().__init__(address, "org.freedesktop.login1", [(SESSION_PATH, SESSION_XML)])

    def get_LockedHint(self):
        return GLib.Variant("b", self.locked)

    def lock(self, locked):
        self.locked = locked
        self.emit("/org/freedesktop/login1/session/_32", PROPERTIES, "PropertiesChanged",
                  GLib.Variant("(sa{sv}as)", (SESSION, {"LockedHint": GLib.Variant("b", locked)}, [])))


class Streamd(Peer):
    """Asks its agents whatever it is told to, and keeps the answers."""

    def __init__(self, address):
        self.agent, self.answers, self.refuses = None, [], None
        super().__init__(address, STREAMD, [(ROOT, MANAGER_XML),
                                            *((f"{ROOT}/request/{n}", REQUEST_XML) for n in (1, 2, 3, 4))])

    @staticmethod
    def get_Version():
        return GLib.Variant("s", "0")

    def on_RegisterAgent(self, sender, _path, agent, _options):
        self.agent = sender, agent

    def on_UnregisterAgent(self, *_):
        self.agent = None

    def on_AcceptTo(self, _sender, path, _target):
        if self.refuses:
            raise GLib.Error.new_literal(Gio.dbus_error_quark(), self.refuses, Gio.DBusError.LIMITS_EXCEEDED)
        self.answers.append((int(path.rsplit("/", 1)[1]), "allow"))

    def on_Reject(self, _sender, path, _reason):
        self.answers.append((int(path.rsplit("/", 1)[1]), "deny"))

    def tell(self, method, args):
        self.bus.call_sync(*self.agent, STREAMD + ".Agent", method, args, None, Gio.DBusCallFlags.NONE, 20_000, None)

    def ask(self, number, seconds=60, **facts):
        now = GLib.get_real_time()
        facts = {"Initiator": "alice", "StreamName": "door", "Target": "door", "Hub": "office", "DeviceId": "desk",
                 **facts}
        details = {name: GLib.Variant("s", value) for name, value in facts.items()}
        details.update(RequestedAt=GLib.Variant("t", now), Deadline=GLib.Variant("t", now + seconds * 1_000_000))
        self.tell("RequestConsent", GLib.Variant("(oa{sv})", (f"{ROOT}/request/{number}", details)))

    def cancel(self, number, reason):
        self.tell("Cancel", GLib.Variant("(os)", (f"{ROOT}/request/{number}", reason)))


class ServiceBus(Bus):
    """A session bus that can start the app."""

    CONFIG = Bus.CONFIG.replace("<policy", "<servicedir>{path}.services</servicedir>\n  <policy", 1)

    def __init__(self, site, name):
        self.services = os.path.join(site.dir, name + ".bus.services")
        os.mkdir(self.services)
        super().__init__(site, name)
        site.processes.append(self)

    def offer(self, env, program):
        words = " ".join(f"{key}={value}" for key, value in env.items() if " " not in value and value)
        with open(os.path.join(self.services, APP_ID + ".service"), "w", encoding="ascii") as file:
            file.write(f"[D-BUS Service]\nName={APP_ID}\nExec=/usr/bin/env {words} {program} --gapplication-service\n")
