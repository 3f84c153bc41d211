# SPDX-License-Identifier: LGPL-2.1-or-later
"""What alice does with the desktop app in her session: desktop-session.py.

Each step that is done is a line of output, for which the script that runs the machine waits."""
import os
import socket
import sys

from harness import check_equal, eventually
from screen import App, Here, Screen

PAYLOAD = os.urandom(300_000)


def say(line):
    print(line, flush=True)


def tunnel(app):
    app.press("Open a tunnel")
    app.fill("Device", "gw-1")
    app.fill("Stream", "echo")
    app.press("Open")
    port = int(app.wait_text("The tunnel listens on tcp:127.0.0.1:").rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), 20) as near:
        near.sendall(PAYLOAD)
        got = b""
        while len(got) < len(PAYLOAD) and (part := near.recv(1 << 16)):
            got += part
    check_equal(got, PAYLOAD, "what came back")
    say("tunnel")
    app.press("Close the tunnel gw-1 · echo")
    app.wait_gone("button", "Close the tunnel gw-1 · echo")
    say("closed")


def transfer(app):
    app.press("Devices")
    app.press("More about gw-1")
    app.press("Test a Transfer…")
    app.fill("Stream", "echo")
    app.press("Start")
    say("transfer: " + app.wait_text("came back the same"))
    app.press("Done")


def forbidden(app):
    """Hubs are an administrator's matter, and there is nobody who could be asked for a password."""
    app.press("Hubs")
    app.press("More about ops")
    app.press("Disconnect")
    say("forbidden: " + app.wait_text("manage-hubs"))
    app.press("Done")


def allow(app, word):
    app.wait_text("“service” asks for “door” on this machine")
    app.press("Allow")
    app.wait_gone("button", "Allow")
    say(word)


def main():
    here = Here()
    try:
        screen = Screen(here, f"unix:path={os.environ['XDG_RUNTIME_DIR']}/bus")
        app = App(screen, here.environment(), argv=["streamd-desktop"])
        app.wait_text("The system's streamd")
        app.wait_text("2 of 2 hubs connected")
        app.wait_text("need consent are asked about here")
        say("ready")
        allow(app, "allowed")
        app.fill("Reason, if you deny", "not before noon")
        app.press("Deny")
        say("denied")
        tunnel(app)
        transfer(app)
        forbidden(app)
        say("restart me")
        app.wait_text("The System's streamd Is Not Running")
        say("gone")
        app.wait_text("need consent are asked about here")
        say("back")
        allow(app, "allowed again")
        eventually(lambda: not app.complaints(), "the app complains about nothing", 0)
        say("done")
    finally:
        here.stop()


if __name__ == "__main__":
    sys.exit(main())
