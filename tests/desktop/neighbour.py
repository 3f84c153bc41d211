# SPDX-License-Identifier: LGPL-2.1-or-later
"""Another app on the same screen: it has the clipboard, and something to drag. It does what the lines of its
standard input say, and answers each with one line: "clip FILE", "drag FILE" (the file itself), "drag-text FILE"
(its text), "read" (what is in the clipboard, as JSON)."""
import json
import sys

import gi

gi.require_version("Gtk", "4.0")
gi.require_version("Gdk", "4.0")
# pylint: disable=wrong-import-position
from gi.repository import Gdk, Gio, GLib, GObject, Gtk


def answer(text="done"):
    print(text, flush=True)


class Neighbour:
    """A window whose whole surface can be dragged."""

    def __init__(self, app):
        self.window = Gtk.ApplicationWindow(application=app, title="Neighbour")
        self.window.set_default_size(120, 120)
        self.label = Gtk.Label(label="drag me", hexpand=True, vexpand=True)
        self.window.set_child(self.label)
        self.source = Gtk.DragSource(actions=Gdk.DragAction.COPY)
        self.label.add_controller(self.source)
        self.clipboard = Gdk.Display.get_default().get_clipboard()
        self.window.present()
        GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, self.on_line)

    def on_line(self, *_):
        line = sys.stdin.readline()
        if not line:
            sys.exit(0)
        verb, _, path = line.strip().partition(" ")
        getattr(self, verb.replace("-", "_"))(path)
        return True

    def give(self, provider):
        self.source.set_content(provider)
        answer()

    def clip(self, path):
        with open(path, encoding="utf-8") as file:
            self.clipboard.set_content(Gdk.ContentProvider.new_for_value(GObject.Value(str, file.read())))
        answer()

    def drag(self, path):
        uris = (Gio.File.new_for_path(path).get_uri() + "\r\n").encode()
        self.give(Gdk.ContentProvider.new_for_bytes("text/uri-list", GLib.Bytes.new(uris)))

    def drag_text(self, path):
        with open(path, encoding="utf-8") as file:
            self.give(Gdk.ContentProvider.new_for_value(GObject.Value(str, file.read())))

    def read(self, _):
        def on_read(clipboard, result):
            try:
                answer(json.dumps(clipboard.read_text_finish(result)))
            except GLib.Error:
                answer("null")

        self.clipboard.read_text_async(None, on_read)


def main():
    app = Gtk.Application(application_id="io.streamd.Neighbour", flags=Gio.ApplicationFlags.NON_UNIQUE)
    app.connect("activate", Neighbour)
    app.run([])


if __name__ == "__main__":
    main()
