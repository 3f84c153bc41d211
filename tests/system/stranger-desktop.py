# SPDX-License-Identifier: LGPL-2.1-or-later
"""What bob does at the laptop, with the mouse, as the README says: stranger-desktop.py INVITATION.

He joins the hub with his invitation, which he chooses as a file, sees that the gateway is there, and opens a
terminal with it. Each step that is done is a line of output."""
import os
import sys

from harness import check, check_equal, eventually
from screen import App, Here, Screen

CONTROL_L, RETURN = (37, 46), 36
# The terminal: it has a pty, and what bob would type there is typed.
TERMINAL = """#!/bin/sh
printf '%s ' "$@" >{path}.argv
exec /usr/bin/python3 /test-lib/typist.py 'open sesame' {path}.argv 'hostname; id -un; exit' >{path} 2>&1
"""


README = "/shared/streamd/README.md"


def say(line):
    print(line, flush=True)


def told():
    """The buttons that the README names are those that are pressed."""
    with open(README, encoding="utf-8") as file:
        text = file.read()
    for name in ("Start streamd", "Hubs", "Join a Hub…", "Choose a File…", "Devices", "Terminal"):
        check(f"*{name}*" in text, f"the README tells of {name}")


def join(app, screen, invitation):
    app.press("Start streamd")
    app.wait_text("No Hub")
    app.press("Hubs")
    app.press("Join a Hub…")
    app.press("Choose a File…")
    app.wait_text("Choose the Invitation")
    screen.keys(*CONTROL_L)
    screen.type(invitation)
    screen.keys(RETURN)
    app.wait_text("opens streams as the user bob")
    app.wait_text("hub.example.org")
    app.fill("Name of the hub here", "office")
    app.press("Join")
    app.wait_text("Joined: this machine opens streams as the user bob")
    app.wait_text("1 of 1 hub connected")
    say("joined")


def see(app):
    app.press("Devices")
    app.wait_text("1 of 1 device is connected")
    app.wait_for("button", "Terminal with gw-1")
    say("seen")


def log_in(app, terminal):
    app.press("Terminal with gw-1")
    app.wait_text("A terminal with gw-1 opens")

    def said():
        with open(terminal, encoding="utf-8", errors="replace", newline="") as file:
            return file.read()

    eventually(lambda: os.path.exists(terminal) and "\nbob\r" in said(), "he is on the gateway")
    check("\ngateway\r" in said(), said())
    with open(terminal + ".argv", encoding="utf-8") as file:
        check_equal(file.read().strip(), "/usr/bin/streamctl ssh --user --hub=office -- gw-1", "what runs in the terminal")
    say("gateway")


def main():
    here = Here()
    terminal = os.path.join(here.dir, "terminal")
    bin_dir = os.path.join(here.dir, "bin")
    os.mkdir(bin_dir)
    with open(os.path.join(bin_dir, "xdg-terminal-exec"), "w", encoding="ascii") as file:
        file.write(TERMINAL.format(path=terminal))
    os.chmod(file.name, 0o755)
    try:
        told()
        screen = Screen(here, os.environ["DBUS_SESSION_BUS_ADDRESS"])
        env = here.environment(PATH=f"{bin_dir}:{os.environ['PATH']}", GSETTINGS_BACKEND="memory")
        app = App(screen, env, argv=["streamd-desktop"])
        join(app, screen, sys.argv[1])
        see(app)
        log_in(app, terminal)
        eventually(lambda: not app.complaints(), "the app complains about nothing", 0)
        say("done")
    except BaseException:
        for name in sorted(os.listdir(here.dir)):
            if os.path.isfile(os.path.join(here.dir, name)):
                with open(os.path.join(here.dir, name), encoding="utf-8", errors="replace") as file:
                    sys.stderr.write("".join(f"{name}: {line}\n" for line in file.read().splitlines()[-20:]))
        raise
    finally:
        here.stop()


if __name__ == "__main__":
    main()
