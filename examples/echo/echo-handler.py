#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Takes the streams that a rule of the accept policy gives to its name, and echoes them.

    streamctl accept-policy add --stream echo --handler echo
    ./echo-handler.py echo

For each stream streamd calls HandleRequest, which decides, and when the stream is open NewStream,
which brings it as a file descriptor. A thread per stream keeps it short; the main loop serves the
bus. Takes Debian's python3-gi."""
import argparse
import signal
import socket
import sys
import threading

from gi.repository import Gio, GLib

NAME = "io.streamd.Streamd1"
ROOT = "/io/streamd/Streamd1"
HANDLER_PATH = "/io/streamd/example/Echo"
HANDLER = Gio.DBusNodeInfo.new_for_xml("""
<node>
  <interface name="io.streamd.Streamd1.Handler">
    <method name="HandleRequest">
      <arg name="stream" type="o" direction="in"/>
      <arg name="request" type="a{sv}" direction="in"/>
      <arg name="accept" type="b" direction="out"/>
      <arg name="reason" type="s" direction="out"/>
    </method>
    <method name="NewStream">
      <arg name="stream" type="o" direction="in"/>
      <arg name="fd" type="h" direction="in"/>
      <arg name="details" type="a{sv}" direction="in"/>
    </method>
    <method name="Release"/>
  </interface>
</node>""").interfaces[0]
STREAMS_MAX = 200  # at once; a bound of one's own is better than to run out of threads


def say(text):
    print(text, flush=True)


class Handler:
    def __init__(self, bus, name, loop):
        self.bus = bus
        self.name = name
        self.loop = loop
        self.streams = 0
        self.failed = False
        bus.register_object(HANDLER_PATH, HANDLER, self.called, None, None)
        # Tells at once whether streamd is there, and each time that it comes or goes: one that was
        # started again knows nothing of us.
        Gio.bus_watch_name_on_connection(bus, NAME, Gio.BusNameWatcherFlags.AUTO_START,
                                         self.streamd_came, self.streamd_went)

    def streamd_came(self, bus, _name, _owner):
        match = {"name": GLib.Variant("s", self.name)}
        bus.call(NAME, ROOT, NAME + ".Manager", "RegisterHandler",
                 GLib.Variant("(oa{sv})", (HANDLER_PATH, match)), None, Gio.DBusCallFlags.NONE, -1,
                 None, self.registered)

    def streamd_went(self, _bus, _name):
        say("streamd is not there; waiting for it")

    def registered(self, bus, result):
        try:
            bus.call_finish(result)
            say(f'registered as "{self.name}"')
        except GLib.Error as error:
            # Its name says which it was, Gio.DBusError.get_remote_error(error); this is for people.
            print(f"echo-handler: RegisterHandler: {error.message}", file=sys.stderr)
            self.failed = True
            self.loop.quit()

    def called(self, _bus, _sender, _path, _interface, method, parameters, invocation):
        """What streamd calls. On the system bus nobody else is let through to this interface."""
        if method == "HandleRequest":
            # REQUEST says who asks, and for what; unknown keys are skipped: later versions say more.
            accept = self.streams < STREAMS_MAX
            reason = "" if accept else "too many streams already"
            invocation.return_value(GLib.Variant("(bs)", (accept, reason)))
        elif method == "NewStream":
            path, index, _details = parameters.unpack()
            # Taken out of the message, which would else keep one of its own open, and the stream.
            fd = invocation.get_message().get_unix_fd_list().steal_fds()[index]
            self.streams += 1
            threading.Thread(target=self.serve, args=(path, socket.socket(fileno=fd)),
                             daemon=True).start()
            invocation.return_value(None)
        else:  # Release: streamd has dropped us, because it stops or the name was taken back
            say("released")
            invocation.return_value(None)

    def serve(self, path, connection):
        """In a thread of its own. sendall waits until everything is taken: who does not read back
        what was sent is not read from either, and the other streams go on."""
        say(f"{path}: opened")
        echoed = 0
        with connection:
            try:
                while data := connection.recv(1 << 16):
                    connection.sendall(data)
                    echoed += len(data)
                # The end of the data is answered by our own. A program that has more to say would
                # shutdown(SHUT_WR) when it has said it, and close when both directions are over.
            except OSError:
                pass  # EPIPE or a reset: the end of this stream, and of no other
        say(f"{path}: closed after {echoed} bytes")
        GLib.idle_add(self.served)

    def served(self):
        self.streams -= 1
        return GLib.SOURCE_REMOVE


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--system", action="store_true", help="the system's streamd, not yours")
    parser.add_argument("name", help="the handler's name, as the rules say it")
    args = parser.parse_args()
    bus = Gio.bus_get_sync(Gio.BusType.SYSTEM if args.system else Gio.BusType.SESSION)
    loop = GLib.MainLoop()
    handler = Handler(bus, args.name, loop)
    for number in signal.SIGINT, signal.SIGTERM:
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, loop.quit)
    loop.run()
    # Leaving the bus takes the registration back; the streams end with their descriptors.
    return 1 if handler.failed else 0


if __name__ == "__main__":
    sys.exit(main())
