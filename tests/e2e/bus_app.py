# SPDX-License-Identifier: LGPL-2.1-or-later
"""An app of streamd's inside the test: it calls OpenStream and is called as a handler, and then does with
its descriptors what no good app would. Takes python3-gi."""
import os
import socket
import threading

from gi.repository import Gio, GLib

from harness import PATIENCE, check, eventually, listed

NAME = "io.streamd.Streamd1"
ROOT = "/io/streamd/Streamd1"
HANDLER_PATH = "/io/streamd/test/Handler"
CONTRACT = os.path.join(os.path.dirname(__file__), "../../dbus/io.streamd.Streamd1.Handler.xml")
with open(CONTRACT, encoding="utf-8") as contract:
    HANDLER = Gio.DBusNodeInfo.new_for_xml(contract.read()).interfaces[0]


class App:
    """A connection to a daemon's bus. Its signals and the calls that it gets are served by a thread."""

    def __init__(self, site, daemon):
        self.daemon = daemon
        self.context = GLib.MainContext()
        self.loop = GLib.MainLoop(self.context)
        self.requests = []
        self.answer = (True, "")
        self.fails = False
        self.serve = None
        flags = (Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
                 | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)
        self.bus = Gio.DBusConnection.new_for_address_sync(daemon.bus.address, flags, None, None)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        site.closers.append(self.close)

    def _run(self):
        self.context.push_thread_default()
        self.loop.run()

    def close(self):
        """Leaves the bus, as an app that ends does."""
        if not self.bus.is_closed():
            self.bus.close_sync(None)
        self.loop.quit()

    def call(self, method, signature, values, path=ROOT, interface=NAME + ".Manager"):
        return self.bus.call_sync(NAME, path, interface, method, GLib.Variant(signature, values),
                                  None, Gio.DBusCallFlags.NONE, PATIENCE * 1000, None).unpack()

    def open(self, device, stream):
        """OpenStream; the socket, and the path of the stream's object."""
        reply, fds = self.bus.call_with_unix_fd_list_sync(
            NAME, ROOT, NAME + ".Manager", "OpenStream",
            GLib.Variant("(sssa{sv})", ("", device, stream, {})), GLib.VariantType("(ho)"),
            Gio.DBusCallFlags.NONE, PATIENCE * 1000, None, None)
        index, path = reply.unpack()
        return own_socket(fds.steal_fds()[index]), path

    def changes(self, path):
        """A list that gets what PropertiesChanged says of an object, from now on."""
        found = []

        def changed(_bus, _sender, _path, _interface, _signal, parameters):
            found.append(parameters.unpack()[1])

        self.here(lambda: self.bus.signal_subscribe(
            NAME, "org.freedesktop.DBus.Properties", "PropertiesChanged", path, None,
            Gio.DBusSignalFlags.NONE, changed))
        self.call("GetAll", "(s)", ("",), path=path, interface="org.freedesktop.DBus.Properties")
        return found

    def here(self, action):
        """Does something in the thread of this app, so that what it leads to comes there."""
        done = threading.Event()

        def act(*_):
            action()
            done.set()
            return GLib.SOURCE_REMOVE

        source = GLib.idle_source_new()
        source.set_callback(act)
        source.attach(self.context)
        check(done.wait(PATIENCE), "the app's thread does not run")

    # -- as a handler

    def handle(self, name, serve):
        """Registers as a handler; each stream is given to serve(socket, path) in a thread of its own."""
        self.serve = serve
        self.here(lambda: self.bus.register_object(HANDLER_PATH, HANDLER, self._called, None, None))
        self.call("RegisterHandler", "(oa{sv})", (HANDLER_PATH, {"name": GLib.Variant("s", name)}))

    def _called(self, _bus, _sender, _path, _interface, method, parameters, invocation):
        if method == "HandleRequest":
            self.requests.append(parameters.unpack())
            invocation.return_value(GLib.Variant("(bs)", self.answer))
            return
        if self.fails:
            invocation.return_dbus_error("org.example.Error.Broken", "it broke")
            return
        if method == "NewStream":
            path, index, _ = parameters.unpack()
            fd = invocation.get_message().get_unix_fd_list().steal_fds()[index]
            threading.Thread(target=self.serve, args=(own_socket(fd), path), daemon=True).start()
        invocation.return_value(None)


def add_rule(app, **rule):
    """Adds a rule to the accept policy, with texts only."""
    values = {key.replace("_", "-"): GLib.Variant("s", value) for key, value in rule.items()}
    return app.call("Add", "(a{sv})", (values,), interface=NAME + ".Policy")[0]


def own_socket(fd):
    connection = socket.socket(fileno=fd)
    connection.settimeout(PATIENCE * 2)
    return connection


def end_reason(daemon, path=None):
    """Why a stream of the daemon's ended, the last one if not said otherwise; waits for its end."""

    def reason():
        streams = listed(daemon.ctl_json("stream", "list"), "streams")
        if path is None:
            return max(streams, key=lambda stream: stream["id"])["close_reason"]
        wanted = int(path.rsplit("/", 1)[1])
        return next(stream["close_reason"] for stream in streams if stream["id"] == wanted)

    return eventually(reason, "the stream ends")
